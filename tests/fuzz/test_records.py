"""Whatever a person types into the four collections, no function fails over it and no conversation is lost."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.firestore import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core import forms
from tests.fuzz.strategies import AWKWARD, stored
from tests.service import Service

ANN, ADA, CUSTOMER = "ann@example.com", "ada", "+15550000001"
_FIELDS = {
    "settings/routing": ["mode", "default_pool", "custom_fallback", "create_customers", "time_zone"],
    "pools/default": ["display_name", "addresses", "mode", "strategy", "capacity"],
    f"workers/{ANN}": ["status", "pools", "capacity", "display_name", "addresses", "active", "full"],
    f"customers/{ADA}": ["display_name", "addresses", "worker", "avatar", "links", "details", "language"],
    "templates/hello": ["category", "content", "order", "whatsapp_approved", "language"],
}
# What is right, so that one wrong value is looked at, and not always the first of many.
_RIGHT: dict[str, dict[str, Any]] = {
    "settings/routing": {"mode": "pool"},
    "pools/default": {"display_name": "Sales"},
    f"workers/{ANN}": {"status": "Available", "pools": ["default"]},
    f"customers/{ADA}": {"display_name": "Ada", "addresses": [CUSTOMER], "worker": ANN},
    "templates/hello": {"category": "Hello", "content": "Hello {{Name}}"},
}


def _storable(value: object) -> bool:
    """Whether Firestore takes it: it has no maps with nameless fields, and no list directly in a list."""
    if isinstance(value, dict):
        return all(name.strip("_") and _storable(inner) for name, inner in value.items())
    if isinstance(value, list):
        return all(_storable(inner) and not isinstance(inner, list) for inner in value)
    return True


_short = st.sampled_from([text for text in AWKWARD if len(text) < 3000 and "\x00" not in text])
_typed = (
    stored.filter(_storable)
    | _short
    | st.lists(_short, max_size=3)
    | st.sampled_from(["custom", "none", "Available"])
)
_VALUES: list[Any] = [
    ["a/b", "..", "__x__", ""],
    "a/b",
    "..",
    {"a": 1},
    5,
    -1,
    2.5,
    True,
    None,
    [5, None],
    "",
]
_changes = st.lists(
    st.sampled_from([(path, name) for path, names in _FIELDS.items() for name in names]).flatmap(
        lambda where: st.tuples(st.just(where), _typed)
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("path", _FIELDS)
def test_a_record_all_of_nonsense_stops_nothing(
    service: Service, db: Client, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    for value in _VALUES:
        nonsense = dict.fromkeys(_FIELDS[path], value) | {"status": "Available"}
        _goes_on(service, db, capsys, _RIGHT | {path: nonsense})


@settings(
    max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=_changes)
def test_whatever_is_typed_everything_goes_on(
    service: Service, db: Client, capsys: pytest.CaptureFixture[str], changes: list[Any]
) -> None:
    records = {path: dict(record) for path, record in _RIGHT.items()}
    for (path, name), value in changes:
        records[path][name] = value
    _goes_on(service, db, capsys, records)


def _goes_on(
    service: Service, db: Client, capsys: pytest.CaptureFixture[str], records: dict[str, dict[str, Any]]
) -> None:
    """A customer writes, and every function that reads these records is asked."""
    for path, record in records.items():
        db.document(path).set(record)
    service.standin.set_autocreate(forms.PROXY)
    sid = service.standin.inbound(CUSTOMER, forms.PROXY, "Hello").conversation_sid
    assert sid is not None
    service.settle()
    frontline = {"Worker": ANN, "CustomerId": ADA}
    proxy = {"Location": "GetProxyAddress", "ChannelType": "sms", "ChannelValue": CUSTOMER}
    for name, form in (
        ("crm", {"Location": "GetCustomersList", "PageSize": "10"}),
        ("crm", {"Location": "GetCustomerDetailsByCustomerId"}),
        ("templates", {"Location": "GetTemplatesByCustomerId"}),
        ("outgoing_conversation", proxy),
    ):
        assert service.post(name, frontline | form).status_code < 500
    assert service.post("sweep", signed=False).status_code == 200
    assert service.post("wallboard", signed=False, method="GET").status_code == 200
    assert db.document(f"conversations/{sid}").get().get("state") in ("assigned", "queued", "unrouted")
    assert "stack_trace" not in capsys.readouterr().out
    service.standin.set_state(sid, "closed")
    service.settle()
