"""The page Setup: routing, pools and templates beside their records' forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from domain import hours, template
from domain.hours import Hours
from domain.pool import Pool, parse
from domain.worker import SUPERVISOR
from functions.desk import authority, previews, records
from functions.desk.authority import Supervisor
from functions.desk.kinds import kind_of
from functions.desk.previews import Moment
from functions.desk.requests import Look
from functions.http import requests
from functions.http.answers import Answer, TryAgain
from functions.http.router import Route
from functions.http.session import Person
from functions.http.webhook import Visit
from providers import (
    account_addresses,
    audit,
    clock,
    contents,
    conversations,
    pending,
    pools,
    public_holidays,
    settings,
    templates,
    twilio,
    workers,
)
from providers.audit import Entry

_MOST_DAYS = 10
_MINUTE = 60


def overview(visit: Visit, person: Person) -> Answer:
    """GET setup: the pools, the templates' names, and what is missing before a first message can be routed."""
    authority.supervisor(person)
    found = pools.all_pools()
    routing = settings.load()
    return Answer(
        {
            "pools": [_pool(pool) for pool in found],
            "default_pool": pools.as_called([routing.default_pool])[0],
            "templates": [one.id for one in templates.load()],
            "start": _start(found),
        }
    )


def _pool(pool: Pool) -> dict[str, Any]:
    return {
        "id": pool.id,
        "name": pool.display_name,
        "numbers": list(pool.addresses),
        "problem": pool.problem,
    }


def _start(found: list[Pool]) -> dict[str, bool]:
    """Return which of the first steps are done. The supervisor is a worker, too, and does not count."""
    team = (worker for worker in workers.some() if worker.role != SUPERVISOR)
    return {
        "numbers": any(pool.addresses for pool in found),
        "people": any(worker.confirmed for worker in team),
        "hours": any(pool.hours is not None for pool in found),
        "message": conversations.exist(),
    }


def zones(visit: Visit, person: Person) -> Answer:
    """GET setup/zones: the names of all time zones."""
    authority.supervisor(person)
    return Answer({"zones": sorted(available_timezones())})


def countries(visit: Visit, person: Person) -> Answer:
    """GET setup/countries: the countries whose public holidays are known."""
    authority.supervisor(person)
    return Answer({"countries": list(public_holidays.countries().items())})


def parts(visit: Visit, person: Person, country: str) -> Answer:
    """GET setup/countries/CODE: its parts, and whether only they have all holidays."""
    authority.supervisor(person)
    has_more = bool(public_holidays.with_parts([country]))
    found = public_holidays.parts_of(country)
    return Answer({"parts": list(found.items()), "needs_part": has_more})


def numbers(visit: Visit, person: Person) -> Answer:
    """GET setup/numbers: the account's own addresses for conversations."""
    authority.supervisor(person)
    result = account_addresses.listed()
    if result.outcome is not twilio.Outcome.DONE:
        raise TryAgain(f"Twilio's list of numbers could not be read: {result.why}")
    return Answer({"numbers": result.body})


def look_at_pool(visit: Visit, person: Person, name: str) -> Answer:
    """POST setup/pools/NAME/look {fields}: what these values mean, before they are saved."""
    supervisor = authority.supervisor(person)
    pool = parse(name, _typed(visit, "pools", name))
    moment = _moment(supervisor)
    known = pool.hours or Hours()
    return Answer(
        {
            "texts": previews.of_pool(pool, moment),
            "week": _week(known),
            "closed": _closed_days(known, moment),
            "faults": records.faults(pool.problem),
        }
    )


def _typed(visit: Visit, kind_name: str, name: str) -> dict[str, Any]:
    """Return the stored record with the fields that are typed in the form."""
    kind = kind_of(kind_name)
    fields = requests.read(visit, Look).fields
    typed = {name: value for name, value in fields.items() if name in kind.fields}
    return records.merged(kind, records.stored(kind, name), typed)


def _moment(supervisor: Supervisor) -> Moment:
    return Moment(clock.now(), settings.load().zone, supervisor)


def _week(known: Hours) -> list[list[list[int]]] | None:
    """Return the spans of Monday to Sunday in minutes from midnight; None for always open."""
    if known.week is None:
        return None
    return [
        [[int(edge.total_seconds()) // _MINUTE for edge in span] for span in spans]
        for spans in known.week
    ]


def _closed_days(known: Hours, moment: Moment) -> list[dict[str, str]]:
    """Return the next ten days that holidays close, with the public holidays' names."""
    today = moment.now.astimezone(moment.zone).date()
    is_holiday = public_holidays.of(known.countries)
    days = hours.closed_days(known, today, moment.zone, is_holiday, _MOST_DAYS)
    return [
        {
            "date": day.isoformat(),
            "name": ", ".join(public_holidays.names_of(known.countries, day)),
        }
        for day in days
    ]


def removal(visit: Visit, person: Person, name: str) -> Answer:
    """GET setup/pools/NAME/removal: what happens if the pool is removed."""
    authority.supervisor(person)
    pool = pools.load(name)
    is_default = name == pools.as_called([settings.load().default_pool])[0]
    found: Mapping[str, Any] = {
        "default": is_default,
        "numbers": list(pool.addresses),
        "workers": workers.how_many(name),
        "waiting": pending.how_many([name]),
        "overflowing": pools.overflowing_into(name),
    }
    return Answer(dict(found))


def listed_templates(visit: Visit, person: Person) -> Answer:
    """GET setup/templates: all templates, with WhatsApp's approval."""
    authority.supervisor(person)
    found = sorted(templates.load(), key=lambda one: (one.category, one.order, one.id))
    return Answer({"templates": [_template(one) for one in found]})


def _template(one: template.Template) -> dict[str, Any]:
    return {
        "id": one.id,
        "category": one.category,
        "language": one.language,
        "content": one.content,
        "content_sid": one.content_sid,
        "approval": one.approval.status,
        "reason": one.approval.reason,
        "problem": one.problem,
    }


def look_at_template(visit: Visit, person: Person, name: str) -> Answer:
    """POST setup/templates/NAME/look {fields}: the text that a sample customer would read."""
    supervisor = authority.supervisor(person)
    record = template.parse(name, _typed(visit, "templates", name))
    text = previews.of_template(record, _moment(supervisor))
    return Answer({"text": text, "faults": records.faults(record.problem)})


def sync_templates(visit: Visit, person: Person) -> Answer:
    """POST setup/templates/sync: bring the records in step with Twilio's content templates."""
    supervisor = authority.supervisor(person)
    result = contents.listed()
    if result.outcome is not twilio.Outcome.DONE:
        raise TryAgain(
            f"Twilio's content templates could not be listed: {result.why} Please try again."
        )
    done = contents.synchronized(result.body)
    audit.note(Entry(supervisor.identity, "synced", "templates"))
    said = contents.summary(len(result.body), len(done))
    return Answer({"said": said, "lines": done})


ROUTES = (
    Route("GET", "setup", overview),
    Route("GET", "setup/zones", zones),
    Route("GET", "setup/countries", countries),
    Route("GET", "setup/countries/<country>", parts),
    Route("GET", "setup/numbers", numbers),
    Route("GET", "setup/templates", listed_templates),
    Route("POST", "setup/templates/sync", sync_templates),
    Route("POST", "setup/templates/<name>/look", look_at_template),
    Route("POST", "setup/pools/<name>/look", look_at_pool),
    Route("GET", "setup/pools/<name>/removal", removal),
)
