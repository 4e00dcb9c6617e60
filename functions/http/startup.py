"""Loads what a deployed function needs while its instance starts, so that no customer waits for it.

main.py holds every function, and each needs other libraries; so only those of the one that this instance serves.
"""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Iterable

from functions.http.function import Function


def load(target: str | None, functions: Iterable[Function]) -> None:
    """The handler of this entry point and its libraries; nothing for None.

    No connection is opened: the server forks afterwards, which gRPC does not survive. The garbage collector rests
    meanwhile, for there is nothing to collect; and what was loaded stays out of its rounds, which would touch, and
    so copy, the memory that the server and its child share.
    """
    function = next((one for one in functions if one.name == target), None)
    if function is None:
        return
    # Else it searches all packages for some, which takes 10 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    try:
        for module in (function.module, *function.libraries):
            importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()
