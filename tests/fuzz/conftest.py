"""The senders of the conformance tests, with and without the service behind the door."""

from tests.conformance.conftest import twilio, whole

__all__ = ["twilio", "whole"]
