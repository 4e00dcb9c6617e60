"""The rules that are replaced can be put back with the command that is printed."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from tests.deploy.conftest import ROOT, prepared
from tests.deploy.google import Google


def rules(google: Google, *words: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tools.firestore_rules",
            "--project",
            google.project,
            *words,
        ],
        cwd=ROOT,
        env=google.environment("") | {"GOOGLE_ACCESS_TOKEN": "made-up"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("database", ["(default)", "inbound"])
def test_rules_that_are_replaced_are_named_and_put_back_as_it_is_said(
    database: str,
) -> None:
    google = prepared(Google("demo-rules"))
    theirs = "projects/demo-rules/rulesets/theirs"
    google.resources[theirs] = {
        "source": {"files": [{"content": "match /a/{b} { allow read: if true; }"}]}
    }
    suffix = "" if database == "(default)" else f"/{database}"
    release = f"projects/demo-rules/releases/cloud.firestore{suffix}"
    google.resources[release] = {"name": release, "rulesetName": theirs}
    try:
        said = rules(google, "--database", database)
        assert google.resources[release]["rulesetName"] != theirs
        command = shlex.split(said.partition("python -m tools.firestore_rules ")[2])
        rules(google, *command)
        assert google.resources[release]["rulesetName"] == theirs
    finally:
        google.close()
