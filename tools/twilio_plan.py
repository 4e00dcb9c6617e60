"""What Twilio's side must look like, compared with what it looks like; nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.post_event import EVENTS
from tools.probe import address

if TYPE_CHECKING:
    from twilio.rest import Client

# The first names the conversation, the others keep our records true. Twilio sends only what is listed.
FILTERS = ("onConversationAdd", *EVENTS)
NOTHING = "(none)"


@dataclass(frozen=True)
class Row:
    """One setting: what it is and what it must be."""

    what: str
    now: str
    wanted: str

    @property
    def differs(self) -> bool:
        return self.now != self.wanted


@dataclass(frozen=True)
class Change:
    """Settings that one call to Twilio puts right; one that is only `advised` needs the person's consent."""

    rows: tuple[Row, ...]
    apply: Callable[[], object]
    advised: bool = False

    @property
    def is_needed(self) -> bool:
        return any(row.differs for row in self.rows)


@dataclass(frozen=True)
class Wanted:
    """What the person asks for. No service: the account's own settings."""

    base_url: str
    prefix: str
    service_sid: str | None
    numbers: tuple[str, ...]
    inactive_timer: str | None


def plan(twilio: Client, wanted: Wanted) -> list[Change]:
    """Every change that brings Twilio's side to what is wanted."""
    pre = address(wanted.base_url, wanted.prefix, "pre_event")
    post = address(wanted.base_url, wanted.prefix, "post_event")
    changes = [_webhooks(twilio, wanted.service_sid, pre, post, FILTERS)]
    changes += [_autocreation(twilio, number, wanted.service_sid) for number in wanted.numbers]
    if wanted.inactive_timer is not None:
        changes.append(_inactive_timer(twilio, wanted.inactive_timer))
    return changes


def removal(twilio: Client, wanted: Wanted) -> list[Change]:
    """Takes away the webhooks that are ours; another system's stay."""
    ours = {address(wanted.base_url, wanted.prefix, name) for name in ("pre_event", "post_event")}
    now = _webhook_context(twilio, wanted.service_sid).fetch()
    pre, post = now.pre_webhook_url or "", now.post_webhook_url or ""
    left = ["" if url in ours else url for url in (pre, post)]
    return [_webhooks(twilio, wanted.service_sid, left[0], left[1], None)]


def _webhook_context(twilio: Client, service_sid: str | None) -> Any:
    v1 = twilio.conversations.v1
    return v1.services(service_sid).configuration.webhooks() if service_sid else v1.configuration.webhooks()


def _webhooks(
    twilio: Client, service_sid: str | None, pre: str, post: str, filters: tuple[str, ...] | None
) -> Change:
    context = _webhook_context(twilio, service_sid)
    now = context.fetch()
    keep = filters is None
    rows = (
        Row("Pre-Event URL", now.pre_webhook_url or NOTHING, pre or NOTHING),
        Row("Post-Event URL", now.post_webhook_url or NOTHING, post or NOTHING),
        Row("Method", now.method or NOTHING, (now.method or NOTHING) if keep else "POST"),
        Row("Filters", _listed(now.filters), _listed(now.filters if filters is None else filters)),
    )
    values: dict[str, Any] = {"pre_webhook_url": pre, "post_webhook_url": post}
    if filters is not None:
        values |= {"method": "POST", "filters": list(filters)}
    return Change(rows, lambda: context.update(**values))


def _listed(events: Iterable[str] | None) -> str:
    return ", ".join(sorted(events or ())) or NOTHING


def _autocreation(twilio: Client, number: str, service_sid: str | None) -> Change:
    """A message to this number from somebody new starts a conversation, in the service in use."""
    kind = "whatsapp" if number.startswith("whatsapp:") else "sms"
    addresses = twilio.conversations.v1.address_configurations
    found = next((a for a in addresses.list(type=kind) if a.address == number), None)
    now: dict[str, Any] = (found.auto_creation if found else None) or {}
    current = "off"
    if now.get("enabled"):
        current = _in_service(now.get("type"), now.get("conversation_service_sid"))
    # Without a chosen service the account's default is meant, whether Twilio names it or not.
    target = service_sid or now.get("conversation_service_sid")
    row = Row(f"A message to {number} starts a conversation", current, _in_service("default", target))
    values: dict[str, Any] = {"auto_creation_enabled": True, "auto_creation_type": "default"}
    if service_sid:
        values["auto_creation_conversation_service_sid"] = service_sid
    if found is None:
        return Change((row,), lambda: addresses.create(type=kind, address=number, **values))
    sid = found.sid or number
    return Change((row,), lambda: addresses(sid).update(**values))


def _in_service(kind: str | None, service_sid: str | None) -> str:
    name = "on" if kind in (None, "default") else f"on, through {kind}"
    return f"{name}, in {service_sid}" if service_sid else name


def _inactive_timer(twilio: Client, timer: str) -> Change:
    """Only where there is none: a timer that somebody chose stays."""
    context = twilio.conversations.v1.configuration()
    now = context.fetch().default_inactive_timer
    row = Row("A silent conversation turns inactive after", now or NOTHING, now or timer)
    return Change((row,), lambda: context.update(default_inactive_timer=timer), advised=True)
