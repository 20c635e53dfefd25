from __future__ import annotations

import errno
import socket
import ssl
import urllib.error
from email.message import Message

import pytest

from tinysearch.data.download import reason

PROXIES = [f"{kind}_proxy" for kind in ("http", "https", "all", "no")]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def as_keras_raises(cause: Exception) -> Exception:
    """Return the bare exception that Keras makes of a failed download."""
    try:
        try:
            raise cause
        except Exception as error:
            raise Exception(f"URL fetch failure on https://example.org/mnist.npz: None -- {error}")  # noqa: B904
    except Exception as error:
        return error


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (urllib.error.URLError(socket.gaierror(-2, "Name or service not known")), "no network: Name or service"),
        (urllib.error.URLError(ConnectionRefusedError(111, "Connection refused")), "no network: Connection refused"),
        (urllib.error.URLError(OSError(errno.ENETUNREACH, "Network is unreachable")), "no network: Network is"),
        (urllib.error.URLError(TimeoutError("timed out")), "no answer from the network within 30 seconds"),
        (TimeoutError("The read operation timed out"), "no answer from the network within 30 seconds"),
        (urllib.error.URLError(ssl.SSLCertVerificationError(1, "self-signed")), "not trusted: self-signed"),
        (urllib.error.HTTPError("https://example.org", 403, "Forbidden", Message(), None), "answered 403 Forbidden"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/mnist.npz"), "No space left on device"),
        (ValueError("Incomplete or corrupted file detected.\nMore of it."), "Incomplete or corrupted file detected."),
        (EOFError(), "EOFError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_reason_is_what_lies_behind_the_exception_of_keras(cause: Exception, said: str) -> None:
    for error in (cause, as_keras_raises(cause)):
        assert said in reason(error)
        assert "\n" not in reason(error)


def test_a_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me:secret@proxy.example.org:3128")
    error = urllib.error.URLError(OSError("Tunnel connection failed: 407 Proxy Authentication Required"))
    said = reason(as_keras_raises(error))
    assert said == (
        "the connection through the proxy proxy.example.org:3128 failed: "
        "Tunnel connection failed: 407 Proxy Authentication Required"
    )
