"""A conversation that a customer began, as Twilio describes it in a webhook or over REST."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.messages import Message


@dataclass(frozen=True)
class Arrival:
    """`customer_address`: the sender's. `our_addresses`: the Twilio number or, in a group message without it, all
    recipients. A group takes a worker only with its `projected_address`. `written`: its messages so far, in order,
    if they are known."""

    sid: str
    customer_address: str
    proxy_address: str | None = None
    projected_address: str | None = None
    our_addresses: tuple[str, ...] = ()
    is_group: bool = False
    is_starting: bool = False
    service_sid: str | None = None
    created_at: datetime | None = None
    written: tuple[Message, ...] = ()
