#!/usr/bin/env bash
# Set up what is missing, then explain the example: a panic at EL2, as it was mailed in 2017. The report is on stdout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh run
exec .venv/bin/whypanic explain examples/2017-juno-hyp-panic.txt
