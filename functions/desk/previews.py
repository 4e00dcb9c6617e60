"""What a customer would read: a pool's texts and a template, filled for a sample customer by the code that sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain import hours, pool_texts, template, waiting_words
from domain.customer import parse as parse_customer
from domain.pool import Pool
from domain.pool_texts import ASSIGNED_TEXT, AWAY_TEXT, QUEUED_TEXT, Text
from domain.template import Template
from domain.worker import Worker
from providers import public_holidays, templates

_SAMPLE_RECORD: Mapping[str, Any] = {
    "display_name": "Ada Byron",
    "addresses": ["+447700900001"],
}
_POSITION, _WAIT = "2", "5 min"
_STEP = timedelta(minutes=30)
_STEPS = 14 * 48  # two weeks: the search for a moment at which the pool is closed


@dataclass(frozen=True)
class Moment:
    """The time of the preview, and the worker that is named in it."""

    now: datetime
    zone: ZoneInfo
    worker: Worker


def of_pool(pool: Pool, moment: Moment) -> dict[str, list[dict[str, Any]]]:
    """Return for each kind of text what is sent, by language; an empty text is not sent."""
    return {
        kind: [_shown(kind, text, pool, moment) for text in texts]
        for kind, texts in pool.texts.items()
    }


def _shown(kind: str, text: Text, pool: Pool, moment: Moment) -> dict[str, Any]:
    sent = _of_template(text, moment)
    if text.template is None:
        sent = pool_texts.filled(text.content, _values(kind, text, pool, moment))
    return {"language": text.language, "template": text.template, "text": sent or ""}


def _of_template(text: Text, moment: Moment) -> str | None:
    if text.template is None:
        return None
    record = templates.load_one(text.template)
    return template.text_of(record, _template_values(moment), text.language)


def _values(kind: str, text: Text, pool: Pool, moment: Moment) -> dict[str, str | None]:
    """Return the values that the sender has for a text of this kind."""
    values: dict[str, str | None] = {"Name": str(_SAMPLE_RECORD["display_name"])}
    if kind == ASSIGNED_TEXT:
        return values | {"Author": moment.worker.name}
    if kind == QUEUED_TEXT:
        return values | {"Position": _POSITION, "Wait": _WAIT}
    if kind == AWAY_TEXT:
        return values | {"Position": _POSITION, "Opens": _opens(text, pool, moment)}
    return values


def _opens(text: Text, pool: Pool, moment: Moment) -> str | None:
    """Return when the pool opens after it is closed the next time; None if it never closes."""
    if pool.hours is None:
        return None
    is_holiday = public_holidays.of(pool.hours.countries)
    for closed in _moments(moment.now):
        if hours.open_at(pool.hours, closed, moment.zone, is_holiday):
            continue
        opens = hours.opens_next(pool.hours, closed, moment.zone, is_holiday)
        if opens is None:
            return None
        return waiting_words.opens(opens, closed, moment.zone, text.language)
    return None


def _moments(now: datetime) -> Iterator[datetime]:
    return (now + number * _STEP for number in range(_STEPS))


def _template_values(moment: Moment) -> dict[str, Any]:
    customer = parse_customer("sample", _SAMPLE_RECORD)
    worker = moment.worker
    record = {"display_name": worker.name}
    return template.values_for(customer, _SAMPLE_RECORD, worker.identity, record)


def of_template(record: Template, moment: Moment) -> str | None:
    """Return the template as the sample customer reads it; None if a placeholder has no value."""
    return template.text_of(record, _template_values(moment), record.language)
