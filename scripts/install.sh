#!/bin/sh
# Sets up .venv with exactly the packages of requirements.lock; does nothing when that is done already.
set -eu
PYTHON=${PYTHON:-python3}
VENV=.venv
STAMP=$VENV/.installed

fail() { echo "install: $1" >&2; exit 1; }

[ -f "$STAMP" ] && [ ! requirements.lock -nt "$STAMP" ] && [ ! pyproject.toml -nt "$STAMP" ] && exit 0
command -v "$PYTHON" >/dev/null 2>&1 || fail "$PYTHON is missing; install Python 3.11 or newer, or say: make PYTHON=/path/to/python3"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$PYTHON" --version) is too old; Python 3.11 or newer is needed (make PYTHON=/path/to/python3)"

if [ ! -x "$VENV/bin/python" ]; then
    echo "==> Making a virtual environment in $VENV"
    "$PYTHON" -m venv "$VENV" >/dev/null 2>&1 || {
        # Debian splits ensurepip from Python; the system's pip can fill the environment instead.
        rm -rf "$VENV"
        "$PYTHON" -m venv --without-pip "$VENV" >/dev/null 2>&1 && "$PYTHON" -m pip --version >/dev/null 2>&1 ||
            fail "this Python has neither ensurepip nor pip; on Debian or Ubuntu: apt install python3-venv"
    }
fi
if "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    pip() { "$VENV/bin/python" -m pip "$@"; }
else
    pip() { "$PYTHON" -m pip --python "$VENV/bin/python" "$@"; }
fi

echo "==> Installing the locked packages, each checked against its hash (a minute or two the first time)"
LOG=$VENV/install.log
pip install --disable-pip-version-check --require-hashes -r requirements.lock >"$LOG" 2>&1 &
job=$!
seconds=0
while kill -0 "$job" 2>/dev/null; do
    printf '\r    %3d s  %-60.60s' "$seconds" "$(grep -E '^(Collecting|Downloading|Installing)' "$LOG" | tail -1)"
    seconds=$((seconds + 1))
    sleep 1
done
echo
wait "$job" || { tail -5 "$LOG" >&2; fail "pip could not install the locked packages; the whole log is in $LOG"; }
pip install --disable-pip-version-check --no-deps --no-build-isolation -q -e . >>"$LOG" 2>&1 ||
    { tail -5 "$LOG" >&2; fail "the project itself could not be installed; the whole log is in $LOG"; }
touch "$STAMP"
