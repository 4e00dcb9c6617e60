"""What Twilio's side must look like, compared with what it looks like; nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.post_event import EVENTS
from tools import twilio_addresses
from tools.probe import address
from tools.twilio_addresses import Address, Configured

if TYPE_CHECKING:
    from twilio.rest import Client

# The first names the conversation, the others keep our records true. Twilio sends only what is listed.
FILTERS = ("onConversationAdd", *EVENTS)
NOTHING = "(none)"
WEBHOOK, FLEX = (
    "webhook",
    "flex",
)  # an account's webhooks go to their URLs, or into Flex


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
    """Settings that one call to Twilio puts right; one that is only `advised` needs the person's consent.

    `stops`: sentences about what another system loses by it.
    """

    rows: tuple[Row, ...]
    apply: Callable[[], object]
    advised: bool = False
    stops: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        return any(row.differs for row in self.rows)


@dataclass(frozen=True)
class Notice:
    """A sentence about what no change here puts right.

    `is_fault`: messages are missed until a person acts. `forbids`: nothing may be changed until then.
    """

    sentence: str
    is_fault: bool = False
    forbids: bool = False


@dataclass(frozen=True)
class Wanted:
    """What the person asks for. No service: the account's own settings."""

    base_url: str
    prefix: str
    service_sid: str | None
    addresses: tuple[Address, ...]
    inactive_timer: str | None
    take_from_flex: bool = False

    def url(self, entry_point: str) -> str:
        return address(self.base_url, self.prefix, entry_point)


@dataclass(frozen=True)
class Plan:
    """Every change that brings Twilio's side to what is wanted, and what else a person has to know."""

    changes: list[Change]
    notices: list[Notice] = field(default_factory=list)

    @property
    def is_fulfilled(self) -> bool:
        """Whether Twilio's side is as it must be; advice aside."""
        is_different = any(
            change.is_needed and not change.advised for change in self.changes
        )
        return not is_different and not any(notice.is_fault for notice in self.notices)


def plan(twilio: Client, wanted: Wanted) -> Plan:
    """Compare Twilio's side with what is wanted."""
    services = _Services(twilio)
    configured = twilio_addresses.configured(twilio)
    webhooks = _webhooks(twilio, wanted)
    changes = [webhooks]
    changes += [
        _autocreation(twilio, one, configured, wanted, services)
        for one in wanted.addresses
    ]
    if wanted.inactive_timer is not None:
        changes.append(_inactive_timer(twilio, wanted.inactive_timer))
    flex = [_FLEX] if _belongs_to_flex(webhooks) and not wanted.take_from_flex else []
    return Plan(changes, [*flex, *_address_notices(configured, wanted, services)])


def removal(twilio: Client, wanted: Wanted) -> Plan:
    """Takes away the webhooks that are ours; another system's stay."""
    ours = {wanted.url(name) for name in ("pre_event", "post_event")}
    context = _webhook_context(twilio, wanted.service_sid)
    now = context.fetch()
    urls = {
        "Pre-Event URL": now.pre_webhook_url or "",
        "Post-Event URL": now.post_webhook_url or "",
    }
    left = {what: "" if url in ours else url for what, url in urls.items()}
    rows = tuple(
        Row(what, url or NOTHING, left[what] or NOTHING) for what, url in urls.items()
    )
    pre, post = left.values()
    return Plan(
        [
            Change(
                rows, lambda: context.update(pre_webhook_url=pre, post_webhook_url=post)
            )
        ]
    )


class _Services:
    """The account's Conversations services, asked for once and only if something depends on them."""

    def __init__(self, twilio: Client) -> None:
        self._v1: Any = twilio.conversations.v1
        self._sids: frozenset[str] | None = None
        self._default: str | None = None

    @property
    def default(self) -> str:
        if self._default is None:
            self._default = str(
                self._v1.configuration().fetch().default_chat_service_sid
            )
        return self._default

    def is_deleted(self, sid: str | None) -> bool:
        if sid is None:
            return False
        if self._sids is None:
            self._sids = frozenset(str(one.sid) for one in self._v1.services.list())
        return sid not in self._sids


def _webhook_context(twilio: Client, service_sid: str | None) -> Any:
    v1 = twilio.conversations.v1
    return (
        v1.services(service_sid).configuration.webhooks()
        if service_sid
        else v1.configuration.webhooks()
    )


def _webhooks(twilio: Client, wanted: Wanted) -> Change:
    context = _webhook_context(twilio, wanted.service_sid)
    now = context.fetch()
    pre, post = wanted.url("pre_event"), wanted.url("post_event")
    rows = [
        Row("Pre-Event URL", now.pre_webhook_url or NOTHING, pre),
        Row("Post-Event URL", now.post_webhook_url or NOTHING, post),
        Row("Method", now.method or NOTHING, "POST"),
        Row("Filters", _listed(now.filters), _listed(FILTERS)),
    ]
    values = {
        "pre_webhook_url": pre,
        "post_webhook_url": post,
        "method": "POST",
        "filters": list(FILTERS),
    }
    if wanted.service_sid is None:  # a service's webhooks have no target
        rows.append(Row(_TARGET, now.target or WEBHOOK, WEBHOOK))
        values["target"] = WEBHOOK
    return Change(
        tuple(rows), lambda: context.update(**values), stops=_stops(now, (pre, post))
    )


_TARGET = "Target"
_FLEX = Notice(
    "Flex receives this account's conversations (Target: flex), so no webhook comes here. Use a Conversations "
    "service of its own (--service IS...), or add --take-from-flex to python -m tools.twilio_setup, after which Flex "
    "receives none.",
    is_fault=True,
    forbids=True,
)


def _belongs_to_flex(webhooks: Change) -> bool:
    return any(row.what == _TARGET and row.now == FLEX for row in webhooks.rows)


def _stops(now: Any, ours: tuple[str, str]) -> tuple[str, ...]:
    """What another system, or another use of our own addresses, no longer gets."""
    urls = [url for url in (now.pre_webhook_url, now.post_webhook_url) if url]
    foreign = [url for url in urls if url not in ours]
    if foreign:
        events = _listed(now.filters) if now.filters else "every event"
        return (
            f"This stops another system: {' and '.join(foreign)} no longer gets {events}.",
        )
    unwanted = set(now.filters or ()) - set(FILTERS)
    return (f"No longer sent: {_listed(unwanted)}.",) if urls and unwanted else ()


def _listed(events: Iterable[str] | None) -> str:
    return ", ".join(sorted(events or ())) or NOTHING


def _autocreation(
    twilio: Client,
    wanted_address: Address,
    configured: list[Configured],
    wanted: Wanted,
    services: _Services,
) -> Change:
    """A message to this address from a new sender starts a conversation, in the service in use."""
    found = twilio_addresses.find(wanted_address, configured)
    current, service_sid = "off", wanted.service_sid
    if found is not None and found.starts:
        current = _in_service(found.starts, found.service_sid, services)
        # Without a chosen service the one that is there stays, unless it is gone.
        if service_sid is None and services.is_deleted(found.service_sid):
            service_sid = services.default
    target = service_sid or (found.service_sid if found is not None else None)
    what = f"A message to {wanted_address.address} starts a conversation"
    row = Row(what, current, _in_service("default", target, services))
    values: dict[str, Any] = {
        "auto_creation_enabled": True,
        "auto_creation_type": "default",
    }
    if service_sid:
        values["auto_creation_conversation_service_sid"] = service_sid
    addresses = twilio.conversations.v1.address_configurations
    if found is not None:
        return Change((row,), lambda: addresses(found.sid).update(**values))
    if wanted_address.country:
        values["address_country"] = wanted_address.country
    create = {"type": wanted_address.kind, "address": wanted_address.address, **values}
    return Change((row,), lambda: addresses.create(**create))


def _in_service(kind: str, service_sid: str | None, services: _Services) -> str:
    name = "on" if kind == "default" else f"on, through {kind}"
    if service_sid is None:
        return name
    return f"{name}, in {service_sid}{', which was deleted' if services.is_deleted(service_sid) else ''}"


def _address_notices(
    configured: list[Configured], wanted: Wanted, services: _Services
) -> list[Notice]:
    """Return what is wrong with addresses that were not named, and which of all start conversations elsewhere."""
    named = [twilio_addresses.find(one, configured) for one in wanted.addresses]
    notices = []
    for one in configured:
        if (
            not one.starts
            or one.service_sid is None
            or (wanted.service_sid and one in named)
        ):
            continue
        if services.is_deleted(one.service_sid):
            if one not in named:
                notices.append(_deleted(one))
        elif one.service_sid != (wanted.service_sid or services.default):
            notices.append(_elsewhere(one, wanted.service_sid))
    return notices


def _deleted(one: Configured) -> Notice:
    return Notice(
        f"Messages to {one.address} start no conversation: their Conversations service {one.service_sid} was deleted. "
        f"Add --number {one.address} to choose another one.",
        is_fault=True,
    )


def _elsewhere(one: Configured, service_sid: str | None) -> Notice:
    where = f"Messages to {one.address} start conversations in {one.service_sid}"
    if service_sid:
        return Notice(
            f"{where}, not in {service_sid}: the webhooks of {service_sid} are not called for them."
        )
    return Notice(
        f"{where}, which is not the default service: if this installation answers them, set "
        f"TWILIO_CONVERSATION_SERVICE_SID={one.service_sid}, so that lost messages are looked for there, too."
    )


def _inactive_timer(twilio: Client, timer: str) -> Change:
    """Set only if there is none: a timer that was chosen stays."""
    context = twilio.conversations.v1.configuration()
    now = context.fetch().default_inactive_timer
    row = Row(
        "A silent conversation turns inactive after", now or NOTHING, now or timer
    )
    return Change(
        (row,), lambda: context.update(default_inactive_timer=timer), advised=True
    )
