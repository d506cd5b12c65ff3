#!/usr/bin/env bash
# Style, layers, spelling, module length. Every check runs; the exit code is 1 if any failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=.venv/bin
failed=0
check() {
    printf '== %s\n' "$*"
    "$@" || { failed=1; printf '== failed: %s\n' "$*"; }
}
check $bin/ruff format --check .
check $bin/ruff check .
check $bin/lint-imports --no-logo
check $bin/codespell
check $bin/python tools/module_length.py
exit $failed
