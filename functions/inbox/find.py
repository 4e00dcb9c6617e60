"""POST search {query}: the worker's open conversations and own customers, by name or number."""

from __future__ import annotations

import re

from domain import addresses, customer_search
from domain.conversation import ASSIGNED, ASSIGNING, INACTIVE, Conversation
from functions.http import access, cache, requests
from functions.http.answers import Answer
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority, listing, new_conversation
from functions.inbox.page import PAGE
from functions.inbox.requests import Search
from providers import conversations

_OPEN = (ASSIGNING, ASSIGNED, INACTIVE)
_OPEN_FOR = 10.0  # seconds
_FEWEST_DIGITS = 3
_NO_DIGIT = re.compile(r"\D")
_NATIONAL_ZERO = re.compile(r"\(0\)")  # as in +44 (0)20 7946 0000
_NUMBER = re.compile(r"[\d\s()+./-]+")


def found(visit: Visit, person: Person) -> Answer:
    """Return {conversations, customers}; the conversations as the list shows them, the longest-waiting first."""
    worker = authority.worker(person)
    query = requests.read(visit, Search).query.strip()
    if not query:
        return Answer({"conversations": [], "customers": []})
    identity = worker.identity
    open_ones = cache.get(("open with", identity), _OPEN_FOR, lambda: _open(identity))
    matches = [one for one in open_ones if matches_query(one, query)]
    matches.sort(key=listing.wait_first)
    access.note(PAGE, "searched", worker)
    return Answer(
        {
            "conversations": [listing.shown(one, identity) for one in matches],
            "customers": new_conversation.own_customers(identity, _as_typed(query)),
        }
    )


def _open(identity: str) -> list[Conversation]:
    """Return all of them, also the inactive ones that the list is too short for."""
    involved = conversations.involving(identity)
    return [conversation for conversation in involved if conversation.state in _OPEN]


def matches_query(conversation: Conversation, query: str) -> bool:
    """Return whether the customer's name has all words of the query, or the address has its digits or text."""
    address = conversation.address or ""
    if _NUMBER.fullmatch(query):
        return _has_digits(address, query)
    name = customer_search.folded(f"{conversation.display_name or ''} {address}")
    return all(word in name for word in customer_search.folded(query).split())


def _has_digits(address: str, query: str) -> bool:
    """Compare without the zeros in front: 07700 900001 and 0044 7700 900001 are in +447700900001."""
    digits = _NO_DIGIT.sub("", _NATIONAL_ZERO.sub("", query)).lstrip("0")
    is_long_enough = len(digits) >= _FEWEST_DIGITS
    return is_long_enough and digits in _NO_DIGIT.sub("", addresses.bare(address))


def _as_typed(query: str) -> str:
    """Return the query without a national zero in parentheses, which records of customers don't have."""
    return _NATIONAL_ZERO.sub("", query)
