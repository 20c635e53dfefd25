from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tinysearch.errors import InputError
from tinysearch.report.dashboard import server as served
from tinysearch.report.dashboard.server import DashboardServer


@pytest.fixture
def server(followed: Any) -> Iterator[DashboardServer]:
    followed.store(0, 0.5)
    followed.follower.look()
    with DashboardServer(followed.board) as server:
        yield server


def asked(
    server: DashboardServer, path: str = "", method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, str]:
    """Ask for something below the address, or for another path if it begins with a slash."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        whole = path if path.startswith("/") else urlsplit(server.address).path + path
        connection.request(method, whole, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        packed = answer.getheader("Content-Encoding") == "gzip" and method != "HEAD"
        return answer, (gzip.decompress(body) if packed else body).decode()
    finally:
        connection.close()


def test_it_listens_on_this_machine_alone_at_an_address_that_nobody_guesses(
    server: DashboardServer, followed: Any
) -> None:
    assert server.address.startswith(f"http://127.0.0.1:{server.port}/")
    token = urlsplit(server.address).path.strip("/")
    assert len(token) >= 32
    assert server._server.server_address[0] == "127.0.0.1"
    with DashboardServer(followed.board) as other:
        assert token not in other.address


@pytest.mark.parametrize(
    "path", ["", "page.js", "live.js", "page.css", "plotly.js", "changes", "candidate?section=0&index=0"]
)
def test_each_part_of_the_page_is_served_and_may_load_nothing_from_elsewhere(
    server: DashboardServer, path: str
) -> None:
    answer, text = asked(server, path)
    assert answer.status == 200
    assert text
    assert "default-src 'none'" in str(answer.getheader("Content-Security-Policy"))
    assert answer.getheader("Referrer-Policy") == "no-referrer"
    packed, same = asked(server, path, **{"Accept-Encoding": "gzip"})
    assert packed.getheader("Content-Encoding") == "gzip"
    assert same == text
    head, nothing = asked(server, path, "HEAD")
    assert (head.status, nothing) == (200, "")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 403), ("", 200), ("/wrong/", 403), ("/wrong/changes", 403), ("//", 403), ("../", 403)],
)
def test_without_the_secret_nothing_is_told(server: DashboardServer, path: str, status: int) -> None:
    answer, text = asked(server, path if path != "../" else "/x/../")
    assert answer.status == status
    assert ("000000000000" in text) == (False if status == 403 else "000000000000" in text)
    assert urlsplit(server.address).path.strip("/") not in text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", ""]
)
def test_a_page_of_another_name_that_points_here_is_refused(server: DashboardServer, host: str) -> None:
    answer, text = asked(server, Host=host.format(port=server.port))
    assert answer.status == 421
    assert "<html" not in text


def test_localhost_is_this_machine_too(server: DashboardServer) -> None:
    assert asked(server, Host=f"localhost:{server.port}")[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_it_is_only_read(server: DashboardServer, method: str) -> None:
    assert asked(server, "changes", method)[0].status == 405


@pytest.mark.parametrize("path", ["nothing", "page.html.j2", "../page.js", "candidate?section=0&index=9", "candidate"])
def test_what_is_not_there_is_not_found(server: DashboardServer, path: str) -> None:
    assert asked(server, path)[0].status == 404


@pytest.mark.parametrize("since", ["", "nonsense", "-1", "9" * 40])
def test_a_version_that_is_none_is_the_first(server: DashboardServer, since: str) -> None:
    _, text = asked(server, f"changes?since={since}")
    assert len(json.loads(text)["sections"][0]["candidates"]) == 1


def test_each_new_version_is_told_at_once_and_then_its_changes_are_there(
    server: DashboardServer, followed: Any
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", urlsplit(server.address).path + "events")
    answer = connection.getresponse()
    assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
    first = int(answer.readline().removeprefix(b"data: "))
    followed.store(1, 0.4)
    followed.follower.look()
    assert answer.readline() == b"\n"
    second = int(answer.readline().removeprefix(b"data: "))
    assert second == first + 1
    changes = json.loads(asked(server, f"changes?since={first}")[1])
    assert [one["row"]["name"] for one in changes["sections"][0]["candidates"]] == ["000000000001"]
    connection.close()


def test_those_who_wait_are_told_that_it_is_still_there_and_sent_home_at_the_end(
    followed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "SIGN_OF_LIFE", 0.0)
    followed.follower.look()
    with DashboardServer(followed.board) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", urlsplit(server.address).path + "events")
        answer = connection.getresponse()
        assert [answer.readline() for _ in range(3)][2] == b": still here\n"
    assert answer.read().endswith(b"\n")
    connection.close()


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do(server: DashboardServer, followed: Any) -> None:
    with pytest.raises(InputError, match=f"port {server.port} of 127.0.0.1 cannot be used .*another `port=`"):
        DashboardServer(followed.board, server.port)
