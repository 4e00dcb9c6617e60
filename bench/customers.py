"""10,000 customers: their import and export, and what one page of the app's list costs. `python -m bench.customers`"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from werkzeug.datastructures import MultiDict

from functions.frontline import crm
from local.emulator import Emulator
from proof.meter import Meter

CUSTOMERS = 10_000
WORKER = "john@example.com"
PROJECT = "demo-bench-customers"
PAGES = {
    "first page": {},
    "page behind customer 9000": {
        "NextPageToken": crm.token_of(("customer number 09000", "c09000"))
    },
    "search, one word": {"Query": "number"},
    "search, two words": {"Query": "customer 04711"},
}


def main() -> None:
    emulator = Emulator(own=True)
    emulator.start()
    try:
        with tempfile.TemporaryDirectory() as folder, Meter(emulator.host) as meter:
            os.environ |= {
                "GOOGLE_CLOUD_PROJECT": PROJECT,
                "FIRESTORE_EMULATOR_HOST": emulator.host,
            }
            _bulk(Path(folder) / "customers.csv")
            os.environ["FIRESTORE_EMULATOR_HOST"] = meter.host
            for name, form in PAGES.items():
                _page(meter, name, form)
    finally:
        emulator.stop()


def _bulk(file: Path) -> None:
    rows = (
        f"c{n:05},Customer number {n:05},+1555{n:07},{WORKER}\n"
        for n in range(CUSTOMERS)
    )
    file.write_text("customer_id,display_name,addresses,worker\n" + "".join(rows))
    for words in (["import", str(file)], ["import", str(file)], ["export", str(file)]):
        begun, used = time.monotonic(), _processor()
        command = [sys.executable, "-m", "tools.customers", *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        said = done.stdout.strip() or done.stderr.strip().splitlines()[-1]
        print(
            f"{words[0]}: {time.monotonic() - begun:.0f} s, {_processor() - used:.0f} s of processor time ({said})"
        )


def _processor() -> float:
    """Seconds that the commands have computed so far: on a busy machine they wait longer than that."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def _page(meter: Meter, name: str, form: dict[str, str]) -> None:
    asked = MultiDict(
        {"Location": "GetCustomersList", "Worker": WORKER, "PageSize": "30", **form}
    )
    crm.handle(asked)
    meter.reset()
    begun = time.monotonic()
    shown = len(crm.handle(asked).body["objects"]["customers"])
    taken = time.monotonic() - begun
    print(
        f"{name}: {meter.counts().reads} documents read, {shown} shown, {taken * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
