"""Setup in a real browser: a pool's hours by keyboard, refusals, previews and two supervisors at one pool."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from local.oidc import Issuer
from tests.desk.conftest import MARIA, TOM
from tests.inbox.conftest import issuer, issuer_server
from tests.service import Service

__all__ = ["issuer", "issuer_server"]

Record = dict[str, Any]


@pytest.fixture
def opened(service: Service, issuer: Issuer, browser: Browser) -> Iterator[Any]:
    """opened(MARIA, "setup/pools/sales"): her desk at this place, signed in."""
    for identity in (MARIA, TOM):
        name = identity.partition("@")[0].capitalize()
        record = {"role": "supervisor", "pools": [], "display_name": name}
        service.db.document(f"workers/{identity}").set(record)
    service.db.document("pools/sales").set({"display_name": "Sales", "capacity": 2})
    service.settle()
    contexts = []

    def open_page(identity: str, place: str, width: int = 1280) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{service.url('desk')}/sign-in")
        page.goto(f"{page.url}&email={identity}")
        page.goto(f"{service.url('desk')}/#{place}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def pool(service: Service) -> Record:
    return service.db.document("pools/sales").get().to_dict() or {}


def cell(page: Page, name: str) -> Locator:
    return page.get_by_role("gridcell", name=name, exact=True)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def expect_said(page: Page, text: str) -> None:
    expect(page.get_by_role("status").filter(has_text=text)).to_be_visible()


def test_hours_are_set_by_keyboard_in_the_grid(opened: Any, service: Service) -> None:
    page = opened(MARIA, "setup/pools/sales")
    first = cell(page, "Monday 09:00")
    expect(first).to_have_attribute("aria-selected", "true")
    first.focus()
    page.keyboard.press("Space")
    expect(first).to_have_attribute("aria-selected", "false")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    monday = page.get_by_role("textbox", name="Hours on Monday")
    expect(monday).to_have_value("00:00-09:00, 10:00-24:00")
    save(page)
    expect_said(page, "Hours of Sales saved.")
    hours = pool(service)["hours"]
    assert hours["mon"] == "00:00-09:00, 10:00-24:00"
    assert hours["tue"] == "00:00-09:30, 10:00-24:00"
    assert hours["sun"] == "00:00-24:00"
    page.get_by_role("button", name="Undo").click()
    expect(monday).to_have_value("")
    assert "hours" not in pool(service)


def test_hours_are_dragged_and_typed(opened: Any, service: Service) -> None:
    page = opened(MARIA, "setup/pools/sales")
    sunday = page.get_by_role("textbox", name="Hours on Sunday")
    sunday.fill("closed")
    expect(cell(page, "Sunday 09:00")).to_have_attribute("aria-selected", "false")
    cell(page, "Sunday 10:00").hover()
    page.mouse.down()
    cell(page, "Sunday 10:30").hover()
    cell(page, "Sunday 11:00").hover()
    page.mouse.up()
    expect(sunday).to_have_value("10:00-11:30")
    save(page)
    expect_said(page, "Hours of Sales saved.")
    assert pool(service)["hours"]["sun"] == "10:00-11:30"


def test_an_invalid_capacity_is_refused_and_nothing_is_lost(
    opened: Any, service: Service
) -> None:
    page = opened(MARIA, "setup/pools/sales")
    capacity = page.get_by_role("textbox", name="Capacity")
    capacity.fill("three")
    page.get_by_role("textbox", name="Answer within").fill("5")
    expect(
        page.get_by_text("A customer who waits 5 minutes for a reply")
    ).to_be_visible()
    save(page)
    wrong = page.get_by_role("alert")
    expect(wrong).to_have_text(
        "capacity must be a whole number from 0, or null for no limit."
    )
    expect(capacity).to_have_value("three")
    assert pool(service)["capacity"] == 2
    assert "answer_within" not in pool(service)
    capacity.fill("3")
    expect(wrong).to_have_count(0)
    save(page)
    expect_said(page, "of Sales saved.")
    assert (pool(service)["capacity"], pool(service)["answer_within"]) == (3, 300)


def test_a_text_is_shown_as_the_customer_reads_it(
    opened: Any, service: Service
) -> None:
    page = opened(MARIA, "setup/pools/sales")
    page.get_by_role("button", name="Add a text for “While they wait”").click()
    text = page.get_by_role("textbox", name="While they wait", exact=True)
    text.fill("Hello {{Name}}. You are number {{Position}}.")
    expect(page.get_by_text("Hello Ada Byron. You are number 2.")).to_be_visible()
    page.get_by_role("button", name="Add a language for “While they wait”").click()
    page.get_by_role("textbox", name="While they wait, de").fill(
        "Hallo {{Name}}. Bitte warten Sie."
    )
    expect(page.get_by_text("Hallo Ada Byron. Bitte warten Sie.")).to_be_visible()
    text.fill("Hello {Name}.")
    expect(page.get_by_text("has {Name}, which is none of")).to_be_visible()
    text.fill("Hello {{Name}}. Please wait.")
    save(page)
    expect_said(page, "Texts of Sales saved.")
    assert pool(service)["texts"] == {
        "queued": {
            "default": "Hello {{Name}}. Please wait.",
            "de": "Hallo {{Name}}. Bitte warten Sie.",
        }
    }


def test_two_supervisors_keep_both_changes(opened: Any, service: Service) -> None:
    maria = opened(MARIA, "setup/pools/sales")
    tom = opened(TOM, "setup/pools/sales")
    expect(maria.get_by_role("textbox", name="Capacity")).to_have_value("2")
    tom.get_by_role("textbox", name="Capacity").fill("3")
    save(tom)
    expect_said(tom, "Capacity of Sales saved.")
    maria.get_by_role("textbox", name="Priority").fill("7")
    save(maria)
    conflict = maria.get_by_role("alert")
    expect(conflict).to_contain_text(f"{TOM} changed capacity")
    expect(conflict).to_contain_text("Your change: priority.")
    expect(maria.get_by_role("textbox", name="Priority")).to_have_value("7")
    maria.get_by_role("button", name="Keep both").click()
    expect_said(maria, "Priority of Sales saved.")
    expect(maria.get_by_role("textbox", name="Capacity")).to_have_value("3")
    assert (pool(service)["capacity"], pool(service)["priority"]) == (3, 7)


def test_a_changed_form_warns_before_another_tab_is_opened(opened: Any) -> None:
    page = opened(MARIA, "setup/pools/sales")
    asked: list[str] = []
    answers = [False, True]

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        if answers.pop(0):
            dialog.accept()
        else:
            dialog.dismiss()

    page.on("dialog", answer)
    name = page.get_by_role("textbox", name="Name", exact=True)
    name.fill("Sales desk")
    page.get_by_role("tab", name="Templates").click()
    expect(name).to_have_value("Sales desk")
    assert asked == [
        "Your changes to Sales are not saved. Leave without saving?",
    ]
    page.get_by_role("tab", name="Templates").click()
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    assert len(asked) == 2


def test_a_pool_is_added_and_removed(opened: Any, service: Service) -> None:
    page = opened(MARIA, "setup/pools")
    page.get_by_role("button", name="Add pool").click()
    page.get_by_role("textbox", name="Name").fill("Second line")
    save(page)
    expect_said(page, "Second line is added.")
    assert service.db.document("pools/second_line").get().exists
    page.get_by_role("button", name="Remove pool").click()
    expect(
        page.get_by_text("No worker, number or customer depends on it.")
    ).to_be_visible()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect_said(page, "Second line is removed.")
    assert not service.db.document("pools/second_line").get().exists


def test_holidays_of_a_region_list_the_closed_days(
    opened: Any, service: Service
) -> None:
    page = opened(MARIA, "setup/pools/sales")
    page.get_by_role("combobox", name="Country").select_option("DE")
    page.get_by_role("combobox", name="Region").select_option("BY")
    page.get_by_role("button", name="Add holidays").click()
    days = page.get_by_role("list", name="The next ten closed days")
    expect(days.get_by_role("listitem")).to_have_count(10)
    expect(days).to_contain_text("Christmas Day")
    save(page)
    expect_said(page, "Holidays of Sales saved.")
    assert pool(service)["holidays"] == ["DE-BY"]


def test_routing_is_set_with_cards(opened: Any, service: Service) -> None:
    page = opened(MARIA, "setup")
    page.get_by_role("radio", name="By assigned worker").check()
    own = page.get_by_role(
        "combobox", name="When the assigned worker is Unavailable or full"
    )
    own.select_option("wait")
    page.get_by_role("textbox", name="Wait for the assigned worker").fill("2")
    expect(page.get_by_text("for 2 minutes, then goes to the pool")).to_be_visible()
    page.get_by_role("combobox", name="Time zone").select_option("Europe/Berlin")
    save(page)
    expect_said(page, "of Routing saved.")
    record = service.db.document("settings/routing").get().to_dict() or {}
    assert record["mode"] == "custom"
    assert (record["own_worker"], record["own_worker_wait"]) == ("wait", 120)
    assert record["time_zone"] == "Europe/Berlin"


def test_the_first_visit_has_four_steps(opened: Any, service: Service) -> None:
    page = opened(MARIA, "setup")
    steps = page.get_by_role("region", name="First steps")
    expect(steps.get_by_role("listitem")).to_have_count(4)
    service.db.document("pools/sales").update({"addresses": ["+12025550123"]})
    service.db.document(f"workers/{secrets.token_hex(4)}@example.com").set({})
    service.settle()
    page.reload()
    expect(page.get_by_role("tab", name="Routing")).to_be_visible()
    expect(page.get_by_role("heading", name="More")).to_be_visible()
    expect(steps).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_accessible_and_fits(opened: Any, width: int) -> None:
    page = opened(MARIA, "setup", width)
    for tab, shown in (
        ("Routing", "Time zone"),
        ("Pools", "Capacity"),
        ("Templates", "Sync now"),
    ):
        page.get_by_role("tab", name=tab).click()
        role = {"Routing": "combobox", "Pools": "textbox"}.get(tab, "button")
        expect(page.get_by_role(role, name=shown)).to_be_visible()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
