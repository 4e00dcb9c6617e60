"""Somebody from outside with a token of their own, over Firestore's REST interface, which the rules guard."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import urllib3

Claims = Mapping[str, object]
_HTTP = urllib3.PoolManager(retries=False, timeout=10)


def token(claims: Claims) -> str:
    """An unsigned token, which the emulator takes at its word: three parts, the last one empty."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in parts
    ]
    return ".".join([*encoded, ""])


@dataclass(frozen=True)
class Visitor:
    """`claims` None: not signed in."""

    host: str
    project: str
    claims: Claims | None = field(default=None)

    @property
    def root(self) -> str:
        return f"projects/{self.project}/databases/(default)/documents"

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        headers = (
            {"Authorization": f"Bearer {token(self.claims)}"}
            if self.claims is not None
            else {}
        )
        url = f"http://{self.host}/v1/{self.root}{path}"
        answer = _HTTP.request(method, url, json=body, headers=headers)
        return answer.status, json.loads(answer.data or b"null")

    def get(self, document: str) -> int:
        return self.call("GET", f"/{quote(document)}")[0]

    def list(self, collection: str) -> int:
        return self.call("GET", f"/{collection}")[0]

    def change(
        self, document: str, mask: tuple[str, ...] | None = None, **values: object
    ) -> int:
        """Writes these fields; `mask`: the fields to replace, None for the whole record."""
        names = "&".join(f"updateMask.fieldPaths={name}" for name in mask or ())
        return self.call(
            "PATCH",
            f"/{quote(document)}" + (f"?{names}" if names else ""),
            fields(values),
        )[0]

    def create(self, collection: str, name: str, **values: object) -> int:
        return self.call(
            "POST", f"/{collection}?documentId={quote(name)}", fields(values)
        )[0]

    def delete(self, document: str) -> int:
        return self.call("DELETE", f"/{quote(document)}")[0]

    def commit(self, *writes: object) -> int:
        return self.call("POST", ":commit", {"writes": writes})[0]


def fields(values: Mapping[str, object]) -> dict[str, object]:
    """A record as the REST interface writes it."""
    return {"fields": {name: _value(value) for name, value in values.items()}}


def _value(value: object) -> dict[str, object]:
    if value is None:
        return {"nullValue": None}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"integerValue": str(value)}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": str(value)}


def coverage(host: str, project: str) -> tuple[str, dict[tuple[int, int], set[object]]]:
    """The rules in force, and the values that each of their expressions had so far, by its place in the text."""
    answer = _HTTP.request(
        "GET", f"http://{host}/emulator/v1/projects/{project}:ruleCoverage"
    ).json()
    seen: dict[tuple[int, int], set[object]] = {}

    def walk(node: Any) -> None:
        place = node["sourcePosition"]
        values = seen.setdefault(
            (place.get("currentOffset", 0), place["endOffset"]), set()
        )
        values |= {
            value["value"].get("boolValue", "another kind")
            for value in node.get("values", [])
        }
        for child in node.get("children", []):
            walk(child)

    for top in answer["report"]:
        walk(top)
    return answer["rules"]["files"][0]["content"], seen
