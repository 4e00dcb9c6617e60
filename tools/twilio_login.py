"""Asks Twilio whether it accepts the login that REST calls use; exit status 1 and one sentence if it does not."""

from __future__ import annotations

import sys
from typing import Any

from providers import clock, configuration, twilio
from providers.twilio import Outcome

_SECONDS = 20.0


def main() -> None:
    """Lists one conversation, as the sweep does."""
    try:
        root: Any = twilio.client().conversations.v1
    except configuration.ConfigurationError as error:
        sys.exit(str(error))
    service_sid = configuration.service_in_use(None)
    conversations = (
        root.services(service_sid).conversations if service_sid else root.conversations
    )
    with clock.within(_SECONDS):
        result = twilio.persistently(lambda: conversations.list(limit=1))
    if result.outcome is Outcome.MISCONFIGURED:
        sys.exit(f"  {result.why}.")
    user = configuration.twilio_login().user
    if result.outcome is Outcome.DONE:
        print(f"  Twilio accepts {user}.")
    else:
        print(f"  Twilio did not say whether it accepts {user}: {result.why}")


if __name__ == "__main__":
    main()
