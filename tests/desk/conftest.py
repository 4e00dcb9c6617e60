"""The whole service, and supervisors' browsers before the desk."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.oidc import Issuer
from tests.inbox.conftest import issuer, issuer_server
from tests.inbox.page import Page
from tests.service import Service

__all__ = ["issuer", "issuer_server"]

MARIA, TOM = "maria@example.com", "tom@example.com"

OpenDesk = Callable[..., "Desk"]


class Desk(Page):
    """A supervisor's browser."""

    header = "X-Desk"

    def load(self, path: str) -> dict[str, object]:
        answer = self.get(f"records/{path}")
        assert answer.status_code == 200, answer.text
        loaded: dict[str, object] = answer.json()
        return loaded

    def save(
        self, path: str, version: object, **fields: object
    ) -> tuple[int, dict[str, object]]:
        answer = self.post(f"records/{path}", {"version": version, "fields": fields})
        return answer.status_code, answer.json()


@pytest.fixture
def open_desk(service: Service, issuer: Issuer) -> OpenDesk:
    """open_desk(MARIA): her desk, signed in; a supervisor's record is made if there is none."""

    def opened(identity: str = MARIA, role: str = "supervisor") -> Desk:
        record = service.db.document(f"workers/{identity}")
        if not record.get().exists:
            name = identity.partition("@")[0].capitalize()
            record.set({"role": role, "pools": [], "display_name": name})
        service.settle()
        desk = Desk(service.url("desk"), issuer)
        desk.sign_in(identity)
        return desk

    return opened
