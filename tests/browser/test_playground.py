"""The playground as a person uses it: phones on one side, workers' inboxes on the other, all between them real."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from local import sample_data
from local.sample_data import ALICE, BOB, CAROL, DAN
from local.stack import Stack

HOSTILE = "<img src=x onerror=\"alert('x')\"><script>alert('y')</script>"


@pytest.fixture
def playground(stack: Stack, page: Page) -> Iterator[Page]:
    page.goto(stack.url + "/")
    expect(page.get_by_role("heading", name="Playground")).to_be_visible()
    for identity in (ALICE, BOB, CAROL, DAN):
        expect(
            inbox(page, identity).get_by_role("switch", name="Available")
        ).to_be_visible()
    yield page
    for frame in page.frames[1:]:
        for switch in frame.get_by_role("switch", name="Available", checked=True).all():
            switch.click()


def write_from_a_new_phone(
    page: Page, to: str, text: str, who: str = "Somebody new"
) -> Locator:
    """Returns the phone."""
    form = page.get_by_role("form", name="New phone")
    form.get_by_label("Who").select_option(label=who)
    form.get_by_label("Writes to").select_option(label=to)
    form.get_by_role("button", name="Add a phone").click()
    phone = page.locator(".phone").first
    phone.get_by_placeholder("Write as").fill(text)
    phone.get_by_role("button", name="Send").click()
    return phone


def worker(page: Page, identity: str) -> Locator:
    return page.locator(f"[data-worker='{identity}']")


def inbox(page: Page, identity: str) -> FrameLocator:
    """The worker's own page in their frame."""
    return worker(page, identity).frame_locator("iframe")


def turn(page: Page, identity: str, checked: bool) -> None:
    switch = inbox(page, identity).get_by_role("switch", name="Available")
    expect(switch).to_have_attribute("aria-checked", str(not checked).lower())
    switch.click()
    expect(switch).to_have_attribute("aria-checked", str(checked).lower())


def close_first(page: Page, identity: str) -> None:
    """The worker opens the first conversation of their list and closes it."""
    page_of = inbox(page, identity)
    page_of.get_by_role("listitem").first.get_by_role("link").click()
    page_of.get_by_role("button", name="Close", exact=True).click()
    page_of.get_by_role("button", name="Close conversation").click()
    expect(page_of.get_by_text("is closed.")).to_be_visible()


def test_a_customer_waits_gets_a_worker_an_answer_and_the_slot_comes_back(
    playground: Page, stack: Stack
) -> None:
    phone = write_from_a_new_phone(playground, "Reception, SMS", "Is my parcel there?")
    expect(playground.locator("#waiting > li")).to_have_count(1)
    playground.locator("#waiting button").click()
    story = playground.locator("#waiting .story")
    expect(story).to_contain_text("no one in Reception is Available")

    turn(playground, ALICE, True)
    slots = worker(playground, ALICE).locator(".slots")
    expect(slots).to_have_text("holds 1 of 1")
    expect(playground.locator("#waiting > li")).to_have_count(0)

    alice = inbox(playground, ALICE)
    alice.get_by_role("listitem").get_by_role("link").click()
    expect(alice.get_by_role("log", name="Messages")).to_contain_text(
        "Is my parcel there?"
    )
    alice.get_by_role("textbox", name="Message").fill("It came this morning.")
    alice.get_by_role("button", name="Send").click()
    expect(phone.locator(".theirs")).to_contain_text("It came this morning.")

    alice.get_by_role("button", name="Back").click()
    close_first(playground, ALICE)
    expect(slots).to_have_text("holds 0 of 1")
    expect(phone.locator(".state")).to_have_text("closed")
    expect(phone).to_contain_text("conversation closed")
    record = (
        sample_data.client(stack.emulator.host, stack.options.project)
        .document(f"workers/{ALICE}")
        .get()
    )
    assert (record.get("active"), record.get("full")) == (0, False)


def test_what_a_customer_writes_and_is_called_stays_text(
    playground: Page, stack: Stack
) -> None:
    db = sample_data.client(stack.emulator.host, stack.options.project)
    db.document("customers/mallory").set(
        {"display_name": HOSTILE, "addresses": ["+447700900666"]}
    )
    expect(
        playground.get_by_label("Who").locator("option", has_text="onerror")
    ).to_have_count(1)
    phone = write_from_a_new_phone(playground, "Reception, SMS", HOSTILE, who=HOSTILE)
    expect(phone.locator(".mine")).to_contain_text(HOSTILE)
    expect(playground.locator("#waiting")).to_contain_text(HOSTILE)
    turn(playground, ALICE, True)
    expect(
        inbox(playground, ALICE).get_by_role("listitem").locator(".name")
    ).to_have_text(HOSTILE)
    assert inbox(playground, ALICE).locator("img, script:not([src])").count() == 0
    assert playground.locator("img, script:not([src])").count() == 0
    playground.goto(f"{stack.url}/wallboard?view=log")
    playground.get_by_role("button", name="Search").click()
    expect(playground.get_by_role("link", name=HOSTILE)).to_be_visible()
    playground.get_by_role("link", name=HOSTILE).click()
    expect(playground.get_by_role("heading", level=1)).to_contain_text(HOSTILE)
    assert playground.locator("main img, main script").count() == 0
    playground.goto(stack.url + "/")
    close_first(playground, ALICE)


def test_five_who_write_at_the_same_moment_wait_in_one_queue_and_are_shared_out(
    playground: Page,
) -> None:
    playground.get_by_label("Writes to").select_option(label="Sales, SMS")
    playground.get_by_role("button", name="Five at once").click()
    expect(playground.locator("#waiting > li")).to_have_count(5)
    turn(playground, DAN, True)
    expect(worker(playground, DAN).locator(".slots")).to_have_text("holds 2 of 2")
    expect(playground.locator("#waiting > li")).to_have_count(3)
    for left in (2, 1, 0):
        close_first(playground, DAN)
        expect(playground.locator("#waiting > li")).to_have_count(left)


def test_functions_killed_while_customers_write_are_back_and_nothing_is_lost(
    playground: Page,
) -> None:
    playground.get_by_role("button", name="Make trouble").click()
    playground.get_by_role("button", name="Kill the functions").click()
    expect(playground.get_by_text("Functions are down")).to_be_visible()
    expect(playground.get_by_text("Functions run")).to_be_visible()
    phone = write_from_a_new_phone(playground, "Reception, WhatsApp", "Are you back?")
    turn(playground, BOB, True)
    expect(worker(playground, BOB).locator(".slots")).to_have_text("holds 1 of 1")
    expect(phone.locator(".state")).to_have_text("assigned")
    close_first(playground, BOB)


def test_settings_saved_at_the_desk_change_how_the_next_conversation_is_routed(
    playground: Page,
) -> None:
    sales = desk(playground, "sales")
    routing = sales.get_by_role("combobox", name="Routing")
    routing.select_option(label="Not at all")
    save(sales)
    phone = write_from_a_new_phone(playground, "Sales, SMS", "Nobody reads this.")
    expect(phone.locator(".state")).to_have_text("unrouted")
    routing.select_option(label="As set under Routing")
    save(sales)


def test_the_page_works_by_keyboard_alone(playground: Page) -> None:
    switch = inbox(playground, BOB).get_by_role("switch", name="Available")
    expect(switch).to_have_attribute("aria-checked", "false")
    for _ in range(80):
        playground.keyboard.press("Tab")
        if switch.evaluate("element => element === document.activeElement"):
            break
    playground.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "true")


def test_nothing_sticks_out_of_a_narrow_screen(playground: Page) -> None:
    playground.set_viewport_size({"width": 375, "height": 800})
    for name in ("Settings", "Make trouble"):
        playground.get_by_role("button", name=name).click()
        width = playground.evaluate("document.documentElement.scrollWidth")
        assert width <= 375


def test_another_site_cannot_steer_it(playground: Page, stack: Stack) -> None:
    answer = playground.request.post(
        f"{stack.url}/playground/sweep",
        data={},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status == 403
    answer = playground.request.get(
        f"{stack.url}/playground/state", headers={"Host": "evil.example"}
    )
    assert answer.status == 403


def let_pass(page: Page, span: str) -> Locator:
    """Returns what is said of it."""
    time = page.get_by_role("group", name="Time")
    time.get_by_role("button", name=f"Let {span} pass").click()
    said = time.get_by_role("status")
    expect(said).to_contain_text(f"{span} has passed")
    return said


def desk(page: Page, pool: str) -> FrameLocator:
    """Open Maria's desk under Settings, at this pool."""
    page.get_by_role("button", name="Settings").click()
    frame = page.frame_locator("#settings iframe")
    frame.locator(f"a[href$='/{pool}']").click()
    expect(frame.get_by_role("textbox", name="Capacity")).to_be_visible()
    return frame


def save(frame: FrameLocator) -> None:
    frame.get_by_role("button", name="Save", exact=True).click()
    expect(frame.get_by_role("status").filter(has_text=" saved.")).to_be_visible()
    frame.get_by_role("button", name="Dismiss").click()


def test_minutes_pass_at_a_click_frontlines_switch_is_seen_and_who_is_not_answered_waits_again(
    playground: Page, stack: Stack
) -> None:
    settings = desk(playground, "key_accounts")
    settings.get_by_label("Answer within").fill("1")
    settings.get_by_label("Unavailable after missed answers").fill("1")
    save(settings)
    settings.get_by_role("tab", name="Routing").click()
    settings.get_by_label("Follow the switch in Frontline's app").check()
    save(settings)
    playground.get_by_role("button", name="Settings").click()
    write_from_a_new_phone(playground, "Key accounts, SMS", "Is anybody there?")
    expect(playground.locator("#waiting > li")).to_have_count(1)
    with playground.expect_response("**/playground/frontline"):
        playground.get_by_role("switch", name="Carol on in Frontline's app").check()
    let_pass(playground, "1 min")
    expect(worker(playground, CAROL).locator(".slots")).to_have_text("holds 1 of 5")
    stack.restart_functions()  # which does not turn their clock back
    let_pass(playground, "1 min")
    expect(worker(playground, CAROL).locator(".slots")).to_have_text("holds 0 of 5")
    expect(
        inbox(playground, CAROL).get_by_text(
            "went back to the queue for want of an answer"
        )
    ).to_be_visible()
    expect(
        inbox(playground, CAROL).get_by_role("switch", name="Available")
    ).not_to_be_checked()
    playground.locator("#waiting button").click()
    expect(playground.locator("#waiting .story")).to_contain_text(
        "carol@example.com did not answer for 1 min"
    )


def test_who_writes_outside_the_hours_gets_the_text_in_their_language(
    playground: Page, stack: Stack
) -> None:
    sales = desk(playground, "sales")
    for day in ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun"):
        sales.get_by_label(f"Hours on {day}day").fill("closed")
    sales.get_by_role("button", name="Add a text for “When the pool is closed”").click()
    away = sales.get_by_role("textbox", name="When the pool is closed", exact=True)
    away.fill("Nobody is here.")
    sales.get_by_role("button", name="Add a language").nth(0).click()
    german = sales.get_by_role("textbox", name="When the pool is closed, de")
    german.fill("{{Author}}, hier ist niemand, {{Name}}. Schreiben Sie auf Papier.")
    save(sales)
    database = sample_data.client(stack.emulator.host, stack.options.project)
    database.document("customers/edsger").update({"language": "de-AT"})
    phone = write_from_a_new_phone(
        playground, "Sales, SMS", "Hello?", who="Edsger Dijkstra"
    )
    expect(phone.locator(".theirs")).to_have_text("received: Schreiben Sie auf Papier.")
    expect(playground.locator("#waiting > li").last).to_contain_text(
        "came outside the hours"
    )
