"""A conversation that a customer began, as Twilio tells of it: in a webhook, or in its list when none came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Arrival:
    """`customer_address`: who wrote. `our_addresses`: the Twilio number or, in a group message that does not name it,
    everybody who received it. A group takes a worker only with its `projected_address`."""

    sid: str
    customer_address: str
    proxy_address: str | None = None
    projected_address: str | None = None
    our_addresses: tuple[str, ...] = ()
    is_group: bool = False
    is_starting: bool = False
    service_sid: str | None = None
    created_at: datetime | None = None
