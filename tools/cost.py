"""Prints what a thousand routed conversations cost at Google's list prices: python -m tools.cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

COUNTS = Path(__file__).parent / "cost_counts.json"
CONVERSATIONS = 1000
STORED = 10_000  # records
BACKUPS = 7  # one a day, kept for a week
SWEEPS_PER_MONTH = 60 * 24 * 30
CPUS, GIBIBYTES = 1, 0.5  # as deploy.sh asks for: --cpu=1 --memory=512Mi
SECONDS_PER_MONTH = 3600 * 24 * 30
# The table of volumes: conversations a month, messages of each, and the share that has to wait.
VOLUMES = (1_000, 100_000, 10_000_000)
MESSAGES_EACH = 12
WAITING_SHARE = 0.3
_BEGIN = ("pre-event",)
_END = (
    "customer introduced",
    "worker's own arrival",
    "event of an assignment, no texts",
)
_WAITED = ("queued", "event of one who waits, no texts", "pulled")
# What happens to a conversation; to turn inactive, as most do before they are closed, costs as much as closing.
# (Either costs one read more where the worker is Available, who then looks at the queue.)
LIVES = {
    "assigned at once": (*_BEGIN, "routed, pool by number", *_END, "closed", "closed"),
    "that had to wait": (*_BEGIN, *_WAITED, *_END, "closed", "closed"),
}

MESSAGES = ("customer's message", "worker's answer")


@dataclass(frozen=True)
class Price:
    """US dollars for one unit, and where it stands."""

    dollars: float
    unit: str
    source: str


# Read in stored copies of these pages; check them before you rely on a figure. Free allowances are left out.
PRICES = {
    "read": Price(
        0.03 / 100_000,
        "document read, us-central1",
        "https://cloud.google.com/firestore/pricing",
    ),
    "write": Price(
        0.09 / 100_000,
        "document write, us-central1",
        "https://cloud.google.com/firestore/pricing",
    ),
    "delete": Price(
        0.01 / 100_000,
        "document deleted, us-central1",
        "https://cloud.google.com/firestore/pricing",
    ),
    "request": Price(
        0.40 / 1_000_000,
        "request to a function",
        "https://cloud.google.com/run/pricing",
    ),
    "cpu": Price(
        0.000024,
        "vCPU second while a request runs",
        "https://cloud.google.com/run/pricing",
    ),
    "memory": Price(
        0.0000025,
        "GiB second while a request runs",
        "https://cloud.google.com/run/pricing",
    ),
    "idle": Price(
        0.0000025,
        "vCPU second or GiB second of a warm, idle instance",
        "https://cloud.google.com/run/pricing",
    ),
    "event": Price(
        2 * 1000 * 40 / 2**40,
        "event, published and delivered",
        "https://cloud.google.com/pubsub/pricing",
    ),
    # The next four have no second source.
    "gibibyte": Price(
        0.15,
        "GiB stored and month, us-central1",
        "https://cloud.google.com/firestore/pricing",
    ),
    "backup": Price(
        0.03, "GiB of a backup and month", "https://cloud.google.com/firestore/pricing"
    ),
    "log": Price(
        0.50,
        "GiB of log lines, kept for a month",
        "https://cloud.google.com/stackdriver/pricing",
    ),
    "image": Price(
        0.10,
        "GiB of images and month",
        "https://cloud.google.com/artifact-registry/pricing",
    ),
    "job": Price(
        0.10, "scheduler job and month", "https://cloud.google.com/scheduler/pricing"
    ),
    "secret": Price(
        0.06,
        "secret version and month",
        "https://cloud.google.com/secret-manager/pricing",
    ),
}


@dataclass(frozen=True)
class Others:
    """How often other things happen, and how long they take; cost_counts.json says how that is known."""

    webhooks: float
    events: float
    log_events: float
    request_seconds: float
    message_seconds: float
    sweep_reads: float
    sweep_reads_of_many: float
    sweep_seconds: float
    conversation_kilobytes: float
    customer_kilobytes: float
    log_kilobytes: float
    image_gigabytes: float
    secrets: float


def operations() -> dict[str, dict[str, int]]:
    """Documents read (as billed: an empty query is one), written and deleted, as tests/performance counts them."""
    counted: dict[str, dict[str, int]] = json.loads(COUNTS.read_text())["operations"]
    return counted


def others() -> Others:
    """The numbers that are no documents."""
    found = json.loads(COUNTS.read_text())["others"]
    return Others(**{name: entry["value"] for name, entry in found.items()})


def running(seconds: float) -> float:
    """Dollars for one request that takes so long; Cloud Run rounds up to 0.1 s."""
    billed = -(-round(seconds * 1000) // 100) / 10
    compute = billed * (
        CPUS * PRICES["cpu"].dollars + GIBIBYTES * PRICES["memory"].dollars
    )
    return PRICES["request"].dollars + compute


def per_thousand(life: str) -> list[tuple[str, str, float]]:
    """What, how much of it, and dollars, for a thousand routed conversations with such a life."""
    counted, other = operations(), others()
    requests = other.webhooks + other.events
    rows = []
    for what in ("read", "write", "delete"):
        number = sum(counted[step][f"{what}s"] for step in LIVES[life])
        dollars = CONVERSATIONS * number * PRICES[what].dollars
        rows.append((f"Firestore {what}s", f"{CONVERSATIONS} × {number}", dollars))
    short = CONVERSATIONS * other.log_events
    seconds = (
        f"{CONVERSATIONS} × {requests:g} requests of {other.request_seconds:g} s, "
    )
    seconds += f"{other.log_events:g} of {other.message_seconds:g} s"
    dollars = CONVERSATIONS * requests * running(
        other.request_seconds
    ) + short * running(other.message_seconds)
    rows.append(("Functions", seconds, dollars))
    delivered = other.events + other.log_events
    events = CONVERSATIONS * delivered * PRICES["event"].dollars
    rows.append(("Firestore events", f"{CONVERSATIONS} × {delivered:g}", events))
    return rows


def per_thousand_messages() -> list[tuple[str, str, float]]:
    """The same for a thousand messages, half of them answers: each is one webhook, and one event of its write."""
    counted, rows = operations(), []
    for what in ("read", "write"):
        number = sum(counted[step][f"{what}s"] for step in MESSAGES) / len(MESSAGES)
        rows.append(
            (
                f"Firestore {what}s",
                f"1000 × {number:g}",
                1000 * number * PRICES[what].dollars,
            )
        )
    seconds = f"1000 × 2 requests of {others().message_seconds:g} s"
    rows.append(("Functions", seconds, 2 * 1000 * running(others().message_seconds)))
    return [*rows, ("Firestore events", "1000 × 1", 1000 * PRICES["event"].dollars)]


def per_month(counted: Others) -> list[tuple[str, str, float]]:
    """What it costs in a month without any conversation, and what warm instances add."""
    idle = SECONDS_PER_MONTH * (CPUS + GIBIBYTES) * PRICES["idle"].dollars

    def reads(number: float) -> float:
        return SWEEPS_PER_MONTH * number * PRICES["read"].dollars

    seconds = SWEEPS_PER_MONTH * running(counted.sweep_seconds)
    return [
        (
            "Sweep every minute",
            f"{SWEEPS_PER_MONTH} × {counted.sweep_seconds:g} s",
            seconds,
        ),
        (
            "Reads of the sweep, 10 workers",
            f"{SWEEPS_PER_MONTH} × {counted.sweep_reads:g}",
            reads(counted.sweep_reads),
        ),
        (
            "the same, 100 workers",
            f"{SWEEPS_PER_MONTH} × {counted.sweep_reads_of_many:g}",
            reads(counted.sweep_reads_of_many),
        ),
        ("Scheduler job", "1", PRICES["job"].dollars),
        (
            "Secret versions",
            f"{counted.secrets:g}",
            counted.secrets * PRICES["secret"].dollars,
        ),
        (
            "Images, the last five of each function",
            f"{counted.image_gigabytes:g} GB",
            counted.image_gigabytes * PRICES["image"].dollars,
        ),
        *kept(counted),
        ("With --min-instances 1", "3 idle instances", 3 * idle),
    ]


def kept(counted: Others) -> list[tuple[str, str, float]]:
    """What records cost that stay, with their index entries, each backup of a week, and a week's versions."""
    rows = []
    for what, kilobytes in (
        ("conversations", counted.conversation_kilobytes),
        ("customers", counted.customer_kilobytes),
    ):
        gibibytes = STORED * kilobytes * 1000 / 2**30
        much = f"{STORED} × {kilobytes:g} kB"
        rows.append(
            (f"{STORED} {what} in store", much, gibibytes * PRICES["gibibyte"].dollars)
        )
        rows.append(
            (
                "their backups",
                f"7 × {much}",
                BACKUPS * gibibytes * PRICES["backup"].dollars,
            )
        )
    return rows


def dollars_per_thousand(life: str) -> float:
    """Return the sum of one table of a thousand conversations."""
    return sum(dollars for _, _, dollars in per_thousand(life))


def range_per_thousand() -> str:
    """Return what a thousand conversations cost without their messages, in words for the pages."""
    low, high = sorted(dollars_per_thousand(life) for life in LIVES)
    return f"{low:.3f} to {high:.3f} US dollars per thousand"


def _of_conversations(conversations: int) -> float:
    """Dollars for routing so many conversations and for their messages."""
    at_once, waited = (dollars_per_thousand(life) for life in LIVES)
    routed = (1 - WAITING_SHARE) * at_once + WAITING_SHARE * waited
    messages = sum(dollars for _, _, dollars in per_thousand_messages())
    return conversations / 1000 * (routed + MESSAGES_EACH * messages)


def _of_records(conversations: int, counted: Others) -> tuple[float, float]:
    """Dollars a month for the log of a year of so many conversations a month, and for its daily backups."""
    gibibytes = 12 * conversations * counted.conversation_kilobytes * 1000 / 2**30
    stored = gibibytes * PRICES["gibibyte"].dollars
    return stored, BACKUPS * gibibytes * PRICES["backup"].dollars


def _fixed(counted: Others) -> tuple[float, float]:
    """Dollars a month without any conversation: the sweep and what else is always there; and warm instances."""
    rows = {what: dollars for what, _, dollars in per_month(counted)}
    left_out = ("the same, 100 workers", "With --min-instances 1")
    kept_rows = {what for what, _, _ in kept(counted)}
    idle = sum(
        dollars
        for what, dollars in rows.items()
        if what not in left_out and what not in kept_rows
    )
    return idle, rows["With --min-instances 1"]


def volumes() -> list[str]:
    """Return the Markdown table of whole months, which README and the docs quote."""
    counted = others()
    idle, warm = _fixed(counted)
    lines = [
        "| Conversations a month | they and their messages | records of a year | daily backups | log lines | always "
        "| one warm instance each | together |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for conversations in VOLUMES:
        stored, backups = _of_records(conversations, counted)
        log = conversations * counted.log_kilobytes * 1000 / 2**30
        parts = (
            _of_conversations(conversations),
            stored,
            backups,
            log * PRICES["log"].dollars,
            idle,
            warm,
        )
        cells = " | ".join(f"{dollars:,.2f}" for dollars in parts)
        lines.append(f"| {conversations:,} | {cells} | **{sum(parts):,.0f}** |")
    return lines


def table(
    title: str, rows: list[tuple[str, str, float]], with_sum: bool = False
) -> list[str]:
    """A Markdown table."""
    lines = [f"| {title} | how much | US dollars |", "|---|---|---:|"]
    lines += [f"| {what} | {much} | {dollars:.4f} |" for what, much, dollars in rows]
    if with_sum:
        lines.append(
            f"| **Together** | | **{sum(dollars for _, _, dollars in rows):.4f}** |"
        )
    return [*lines, ""]


def report() -> str:
    """Return the tables, as they stand in docs/deploying.md."""
    lines = []
    for life in LIVES:
        lines += table(
            f"A thousand conversations {life}", per_thousand(life), with_sum=True
        )
    lines += table("A thousand messages", per_thousand_messages(), with_sum=True)
    lines += table("A month", per_month(others()))
    lines += volumes()
    return "\n".join(lines).strip()


if __name__ == "__main__":
    print(report())
