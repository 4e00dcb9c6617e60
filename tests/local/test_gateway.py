"""The one port in front hands requests on as they came."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Blueprint
from werkzeug.http import parse_date

from local import functions, oidc, raw_http
from local.gateway import Gateway
from local.servers import LocalServer
from local.stack import Options, Stack
from local.triggers import Triggers
from providers import clock
from tests.local.test_functions import MAIN


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[LocalServer]:
    source = tmp_path / "main.py"
    source.write_text(MAIN)
    server = LocalServer(functions.all_in_one(source)).start()
    yield server
    server.stop()


@pytest.fixture
def gateway(behind: LocalServer) -> Iterator[Gateway]:
    front = Gateway(["tell-me", "happened"], behind.url, Triggers(), signed=["tell-me"])
    pages = Blueprint("pages", __name__)
    pages.add_url_rule("/", view_func=lambda: "the page", endpoint="page")
    front.mount(pages)
    yield front.start(0)
    front.stop()


def url(gateway: Gateway) -> str:
    assert gateway.server is not None
    return gateway.server.url


def test_method_path_query_headers_and_body_arrive_unchanged(gateway: Gateway) -> None:
    sent = [
        ("Host", "example.com:99"),
        ("X-Own", "é".encode().decode("latin-1")),
        ("Content-Type", "text/plain"),
    ]
    answer = raw_http.send(
        "PUT",
        f"{url(gateway)}/tell-me//a%2fb/?x=%2f&y=+&x=%C3%A9",
        sent,
        "Grüße".encode(),
    )
    assert answer.status_code == 200
    seen = answer.get_json()
    assert seen["raw"] == "/tell-me//a%2fb/?x=%2f&y=+&x=%C3%A9"
    assert (seen["method"], seen["body"], seen["host"]) == (
        "PUT",
        "Grüße",
        "example.com:99",
    )
    assert seen["header"] == sent[1][1]


def test_pages_are_served_beside_the_functions(gateway: Gateway) -> None:
    assert raw_http.send("GET", f"{url(gateway)}/").text == "the page"
    assert raw_http.send("GET", f"{url(gateway)}/unknown").status_code == 404


def test_while_the_functions_are_down_the_answer_is_503_and_then_all_is_well_again(
    gateway: Gateway, behind: LocalServer
) -> None:
    gateway.functions_url = "http://127.0.0.1:1"
    answer = raw_http.send("POST", f"{url(gateway)}/tell-me")
    assert (answer.status_code, "do not answer" in answer.text) == (503, True)
    gateway.functions_url = behind.url
    assert raw_http.send("POST", f"{url(gateway)}/tell-me").status_code == 200


def test_browsers_see_the_clock_of_the_functions_and_nobody_can_turn_it_from_in_front(
    gateway: Gateway,
) -> None:
    gateway.ahead = 3600.0
    seen = parse_date(
        raw_http.send("GET", f"{url(gateway)}/tell-me").headers.get_all("Date")[-1]
    )
    assert seen is not None and seen > datetime.now(UTC) + timedelta(minutes=59)
    answer = raw_http.send("POST", f"{url(gateway)}/{functions.CLOCK}", body=b"60")
    assert (
        answer.status_code,
        clock.now() < datetime.now(UTC) + timedelta(seconds=30),
    ) == (404, True)


FOREIGN = (
    "abcd-1234.ngrok.example",
    "127.0.0.1.evil.example:8080",
    "evil.example:127",
    "localhost.example",
    "",
)


@pytest.mark.parametrize("host", FOREIGN)
def test_behind_a_foreign_host_only_signed_functions_answer(
    gateway: Gateway, host: str
) -> None:
    def status(path: str, method: str = "POST") -> int:
        return raw_http.send(method, url(gateway) + path, [("Host", host)]).status_code

    assert status("/tell-me/x") == 200
    private = ("/", "/happened", "/as/ann/inbox", "/unknown", f"/{functions.CLOCK}")
    assert {status(path, method) for path in private for method in ("GET", "POST")} == {
        403
    }


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via"]
)
def test_a_tunnel_that_calls_this_machine_by_its_own_name_is_known_by_its_headers(
    gateway: Gateway, header: str
) -> None:
    answer = raw_http.send("GET", url(gateway), [(header, "203.0.113.7")])
    assert (answer.status_code, "tunnel" in answer.get_json()["error"]) == (403, True)
    assert (
        raw_http.send(
            "POST", f"{url(gateway)}/tell-me", [(header, "203.0.113.7")]
        ).status_code
        == 200
    )


@pytest.mark.parametrize(
    "header", [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]
)
def test_another_site_in_the_same_browser_changes_nothing(
    gateway: Gateway, header: tuple[str, str]
) -> None:
    assert (
        raw_http.send("POST", f"{url(gateway)}/happened", [header]).status_code == 403
    )
    assert raw_http.send("GET", url(gateway), [header]).status_code == 200


def test_this_machine_by_either_of_its_names_is_served(gateway: Gateway) -> None:
    for host in ("127.0.0.1", "localhost", "localhost:8080"):
        own = [("Host", host), ("Origin", f"http://{host}")]
        assert raw_http.send("GET", url(gateway), own).text == "the page"
        assert raw_http.send("POST", f"{url(gateway)}/happened", own).status_code != 403


def test_with_the_real_account_nobody_signs_in_at_the_local_issuer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OIDC_CLIENT_ID", "of-the-real-issuer")
    found = {}
    for real in (False, True):
        stack = Stack(Options(port=0, standin=False, real_account=real))
        client = stack.gateway.app.test_client()
        status = client.get("/oidc/.well-known/openid-configuration").status_code
        found[real] = (status, stack.functions_environment()["OIDC_CLIENT_ID"])
    assert found == {False: (200, oidc.CLIENT_ID), True: (404, "of-the-real-issuer")}
