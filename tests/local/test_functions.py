"""Functions on one port: each sees its own part of the address, as behind Google's front end."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from local import functions, raw_http
from local.functions import Function
from local.ports import free_port
from local.servers import LocalServer
from providers import clock

MAIN = """
import functions_framework

@functions_framework.http
def tell_me(request):
    return {
        "path": request.path,
        "root": request.root_path,
        "raw": request.environ["RAW_URI"],
        "query": request.environ["QUERY_STRING"],
        "method": request.method,
        "host": request.host,
        "header": request.headers.get("X-Own"),
        "body": request.get_data(as_text=True),
    }

@functions_framework.cloud_event
def happened(event):
    if event["subject"] == "crash":
        raise RuntimeError("crash")

def not_deployed(request):
    return ""
"""
EVENT = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "//here", "ce-type": "t"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("functions") / "main.py"
    path.write_text(MAIN)
    return path


@pytest.fixture(scope="module")
def url(source: Path) -> Iterator[str]:
    server = LocalServer(functions.all_in_one(source)).start()
    yield server.url
    server.stop()


def test_the_list_is_read_from_main_and_holds_only_what_is_deployed(
    source: Path,
) -> None:
    assert functions.listed(source) == [
        Function("tell_me", "http"),
        Function("happened", "cloudevent"),
    ]


def test_the_projects_own_list_says_which_documents_wake_each_event_function() -> None:
    woken = [
        function
        for function in functions.listed()
        if function.signature == "cloudevent"
    ]
    assert all(functions.pattern_of(function) for function in woken)
    assert "pre-event" in [function.name for function in functions.listed()]


@pytest.mark.parametrize(
    ("called", "path"),
    [
        ("/tell-me", "/"),
        ("/tell-me/", "/"),
        ("/tell-me/a/b", "/a/b"),
        ("/tell-me/a//b", "/a//b"),
        ("/tell-me?x", "/"),
    ],
)
def test_a_function_sees_the_path_after_its_name(
    url: str, called: str, path: str
) -> None:
    answer = raw_http.send("POST", url + called)
    assert (answer.status_code, answer.get_json()["path"]) == (200, path)


def test_a_function_can_still_see_the_address_as_it_was_sent(url: str) -> None:
    seen = raw_http.send("POST", f"{url}/tell-me/a%2fb?x=%2f&y=+").get_json()
    assert (seen["raw"], seen["query"]) == ("/tell-me/a%2fb?x=%2f&y=+", "x=%2f&y=+")


def test_an_unknown_name_is_404(url: str) -> None:
    assert requests.get(f"{url}/not-deployed", timeout=10).status_code == 404


@pytest.mark.parametrize(("subject", "status"), [("fine", 200), ("crash", 500)])
def test_an_event_function_takes_events(url: str, subject: str, status: int) -> None:
    answer = requests.post(
        f"{url}/happened", b"{}", headers={**EVENT, "ce-subject": subject}, timeout=10
    )
    assert answer.status_code == status


def test_one_function_alone_by_the_real_command_survives_a_kill_and_a_new_start(
    source: Path,
) -> None:
    port = free_port()
    child = functions.child("tell_me", port, source=source)
    try:
        child.start().wait_ready()
        assert (
            requests.get(f"http://127.0.0.1:{port}/x", timeout=10).json()["path"]
            == "/x"
        )
        child.kill()
        assert not child.alive
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{port}/", timeout=10)
        child.start().wait_ready()
        assert (
            requests.get(f"http://127.0.0.1:{port}/y", timeout=10).json()["path"]
            == "/y"
        )
    finally:
        child.stop()


def test_time_passes_at_once_for_the_functions_and_what_waits_in_earnest_still_does(
    url: str,
) -> None:
    assert requests.post(f"{url}/{functions.CLOCK}", data="3600").status_code == 204
    before, began = clock.now(), time.monotonic()
    assert before > datetime.now(UTC) + timedelta(minutes=59)
    clock.wait(0.02)
    assert time.monotonic() - began >= 0.02
    assert clock.now() - before < timedelta(seconds=30)
