"""Earlier messages come in order, as the screen shows them right after the tap."""

from __future__ import annotations

import pytest

from tests.browser.test_inbox_page import ALICE, Desk, desk, entry, messages

__all__ = ["desk"]

_ORDER = """() => [...document.querySelectorAll('.log .bubble > p')].map(one => one.innerText)"""


@pytest.mark.parametrize("number", [60, 100])
def test_earlier_messages_stand_above_the_later_ones_at_once(
    desk: Desk,
    number: int,
) -> None:
    desk.record(ALICE, "Available")
    desk.service.settle()
    for index in range(number):
        desk.write(f"Number {index}")
    page = desk.signed_in(ALICE)
    entry(page, f"Number {number - 1}").click()
    messages(page).get_by_text("Number 59").wait_for()
    page.evaluate(_RECORD)
    page.get_by_role("button", name="Show earlier messages").click()
    messages(page).get_by_text("Number 0", exact=True).wait_for()
    expected = [f"Number {index}" for index in range(number)]
    assert page.evaluate(_ORDER) == expected
    assert page.evaluate("window.firstOrder") == expected


# Keeps the order that the first rendering with the first message shows.
_RECORD = """() => {
  const order = () => [...document.querySelectorAll('.log .bubble > p')].map(one => one.innerText);
  new MutationObserver((_, observer) => {
    if (!order().includes('Number 0')) return;
    window.firstOrder = order();
    observer.disconnect();
  }).observe(document.querySelector('.log'), { childList: true, subtree: true });
}"""
