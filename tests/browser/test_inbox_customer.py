"""The whole customer on the page: history, notes, a word at a hand-over, the search, links and players."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.test_inbox_page import (
    ALICE,
    ANN,
    BEN,
    BOB,
    DESK,
    PHONE,
    Desk,
    box,
    desk,
    entry,
    messages,
    send,
    sent,
)

__all__ = ["desk"]
HOSTILE = "<img src=x onerror=\"alert('x')\">"


def _with_history(desk: Desk) -> Page:
    """Bob's page with Ann's second conversation open; Alice had the first one."""
    desk.record(ALICE, "Available")
    desk.service.settle()
    first = desk.write("The very first words")
    desk.service.settle()
    alice = desk.signed_in(ALICE)
    entry(alice, "The very first words").click()
    alice.get_by_role("button", name="Close").click()
    alice.get_by_role("button", name="Close conversation").click()
    expect(alice.get_by_text("is closed.")).to_be_visible()
    desk.service.settle()
    assert desk.state(first) == "closed"
    desk.record(ALICE)
    desk.record(BOB, "Available")
    desk.service.settle()
    desk.write("It is me again")
    page = desk.signed_in(BOB)
    entry(page, "It is me again").click()
    expect(messages(page)).to_contain_text("It is me again")
    return page


def test_the_earlier_conversation_stands_above_this_one(desk: Desk) -> None:
    page = _with_history(desk)
    page.get_by_role("button", name="Earlier").click()
    expect(messages(page)).to_contain_text("with Alice")
    texts = messages(page).locator(".bubble > p")
    expect(texts).to_have_text(["The very first words", "It is me again"])
    page.get_by_role("button", name="Earlier").click()
    expect(page.get_by_text("The first conversation.")).to_be_visible()


def test_notes_stay_on_the_card(desk: Desk) -> None:
    page, sid = desk.with_ann()
    page.get_by_role("button", name="Customer").click()
    page.get_by_role("textbox", name="Note").fill("Likes tea.")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_role("list", name="Notes")).to_contain_text("Likes tea.")
    expect(page.get_by_role("textbox", name="Note")).to_have_value("")
    assert desk.at_twilio(sid) == ["Hello"]


def test_a_word_stands_on_top_for_the_next_worker(desk: Desk) -> None:
    page, _ = desk.with_ann()
    desk.record(BOB)
    page.get_by_role("button", name="Hand over").click()
    sheet = page.get_by_role("dialog", name="Hand over")
    sheet.get_by_role("radio", name=re.compile("Bob")).check()
    sheet.get_by_role("textbox", name="A word to the next").fill("Prefers mornings.")
    sheet.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("was handed over")).to_be_visible()
    bob = desk.signed_in(BOB)
    entry(bob, "Hello").click()
    expect(bob.get_by_text("Alice: Prefers mornings.")).to_be_visible()


def test_links_can_be_tapped_and_nothing_else_runs(desk: Desk) -> None:
    text = f"https://example.com/a?b=1. +44 20 7946 0000, a@b.example {HOSTILE}"
    page, _ = desk.with_ann(text)
    links = messages(page).locator(".bubble p a")
    hrefs = links.evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert hrefs == [
        "https://example.com/a?b=1",
        "tel:+442079460000",
        "mailto:a@b.example",
    ]
    expect(messages(page).locator(".bubble p")).to_have_text(text)


def test_the_search_finds_numbers_in_another_form(desk: Desk) -> None:
    page, _ = desk.with_ann("Hello from Ann")
    desk.write("Hello from Ben", BEN)
    page.get_by_role("button", name="Back").click()
    expect(entry(page, "Hello from Ben")).to_be_visible()
    page.get_by_role("searchbox", name="Search").fill("07700 900002")
    expect(entry(page, "Hello from Ben")).to_be_visible()
    expect(entry(page, "Hello from Ann")).to_have_count(0)
    page.get_by_role("searchbox", name="Search").fill("")
    expect(entry(page, "Hello from Ann")).to_be_visible()


def test_a_draft_is_marked_and_a_conversation_can_be_unread(desk: Desk) -> None:
    page, _ = desk.with_ann()
    send(page, "Good morning")
    sent(page, "Good morning")
    box(page).fill("I will")
    page.get_by_role("button", name="Customer").click()
    page.get_by_role("button", name="Mark unread").click()
    row = entry(page, "Good morning")
    expect(row).to_contain_text("Draft")
    expect(row).to_contain_text("1 unread")


def test_the_card_stands_beside_the_conversation_on_a_desktop(desk: Desk) -> None:
    desk.record(ALICE, "Available")
    desk.service.settle()
    desk.write("Hello")
    page = desk.signed_in(ALICE, DESK)
    entry(page, "Hello").click()
    page.get_by_role("button", name="Customer").click()
    expect(page.get_by_role("textbox", name="Note")).to_be_visible()
    send(page, "I can still write")
    sent(page, "I can still write")
    card = page.get_by_role("dialog", name="Customer")
    expect(card).to_contain_text(ANN)
    desk.write("Hello from Ben", BEN)
    for text, number in (("Hello from Ben", BEN), ("I can still write", ANN)):
        entry(page, text).click()
        expect(card).to_contain_text(number)


def test_messages_have_room_on_a_phone_on_its_side_and_at_400_percent(
    desk: Desk,
) -> None:
    page, _ = desk.with_ann()
    for width, height in ((844, 390), (320, 256)):
        page.set_viewport_size({"width": width, "height": height})
        room = messages(page).bounding_box()
        assert room is not None
        assert room["height"] > height / 3
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size(PHONE)


def test_arabic_text_runs_from_the_right(desk: Desk) -> None:
    page, _ = desk.with_ann("مرحبا، متى تصل الطلبية رقم 123؟")
    bubble = messages(page).locator(".bubble p")
    assert bubble.evaluate("one => getComputedStyle(one).direction") == "rtl"
    box(page).fill("سوف تصل غدا!")
    assert box(page).evaluate("one => getComputedStyle(one).direction") == "rtl"
