"""What the service keeps in a customer's record: Twilio's spelling of addresses, search terms, the problem."""

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
    """`addresses` is what is to stand in the record: entries that nobody can understand stay as typed."""

    addresses: Any
    search: dict[str, str]
    sort_name: str
    problems: tuple[str, ...]

    @property
    def fields(self) -> dict[str, Any]:
        """All but the problem, which depends on other records too."""
        given = {} if self.addresses is None else {"addresses": self.addresses}
        return {**given, "search": self.search, "sort_name": self.sort_name}

    @property
    def listed(self) -> tuple[str, ...]:
        """The addresses that messages can come from."""
        return texts(self.addresses)

    def problem(self, twins: Mapping[str, tuple[str, ...]]) -> str | None:
        """The sentence for the record. `twins` are other customers by id, with their addresses."""
        shared = [_shared(address, twins) for address in self.listed]
        return (
            " ".join((*self.problems, *filter(None, shared)))[:_LONGEST_PROBLEM] or None
        )


def texts(value: object) -> tuple[str, ...]:
    """The texts in something that should be a list of texts."""
    return (
        tuple(v for v in value if isinstance(v, str) and v)
        if isinstance(value, list)
        else ()
    )


def kept(customer_id: str, data: Mapping[str, Any]) -> Kept:
    """What belongs into this record, whatever stands there now. Worked out again it is the same."""
    data = field_names.read(data, field_names.CUSTOMERS).data
    addresses = phone_numbers.tidied(data.get("addresses"))
    person = customer.parse(customer_id, {**data, "addresses": addresses})
    numbers = [
        form for address in person.addresses for form in phone_numbers.digits(address)
    ]
    terms = customer_search.terms(person.display_name, person.addresses, numbers)
    sort_name = customer_search.sort_name(person.display_name)
    return Kept(
        addresses=addresses,
        search=customer_search.entries(person.worker, sort_name, terms),
        sort_name=sort_name,
        problems=tuple(
            filter(None, (person.problem, *_unclear(person.addresses, _made_for(data))))
        ),
    )


def needs_care(
    customer_id: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> bool:
    """Whether a change is more than what the service itself writes."""
    if before is None or after is None or _typed(before) != _typed(after):
        return True
    return any(
        after.get(name) != value
        for name, value in kept(customer_id, after).fields.items()
    )


def is_complete(data: Mapping[str, Any]) -> bool:
    """Whether lists find it: they go by the name to sort by."""
    return isinstance(data.get("sort_name"), str)


def addresses_of(data: Mapping[str, Any] | None) -> set[str]:
    """The record's addresses in Twilio's spelling."""
    named = field_names.read(data or {}, field_names.CUSTOMERS).data
    return set(phone_numbers.tidied(list(texts(_as_list(named.get("addresses"))))))


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def keys_of(data: Mapping[str, Any] | None) -> dict[str, str]:
    """The same, each by what all spellings of it have in common."""
    return {spelling.key(address): address for address in addresses_of(data)}


def _typed(data: Mapping[str, Any]) -> dict[str, Any]:
    """What people put into the record, so that two spellings of an address are the same."""
    spelled = phone_numbers.tidied(data.get("addresses"))
    return {name: value for name, value in data.items() if name not in KEPT} | {
        "addresses": spelled
    }


def _made_for(data: Mapping[str, Any]) -> str | None:
    """The address that the service made the record for; None for a record that a person made."""
    listed = texts(data.get("addresses"))
    return listed[0] if listed and data.get("created_at") is not None else None


def _unclear(addresses: tuple[str, ...], made_for: str | None) -> list[str]:
    if not addresses:
        return ["addresses is empty: no message is recognised as this customer's."]
    unclear = (
        one
        for one in addresses
        if one != made_for and phone_numbers.normalised(one) is None
    )
    return [
        f"addresses: {spelling.shown(address)} {_why_unclear(address)}"
        for address in unclear
    ]


def _why_unclear(address: str) -> str:
    if spelling.is_username(address):
        return (
            "is a WhatsApp username, and no message comes from one: copy the id, such as "
            "whatsapp:GB.13491208655302741918, from a conversation with them."
        )
    return (
        "is not an international number such as +15551234567 (with plus and "
        "country code), so only a sender who is called exactly that is recognised."
    )


def _shared(address: str, twins: Mapping[str, tuple[str, ...]]) -> str | None:
    """One number is one person, also where WhatsApp spells it otherwise."""
    same = spelling.key(address)
    others = sorted(
        twin for twin, theirs in twins.items() if same in map(spelling.key, theirs)
    )
    if not others:
        return None
    named = ", ".join(others[:_MOST_NAMED]) + (
        " and others" if len(others) > _MOST_NAMED else ""
    )
    if all(address in twins[other] for other in others):
        return f"{address} also belongs to the customer {named}: one of them is taken, the first by id."
    return (
        f"{address} also belongs to the customer {named}, in another spelling or on another channel: "
        "one of them is taken, who has the sender's own spelling before the others."
    )
