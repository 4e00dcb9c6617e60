"""A customer: their addresses, and their assigned worker."""

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
from domain.notes import Note
from domain.notes import parse as notes_in
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
    notes: tuple[Note, ...] = ()
    known: bool = True
    problem: str | None = None

    def opted_out_since(self, address: str) -> datetime | None:
        """Return since when this address takes no messages, as far as the record says."""
        return opt_out.since_in(self.opted_out, address)


def parse(
    customer_id: str, data: Mapping[str, Any] | None, version: object = None
) -> Customer:
    """Return the customer of a record; invalid fields are reported in `problem`.

    Without a display name, the first address is the name, and else the record's id.
    """
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
        # An invalid value counts as true: the person who typed it wanted no messages to be sent.
        do_not_contact=fields.flag(
            "do_not_contact", default=fields.plain("do_not_contact") is not None
        ),
        language=fields.text("language"),
        opted_out=opt_out.times_in(fields, "opted_out"),
        notes=notes_in(fields),
        problem=fields.problem,
    )


def _links(fields: Fields) -> tuple[Mapping[str, Any], ...]:
    """Return the links that a phone may open: javascript: and data: are programs."""
    links = fields.objects("links")
    allowed = tuple(link for link in links if _may_be_opened(link.get("value")))
    if len(allowed) < len(links):
        fields.complain(
            "links has an entry whose value does not begin with https://, http://, mailto: or tel:. "
            "That entry is left out."
        )
    return allowed


def _may_be_opened(value: object) -> bool:
    """Return whether a link is harmless; one without a value opens nothing."""
    text = value.strip() if isinstance(value, str) else ""
    return text == "" or _LINK.fullmatch(text) is not None


# The customer of a conversation that names none.
NOBODY = Customer("nobody", "", known=False)


def has_name(data: Mapping[str, Any]) -> bool:
    """Return whether a person typed a name for the customer; an address is not a name."""
    name = Fields(data, typed_as=CUSTOMERS).text("display_name")
    return name is not None and not spelling.is_only_an_address(name)
