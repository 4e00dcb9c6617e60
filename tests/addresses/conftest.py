"""The Frontline app and customers' records, as in tests/crm."""

from tests.crm.conftest import app, keep

__all__ = ["app", "keep"]
