"""A made-up day of conversations, so that the wallboard has something to show."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.conversation import Conversation

_ZONES = (
    "Pacific/Honolulu",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/Berlin",
    "Africa/Nairobi",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
)
# How many arrive in each hour of the day, and how busy the workers are then: 1 is a calm hour.
_ARRIVALS = (
    1,
    0,
    0,
    0,
    1,
    2,
    6,
    14,
    31,
    44,
    52,
    47,
    33,
    38,
    46,
    41,
    35,
    27,
    18,
    12,
    9,
    6,
    4,
    2,
)
_BUSY = (
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1.2,
    1.6,
    2.4,
    3.1,
    2.6,
    2.2,
    1.9,
    2.1,
    1.7,
    1.4,
    1.2,
    1,
    1,
    1,
    1,
    1,
    1,
)
_CALM_WAIT = 16.0  # seconds on average
_NAMES = (
    "Grace Hopper",
    "Edsger Dijkstra",
    "Barbara Liskov",
    "Leslie Lamport",
    "Frances Allen",
    "Tony Hoare",
)


def zone_of_late_afternoon(now: datetime) -> str:
    """Where most of the day is over."""
    return min(_ZONES, key=lambda zone: abs(_hour(now, zone) - 17.2))


def conversations_until(now: datetime, zone: str, seed: int = 7) -> list[Conversation]:
    """Everything that has arrived since midnight in that zone."""
    chance = random.Random(seed)
    midnight = now.astimezone(ZoneInfo(zone)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    found: list[Conversation] = []
    for hour, count in enumerate(_ARRIVALS):
        for _ in range(count):
            at = midnight.astimezone(UTC) + timedelta(
                seconds=hour * 3600 + chance.uniform(0, 3600)
            )
            if at < now - timedelta(minutes=10):
                found.append(_one(len(found), at, chance, _BUSY[hour]))
    return found


def _one(number: int, at: datetime, chance: random.Random, busy: float) -> Conversation:
    mode = (
        "none"
        if chance.random() < 0.06
        else chance.choice(["pool", "pool", "pool", "custom"])
    )
    gone = chance.random() < 0.012 * busy
    waited = (
        None
        if mode == "none" or gone
        else round(chance.expovariate(1 / (_CALM_WAIT * busy)), 1)
    )
    closed = mode != "none"
    why = (
        "this number is not routed"
        if mode == "none"
        else "alice@example.com is in the conversation"
    )
    return Conversation(
        f"CH{chance.getrandbits(128):032x}",
        state="closed" if closed else "unrouted",
        mode=mode,
        pool=chance.choice(["default", "default", "sales"])
        if mode != "none"
        else "announcements",
        worker=chance.choice(
            ["alice@example.com", "bob@example.com", "dan@example.com"]
        )
        if waited
        else None,
        display_name=chance.choice(_NAMES),
        created_at=at,
        queued_at=at,
        closed_at=at + timedelta(minutes=8) if closed else None,
        waited=waited,
        log=({"at": at, "what": "assigned" if waited else "unrouted", "why": why},),
    )


def _hour(now: datetime, zone: str) -> float:
    local = now.astimezone(ZoneInfo(zone))
    return local.hour + local.minute / 60
