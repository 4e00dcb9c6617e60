"""The records that the local run starts with: four numbers, four workers, a supervisor, three customers."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.cloud.firestore import Client

# Numbers that are reserved for stories: nobody is called by them.
RECEPTION = "+12025550100"
SALES = "+12025550101"
KEY_ACCOUNTS = "+12025550102"
ANNOUNCEMENTS = "+12025550103"
WHATSAPP = f"whatsapp:{RECEPTION}"
NUMBERS = (RECEPTION, SALES, KEY_ACCOUNTS, ANNOUNCEMENTS, WHATSAPP)

ALICE, BOB, CAROL, DAN, MARIA = (
    f"{name}@example.com" for name in ("alice", "bob", "carol", "dan", "maria")
)

RECORDS: dict[str, dict[str, Any]] = {
    "settings/routing": {
        "mode": "pool",
        "default_pool": "default",
        "custom_fallback": "pool",
        "create_customers": True,
    },
    "pools/default": {
        "display_name": "Reception",
        "strategy": "longest_idle",
        "capacity": 1,
    },
    "pools/sales": {
        "display_name": "Sales",
        "addresses": [SALES],
        "strategy": "least_busy",
        "capacity": 2,
    },
    "pools/key_accounts": {
        "display_name": "Key accounts",
        "addresses": [KEY_ACCOUNTS],
        "mode": "custom",
    },
    "pools/announcements": {
        "display_name": "Announcements",
        "addresses": [ANNOUNCEMENTS],
        "mode": "none",
    },
    f"workers/{ALICE}": {
        "display_name": "Alice",
        "status": "Unavailable",
        "pools": ["default"],
    },
    f"workers/{BOB}": {
        "display_name": "Bob",
        "status": "Unavailable",
        "pools": ["default"],
    },
    f"workers/{CAROL}": {
        "display_name": "Carol",
        "status": "Unavailable",
        "pools": ["key_accounts"],
    },
    f"workers/{DAN}": {
        "display_name": "Dan",
        "status": "Unavailable",
        "pools": ["sales"],
    },
    f"workers/{MARIA}": {
        "display_name": "Maria",
        "role": "supervisor",
        "status": "Unavailable",
        "pools": [],
    },
    "customers/ada": {
        "display_name": "Ada Byron",
        "addresses": ["+447700900001"],
        "worker": CAROL,
        "avatar": "https://example.com/avatars/ada.png",
        "links": [
            {
                "type": "Website",
                "value": "https://example.com/ada",
                "display_name": "Her page",
            }
        ],
        "details": {
            "title": "Customer since 2019",
            "content": "Prefers to be written to in the morning.",
        },
    },
    "customers/grace": {"display_name": "Grace Hopper", "addresses": ["+447700900002"]},
    "customers/edsger": {
        "display_name": "Edsger Dijkstra",
        "addresses": ["+447700900003"],
    },
}


def client(host: str, project: str) -> "Client":
    """The emulator's database, past all rules."""
    os.environ["FIRESTORE_EMULATOR_HOST"] = host  # the only way to tell Google's client
    from google.cloud import firestore

    return firestore.Client(project=project)


def load(host: str, project: str) -> None:
    """Write the records that are not there yet, and what a deployment starts with, such as templates."""
    database = client(host, project)
    from tools import seed  # late, for it imports Google's client, which takes a moment

    records = seed.default_records() | RECORDS
    found = {
        snapshot.reference.path
        for snapshot in database.get_all([database.document(path) for path in records])
        if snapshot.exists
    }
    batch = database.batch()
    for path, record in records.items():
        if path not in found:
            batch.set(database.document(path), record)
    batch.commit()
