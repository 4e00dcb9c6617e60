"""Parsers take anything: they understand it, or say in a sentence which field they do not."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from google.events.cloud.firestore import DocumentEventData
from google.protobuf.message import DecodeError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from domain.customer import parse as parse_customer
from domain.fields import Fields
from domain.pool import parse as parse_pool
from domain.settings import parse as parse_settings
from domain.worker import parse as parse_worker
from functions import pre_event
from functions.frontline import forms as frontline_forms
from functions.http import forms as parameters
from functions.http.answers import BadInput
from functions.http.forms import Bound, Parameters
from functions.http.trigger import Change, unpack
from functions.post_event import events
from tests.fuzz.strategies import any_text, json_texts, sids, stored

MODELS = {
    model.__name__: model
    for module in (parameters, events, frontline_forms, pre_event)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, Parameters)
}
thorough = settings(
    max_examples=60, deadline=None, database=None
)  # a busy machine is no failure


@cache
def names_of(model: type[Parameters]) -> list[str]:
    """The form's names for the model's fields."""
    schema: dict[str, Any] = model.model_json_schema(by_alias=True, mode="validation")
    return sorted(
        {*schema["properties"], "ConversationServiceSid", "ChatServiceSid", "Else"}
    )


values = (
    any_text
    | json_texts.map(json.dumps)
    | sids("CH")
    | sids("IS")
    | sids("MB")
    | st.datetimes().map(str)
)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@thorough
@given(data=st.data())
def test_any_form_is_understood_or_refused_with_the_name_of_a_field(
    model: type[Parameters], data: st.DataObject
) -> None:
    names = names_of(model)
    form = MultiDict(
        data.draw(st.lists(st.tuples(st.sampled_from(names), values), max_size=8))
    )
    try:
        parsed = parameters.parse(model, form)
        attributes = parsed.attributes() if isinstance(parsed, Bound) else {}
    except BadInput as refusal:
        assert any(name in str(refusal) for name in names)
        return
    for _, value in parsed:
        assert not isinstance(value, datetime) or value.tzinfo is not None
    assert json.dumps(attributes, allow_nan=False, ensure_ascii=False).encode()


@thorough
@given(payload=st.binary(max_size=400))
def test_any_bytes_are_an_event_or_known_to_be_none(payload: bytes) -> None:
    try:
        change = unpack(payload)
    except (DecodeError, ValueError, OverflowError):
        return
    assert isinstance(change, Change)


@thorough
@given(
    record=st.dictionaries(st.text(max_size=8), stored, max_size=4),
    seconds=st.integers(-(2**63), 2**63 - 1),
    nanos=st.integers(-(2**31), 2**31 - 1),
)
def test_any_record_comes_out_of_an_event_as_it_went_in(
    record: dict[str, Any], seconds: int, nanos: int
) -> None:
    data = DocumentEventData()._pb
    data.value.name = (
        "projects/p/databases/(default)/documents/workers/alice@example.com"
    )
    for name, value in record.items():
        put(data.value.fields[name], value)
    change = unpack(data.SerializeToString())
    assert (change.collection, change.name, change.before) == (
        "workers",
        "alice@example.com",
        None,
    )
    assert comparable(change.after) == comparable(record)
    data.value.fields["when"].timestamp_value.seconds = seconds
    data.value.fields["when"].timestamp_value.nanos = nanos
    try:
        unpack(data.SerializeToString())
    except (ValueError, OverflowError):
        return


def comparable(record: object) -> str:
    """A text in which not-a-number equals itself and the order of names does not count."""
    return json.dumps(record, sort_keys=True, default=repr)


def put(field: Any, value: Any) -> None:
    """Writes a value as Firestore does."""
    if value is None:
        field.null_value = 0
    elif isinstance(value, bool):
        field.boolean_value = value
    elif isinstance(value, int):
        field.integer_value = value
    elif isinstance(value, float):
        field.double_value = value
    elif isinstance(value, str):
        field.string_value = value.encode(errors="replace").decode()
    elif isinstance(value, bytes):
        field.bytes_value = value
    elif isinstance(value, datetime):
        field.timestamp_value.FromDatetime(value)
    elif isinstance(value, list):
        field.array_value.SetInParent()
        for item in value:
            put(field.array_value.values.add(), item)
    else:
        field.map_value.SetInParent()
        for name, item in value.items():
            put(field.map_value.fields[name], item)


READERS: list[tuple[Callable[[Fields], object], type | tuple[type, ...]]] = [
    (lambda fields: fields.text("x"), (str, type(None))),
    (lambda fields: fields.texts("x"), tuple),
    (
        lambda fields: fields.choice(
            "x", ("Available", "Unavailable"), "Available", "Unavailable"
        ),
        str,
    ),
    (lambda fields: fields.flag("x", default=True), bool),
    (lambda fields: fields.whole("x", default=3), int),
    (lambda fields: fields.limit("x", default=5), (int, float)),
    (lambda fields: fields.time("x"), (datetime, type(None))),
    (lambda fields: fields.objects("x"), tuple),
    (lambda fields: fields.mapping("x"), (Mapping, type(None))),
]


@thorough
@given(value=stored)
@example(value=[" a\r"])
def test_any_value_in_a_record_is_read_or_complained_about_by_name(
    value: object,
) -> None:
    for read, kind in READERS:
        fields = Fields({"x": value})
        assert isinstance(read(fields), kind)
        assert fields.problem is None or fields.problem.startswith("x ")
        assert isinstance(read(Fields({})), kind)
        assert isinstance(read(Fields(None)), kind)


_RECORDS: dict[str, tuple[Callable[[str, dict[str, Any]], Any], list[str]]] = {
    "worker": (
        parse_worker,
        [
            "status",
            "pools",
            "capacity",
            "display_name",
            "active",
            "full",
            "last_assigned_at",
        ],
    ),
    "pool": (parse_pool, ["display_name", "addresses", "mode", "strategy", "capacity"]),
    "customer": (
        parse_customer,
        ["display_name", "addresses", "worker", "avatar", "links", "details"],
    ),
    "settings": (
        parse_settings,
        ["mode", "default_pool", "custom_fallback", "create_customers"],
    ),
}


@pytest.mark.parametrize("kind", _RECORDS)
@thorough
@given(data=st.data())
def test_any_record_that_a_person_typed_is_read(kind: str, data: st.DataObject) -> None:
    parse, names = _RECORDS[kind]
    record = data.draw(
        st.dictionaries(
            st.sampled_from([*names, "status_since", "problem", "else"]), stored
        )
    )
    parsed = parse("sales", record)
    assert parsed.problem is None or parsed.problem.endswith(".")
