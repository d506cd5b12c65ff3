#!/usr/bin/env bash
# Set up what is missing, build the lab's kernels unless the cache has them, and run the tests over them: real kernels in a
# real QEMU. Words given are passed to pytest: `bash scripts/lab.sh -k live`. `--pages` first: kernels with pages of 16K
# and 64K too, which takes as long again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kernels=(gcc clang-thin gcc-table clang-thin-table)
without=(--ignore tests/lab/test_pages.py)
if [ "${1:-}" = --pages ]; then
    shift
    kernels+=(gcc-16k gcc-64k)
    without=()
fi
WHYPANIC_LAB=$(bash scripts/lab-kernels.sh "${kernels[@]}")
export WHYPANIC_LAB
exec .venv/bin/python -m pytest tests/lab "${without[@]}" "$@"
