"""Versions of installed packages."""

from __future__ import annotations

import sys
from importlib import metadata


def version_of(package: str) -> str | None:
    """Return the version of a package without loading it; None if it is unknown.

    This is the version of the distribution with this name, or else of any distribution that contains the package, such
    as ``tensorflow-cpu``, or else ``__version__`` of the loaded package, for example if it runs from source.

    Args:
        package: Name of a distribution that contains a package of the same name, such as ``"keras-tuner"``.
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
        # Metadata without a version raises a KeyError or returns None, depending on the version of Python.
        return None
