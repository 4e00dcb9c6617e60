"""The commands: what they say, what they start, and that nothing of it stays."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from local.emulator import Emulator
from local.ports import free_port
from tests.local.test_processes import is_running, wait_until_gone

ROOT = Path(__file__).parent.parent.parent


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def local(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "local", *arguments, **environment)


@contextmanager
def started(
    *arguments: str, until: str, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """A command that has printed a line which contains `until`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if until in line:
                break
        assert until in "".join(lines[-1:]), "".join(lines)
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def descendants(pid: int) -> list[int]:
    table = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = [
        (int(child), int(parent))
        for child, parent in map(str.split, table.splitlines())
    ]
    found = [pid]
    for one in found:
        found += [child for child, parent in pairs if parent == one]
    return found[1:]


@pytest.mark.parametrize("command", ["run", "serve", "functions", "emulator", "twilio"])
def test_every_command_has_help(command: str) -> None:
    answer = local(command, "--help")
    assert (answer.returncode, "--port" in answer.stdout) == (0, True)


def test_the_help_of_run_sh_names_every_option_and_installs_nothing() -> None:
    answer = run("./run.sh", "--help", PATH="/usr/bin:/bin")
    options = set(re.findall(r"--[a-z-]+", local("run", "--help").stdout)) - {"--help"}
    assert answer.returncode == 0
    assert options <= set(re.findall(r"--[a-z-]+", answer.stdout))


def test_test_sh_has_help() -> None:
    assert run("./test.sh", "--help").returncode == 0


@pytest.mark.parametrize("command", ["run", "serve", "functions", "emulator", "twilio"])
def test_a_taken_port_is_said_in_one_sentence(command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = local(command, "--port", str(port))
    assert (answer.returncode, answer.stdout) == (2, "")
    assert re.fullmatch(rf"Port {port} .*another.* --port\.\n", answer.stderr)


def test_a_project_that_could_be_real_is_refused() -> None:
    answer = local("serve", "--project", "production")
    assert (answer.returncode, "starts with demo-" in answer.stderr) == (2, True)


def test_the_real_account_needs_its_variables_and_names_them() -> None:
    answer = local("run", "--twilio", TWILIO_ACCOUNT_SID="AC1", TWILIO_AUTH_TOKEN="")
    if (ROOT / ".env").exists():
        pytest.skip(
            "There is a .env here, so nothing may be missing: move it away to run this test."
        )
    assert (answer.returncode, answer.stdout) == (2, "")
    assert (
        answer.stderr
        == "--twilio needs TWILIO_AUTH_TOKEN in .env or in the environment.\n"
    )


def test_the_real_account_does_not_play_the_scenario() -> None:
    answer = local("run", "--twilio", "--once")
    assert (answer.returncode, "leave out --twilio" in answer.stderr) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_serve_answers_and_ends_every_process_it_started(
    number: signal.Signals,
) -> None:
    port = free_port()
    with started("serve", "--port", str(port), until="Functions") as process:
        assert requests.post(
            f"http://127.0.0.1:{port}/pre-event", timeout=20
        ).status_code in (403, 500)
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=20).status_code == 200
        children = descendants(process.pid)
        assert len(children) >= 3  # the emulator, the functions' server and its worker
        process.send_signal(number)
        process.wait(20)
        assert wait_until_gone(*children) == []


def test_an_emulator_whose_events_go_elsewhere_is_not_taken_in_silence(
    emulator: Emulator,
) -> None:
    port = str(free_port())
    answer = local("serve", "--port", port, FIRESTORE_EMULATOR_HOST=emulator.host)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert (
        f"start it with --functions_emulator=127.0.0.1:{port}, or unset FIRESTORE_EMULATOR"
        in answer.stderr
    )


def test_an_emulator_that_runs_already_is_used_and_left_running() -> None:
    port = free_port()
    with started(
        "emulator", "--port", "0", "--functions-port", str(port), until="export"
    ) as alone:
        [java] = descendants(alone.pid)
        shown = run("ps", "-o", "args=", "-ww", "-p", str(java)).stdout
        [java_port] = re.findall(r"--port=(\d+)", shown)
        host = f"127.0.0.1:{java_port}"
        with started(
            "serve",
            "--port",
            str(port),
            until="Functions",
            FIRESTORE_EMULATOR_HOST=host,
        ) as process:
            process.terminate()
            process.wait(20)
        assert is_running(java)


def test_the_emulator_alone_says_how_to_use_it_and_ends() -> None:
    port = free_port()
    with started(
        "emulator",
        "--port",
        str(port),
        until=f"FIRESTORE_EMULATOR_HOST=127.0.0.1:{port}",
    ) as process:
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=20).status_code == 200
        children = descendants(process.pid)
        process.terminate()
        process.wait(20)
        assert wait_until_gone(*children) == []


def test_run_once_plays_the_whole_scenario_and_leaves_nothing_behind() -> None:
    with started(
        "run", "--once", "--port", str(free_port()), until="Functions"
    ) as process:
        children = descendants(process.pid)
        assert any(map(is_running, children))
        assert process.stdout is not None
        story = process.stdout.read()
        assert process.wait(60) == 0, story
    assert "WRONG" not in story
    assert re.search(r"(\d+) of \1 checks right", story)
    assert wait_until_gone(*children) == []
