"""Ten people watching cost as much as one."""

import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.http.cache import Cache


def test_all_who_ask_while_it_is_being_made_get_the_one_that_is_made() -> None:
    cache, made = Cache(), []

    def make() -> int:
        time.sleep(0.05)
        made.append(1)
        return len(made)

    with ThreadPoolExecutor(10) as threads:
        assert (
            list(threads.map(lambda _: cache.get("now", 60, make), range(10)))
            == [1] * 10
        )


def test_a_value_that_is_too_old_is_made_anew() -> None:
    cache = Cache()
    assert cache.get("now", 60, lambda: 1) == 1
    assert cache.get("now", 60, lambda: 2) == 1
    assert cache.get("now", 0, lambda: 3) == 3
    assert (cache.peek("now", 60), cache.peek("now", 0), cache.peek("other", 60)) == (
        3,
        None,
        None,
    )


def test_who_only_looks_and_who_wants_another_one_wait_for_nobody() -> None:
    cache, begun, go_on = Cache(), threading.Event(), threading.Event()
    cache.get("today", 60, lambda: "old")

    def make() -> str:
        begun.set()
        assert go_on.wait(10)
        return "new"

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(cache.get, "today", 0, make)
        assert begun.wait(10)
        assert cache.peek("today", 60) == "old"
        assert cache.get("now", 60, lambda: 1) == 1
        go_on.set()
        assert running.result() == cache.peek("today", 60) == "new"


def test_it_does_not_grow_without_end() -> None:
    class Value:
        pass

    cache = Cache()
    made = [weakref.ref(cache.get(number, 60, Value)) for number in range(1000)]
    gc.collect()
    assert sum(one() is not None for one in made) <= 200
    assert cache.peek(0, 60) is None
    assert cache.peek(999, 60) is not None


def test_one_that_could_not_be_made_is_tried_again() -> None:
    cache = Cache()
    with pytest.raises(ZeroDivisionError):
        cache.get("now", 60, lambda: 1 // 0)
    assert cache.peek("now", 60) is None
    assert cache.get("now", 60, lambda: 5) == 5
