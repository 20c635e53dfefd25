"""Datasets that Keras downloads, and the reasons of failed downloads."""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tinysearch.runtime.backend import load_keras

Array = npt.NDArray[np.generic]

PATIENCE = 30.0


def keras_arrays(name: str) -> list[tuple[Array, Array]]:
    """Return Keras's training and test arrays, downloaded or from its cache.

    Raises:
        OSError: if they cannot be downloaded; the message is a short reason.
    """
    load_keras()
    import keras

    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return list(getattr(keras.datasets, name).load_data())
    except Exception as error:  # Keras wraps a failed download in a bare Exception.
        raise OSError(reason(error)) from error
    finally:
        socket.setdefaulttimeout(patience)


def reason(error: BaseException) -> str:
    """Return a short reason of a failed download, from an exception and its causes.

    >>> reason(urllib.error.URLError(socket.gaierror(-3, "Temporary failure in name resolution")))
    'no network: Temporary failure in name resolution'
    """
    causes = list(_causes(error))
    fetching = any(isinstance(cause, urllib.error.URLError) for cause in causes)
    proxy = _proxy() if fetching else None
    for cause in causes:
        if isinstance(cause, urllib.error.HTTPError):
            return f"the server answered {cause.code} {cause.reason}"
        if isinstance(cause, urllib.error.URLError):
            continue
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the server's certificate is not trusted: {_words(cause)}; if a proxy or a company signs with its own "
                f"certificate, set SSL_CERT_FILE to the file of that certificate"
            )
        if proxy is not None and isinstance(cause, OSError):
            return f"the connection through the proxy {proxy} failed: {_words(cause)}"
        if isinstance(cause, TimeoutError):
            return f"no answer from the network within {PATIENCE:.0f} seconds"
        if isinstance(cause, (socket.gaierror, ConnectionError)) or (fetching and isinstance(cause, OSError)):
            return f"no network: {_words(cause)}"
    return _words(causes[-1])


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes, the outermost first."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        inner = found.reason if isinstance(found, urllib.error.URLError) else None
        found = inner if isinstance(inner, BaseException) else found.__cause__ or found.__context__


def _proxy() -> str | None:
    """Return the host of the proxy for downloads, without credentials; None if there is no proxy."""
    proxies = urllib.request.getproxies()
    address = proxies.get("https") or proxies.get("all")
    if not address:
        return None
    parts = urllib.parse.urlsplit(address if "//" in address else f"//{address}")
    return parts.netloc.rpartition("@")[2] or address


def _words(error: BaseException) -> str:
    said = (getattr(error, "strerror", None) or str(error)).strip()
    return said.splitlines()[0] if said else type(error).__name__
