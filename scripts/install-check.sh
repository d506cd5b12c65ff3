#!/usr/bin/env bash
# A plain `pip install .` into an empty environment gives a program that does its main job.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
.venv/bin/python -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip --disable-pip-version-check --no-input install -c requirements/constraints.txt . \
    </dev/null >"$scratch/pip.log" 2>&1 || { cat "$scratch/pip.log"; exit 3; }
cd "$scratch"
unset PYTHONPATH
venv/bin/whypanic --version
venv/bin/whypanic decode esr 0x86000004 >/dev/null
venv/bin/whypanic explain "$root/examples/2017-juno-hyp-panic.txt" >report.txt
grep -q absolute-jump-table-at-el2 report.txt
echo "plain install: works"
