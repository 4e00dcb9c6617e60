"""JSON of others: as json.loads reads it, as long as it is small and can be stored."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import json_text

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5)
    ),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(VALUES)
def test_what_json_holds_is_read_as_it_is(value: object) -> None:
    for spelled in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert json_text.parsed(spelled) == value


@given(st.text(alphabet='"\\\\[]{},:a1 \n', max_size=60))
def test_whatever_is_written_it_is_a_value_or_a_value_error(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):
            json_text.parsed(text)
    else:
        assert json_text.parsed(text) == expected


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(VALUES)
def test_values_are_counted_before_any_is_built(value: object) -> None:
    text = json.dumps([value] * 30)
    with pytest.raises(json_text.TooManyValues):
        json_text.parsed(text, most=20)


@pytest.mark.parametrize(
    "text",
    [
        '"' * 1_000_001,
        '\\"' * 500_000,
        '"' + "\\" * 999_999,
        "[" * 1_000_000,
        '"' + '\\"' * 500_000 + "\\",
    ],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError):
        json_text.parsed(text)
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    "text", ['"\\ud800"', "NaN", "[1e999]", '{"\\udfff": 1}', "-Infinity"]
)
def test_what_cannot_be_stored_is_no_value(text: str) -> None:
    with pytest.raises(ValueError):
        json_text.parsed(text)
