"""HTTP server of the dashboard, for local users who know its secret address.

It listens on 127.0.0.1 only, and requires a secret at the start of the path, so that other users of the machine cannot
read the page. It refuses requests with a foreign ``Host`` header, which a DNS rebinding attack by another site sends.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import hmac
import json
import os
import secrets
import socketserver
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tinysearch.errors import InputError
from tinysearch.report.dashboard.board import Board
from tinysearch.report.templates import part

HOST = "127.0.0.1"
# Seconds between keep-alive messages to a waiting page.
SIGN_OF_LIFE = 15.0
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SCRIPTS = {"page.js": "text/javascript", "live.js": "text/javascript", "page.css": "text/css"}


class DashboardServer:
    """Server of a board, which runs in separate threads within its ``with`` block.

    Args:
        board: The board to serve.
        port: Port to listen on; 0 for a free one.

    Raises:
        InputError: if the port is taken or cannot be used.
    """

    def __init__(self, board: Board, port: int = 0) -> None:
        self._board = board
        token = secrets.token_urlsafe(24)
        try:
            self._server = _Server((HOST, port), functools.partial(_Handler, board, token))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", error)
            raise InputError(
                f"port {port} of {HOST} cannot be used ({reason}); give another `port=`, or none for a free one"
            ) from None
        self.port = int(self._server.server_address[1])
        self.address = f"http://{HOST}:{self.port}/{token}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="dashboard", daemon=True)

    def __enter__(self) -> DashboardServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._board.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # On Windows, this option would allow two servers on the same port.
    allow_reuse_address = os.name == "posix"

    def server_bind(self) -> None:
        # The base class looks up the host name, which may need the network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of connections that the browser closed during an answer."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "tinysearch"
    sys_version = ""
    # Seconds that a connection may be idle.
    timeout = 60

    def __init__(self, board: Board, token: str, *args: Any) -> None:
        self._board = board
        self._token = token
        super().__init__(*args)

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        _, token, name = [*split.path.split("/", 2), "none", "none"][:3]
        port = self.connection.getsockname()[1]
        if self.headers.get("Host") not in (f"{HOST}:{port}", f"localhost:{port}"):
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, f"this page is at {HOST}, and nowhere else")
        elif not hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode()):
            self._refuse(HTTPStatus.FORBIDDEN, "open the address that tinysearch dashboard has printed")
        else:
            self._answer(name, parse_qs(split.query))

    do_HEAD = do_GET  # noqa: N815

    def _read_only(self) -> None:
        self.close_connection = True
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "this page is read-only")

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _read_only  # noqa: N815

    def _answer(self, name: str, query: dict[str, list[str]]) -> None:
        routes: dict[str, Callable[[], None]] = {
            "": lambda: self._send(self._board.page(), "text/html"),
            "plotly.js": lambda: self._send(_plotly(), "text/javascript", lasting=True),
            "changes": lambda: self._send_json(self._board.since(_number(query, "since"))),
            "candidate": lambda: self._send_json(
                self._board.candidate(_number(query, "section", -1), _number(query, "index", -1))
            ),
            "events": self._send_events,
        }
        if name in _SCRIPTS:
            self._send(part(name), _SCRIPTS[name])
        elif name in routes:
            routes[name]()
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")

    def _send_json(self, value: Any) -> None:
        if value is None:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such candidate")
            return
        self._send(json.dumps(value, separators=(",", ":"), allow_nan=False), "application/json")

    def _send(self, text: str | bytes, kind: str, status: HTTPStatus = HTTPStatus.OK, *, lasting: bool = False) -> None:
        """Send a complete response.

        Args:
            text: The body; bytes are compressed with gzip already.
            kind: Media type.
            status: Status code.
            lasting: Whether the browser may cache the response.
        """
        self.send_response(status)
        packed = isinstance(text, bytes) or "gzip" in self.headers.get("Accept-Encoding", "")
        body = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
        if packed:
            body = body if isinstance(text, bytes) else gzip.compress(body, compresslevel=1, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "private, max-age=3600" if lasting else "no-store")
        self._end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_events(self) -> None:
        """Send an event for each new version until the page is closed."""
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self._end_headers()
        told: int | None = 0
        with contextlib.suppress(OSError):
            while self.command != "HEAD":
                found = self._board.wait(told or 0, SIGN_OF_LIFE)
                if found is None:
                    break
                self.wfile.write(f"data: {found}\n\n".encode() if found != told else b": still here\n\n")
                told = found

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._send(f"{status.value} {status.phrase}: {reason}\n", "text/plain", status)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing, because the address contains the secret."""


def _number(query: dict[str, list[str]], name: str, otherwise: int = 0) -> int:
    """Return a query parameter as a number, or ``otherwise`` if it is missing or not a number."""
    text = query.get(name, [""])[0]
    return int(text) if text.isdecimal() and len(text) < 10 else otherwise


@functools.cache
def _plotly() -> bytes:
    from plotly.offline import get_plotlyjs

    return gzip.compress(get_plotlyjs().encode(), mtime=0)
