"""Twilio's Content API, and the copy of its contents in the collection templates.

https://www.twilio.com/docs/content/content-api-resources
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain import contents
from domain.contents import Content
from providers import clock, database, log, templates, twilio
from providers.twilio import Outcome, Result, Somewhere

if TYPE_CHECKING:
    from providers.database import Snapshot

_MOST = 1000
_NOT_THERE = "Twilio has no content template with this content_sid."


@dataclass(frozen=True)
class Change:
    """The fields to write to one record of a template; `record` is None for a new one."""

    template_id: str
    content: Content
    fields: Mapping[str, Any]
    record: Snapshot | None = None


def listed() -> Result:
    """Return all content templates of the account with their approvals, 1,000 at most.

    The result's body is a list of Content.
    """

    def fetch() -> list[Content]:
        api: Any = twilio.client().content.v1
        stream = api.content_and_approvals.stream(limit=_MOST, page_size=100)
        return [contents.parse(vars(content)) for content in stream]

    return twilio.persistently(fetch)


def plan(found: list[Content], creates: bool) -> list[Change]:
    """Compare Twilio's contents with the records and return what to write.

    `creates`: contents without a record get one.
    """
    now = clock.now()
    records = templates.with_content()
    changes = _updates(found, records, now)
    if creates:
        changes += _new_records(found, records, now)
    return changes


def _updates(
    found: list[Content], records: list[Snapshot], now: datetime
) -> list[Change]:
    """Return the changes of existing records. A content counts as missing only if Twilio's list was complete."""
    contents_by_sid = {content.sid: content for content in found}
    is_complete = len(found) < _MOST
    changes = []
    for record in records:
        sid = templates.of(record).content_sid or ""
        if sid not in contents_by_sid and not is_complete:
            continue
        content = contents_by_sid.get(sid, _missing(sid, record.id))
        fields = contents.changes(record.to_dict() or {}, content, now)
        if fields:
            changes.append(Change(record.id, content, fields, record))
    return changes


def _missing(sid: str, template_id: str) -> Content:
    """Return the content of a template that Twilio no longer has."""
    return Content(sid, template_id, status=contents.MISSING, reason=_NOT_THERE)


def _new_records(
    found: list[Content], records: list[Snapshot], now: datetime
) -> list[Change]:
    """Return a record for each sendable content that has none."""
    recorded_sids = {templates.of(record).content_sid for record in records}
    return [
        Change(content.sid, content, contents.new_record(content, now))
        for content in found
        if content.sid not in recorded_sids and content.is_sendable
    ]


def apply(change: Change) -> bool:
    """Write the change unless the record was edited in the meantime; return whether it was written."""
    reference = templates.reference(change.template_id)
    version = change.record.update_time if change.record else None
    try:
        database.write(reference, dict(change.fields), version)
    except database.LostRace:
        return False
    except database.Unwritable as error:
        log.error(f"The template {change.template_id} cannot be written: {error}")
        return False
    return True


def synchronized(found: list[Content]) -> list[str]:
    """Bring the records in step with Twilio's contents; return a line for each record."""
    return [
        in_words(change) if apply(change) else edited_meanwhile(change)
        for change in plan(found, creates=True)
    ]


def edited_meanwhile(change: Change) -> str:
    return (
        f"templates/{change.template_id} was edited at this moment: synchronize again."
    )


def in_words(change: Change) -> str:
    """Return one line: which record, what is written, and what a person still has to do."""
    verb = "change" if change.record else "create"
    done = ", ".join([*_filled_in(change), *_approval(change)]) or "variables"
    name = change.content.name
    is_named_so = name in ("", change.template_id)
    also_named = "" if is_named_so else f" ({name})"
    line = f"{verb} templates/{change.template_id}{also_named}: {done}"
    variables = change.fields.get("variables", {})
    empty = [variable for variable, text in variables.items() if text == ""]
    if not empty:
        return line
    return f"{line}; write in its variables what stands for {', '.join(empty)}"


def _filled_in(change: Change) -> list[str]:
    names = ("content", "language")
    return [f"{name} filled in" for name in names if name in change.fields]


def _approval(change: Change) -> list[str]:
    approval = change.fields.get("approval")
    if not approval:
        return []
    because = f" ({approval['reason']})" if approval.get("reason") else ""
    return [f"{approval['status']} by WhatsApp{because}"]


def summary(found: int, changed: int, is_dry_run: bool = False) -> str:
    """Return one sentence about all of them."""
    at_twilio = f"{found} content template{'' if found == 1 else 's'} at Twilio"
    if changed == 0:
        return f"{at_twilio}; every record is up to date."
    did = "would be written (dry run: nothing was)" if is_dry_run else "written"
    return f"{at_twilio}; {changed} record{'' if changed == 1 else 's'} {did}."


def refresh(content_sid: str) -> None:
    """Ask for WhatsApp's approval of one template after a refusal, and record it. If this fails, the sweep does it."""
    api: Any = twilio.client().content.v1
    result = twilio.persistently(
        lambda: api.contents(content_sid).approval_fetch().fetch()
    )
    if result.outcome is Outcome.DONE:
        status, reason = contents.approval_of(result.body.whatsapp)
    elif result.outcome is Outcome.MISSING:
        status, reason = contents.MISSING, _NOT_THERE
    else:
        log.warning(f"The approval of a template could not be fetched: {result.why}")
        return
    for record in templates.with_content(content_sid):
        _apply_approval(record, content_sid, status, reason)


def _apply_approval(
    record: Snapshot, content_sid: str, status: str, reason: str | None
) -> None:
    """Write the approval into the record, if it differs."""
    data = record.to_dict() or {}
    fields = contents.approval_changes(data, status, reason, clock.now())
    content = Content(content_sid, record.id)
    if fields and apply(Change(record.id, content, fields, record)):
        log.warning(
            f"The template {record.id} is {status} by WhatsApp: {reason or 'no reason is given'}"
        )


def refresh_of_message(place: Somewhere, message_sid: str) -> None:
    """Do the same for the template that a message was made of; do nothing for any other message."""
    result = twilio.persistently(twilio.at(place).messages(message_sid).fetch)
    content_sid = getattr(result.body, "content_sid", None)
    if isinstance(content_sid, str) and content_sid:
        refresh(content_sid)
