"""The fields that the service maintains in a customer's record: addresses, search terms, the problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain import addresses as spelling
from domain import customer, customer_search, field_names, phone_numbers

KEPT = ("search", "sort_name", "problem")
_LONGEST_PROBLEM = 1500
_MOST_NAMED = 3


@dataclass(frozen=True)
class Kept:
    """`addresses` is the value for the record: invalid entries stay as typed."""

    addresses: Any
    search: dict[str, str]
    sort_name: str
    problems: tuple[str, ...]

    @property
    def fields(self) -> dict[str, Any]:
        """Return all fields except the problem, which depends on other records too."""
        fields: dict[str, Any] = {"search": self.search, "sort_name": self.sort_name}
        if self.addresses is None:
            return fields
        return {"addresses": self.addresses, **fields}

    @property
    def listed(self) -> tuple[str, ...]:
        """Return the addresses that messages can come from."""
        return texts(self.addresses)

    def problem(self, twins: Mapping[str, tuple[str, ...]]) -> str | None:
        """Return the sentences for the record; None if it has no problem.

        `twins` are other customers by id, with their addresses.
        """
        shared = filter(None, (_shared(address, twins) for address in self.listed))
        return " ".join((*self.problems, *shared))[:_LONGEST_PROBLEM] or None


def texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list, without empty ones; () for another value."""
    if not isinstance(value, list):
        return ()
    return tuple(entry for entry in value if isinstance(entry, str) and entry)


def kept(customer_id: str, data: Mapping[str, Any]) -> Kept:
    """Return the fields that the service maintains for this record. Idempotent."""
    data = field_names.read(data, field_names.CUSTOMERS).data
    addresses = phone_numbers.tidied(data.get("addresses"))
    person = customer.parse(customer_id, {**data, "addresses": addresses})
    numbers = [
        form for address in person.addresses for form in phone_numbers.digits(address)
    ]
    terms = customer_search.terms(person.display_name, person.addresses, numbers)
    sort_name = customer_search.sort_name(person.display_name)
    unclear = _unclear(person.addresses, _made_for(data))
    return Kept(
        addresses=addresses,
        search=customer_search.entries(person.worker, sort_name, terms),
        sort_name=sort_name,
        problems=tuple(filter(None, (person.problem, *unclear))),
    )


def needs_care(
    customer_id: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> bool:
    """Return whether a change is more than the service's own write.

    `before` is None for a new record, `after` for a deleted one.
    """
    if before is None or after is None or _typed(before) != _typed(after):
        return True
    fields = kept(customer_id, after).fields
    return any(after.get(name) != value for name, value in fields.items())


def is_complete(data: Mapping[str, Any]) -> bool:
    """Return whether lists find the record: they are sorted by this field."""
    return isinstance(data.get("sort_name"), str)


def addresses_of(data: Mapping[str, Any] | None) -> set[str]:
    """Return the record's addresses in Twilio's spelling."""
    named = field_names.read(data or {}, field_names.CUSTOMERS).data
    return set(phone_numbers.tidied(list(texts(_as_list(named.get("addresses"))))))


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def keys_of(data: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the addresses by the key that all spellings of one address have."""
    return {spelling.key(address): address for address in addresses_of(data)}


def _typed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that people type, with one spelling of each address."""
    spelled = phone_numbers.tidied(data.get("addresses"))
    return {name: value for name, value in data.items() if name not in KEPT} | {
        "addresses": spelled
    }


def _made_for(data: Mapping[str, Any]) -> str | None:
    """Return the address for which the service made the record; None for a person's."""
    listed = texts(data.get("addresses"))
    return listed[0] if listed and data.get("created_at") is not None else None


def _unclear(addresses: tuple[str, ...], made_for: str | None) -> list[str]:
    if not addresses:
        return ["addresses is empty: no message is recognised as this customer's."]
    return [
        f"addresses: {spelling.shown(address)} {_why_unclear(address)}"
        for address in addresses
        if address != made_for and phone_numbers.normalised(address) is None
    ]


def _why_unclear(address: str) -> str:
    if spelling.is_username(address):
        return (
            "is a WhatsApp username, and no message comes from one: copy the id, such as "
            "whatsapp:GB.13491208655302741918, from a conversation with them."
        )
    return (
        "is not an international number such as +15551234567 (with plus and country code), so only a sender with "
        "exactly this address is recognised."
    )


def _shared(address: str, twins: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the sentence about an address that other customers have too, in any
    spelling; None if there are none."""
    same = spelling.key(address)
    others = sorted(
        customer_id
        for customer_id, addresses in twins.items()
        if same in map(spelling.key, addresses)
    )
    if not others:
        return None
    more = " and others" if len(others) > _MOST_NAMED else ""
    shared = f"{address} also belongs to the customer {', '.join(others[:_MOST_NAMED])}{more}"
    if all(address in twins[other] for other in others):
        return f"{shared}: one of them is taken, the first by id."
    return (
        f"{shared}, in another spelling or on another channel: one of them is taken, first the one with the sender's "
        "own spelling."
    )
