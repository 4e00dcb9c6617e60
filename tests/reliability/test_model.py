"""Any sequence of what can happen, by Hypothesis; one that breaks an invariant is printed as a script.

RELIABILITY_EXAMPLES says how many sequences are tried (default 25): other ones each time, but where CI is set the
same ones, so that a change is judged by what it changed and not by luck.
"""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.reliability.model import Model
from tests.reliability.run import parts

EXAMPLES = int(os.environ.get("RELIABILITY_EXAMPLES", "25"))
STEPS = 40


@pytest.fixture
def _running() -> Iterator[None]:
    with parts() as Model.parts:
        yield


@pytest.mark.timeout(120 + EXAMPLES * 20)
@pytest.mark.usefixtures("_running")
def test_whatever_happens_in_whatever_order_the_invariants_hold_in_the_end() -> None:
    wanted = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=bool(os.environ.get("CI")),
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        print_blob=True,
    )
    try:
        run_state_machine_as_test(Model, settings=wanted)
    except BaseException:
        sys.stdout.write(
            f"\nTo see it again, save this beside main.py and run it:\n\n{Model.last_script}\n"
        )
        raise
