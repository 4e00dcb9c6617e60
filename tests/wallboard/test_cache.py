"""Ten people watching cost as much as one."""

import threading
import time

from functions.wallboard.cache import Kept


def test_all_who_ask_while_it_is_being_made_get_the_one_that_is_made() -> None:
    kept, made, got = Kept(), [], []

    def make() -> int:
        time.sleep(0.05)
        made.append(1)
        return len(made)

    threads = [threading.Thread(target=lambda: got.append(kept.get("now", 60, make))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [1] * 10


def test_a_value_that_is_too_old_is_made_anew() -> None:
    kept = Kept()
    assert kept.get("now", 60, lambda: 1) == 1
    assert kept.get("now", 60, lambda: 2) == 1
    assert kept.get("now", 0, lambda: 3) == 3
    assert (kept.peek("now", 60), kept.peek("now", 0), kept.peek("other", 60)) == (3, None, None)


def test_it_does_not_grow_without_end() -> None:
    kept = Kept()
    for number in range(1000):
        kept.get(number, 60, lambda: "x" * 10)
    assert kept.peek(0, 60) is None
    assert kept.peek(999, 60) is not None
    assert len(kept._entries) <= 200
    assert len(kept._making) <= 200


def test_one_that_could_not_be_made_is_tried_again() -> None:
    kept = Kept()
    try:
        kept.get("now", 60, lambda: 1 // 0)
    except ZeroDivisionError:
        assert kept.get("now", 60, lambda: 5) == 5
