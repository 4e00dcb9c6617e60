"""A conversation that a customer began, as Twilio tells of it: in a webhook, or in its list when none came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Arrival:
    """`customer_address`: who wrote. `receivers`: whom they wrote to, one of them ours, where no `proxy_address` says
    which; more than one in a group message, which takes a worker only with its `projected_address`."""

    sid: str
    customer_address: str
    proxy_address: str | None = None
    projected_address: str | None = None
    receivers: tuple[str, ...] = ()
    is_group: bool = False
    is_starting: bool = False
    service_sid: str | None = None
    created_at: datetime | None = None

    @property
    def our_addresses(self) -> tuple[str, ...]:
        """The Twilio number, or in a group message without one: everybody who may be it."""
        named = tuple(a for a in (self.proxy_address, self.projected_address) if a)
        return named or (self.receivers if self.is_group else ())
