#!/bin/bash
# Makes the image of this folder again, with the aarch64 binutils: bash examples/image/build.sh [FILE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=${1:-vmlinux}
object=$(mktemp)
trap 'rm -f "$object"' EXIT
aarch64-linux-gnu-as -o "$object" stage2.S
aarch64-linux-gnu-ld --nmagic --build-id=sha1 -T image.lds -o "$out" "$object"
aarch64-linux-gnu-objcopy --remove-section=.comment "$out"
