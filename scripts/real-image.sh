#!/usr/bin/env bash
# Set up what is missing, fetch a real kernel image unless the cache has one, and run the tests over it. Words given are
# passed to pytest: `bash scripts/real-image.sh -k variable`. WHYPANIC_SEED and WHYPANIC_CRASHES choose other crashes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh dev
WHYPANIC_REAL_IMAGE=$(bash scripts/fetch-image.sh)
export WHYPANIC_REAL_IMAGE
exec .venv/bin/python -m pytest tests/real_image "$@"
