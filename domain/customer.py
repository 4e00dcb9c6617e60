"""A customer: who writes from which address, and who their own worker is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain import addresses as spelling
from domain import opt_out
from domain.field_names import CUSTOMERS
from domain.fields import Fields
from domain.worker import identity_in

_LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\x00-\x1f\x7f]+", re.IGNORECASE)


@dataclass(frozen=True)
class Customer:
    customer_id: str
    display_name: str
    addresses: tuple[str, ...] = ()
    worker: str | None = None
    priority: int | None = None
    avatar: str | None = None
    links: tuple[Mapping[str, Any], ...] = ()
    details: Mapping[str, Any] | None = None
    do_not_contact: bool = False
    language: str | None = None
    opted_out: Mapping[str, datetime] = field(default_factory=dict)
    known: bool = True
    problem: str | None = None

    def opted_out_since(self, address: str) -> datetime | None:
        """Return since when this address takes no messages, as far as the record says."""
        return opt_out.since_in(self.opted_out, address)


def parse(
    customer_id: str, data: Mapping[str, Any] | None, version: object = None
) -> Customer:
    fields = Fields(data, typed_as=CUSTOMERS)
    listed = fields.texts("addresses")
    return Customer(
        customer_id=customer_id,
        display_name=spelling.called(
            fields.text("display_name") or (listed[0] if listed else customer_id)
        ),
        addresses=listed,
        worker=identity_in(fields, "worker"),
        priority=fields.whole("priority", default=None),
        avatar=fields.web_address("avatar"),
        links=_links(fields),
        details=fields.mapping("details"),
        # What makes no sense here was meant to keep somebody from being written to.
        do_not_contact=fields.flag(
            "do_not_contact", default=fields.plain("do_not_contact") is not None
        ),
        language=fields.text("language"),
        opted_out=opt_out.times_in(fields, "opted_out"),
        problem=fields.problem,
    )


def _links(fields: Fields) -> tuple[Mapping[str, Any], ...]:
    """Those that a phone may open; javascript: and data: are programs, not places."""
    given = fields.objects("links")
    good = tuple(link for link in given if _may_be_opened(link.get("value")))
    if len(good) < len(given):
        fields.complain(
            "links has an entry whose value does not begin with https://, http://, mailto: or tel:; "
            "that entry is left out."
        )
    return good


def _may_be_opened(value: object) -> bool:
    """A link without a value is nothing to open."""
    return (
        not isinstance(value, str)
        or not value.strip()
        or _LINK.fullmatch(value.strip()) is not None
    )


NOBODY = Customer(
    "nobody", "", known=False
)  # who writes in a conversation that names no customer


def has_name(data: Mapping[str, Any]) -> bool:
    """Whether somebody gave the customer a name to be greeted by: an address is none, however it is typed."""
    given = Fields(data, typed_as=CUSTOMERS).text("display_name")
    return given is not None and not spelling.is_only_an_address(given)
