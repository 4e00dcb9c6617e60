#!/usr/bin/env bash
# Checks the code and runs every test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [[ ${1-} == -h || ${1-} == --help ]]; then
    cat <<'HELP'
usage: ./test.sh [pytest options]

ruff, mypy, import-linter, shellcheck, then every test, on a Firestore emulator of its own. Needs Python 3.11 or later;
installs into .venv. Options go to pytest: ./test.sh -k routing, ./test.sh tests/local -x, ./test.sh -n 0
HELP
    exit 0
fi

# shellcheck source=local/setup.sh
source local/setup.sh
setup_environment
export PATH="$PWD/.venv/bin:$PATH"

ruff check --quiet .
ruff format --check --quiet .
mypy --no-error-summary
lint-imports --no-cache >/dev/null || { lint-imports --no-cache; exit 1; }
find . -name '*.sh' -not -path './.venv/*' -not -path '*/node_modules/*' -exec shellcheck --external-sources {} +
shellcheck --external-sources .ci/run

workers=$(python -c 'import os; print(min(os.cpu_count() or 1, 4))')
exec python -m pytest --quiet --numprocesses "$workers" --dist worksteal "$@"
