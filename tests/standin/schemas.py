"""Checks answers against Twilio's published OpenAPI description, which lies in local/twilio_openapi."""

import functools
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema

DESCRIPTIONS = Path(__file__).parents[2] / "local" / "twilio_openapi"
FORMATS = jsonschema.FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value) is not None


@functools.cache
def _description(name: str) -> dict[str, Any]:
    content: dict[str, Any] = _nullable(
        json.loads((DESCRIPTIONS / f"twilio_{name}_v1.json").read_text())
    )
    return content


def _nullable(part: Any) -> Any:
    """OpenAPI's `nullable` in JSON Schema's terms; where it stands without a type it says nothing and is dropped."""
    if isinstance(part, list):
        return [_nullable(one) for one in part]
    if not isinstance(part, dict):
        return part
    made = {name: _nullable(one) for name, one in part.items() if name != "nullable"}
    if part.get("nullable") is True and isinstance(part.get("type"), str):
        made["type"] = [part["type"], "null"]
    return made


def check(
    answer: dict[str, Any], schema: str, description: str = "conversations"
) -> None:
    """Every described field is there and has a value of its described form."""
    components = _description(description)["components"]
    described = components["schemas"][schema]
    jsonschema.validate(
        answer,
        {**described, "components": components},
        cls=jsonschema.Draft202012Validator,
        format_checker=FORMATS,
    )
    missing = set(described["properties"]) - set(answer)
    assert not missing, f"{schema} lacks {sorted(missing)}"


def check_answer(answer: dict[str, Any], method: str, path: str, status: int) -> None:
    """The whole answer of one operation, lists and their paging included."""
    described = _description("conversations")
    content = described["paths"][path][method]["responses"][str(status)]["content"]
    schema = {
        **content["application/json"]["schema"],
        "components": described["components"],
    }
    jsonschema.validate(
        answer, schema, cls=jsonschema.Draft202012Validator, format_checker=FORMATS
    )
