#!/bin/sh
# Changes connector/domain/ bit by bit and sees whether a test of tests/domain/ notices: `make mutate`.
#   sh scripts/mutate.sh                                     all of it, about an hour of two cores
#   sh scripts/mutate.sh 'connector.domain.answers.*'        one module
# mutmut lives in an environment of its own below .venv, which sees the locked packages.
set -eu
VENV=.venv/mutation
if [ ! -x "$VENV/bin/mutmut" ]; then
    .venv/bin/python -m venv "$VENV"
    .venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
        >"$("$VENV/bin/python" -c "import sysconfig; print(sysconfig.get_path('purelib'))")/locked.pth"
    "$VENV/bin/python" -m pip install --disable-pip-version-check -q 'mutmut>=3.8,<4'
fi
nice "$VENV/bin/mutmut" run --max-children 2 "$@" >mutants.log 2>&1 || { tail -20 mutants.log >&2; exit 1; }
.venv/bin/python scripts/mutation_report.py
