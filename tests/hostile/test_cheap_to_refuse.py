"""What nobody signed costs next to nothing, and leaves nothing of its own in the log."""

import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest

from functions.http.webhook import MOST_FIELDS
from local import raw_http
from tests.conformance.sender import FORM
from tests.hostile.conftest import Server

SETTINGS = "X-Twilio-Webhooks-Signature-Settings"
UNSIGNED = {"X-Twilio-Signature": "A" * 27 + "="}


def fields(number: int) -> dict[str, str]:
    return {f"{one:x}": "" for one in range(number)}


def processor_seconds(server: Server) -> float:
    """What the server's processes have used so far; skipped where the system does not tell."""
    if sys.platform != "linux":
        pytest.skip(
            "What a process has used is read from /proc, which only Linux has: run this test there."
        )
    ticks = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            if os.getpgid(int(process.name)) == server.child.pid:
                after_name = (process / "stat").read_text().rpartition(")")[2].split()
                ticks += int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def test_a_form_of_very_many_fields_is_refused_before_it_is_looked_at(
    server: Server,
) -> None:
    server.genuine_again()
    body, headers = (
        urlencode(fields(80_000)).encode(),
        {"Content-Type": FORM, **UNSIGNED},
    )
    before = processor_seconds(server)
    for _ in range(10):
        answer = raw_http.send(
            "POST", server.sender.base_url, list(headers.items()), body, timeout=20
        )
        assert answer.status_code == 413
    assert (processor_seconds(server) - before) / 10 < 0.1
    server.genuine_again()


def test_as_many_fields_as_are_allowed_are_let_in_and_one_more_is_413(
    server: Server,
) -> None:
    assert server.post({"EventType": "x"} | fields(MOST_FIELDS - 2)).status_code == 200
    answer = server.post({"EventType": "x"} | fields(MOST_FIELDS - 1))
    assert (answer.status_code, str(MOST_FIELDS) in answer.get_data(as_text=True)) == (
        413,
        True,
    )


@pytest.mark.parametrize(
    "said",
    [
        "algorithm=+447700900123",
        "algorithm=" + "x" * 7000,
        "key=a,algorithm=HMAC_MD5",
        "algorithm=bobby@customers.example",
        "algorithm=\x85\x9b31m",
    ],
)
@pytest.mark.parametrize("length", [28, 44])
def test_an_unknown_algorithm_is_refused_without_a_word_of_it_in_the_log(
    server: Server, said: str, length: int
) -> None:
    signature = {"X-Twilio-Signature": "A" * (length - 1) + "=", SETTINGS: said}
    before = len(server.child.output(1_000_000))
    assert server.post({"EventType": "x"}, signature).status_code == 403
    time.sleep(0.05)
    told = server.child.output(1_000_000)[before:]
    assert "Unsupported" not in told
    assert said.partition("algorithm=")[2][:12] not in told
    assert re.fullmatch(r"\s*\{.*\}\s*", told) and told.strip().count("\n") == 0
