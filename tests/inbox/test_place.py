"""Where the inbox is reached: behind the local gateway, in a frame of the playground, at its public address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.gateway import Gateway
from local.oidc import Issuer
from local.triggers import Triggers
from tests.inbox.page import ALICE, BOB, Page
from tests.service import Service


@pytest.fixture
def gateway(service: Service, issuer: Issuer) -> Iterator[str]:
    """The address of the one port in front."""
    for name in (ALICE, BOB):
        service.db.document(f"workers/{name}").set(
            {"status": "Unavailable", "display_name": name[:3]}
        )
    service.settle()
    front = Gateway(["inbox"], service.base_url, Triggers()).start(0)
    assert front.server is not None
    yield front.server.url
    front.stop()


def test_each_frame_of_the_playground_is_another_worker_in_one_browser(
    gateway: str, issuer: Issuer
) -> None:
    frames = {
        name: Page(f"{gateway}/as/{name}/inbox/", issuer) for name in (ALICE, BOB)
    }
    frames[BOB].browser = frames[ALICE].browser
    for page in frames.values():
        answer = page.browser.get(
            f"{page.url}sign-in", timeout=20
        )  # nobody has to choose
        assert (answer.status_code, answer.url) == (200, page.url)
    for name, page in frames.items():
        assert page.state()["me"]["identity"] == name
        assert page.post("status", {"status": "Available"}).status_code == 200
    assert {cookie.path for cookie in frames[BOB].browser.cookies} == {
        f"/as/{name}/inbox/" for name in frames
    }
    assert frames[BOB].post("sign-out").status_code == 200
    assert frames[ALICE].get("state").status_code == 200


def test_beside_them_somebody_can_sign_in_who_chooses(
    gateway: str, issuer: Issuer
) -> None:
    page = Page(f"{gateway}/inbox/", issuer)
    asked = page.browser.get(f"{page.url}sign-in", timeout=20)
    assert "Choose who you are" in asked.text and "Alice" in asked.text
    assert page.sign_in(ALICE).url == page.url
    assert page.get("").status_code == 200


def test_the_page_is_reached_with_a_slash(gateway: str, issuer: Issuer) -> None:
    for path in ("/inbox", f"/as/{ALICE}/inbox", "/inbox?x=1"):
        answer = Page(gateway, issuer).browser.get(
            f"{gateway}{path}", timeout=20, allow_redirects=False
        )
        assert (answer.status_code, answer.headers["Location"]) == (
            308,
            f"{path.partition('?')[0]}/",
        )


@pytest.mark.parametrize(
    "prefix",
    ["//evil.example.com", "/a b", "/x\\y", "https://evil.example.com", "/" + "x/" * 9],
)
def test_a_prefix_that_makes_no_sense_is_none(browser: Page, prefix: str) -> None:
    begun = browser.get("sign-in", X_Forwarded_Prefix=prefix)
    assert "Path=/inbox/" in begun.headers["Set-Cookie"]


def test_at_its_public_address_no_prefix_counts(
    browser: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INBOX_URL", "https://inbox.example.com/deep")
    begun = browser.get("sign-in", X_Forwarded_Prefix="/as/alice@example.com")
    assert "Path=/deep/" in begun.headers["Set-Cookie"]
    assert (
        "redirect_uri=https%3A%2F%2Finbox.example.com%2Fdeep%2Fback"
        in begun.headers["Location"]
    )


def test_files_are_kept_for_good_by_their_version_and_sent_packed(
    browser: Page,
) -> None:
    page = browser.get("").text
    version = page.partition("files/")[2].partition("/")[0]
    for name in ("inbox.css", "icon.svg"):
        answer = browser.get(f"files/{version}/{name}")
        assert (answer.status_code, "immutable" in answer.headers["Cache-Control"]) == (
            200,
            True,
        )
        assert "no-cache" in browser.get(f"files/{name}").headers["Cache-Control"]
        assert (
            "no-cache"
            in browser.get(f"files/000000000000/{name}").headers["Cache-Control"]
        )
    packed = browser.get(f"files/{version}/preact.js", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip" and "useMemo" in packed.text
    plain = browser.get(f"files/{version}/preact.js", Accept_Encoding="identity")
    assert "Content-Encoding" not in plain.headers and plain.text == packed.text
    again = browser.get(
        f"files/{version}/preact.js", If_None_Match=packed.headers["ETag"]
    )
    assert again.status_code == 304
    for name, kind in (
        ("sw.js", "text/javascript"),
        ("manifest.webmanifest", "application/manifest+json"),
    ):
        answer = browser.get(name)
        assert (
            answer.status_code,
            answer.headers["Content-Type"].partition(";")[0],
        ) == (200, kind)
