"""The inbox page can be trusted with what is written: drafts, unsent messages, files, the place, notifications."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.test_inbox_page import (
    ALICE,
    ANN,
    BEN,
    DESK,
    PICTURE,
    Desk,
    box,
    desk,
    entry,
    messages,
    send,
    sent,
    sign_in,
    switch,
    until,
)

__all__ = ["desk"]

_DROP = """([name, type, content]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(content), one => one.charCodeAt(0))], name, { type }));
  const over = new DragEvent('dragover', { dataTransfer: data, bubbles: true, cancelable: true });
  document.body.dispatchEvent(over);
  document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  return over.defaultPrevented;
}"""
_PASTE = """([name, type, content]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(content), one => one.charCodeAt(0))], name, { type }));
  document.querySelector('textarea').dispatchEvent(
    new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def with_two(desk: Desk) -> tuple[Page, str]:
    """Alice at her desk, with Ann and Ben; Ann's conversation is open."""
    desk.record(ALICE, "Available")
    desk.service.settle()
    sid = desk.write("Hello")
    desk.write("Good day", BEN)
    page = desk.signed_in(ALICE, DESK)
    entry(page, "Hello").click()
    expect(messages(page)).to_contain_text("Hello")
    return page, sid


def test_a_failure_that_passes_after_a_while_is_no_reason_to_tap(desk: Desk) -> None:
    """Also what was written after it waits until it is out."""
    page, sid = desk.with_ann()
    desk.standin.fail(503, 20503, method="POST", path="Messages")
    send(page, "The first")
    send(page, "The second")
    time.sleep(13)
    expect(page.get_by_text("Trying again").first).to_be_visible()
    desk.standin.heal()
    expect(page.locator(".going")).to_have_count(0, timeout=40_000)
    assert desk.at_twilio(sid) == ["Hello", "The first", "The second"]


def test_a_sent_draft_is_gone_from_the_other_window(desk: Desk) -> None:
    page, sid = desk.with_ann()
    box(page).fill("We ship today")
    other = page.context.new_page()
    other.goto(page.url)
    expect(box(other)).to_have_value("We ship today")
    page.get_by_role("button", name="Send").click()
    expect(box(other)).to_have_value("", timeout=2000)
    sent(page, "We ship today")
    box(other).fill("Ours")
    expect(box(page)).to_have_value("Ours", timeout=2000)
    other.close()
    assert desk.at_twilio(sid) == ["Hello", "We ship today"]


@pytest.mark.parametrize("is_picture", [False, True], ids=["text", "picture"])
def test_an_undelivered_message_is_sent_again_once(
    desk: Desk, is_picture: bool
) -> None:
    page, sid = desk.with_ann()
    desk.standin.refuse_delivery(ANN)
    if is_picture:
        page.get_by_label("Attach a picture or file").set_input_files(
            {"name": "parcel.png", "mimeType": "image/png", "buffer": PICTURE}
        )
        page.get_by_role("button", name="Send").click()
    else:
        send(page, "Are you there?")
    again = messages(page).get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    desk.standin.refuse_delivery(ANN, status="delivered")
    again.evaluate("button => { button.click(); button.click(); button.click(); }")
    expect(again).to_have_count(0, timeout=500)
    expect(messages(page).get_by_text("Sent again.")).to_be_visible()
    until(lambda: len(desk.standin.messages(sid)) == 3)
    page.reload()
    expect(messages(page).get_by_text("Sent again.")).to_be_visible()
    first, second = desk.standin.messages(sid)[1:]
    assert (first["body"], bool(first["media"])) == (
        second["body"],
        bool(second["media"]),
    )


def test_a_lost_reading_is_repeated(desk: Desk) -> None:
    desk.record(ALICE, "Available")
    desk.service.settle()
    desk.write("Hello")
    page = desk.signed_in(ALICE)
    tries: list[Route] = []

    def lose_first(route: Route) -> None:
        tries.append(route)
        if len(tries) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/read", lose_first)
    entry(page, "Hello").click()
    expect(page).to_have_title("(1) Inbox")
    expect(messages(page)).to_contain_text("Hello")
    for _ in range(50):
        page.evaluate("void dispatchEvent(new Event('focus'))")
        page.wait_for_timeout(100)
        if len(tries) > 1:
            break
    page.get_by_role("button", name="Back").click()
    expect(entry(page, "Hello")).not_to_contain_text("unread")


def test_unsent_words_of_a_conversation_that_is_gone_can_be_found(desk: Desk) -> None:
    page, sid = desk.with_ann()
    page.route("**/messages", lambda route: route.abort())
    send(page, "Your refund is on its way")
    box(page).fill("And a draft")
    desk.standin.set_state(sid, "closed")
    desk.service.settle()
    page.get_by_role("button", name="Back").click()
    left = page.get_by_role("list", name="Not sent")
    expect(left.get_by_text("Your refund is on its way")).to_be_visible()
    expect(left.get_by_text("And a draft")).to_be_visible()
    for _ in range(2):
        left.get_by_role("button", name="Delete").first.click()
    expect(left).to_have_count(0)
    page.reload()
    expect(switch(page)).to_be_visible()
    expect(left).to_have_count(0)


def test_a_chosen_picture_survives_switching_and_a_reload(desk: Desk) -> None:
    page, sid = with_two(desk)
    page.get_by_label("Attach a picture or file").set_input_files(
        {"name": "parcel.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    preview = page.get_by_role("img", name="Preview")
    expect(preview).to_be_visible()
    entry(page, "Good day").click()
    expect(messages(page)).to_contain_text("Good day")
    expect(preview).to_have_count(0)
    entry(page, "Hello").click()
    expect(preview).to_be_visible()
    page.reload()
    expect(preview).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(preview).to_have_count(0)
    until(lambda: len(desk.standin.messages(sid)) == 2)
    page.reload()
    expect(messages(page)).to_contain_text("Hello")
    expect(preview).to_have_count(0)


@pytest.mark.parametrize("script", [_DROP, _PASTE], ids=["dropped", "pasted"])
def test_a_file_can_be_dropped_and_pasted(desk: Desk, script: str) -> None:
    import base64

    page, _ = desk.with_ann()
    content = base64.b64encode(PICTURE).decode()
    page.evaluate(script, ["screen.png", "image/png", content])
    expect(page.get_by_role("img", name="Preview")).to_be_visible()


def test_a_file_that_is_dropped_on_the_list_does_not_leave_the_page(desk: Desk) -> None:
    desk.record(ALICE)
    page = desk.signed_in(ALICE)
    assert page.evaluate(_DROP, ["screen.png", "image/png", "AAAA"])


def test_the_place_in_a_thread_survives_switching(desk: Desk) -> None:
    page, sid = with_two(desk)
    for number in range(40):
        desk.write(f"Number {number}")
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(messages(page)).to_contain_text("Number 39")
    messages(page).evaluate("log => { log.scrollTop = 300; }")
    page.wait_for_timeout(200)
    entry(page, "Good day").click()
    expect(messages(page)).to_contain_text("Good day")
    page.locator(f"[id='{sid}']").click()
    expect(messages(page)).to_contain_text("Number 39")
    assert abs(messages(page).evaluate("log => log.scrollTop") - 300) < 5


def test_keys_of_an_input_method_do_nothing(desk: Desk) -> None:
    page, sid = desk.with_ann()
    box(page).fill("にほん")
    box(page).evaluate(
        """field => { for (const key of ['Enter', 'Escape']) field.dispatchEvent(new KeyboardEvent('keydown',
          { key, ctrlKey: key === 'Enter', isComposing: true, bubbles: true, cancelable: true })); }"""
    )
    expect(box(page)).to_have_value("にほん")
    expect(messages(page)).to_be_visible()
    assert desk.at_twilio(sid) == ["Hello"]


def test_keys_work_on_a_keyboard_of_another_script(desk: Desk) -> None:
    page, _ = with_two(desk)
    page.keyboard.press("Escape")
    page.evaluate(
        """() => document.activeElement.dispatchEvent(new KeyboardEvent('keydown',
          { key: 'о', code: 'KeyJ', bubbles: true, cancelable: true }))"""
    )
    assert page.evaluate("document.activeElement.className").startswith("row")


def test_the_phones_back_leads_where_it_came_from(desk: Desk) -> None:
    page, _ = desk.with_ann()
    before = page.evaluate("history.length")
    page.get_by_role("button", name="Back").click()
    expect(messages(page)).to_have_count(0)
    assert page.evaluate("history.length") == before
    entry(page, "Hello").click()
    expect(messages(page)).to_contain_text("Hello")
    page.go_back()
    expect(messages(page)).to_have_count(0)
    expect(switch(page)).to_be_visible()


def test_the_conversation_survives_the_sign_in(desk: Desk) -> None:
    desk.record(ALICE, "Available")
    desk.service.settle()
    sid = desk.write("Hello")
    page, _ = desk.browser()
    page.goto(f"{desk.url}#{sid}")
    page.get_by_role("link", name=re.compile("Sign in")).click()
    page.get_by_role("link", name=re.compile("alice", re.IGNORECASE)).first.click()
    expect(messages(page)).to_contain_text("Hello")
    page.context.clear_cookies()
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.get_by_role("link", name="Sign in again").click()
    page.get_by_role("link", name=re.compile("alice", re.IGNORECASE)).first.click()
    expect(messages(page)).to_contain_text("Hello")


def test_an_edited_and_a_removed_message_change_on_the_open_page(desk: Desk) -> None:
    page, sid = desk.with_ann()
    desk.write("A second one")
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(messages(page)).to_contain_text("A second one")
    first, second = (one["sid"] for one in desk.standin.messages(sid))
    desk.standin.edit_message(sid, first, "Good evening")
    desk.standin.remove_message(sid, second)
    desk.service.settle()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(messages(page)).to_contain_text("Good evening")
    expect(messages(page).get_by_text("A second one")).to_have_count(0)
    expect(messages(page).get_by_text("Hello", exact=True)).to_have_count(0)


_CLICKED = """async sid => { try { return Boolean(await open(sid)); } catch (error) { return error.name; } }"""


def clicked(page: Page, sid: str) -> None:
    """A notification about the conversation is clicked: what the service worker does then."""
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    (worker,) = page.context.service_workers
    worker.evaluate(_CLICKED, sid)


def test_a_notification_moves_one_window_and_never_the_one_in_which_one_types(
    desk: Desk,
) -> None:
    page, _ = with_two(desk)
    page.reload()
    box(page).fill("Dear Ann, your password is ")
    other = page.context.new_page()
    other.goto(desk.url)
    third = page.context.new_page()
    third.goto(desk.url)
    expect(entry(third, "Good day")).to_be_visible()
    ben = str(entry(third, "Good day").get_attribute("id"))
    clicked(page, ben)
    page.keyboard.type("swordfish")
    expect(box(page)).to_have_value("Dear Ann, your password is swordfish")
    assert [one.url.endswith(ben) for one in (page, other, third)].count(True) == 1
    for one in (other, third):
        one.close()
    clicked(page, ben)
    page.keyboard.type("!")
    expect(box(page)).to_have_value("Dear Ann, your password is swordfish!")
    page.get_by_role("link", name="Open", exact=True).click()
    expect(messages(page)).to_contain_text("Good day")


def test_a_notification_goes_once_its_conversation_is_read(desk: Desk) -> None:
    desk.record(ALICE, "Available")
    desk.service.settle()
    sid = desk.write("Hello")
    page = desk.signed_in(ALICE)
    page.context.grant_permissions(["notifications"])
    page.evaluate(
        """async sid => (await navigator.serviceWorker.ready).showNotification('Ann', { tag: sid, data: sid })""",
        sid,
    )
    shown = "async () => (await (await navigator.serviceWorker.ready).getNotifications()).length"
    assert page.evaluate(shown) == 1
    entry(page, "Hello").click()
    until(lambda: page.evaluate(shown) == 0)


_PUSH = """
const calls = window.calls = [];
let key = new Uint8Array([1, 2, 3]).buffer;
const made = (bytes) => ({ options: { applicationServerKey: bytes }, toJSON: () => ({}),
  unsubscribe: async () => { calls.push('unsubscribe'); key = null; return true; } });
PushManager.prototype.getSubscription = async () => key && made(key);
PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
  calls.push('subscribe'); key = applicationServerKey; return made(key); };
"""
_REGISTER = """async on => {
  const { src } = document.querySelector('script[src*="inbox.js"]');
  const { Device } = await import(src.replace('inbox.js', 'device.js'));
  const device = new Device('alice', 'AQIE');
  device.kept.on = on;
  Object.defineProperty(Notification, 'permission', { value: 'granted' });
  await device.start().catch(() => {});
  return window.calls;
}"""


@pytest.mark.parametrize(
    ("on", "calls"),
    [(True, ["unsubscribe", "subscribe"]), (False, ["unsubscribe"])],
    ids=["another key", "another worker's"],
)
def test_a_subscription_for_another_key_or_worker_is_given_up(
    desk: Desk, on: bool, calls: list[str]
) -> None:
    desk.record(ALICE)
    page, _ = desk.browser()
    page.goto(desk.url)
    sign_in(page, ALICE)
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    page.evaluate(f"() => {{ {_PUSH} }}")
    assert page.evaluate(_REGISTER, on) == calls
