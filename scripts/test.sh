#!/usr/bin/env bash
# Set up what is missing, then run every check: style, layers, types, a plain install, the tests, the tests over a real
# kernel image, which is fetched once. Words given are passed to pytest, without the image: `bash scripts/test.sh -k esr`.
# The exit code is 0 only if all checks passed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh dev || exit
failed=()
step() {
    printf '== %s\n' "$1"
    shift
    "$@" || failed+=("$*")
}
step "style, layers, spelling, length" bash scripts/lint.sh
step "types" .venv/bin/mypy
step "plain install" bash scripts/install-check.sh
if [ ${#failed[@]} -gt 0 ]; then
    printf '== failed before the tests: %s\n' "${failed[@]}"
fi
step "tests" .venv/bin/python -m pytest "$@"
[ $# -gt 0 ] || step "real image" bash scripts/real-image.sh
[ ${#failed[@]} -eq 0 ]
