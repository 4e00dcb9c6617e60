"""The address that Twilio signed is rebuilt to the letter, whatever stands in front of the functions."""

from dataclasses import replace

import pytest

from tests.conformance.entry_points import SIGNED, of_no_interest
from tests.conformance.sender import Sender

pytestmark = pytest.mark.parametrize("name", SIGNED)

QUERIES = [
    "a=1",
    "a=%27quoted%27",
    "a=%E2%82%AC",
    "a=%e2%82%ac",  # the same in small letters is another text to sign
    "a=b+c",
    "a=b%2Bc%20d",
    "a=&b=",
    "a",
    "=",
    "&&a=1&",
    "a=1&a=2&a=1",
    "a=1;b=2",
    "a=%2F..%2F?b=/",
    "a=%FF",
    "a=%",
    "a=b%0D%0Ac",
    "bodySHA256=none",
    "a='~!*()",
]
PATHS = [
    "/",
    "/further",
    "/further/and/further/",
    "//",
    "/a//b",
    "/.well-known",
    "/a%20b",
    "/caf%C3%A9",
    "/a;b=1,c",
]
PATHS += ["/a%2Fb", "/caf%c3%a9", "/%41", "/a%25b", "/%FF", "/'~!*()"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_taken_as_it_was_sent(twilio: Sender, name: str, query: str) -> None:
    form, status = of_no_interest(name)
    assert twilio.send(name, form, query=query).status_code == status


@pytest.mark.parametrize("path", PATHS[1:])
def test_a_further_path_is_taken_as_it_was_sent(
    twilio: Sender, name: str, path: str
) -> None:
    form, status = of_no_interest(name)
    assert twilio.send(name, form, path=path, query="a=%27").status_code == status


@pytest.mark.parametrize("path", PATHS)
def test_without_a_base_the_address_is_the_one_that_was_called(
    twilio: Sender, name: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, status = of_no_interest(name)
    monkeypatch.delenv("WEBHOOK_BASE_URL")
    assert (
        twilio.send(name, form, path=path, query="a=%27&b=%E2%82%AC+").status_code
        == status
    )
    elsewhere = replace(twilio, public="https://elsewhere.example.com")
    assert elsewhere.send(name, form, path=path).status_code == 403


@pytest.mark.parametrize(
    "base",
    ["https://region-project.cloudfunctions.net", "https://proxy.example.com/deep/er/"],
)
def test_the_public_address_counts_and_not_the_one_that_the_function_sees(
    twilio: Sender, name: str, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, status = of_no_interest(name)
    monkeypatch.setenv("WEBHOOK_BASE_URL", base)
    public = replace(twilio, public=base.rstrip("/"))
    assert public.send(name, form).status_code == status
    assert public.send(name, form, path="/further", query="a=%27").status_code == status
    assert twilio.send(name, form).status_code == 403
    forwarded = {
        "Host": "region-project.cloudfunctions.net",
        "X-Forwarded-Proto": "https",
    }
    assert twilio.send(name, form, headers=forwarded).status_code == 403


def test_the_deployed_name_with_its_prefix_is_part_of_the_address(
    twilio: Sender, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, status = of_no_interest(name)
    deployed = f"staging-{name.replace('_', '-')}"
    monkeypatch.setenv("K_SERVICE", deployed)
    right = twilio.signature(twilio.url(deployed), form)
    assert twilio.send(name, form, signature=right).status_code == status
    assert twilio.send(name, form).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["a[b", "a:b:c", "a:99999999", "[::1", "\u00e9.example", "a b", "", "@", "a/b"],
)
def test_a_host_that_makes_no_sense_is_refused(
    twilio: Sender, name: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, _ = of_no_interest(name)
    monkeypatch.delenv("WEBHOOK_BASE_URL")
    assert twilio.send(name, form, headers={"Host": host}).status_code in (400, 403)


def test_behind_cloud_run_the_host_of_a_request_is_never_believed(
    twilio: Sender,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    form, _ = of_no_interest(name)
    monkeypatch.setenv("K_SERVICE", name.replace("_", "-"))
    for base in (
        None,
        "",
        "http://proxy.example.com",
        "http://127.0.0.1.example.com",
        "ftp://x",
    ):
        monkeypatch.delenv("WEBHOOK_BASE_URL", raising=False)
        if base is not None:
            monkeypatch.setenv("WEBHOOK_BASE_URL", base)
        public = replace(twilio, public=base) if base else twilio
        assert public.send(name, form).status_code == 500
        assert "WEBHOOK_BASE_URL" in capsys.readouterr().out


def test_an_error_is_kept_by_no_browser_and_taken_for_nothing_else(
    twilio: Sender, name: str
) -> None:
    form, _ = of_no_interest(name)
    answers = [
        twilio.send(name, method="GET"),
        twilio.send(name, form, signature=""),
        twilio.send(name, form, signature="A" * 27 + "="),
        twilio.send(name, body=b"x" * 600_000),
        twilio.send(name, {"EventType": "onConversationAdded"}),
    ]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
