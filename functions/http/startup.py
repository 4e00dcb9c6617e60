"""Loads the libraries of a deployed function while its instance starts, so that no customer waits for it.

main.py has every function, and each needs other libraries: an instance loads only those of its own function.
"""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Iterable

from functions.http.function import Function


def load(target: str | None, functions: Iterable[Function]) -> None:
    """Load the handler of this entry point and its libraries; do nothing for None.

    No connection is opened: the server forks afterwards, which gRPC does not survive. The garbage collector is off
    meanwhile, because there is nothing to collect. Afterwards it skips what was loaded: visiting it would copy the
    memory that the server and its child share.
    """
    function = next((one for one in functions if one.name == target), None)
    if function is None:
        return
    # Without this, pydantic searches all packages for plugins, which takes 10 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    try:
        for module in (function.module, *function.libraries):
            importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()
