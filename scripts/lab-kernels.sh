#!/usr/bin/env bash
# Print a folder of kernels for the tests of the lab, built once and kept by content: Debian's 6.1 with our virt-min
# config. Words choose among them:
#   gcc, clang-thin              kernels/gcc and kernels/clang-thin: by GCC, and by clang-19 with ThinLTO
#   gcc-table, clang-thin-table  tables/gcc and tables/clang-thin: the same with the patch of examples/live
#   gcc-16k, gcc-64k             pages/gcc-16k and pages/gcc-64k: by GCC, with larger pages
# The first four where there are none. From nothing those take some 10 minutes of two CPUs and 3 GB of disk. What builds
# kernels is installed: see `setup.sh lab`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
patch=$PWD/examples/live/el2-table.patch
wanted=" $* "
[ $# -gt 0 ] || wanted=" gcc clang-thin gcc-table clang-thin-table "
for word; do
    case $word in
        gcc | clang-thin | gcc-table | clang-thin-table | gcc-16k | gcc-64k) ;;
        *) printf 'lab-kernels: error: no kernel: %s\n' "$word" >&2; exit 2 ;;
    esac
done
bash scripts/setup.sh lab
source=$(bash scripts/fetch-source.sh 6.1)
chain=${WHYPANIC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/whypanic}/lab/chain
# One tree for all, so that patched kernels find the objects of the others: a copy that shares its files with the
# source, in which `patch` makes new ones.
tree=$chain/$(basename "$source")
mkdir -p "$chain"/{kernels,tables,pages}
exec 8>"$chain/lock"
flock 8
if [ ! -f "$tree/Makefile" ]; then
    # Copies of earlier versions go, and what was built of them.
    rm -rf "$chain/new" "$chain"/linux-source-* "$chain"/{kernels,tables,pages}/*
    cp -al "$source" "$chain/new" 2>/dev/null || { rm -rf "$chain/new" && cp -a "$source" "$chain/new"; }
    mv -T "$chain/new" "$tree"
fi

wants() { [[ $wanted == *" $1 "* ]]; }
# Put back what a patch has changed, this one or that of a run which was stopped. Files come back with a new time, so that
# make builds them again.
restore() {
    local hyp=arch/arm64/kvm/hyp file
    while IFS= read -r -d '' file; do
        if [ ! -e "$source/$hyp/$file" ]; then
            rm -f "$tree/$hyp/$file"
        elif ! cmp -s "$source/$hyp/$file" "$tree/$hyp/$file"; then
            cp --remove-destination "$source/$hyp/$file" "$tree/$hyp/$file"
        fi
    done < <(cd "$tree/$hyp" && find . -type f -print0)
}
# build LINK WORD...: the link becomes one to the folder of the build.
build() {
    local link=$chain/$1 document code=0
    shift
    document=$(.venv/bin/whypanic lab build "$tree" "$@" --format json) || code=$?
    # Where it prints nothing it has said why.
    [ -n "$document" ] || exit "$code"
    if [ "$code" -ne 0 ]; then
        .venv/bin/python -c 'import json, sys; d = json.load(sys.stdin); print(d["reason"], d["log"])' <<<"$document" >&2
        exit "$code"
    fi
    ln -sfn "$(.venv/bin/python -c 'import json, sys; print(json.load(sys.stdin)["folder"])' <<<"$document")" "$link"
}
gcc=(--toolchain gcc)
clang=(--toolchain clang-19 --lto thin)

restore
if wants gcc; then build kernels/gcc "${gcc[@]}"; fi
if wants clang-thin; then build kernels/clang-thin "${clang[@]}"; fi
if wants gcc-table || wants clang-thin-table; then
    patch -d "$tree" -p1 -s -f -r - <"$patch" >&2
    if wants gcc-table; then build tables/gcc "${gcc[@]}"; fi
    if wants clang-thin-table; then build tables/clang-thin "${clang[@]}"; fi
    restore
fi
# Last: they overwrite the objects of the others.
if wants gcc-16k; then build pages/gcc-16k "${gcc[@]}" --fragment CONFIG_ARM64_16K_PAGES=y; fi
if wants gcc-64k; then build pages/gcc-64k "${gcc[@]}" --fragment CONFIG_ARM64_64K_PAGES=y; fi
printf '%s\n' "$chain"
