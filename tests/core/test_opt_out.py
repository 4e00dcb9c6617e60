"""Opt-out words: which they are, and what they change in a record, in whatever order messages are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from domain import (
    channels,
    conversation,
    customer,
    messages,
    opt_out,
    rules,
    settings,
    transitions,
)
from domain.conversation import ASSIGNING, CUSTOMER, MOST_HEARD, UNROUTED, Conversation
from domain.fields import Fields
from domain.opt_out import HELP, START, STOP, OptOut, Wish
from tests.core.test_messages import ADA, ANN, NEW, at, said, told

WORDS = ["STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT"]


@pytest.mark.parametrize("word", WORDS)
def test_each_of_twilios_words_in_any_case_and_with_blanks_opts_out(word: str) -> None:
    for typed in (
        word,
        word.lower(),
        word.title(),
        f"  {word}\n",
        f"\u200b{word}\ufeff",
        f"{word}.",
        f"{word}!",
    ):
        assert opt_out.word_in(typed) == STOP, typed


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("START", START),
        ("yes", START),
        ("Unstop", START),
        ("HELP", HELP),
        ("info.", HELP),
        ("\uff33\uff34\uff2f\uff30", STOP),  # full-width letters
        ("Please stop by", None),
        ("STOP 12345", None),
        ("CANCEL my order", None),
        ("stop stop", None),
        ("Yes please", None),
        ("STOP?", None),
        ("(attachment)", None),
        ("", None),
        (".", None),
        ("STOP" + " " * 10_000 + "it", None),
    ],
)
def test_only_a_message_that_is_such_a_word_means_it(
    text: str, meaning: str | None
) -> None:
    assert opt_out.word_in(text) == meaning


def test_the_settings_add_words_of_other_languages() -> None:
    parsed = settings.parse(
        "routing", {"opt_out_words": ["Arr\u00eat", " ALTO ", "Stop SMS"]}
    )
    assert (
        parsed.problem is not None and "blank" in parsed.problem
    )  # as of every list of texts
    for text in ("ARRE\u0302T", "arr\u00eat.", "alto", "stop  sms"):
        assert opt_out.word_in(text, parsed.opt_out_words) == STOP, text
    assert opt_out.word_in("alto ahi", parsed.opt_out_words) is None


@pytest.mark.parametrize(
    "entry", ["YES", "help", "x" * 41, "please do not write again", "...", 5, ""]
)
def test_a_setting_that_is_no_opt_out_word_is_reported(entry: object) -> None:
    parsed = settings.parse("routing", {"opt_out_words": ["alto", entry]})
    assert parsed.opt_out_words == ("alto",)
    assert parsed.problem is not None and parsed.problem.startswith("opt_out_words has")


def word(message: messages.Message) -> str | None:
    return opt_out.word_in(message.text)


def after(record: Conversation, *heard: messages.Message) -> Conversation:
    for one in heard:
        sender = messages.sender_of(one, record) or "worker"
        record = messages.noted(
            record, one, sender, word(one) if sender == CUSTOMER else None
        )
    return record


def test_an_opt_out_word_awaits_no_answer_and_is_not_unread() -> None:
    begun = transitions.presumed(NEW)
    assert (begun.unread, begun.awaiting_since) == (1, at(0))
    stopped = after(begun, said(0, text="Stop"))
    assert (stopped.unread, stopped.awaiting_since) == (0, None)
    assert stopped.last_message is not None and stopped.last_message.text == "Stop"
    asked = after(stopped, said(1), said(2, text="STOP"))
    assert (asked.unread, asked.awaiting_since) == (1, at(10))
    assert conversation.parse("CH1", conversation.stored(asked)) == asked


def test_a_question_before_the_opt_out_still_awaits_its_answer() -> None:
    begun = transitions.presumed(NEW)
    late = after(begun, said(1, text="STOP"))
    assert (late.unread, late.awaiting_since) == (1, at(0)), (
        "the first message is not known yet"
    )
    assert told(after(late, said(0))) == told(
        after(begun, said(0), said(1, text="STOP"))
    )
    assert after(late, said(0)).unread == 1


_TEXTS = st.lists(
    st.tuples(
        st.sampled_from([ADA, ADA, ADA, ANN]),
        st.sampled_from(["Hello", "STOP", "START", "HELP"]),
    ),
    min_size=1,
    max_size=MOST_HEARD,
)


@examples(deadline=None)  # a busy machine is no failure
@given(written=_TEXTS, data=st.data(), arrived_first=st.booleans())
def test_twice_and_in_any_order_lead_to_the_same_record(
    written: list[tuple[str, str]], data: st.DataObject, arrived_first: bool
) -> None:
    written[0] = (ADA, written[0][1])
    in_order = [
        said(index, author, text=text) for index, (author, text) in enumerate(written)
    ]
    mixed = data.draw(st.permutations(in_order)) + data.draw(
        st.lists(st.sampled_from(in_order), max_size=5)
    )
    begun = transitions.presumed(NEW) if arrived_first else NEW
    assert told(after(begun, *mixed)) == told(after(NEW, *in_order))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["STOP"], True),
        (["STOP", "quit"], True),
        (["STOP", "START"], False),
        (["Hello", "STOP"], False),
        (["HELP"], False),
    ],
)
def test_a_conversation_is_only_an_opt_out_if_the_customer_wrote_nothing_else(
    texts: list[str], expected: bool
) -> None:
    record = after(NEW, *(said(index, text=text) for index, text in enumerate(texts)))
    assert rules.is_only_an_opt_out(record) == expected
    assert not rules.is_only_an_opt_out(after(record, said(len(texts), ANN)))


def test_while_the_first_message_is_unknown_it_may_be_a_question() -> None:
    assert not rules.is_only_an_opt_out(after(NEW, said(1, text="STOP")))
    assert not rules.is_only_an_opt_out(NEW)


def test_a_worker_who_has_it_is_leaving_it_with_a_lease() -> None:
    assigning = replace(
        NEW,
        state=ASSIGNING,
        claim="x",
        mode="pool",
        queued_at=at(1),
        participant_sid="MB1",
    )
    out = transitions.left_out(assigning, at(60))
    assert (out.state, out.mode, out.worker, out.holder, out.claim) == (
        UNROUTED,
        "none",
        None,
        None,
        None,
    )
    assert (out.leaving, out.leaving_sid, out.lease_until) == (ANN, "MB1", at(90))
    assert rules.is_left_out(out) and rules.is_routed(replace(out, version=at(60)))
    assert conversation.stored(out)["arrived_at"] is None, "it counts as no arrival"
    again = transitions.routed_again(replace(out, awaiting_since=at(500)))
    assert (again.created_at, again.queued_at) == (at(500), None)


def wish(is_out: bool, seconds: float, index: int = -1, sid: str = "CH1") -> Wish:
    return Wish(is_out, at(seconds), sid, index)


KNOWN = OptOut("x", version=at(0))


def test_the_later_word_counts_in_whatever_order_they_come() -> None:
    stop, start = wish(True, 10, 1), wish(False, 10, 2)
    for order in ((stop, start), (start, stop)):
        known = KNOWN
        for one in order:
            known = opt_out.decided(known, one)
        assert known.since is None
    elsewhere = opt_out.decided(opt_out.decided(KNOWN, wish(False, 20, 0, "CH2")), stop)
    assert elsewhere.since is None, (
        "by time, where they are messages of two conversations"
    )


def test_a_repeat_keeps_the_first_time_and_start_without_stop_is_nothing() -> None:
    once = opt_out.decided(KNOWN, wish(True, 10, 1))
    twice = opt_out.decided(once, wish(True, 20, 2))
    assert (once.since, twice.since, twice.changed_at) == (at(10), at(10), at(20))
    assert opt_out.decided(twice, wish(True, 20, 2)) == twice
    unknown = OptOut("x")
    assert opt_out.decided(unknown, wish(False, 10, 1)) is unknown
    assert opt_out.decided(once, Wish(True, at(5))).changed_at == at(10)


def test_an_invalid_record_counts_as_opted_out() -> None:
    assert (
        opt_out.parse("x", {"opted_out_at": "yesterday"}, at(0)).since
        == opt_out.UNKNOWN_SINCE
    )
    far = opt_out.parse("x", {"changed_at": at(10**8)}, at(0))
    assert opt_out.decided(far, wish(True, 10)).since == at(10), (
        "a time to come does not lock it"
    )
    stored = opt_out.stored(opt_out.decided(KNOWN, wish(True, 10, 3)))
    assert opt_out.parse("x", stored, at(99)) == replace(
        opt_out.decided(KNOWN, wish(True, 10, 3)), version=at(99)
    )


def test_a_number_is_another_address_on_another_channel_and_one_in_all_spellings() -> (
    None
):
    names = {
        opt_out.record_name(a, b"k")
        for a in (
            "whatsapp:+5215512345678",
            "whatsapp:+525512345678",
            " WhatsApp:+52 55 1234 5678",
        )
    }
    assert len(names) == 1
    assert opt_out.record_name("+525512345678", b"k") not in names
    assert opt_out.record_name(ADA, b"k") != opt_out.record_name(ADA, b"other")
    fields = Fields({"opted_out": {ADA: at(5), "whatsapp:+1": "x", "b": None}})
    times = opt_out.times_in(fields, "opted_out")
    assert times == {ADA: at(5), "whatsapp:+1": opt_out.UNKNOWN_SINCE}
    assert fields.problem is not None and "opted_out" in fields.problem
    ada = customer.parse("ada", {"opted_out": {"+44 7700 900001": at(5)}})
    assert ada.opted_out_since(ADA) == at(5)
    assert ada.opted_out_since(f"whatsapp:{ADA}") is None


def test_the_sentence_says_since_when() -> None:
    assert opt_out.sentence(at(0)) == (
        "The customer opted out of messages on 23 November 2026 at 12:00 UTC; only they can lift it, by writing START."
    )
    assert "1970" not in opt_out.sentence(opt_out.UNKNOWN_SINCE)


@pytest.mark.parametrize(
    ("address", "is_read"),
    [
        ("+447700900001", True),
        ("whatsapp:+447700900001", True),
        ("whatsapp:US.13491208655302741918", True),
        ("messenger:123", True),
        ("bobby@example.com", True),
        ("bobby.reply@example.com", True),
        ("PAYPAL", False),
        ("68849", False),
        ("no-reply@example.com", False),
        ("NoReply@example.com", False),
        ("do_not_reply@example.com", False),
        ("noreply-123@example.com", False),
        ("mailer-daemon@example.com", False),
    ],
)
def test_who_can_read_a_text(address: str, is_read: bool) -> None:
    assert channels.can_be_read(address) == is_read
