#!/usr/bin/env bash
# Runs the whole service on this machine and shows what it does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [[ ${1-} == -h || ${1-} == --help ]]; then
    cat <<'HELP'
usage: ./run.sh [options]

Starts the Firestore emulator, every function, and a stand-in for Twilio; plays a scenario step by step;
then serves http://127.0.0.1:8080/ until Ctrl-C. Needs Python 3.11 or later; installs into .venv.

  --once             end after the scenario; exit status 0 only if every step came out right
  --twilio           use the real account from .env instead of the stand-in
  --port PORT        of the functions and the pages (default 8080)
  --emulator-port PORT, --standin-port PORT
                     of the Firestore emulator and the Twilio stand-in (default: any free ones)
  --project ID       demo-... (default demo-local)
  --sweep-every S    seconds between two sweeps (default 60; 0: never)
  --verbose          show the functions' log (else in .local/functions.log)

Parts of it alone: .venv/bin/python -m local --help
HELP
    exit 0
fi

# shellcheck source=local/setup.sh
source local/setup.sh
setup_environment
exec .venv/bin/python -m local run "$@"
