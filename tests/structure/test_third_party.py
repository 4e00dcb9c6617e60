"""What others wrote says so where it is served, and is what they published."""

import hashlib
from pathlib import Path

STATIC = Path(__file__).parents[2] / "functions" / "static"
PUBLISHED = "72284e8e9079c87817145df1110f74e8a2aa040b2fc384922e18dfcb46fc1fd7"  # sha256, htm 3.1.1 on npm


def test_preact_names_its_version_and_licences_and_is_as_published() -> None:
    first, _, rest = (STATIC / "preact.js").read_bytes().partition(b"\n")
    for words in (b"htm 3.1.1", b"Preact", b"Apache-2.0", b"MIT"):
        assert words in first
    assert first.startswith(b"//")
    assert hashlib.sha256(rest).hexdigest() == PUBLISHED
    for licence in ("LICENSE.htm", "LICENSE.preact"):
        assert licence.encode() in first and (STATIC / licence).exists()
