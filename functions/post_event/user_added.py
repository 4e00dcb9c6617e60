"""onUserAdded: a new user of the Conversations service becomes a worker, Unavailable, in the default pool."""

from __future__ import annotations

from functions import worker_records
from functions.answers import NOTHING_TO_DO, Answer
from functions.parameters import UserAdded, parse
from functions.webhook import Form


def handle(form: Form) -> Answer:
    event = parse(UserAdded, form)
    worker_records.create_if_missing(event.identity, event.friendly_name)
    return NOTHING_TO_DO
