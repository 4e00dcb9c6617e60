"""A stand-in for Twilio Conversations: the one imitation in this project, for local runs and tests."""

from local.twilio.autocreate import Inbound
from local.twilio.standin import StandIn

__all__ = ["Inbound", "StandIn"]
