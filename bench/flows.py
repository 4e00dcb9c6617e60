"""`python -m bench.flows`: how many files and functions of the deployed code each of four flows enters, warm.

`--list` adds their names; `--tree DIR` looks at another checkout instead, an older one for example.
"""

from __future__ import annotations

import argparse
from itertools import groupby
from pathlib import Path

from proof.flows import HERE, Flow, recorded

_COLUMNS = "{:<30} {:>5}  {:>9}  {:>28}  {:>18}"


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.flows", description=__doc__)
    options.add_argument(
        "--tree", type=Path, default=HERE, help="the checkout to look at"
    )
    options.add_argument("--list", action="store_true", help="also the names")
    given = options.parse_args()
    flows = recorded(given.tree)
    titles = (
        "files",
        "functions",
        "files beside domain, providers",
        "beside the records",
    )
    print(_COLUMNS.format("", *titles))
    for flow in flows:
        beside = len(flow.beside_values_and_stores), len(flow.beside_records)
        print(_COLUMNS.format(flow.name, len(flow.files), len(flow.functions), *beside))
    for flow in flows if given.list else ():
        _list(flow)


def _list(flow: Flow) -> None:
    print(f"\n{flow.name}")
    names = {
        file: [name for _, name in group]
        for file, group in groupby(flow.functions, lambda one: one[0])
    }
    for file in flow.files:
        print(f"  {file}: {', '.join(names.get(file, ()))}")


if __name__ == "__main__":
    main()
