"""Entry point of `python -m local.twilio`."""

import sys

from local.twilio.cli import main

sys.exit(main())
