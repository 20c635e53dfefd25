"""Which version of a package is in use, however it was installed."""

from __future__ import annotations

import sys
from importlib import metadata


def version_of(package: str) -> str | None:
    """Return the version of a package, without loading it; None if it is not known.

    It is that of the distribution of this name, else of any distribution that brings the package, such as
    ``tensorflow-cpu``, else what the package says of itself if it is loaded, as where it runs from its source.

    Args:
        package: Name of a distribution, the package in it being called alike: ``"keras-tuner"``.
    """
    module = package.replace("-", "_")
    found = _installed(package)
    for distribution in () if found else metadata.packages_distributions().get(module, ()):
        found = found or _installed(distribution)
    if found:
        return found
    own = getattr(sys.modules.get(module), "__version__", None)
    return own if isinstance(own, str) else None


def _installed(distribution: str) -> str | None:
    try:
        return metadata.version(distribution) or None
    except (metadata.PackageNotFoundError, KeyError):
        # Metadata that names no version raises a KeyError, or gives None, depending on the version of Python.
        return None
