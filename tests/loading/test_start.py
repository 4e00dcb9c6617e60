"""Every function of main.py starts by the command that also runs it in the cloud, with nothing but PATH set."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from werkzeug.wrappers import Response

from local import functions, raw_http
from local.ports import HOST, free_port
from local.processes import Child
from tests.conformance.entry_points import PRIVATE, SIGNED, SIGNED_IN, TRIGGERS

Started = dict[str, tuple[Child, str]]


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    """All of them side by side, each a process of its own."""
    with ExitStack() as ending:
        running: Started = {}
        for function in functions.listed():
            port = free_port()
            child = functions.child(
                function.entry_point, port, {"PATH": os.environ["PATH"]}
            ).start()
            ending.callback(child.kill)
            running[function.entry_point] = (child, f"http://{HOST}:{port}")
        for child, _ in running.values():
            child.wait_ready(timeout=90)
        yield running


def ask(started: Started, name: str, method: str) -> Response:
    return raw_http.send(method, started[name][1] + "/", timeout=30)


@pytest.mark.parametrize("name", SIGNED)
def test_a_signed_one_starts_and_answers_get_with_405(
    started: Started, name: str
) -> None:
    answer = ask(started, name, "GET")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("name", SIGNED)
def test_a_signed_one_says_in_its_log_what_it_lacks(
    started: Started, name: str
) -> None:
    assert ask(started, name, "POST").status_code == 500
    assert "TWILIO_AUTH_TOKEN is not set" in started[name][0].output()


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_trigger_starts_and_answers_get_with_405(started: Started, name: str) -> None:
    assert ask(started, name, "GET").status_code == 405


@pytest.mark.parametrize(("name", "methods"), PRIVATE.items())
def test_a_private_one_starts_and_says_in_its_log_what_it_lacks(
    started: Started, name: str, methods: tuple[str, ...]
) -> None:
    assert ask(started, name, "PUT").status_code == 405
    assert ask(started, name, methods[0]).status_code == 503
    last = json.loads(started[name][0].output().splitlines()[-1])
    assert (
        last["severity"],
        last["function"],
        "could not reach Firestore" in last["message"],
    ) == (
        "ERROR",
        name,
        True,
    )


@pytest.mark.parametrize("name", SIGNED_IN)
def test_one_where_workers_sign_in_starts_and_says_that_it_is_not_set_up(
    started: Started, name: str
) -> None:
    assert ask(started, name, "PATCH").status_code == 405
    page = ask(started, name, "GET")
    assert (page.status_code, "OIDC_CLIENT_ID" in page.get_data(as_text=True)) == (
        200,
        True,
    )
    assert "INBOX_SECRET is not set" not in started[name][0].output()
