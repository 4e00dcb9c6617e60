"""The small firm that the model plays with: few enough of everything that they get in each other's way."""

from typing import Any

RECEPTION, SALES, KEY, NEWS = (f"+1202555010{n}" for n in range(4))
WHATSAPP = f"whatsapp:{RECEPTION}"
NUMBERS = [RECEPTION, RECEPTION, SALES, SALES, KEY, NEWS, WHATSAPP, WHATSAPP]
CUSTOMERS = [f"+44770090000{n}" for n in range(6)]
WORKERS = [f"{name}@example.com" for name in ("ann", "ben", "cat", "dan")]
ANN, BEN, CAT, DAN = WORKERS
VISITOR = "visitor-1"  # of another product's web chat: a user at Twilio, and no worker
POOLS = ["default", "sales"]
GREETING = "greeting"  # a template that WhatsApp has approved

RECORDS: dict[str, dict[str, Any]] = {
    "settings/routing": {"mode": "pool"},
    "pools/default": {
        "capacity": 1,
        "texts": {"queued": "Number {{Position}}.", "assigned": "{{Author}} is here."},
    },
    "pools/sales": {"addresses": [SALES], "strategy": "least_busy", "capacity": 2}
    | {"answer_within": 120, "unavailable_after": 2}
    | {
        "hours": {"daily": "closed"},
        "texts": {"away": "Closed.", "queued": "In {{Wait}}. Please wait."},
    },
    "pools/key": {"addresses": [KEY], "mode": "custom"},
    "pools/news": {"addresses": [NEWS], "mode": "none"},
    f"workers/{ANN}": {"status": "Available", "pools": ["default"]},
    f"workers/{BEN}": {"status": "Unavailable", "pools": ["default", "sales"]},
    f"workers/{CAT}": {"pools": ["sales", "key"], "capacity": 1},
    "customers/known": {
        "display_name": "Known",
        "addresses": [CUSTOMERS[0]],
        "worker": CAT,
    },
    "customers/other": {
        "display_name": "Other",
        "addresses": [CUSTOMERS[1]],
        "worker": DAN,
    },
}
