# shellcheck shell=bash
# Sourced by run.sh and test.sh: a virtual environment in .venv with requirements-dev.txt, made anew when that changed.

find_python() {
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "Python 3.11 or later is needed: install it so that python3 or python3.11 is found." >&2
    return 1
}

# What .venv was made from. `python -m venv` does not survive a moved directory, so the place belongs to it.
setup_stamp() {
    { pwd && cat requirements.txt requirements-dev.txt; } | "$1" -c '
import hashlib, sys
print(sys.version, hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

setup_environment() {
    local python stamp log
    python=$(find_python)
    stamp=$(setup_stamp "$python")
    if [[ -x .venv/bin/python && -f .venv/setup-stamp && $(<.venv/setup-stamp) == "$stamp" ]]; then
        return
    fi
    echo "Installing into .venv (once; again when the requirements change) ..." >&2
    log=$(mktemp)
    if ! { .venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv; } >"$log" 2>&1 ||
        ! .venv/bin/python -m pip install --quiet --disable-pip-version-check \
            --requirement requirements-dev.txt >>"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        echo "The installation into .venv failed; the reason stands above." >&2
        return 1
    fi
    rm -f "$log"
    echo "$stamp" >.venv/setup-stamp
}
