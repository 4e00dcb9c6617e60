"""Compares firestore.indexes.json with what a database has; prints gcloud's words for what is missing."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Index = tuple[str, str, tuple[tuple[str, str], ...]]

WANTED = Path(__file__).parent.parent / "firestore.indexes.json"


def index_of(described: Json) -> Index:
    """An index as a comparable value: collection group, scope, fields. Google adds __name__ itself."""
    group = (
        described.get("collectionGroup")
        or described["name"].split("/collectionGroups/")[1].split("/")[0]
    )
    fields = tuple(
        (f["fieldPath"], str(f.get("order") or f.get("arrayConfig")).upper())
        for f in described["fields"]
        if f["fieldPath"] != "__name__"
    )
    return group, described.get("queryScope", "COLLECTION").upper(), fields


def create_words(index: Index) -> tuple[str, str]:
    """What it does in plain words, and the words after `gcloud firestore` that do it."""
    group, scope, fields = index
    configs = [
        f"--field-config=field-path={path},"
        + ("array-config=contains" if kind == "CONTAINS" else f"order={kind.lower()}")
        for path, kind in fields
    ]
    words = [
        "indexes",
        "composite",
        "create",
        f"--collection-group={group}",
        f"--query-scope={scope.lower()}",
    ]
    return f"make the index {group}({', '.join(path for path, _ in fields)})", " ".join(
        [*words, *configs]
    )


def missing_indexes(wanted: Json, existing: list[Json]) -> list[tuple[str, str]]:
    """The commands for the composite indexes that the database does not have."""
    have = {index_of(i) for i in existing}
    return [
        create_words(i)
        for i in dict.fromkeys(map(index_of, wanted.get("indexes", [])))
        if i not in have
    ]


def missing_fields(wanted: Json, existing: list[Json]) -> list[tuple[str, str]]:
    """The commands for time to live, and for fields that need no index of their own."""
    have = {
        tuple(f["name"].split("/collectionGroups/")[1].split("/fields/")): f
        for f in existing
    }
    commands = []
    for override in wanted.get("fieldOverrides", []):
        group, path = override["collectionGroup"], override["fieldPath"]
        now = have.get((group, path), {})
        if override.get("indexes") == [] and not _is_exempt(now):
            words = f"indexes fields update {path} --collection-group={group} --disable-indexes"
            commands.append((f"stop indexing {group}.{path} by itself", words))
        if override.get("ttl") and "ttlConfig" not in now:
            words = f"fields ttls update {path} --collection-group={group} --enable-ttl"
            commands.append((f"delete {group} when {path} is past", words))
    return commands


def building(wanted: Json, existing: list[Json]) -> int:
    """How many of the wanted indexes cannot be used yet."""
    ready = {index_of(i) for i in existing if i.get("state") == "READY"}
    return sum(index_of(i) not in ready for i in wanted.get("indexes", []))


def _is_exempt(field: Json) -> bool:
    config = field.get("indexConfig")
    return (
        config is not None
        and not config.get("indexes")
        and not config.get("usesAncestorConfig")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["missing", "building"])
    parser.add_argument(
        "indexes",
        type=Path,
        help="gcloud firestore indexes composite list --format=json",
    )
    parser.add_argument(
        "fields",
        type=Path,
        nargs="?",
        help="gcloud firestore indexes fields list --format=json",
    )
    arguments = parser.parse_args()
    wanted = json.loads(WANTED.read_text())
    indexes = json.loads(arguments.indexes.read_text() or "[]")
    if broken := [i["name"] for i in indexes if i.get("state") == "NEEDS_REPAIR"]:
        sys.exit(
            f"\ndeploy.sh: Firestore could not build {broken[0]}: delete it on the database's Indexes page, "
            "then run the same command again."
        )
    if arguments.what == "building":
        print(building(wanted, indexes))
        return
    fields = (
        json.loads(arguments.fields.read_text() or "[]") if arguments.fields else []
    )
    for doing, words in [
        *missing_indexes(wanted, indexes),
        *missing_fields(wanted, fields),
    ]:
        print(doing, words, sep="\t")


if __name__ == "__main__":
    main()
