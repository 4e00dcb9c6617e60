"""Twilio's Content API, and what it says written into the collection templates.

https://www.twilio.com/docs/content/content-api-resources
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """What is written to one record; `record` is None for a new one."""

    template_id: str
    content: Content
    fields: Mapping[str, Any]
    record: Snapshot | None = None


def listed() -> Result:
    """All content templates of the account with their approvals, 1,000 at most; the body is a list of Content."""

    def found() -> list[Content]:
        api: Any = twilio.client().content.v1
        stream = api.content_and_approvals.stream(limit=_MOST, page_size=100)
        return [contents.parse(vars(one)) for one in stream]

    return twilio.persistently(found)


def plan(found: list[Content], creates: bool) -> list[Change]:
    """What differs between Twilio's contents and the records; `creates`: contents without a record get one."""
    now, records = clock.now(), templates.with_content()
    by_sid = {one.sid: one for one in found}
    is_complete = len(found) < _MOST
    changes = []
    for record in records:
        data = record.to_dict() or {}
        sid = templates.of(record).content_sid or ""
        content = by_sid.get(sid) or Content(
            sid, record.id, status=contents.MISSING, reason=_NOT_THERE
        )
        fields = contents.changes(data, content, now)
        if fields and (sid in by_sid or is_complete):
            changes.append(Change(record.id, content, fields, record))
    known = {templates.of(record).content_sid for record in records}
    new = (
        [one for one in found if one.sid not in known and one.is_sendable]
        if creates
        else []
    )
    return [
        *changes,
        *(Change(one.sid, one, contents.new_record(one, now)) for one in new),
    ]


def apply(change: Change) -> bool:
    """Writes it, unless a person has changed the record meanwhile; whether it was written."""
    reference = (
        change.record.reference
        if change.record
        else templates.reference(change.template_id)
    )
    version = change.record.update_time if change.record else None
    try:
        database.write(reference, dict(change.fields), version)
    except database.LostRace:
        return False
    except database.Unwritable as error:
        log.error(f"The template {change.template_id} cannot be written: {error}")
        return False
    return True


def refresh(content_sid: str) -> None:
    """Asks WhatsApp's word on one template after a refusal, and writes it down. What fails the sweep makes up for."""
    api: Any = twilio.client().content.v1
    result = twilio.persistently(
        lambda: api.contents(content_sid).approval_fetch().fetch()
    )
    if result.outcome is Outcome.DONE:
        status, reason = contents.approval_of(result.body.whatsapp)
    elif result.outcome is Outcome.MISSING:
        status, reason = contents.MISSING, _NOT_THERE
    else:
        log.warning(f"Whether a template is approved could not be asked: {result.why}")
        return
    for record in templates.with_content(content_sid):
        fields = contents.approval_changes(
            record.to_dict() or {}, status, reason, clock.now()
        )
        if fields and apply(
            Change(record.id, Content(content_sid, record.id), fields, record)
        ):
            log.warning(
                f"The template {record.id} is {status} by WhatsApp: {reason or 'no reason is given'}"
            )


def refresh_of_message(place: Somewhere, message_sid: str) -> None:
    """The same for the template of which a message was made; nothing for any other message."""
    result = twilio.persistently(twilio.at(place).messages(message_sid).fetch)
    content_sid = (
        getattr(result.body, "content_sid", None)
        if result.outcome is Outcome.DONE
        else None
    )
    if isinstance(content_sid, str) and content_sid:
        refresh(content_sid)
