"""What anybody might send or type: from nearly right to no sense at all."""

import datetime

from hypothesis import strategies as st

HEX = "0123456789abcdefABCDEF"
# What a name, a number or a person may look like, and what has broken parsers elsewhere.
AWKWARD = [
    "",
    " ",
    "\x00",
    "null",
    "NaN",
    "-1",
    "1e400",
    "9" * 5000,
    "../..",
    "a/b",
    ".",
    "..",
    "__x__",
    "{",
    "[" * 3000,
    '{"a": "\\ud800"}',
    '{"a": NaN}',
    "\u202e\ufeff\U0001f600",
    "whatsapp:",
    ":",
    "+",
    ",,,",
    "+447700900001, +447700900002",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:60Z",
    "2026-01-01",
    "system",
    "x" * 5000,
]

any_text = st.text(max_size=60) | st.sampled_from(AWKWARD)
json_texts = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)


def sids(prefix: str) -> st.SearchStrategy[str]:
    """Mostly right ones."""
    right = st.text(alphabet=HEX, min_size=32, max_size=32).map(
        lambda digits: prefix + digits
    )
    return right | st.builds(
        lambda sid, tail: sid + tail, right, st.sampled_from(["", "\n", "/", "0"])
    )


# Values as Firestore holds them: its whole numbers have 64 bits, its times no zone but UTC.
stored = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=5)
    | st.datetimes(timezones=st.just(datetime.UTC)).map(
        lambda time: time.replace(fold=0)
    )
    | st.sampled_from(
        [
            "Available",
            "Unavailable",
            "custom",
            "pool",
            "none",
            "least_busy",
            "default",
            5,
            0,
            -1,
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)
