"""Names of other workers, as their colleagues read them."""

from __future__ import annotations

from domain.fields import is_record_name
from domain.worker import is_identity
from functions.http import cache
from providers import workers

_NAME_FOR = 600.0  # seconds


def name_of(identity: str) -> str:
    """Return the worker's display name, and the identity itself if there is no record; read once in ten minutes."""
    if not (is_identity(identity) and is_record_name(identity)):
        return identity
    return cache.get(("name of", identity), _NAME_FOR, lambda: _read(identity))


def _read(identity: str) -> str:
    worker = workers.load(identity)
    return worker.name if worker.version is not None else identity
