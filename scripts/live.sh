#!/usr/bin/env bash
# The panic of 2017, live: Debian's 6.1 with a table of EL1 addresses in its EL2 code (examples/live), built by GCC and by
# clang-19 with ThinLTO. For each kernel: what the audit finds before it boots, what becomes of it without and with VHE
# and why, and its code run again out of console and listing. All of it is on stdout; what was made stays in the folder
# named at the end. Builds take some 10 minutes of two CPUs the first time, and a second after that.
# Words given choose: gcc, clang-thin.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
whypanic=$PWD/.venv/bin/whypanic
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(gcc clang-thin)
tables=$(bash scripts/lab-kernels.sh "${names[@]/%/-table}")
tables+=/tables
folder=$(mktemp -d "${TMPDIR:-/tmp}/whypanic-live-XXXXXX")
cd "$folder"

# show WORD...: the command, then what it prints; 1 means that there are findings.
show() {
    printf '\n$ whypanic %s\n' "$*"
    local code=0
    "$whypanic" "$@" || code=$?
    [ "$code" -le 1 ] || exit "$code"
}

for name in "${names[@]}"; do
    ln -s "$tables/$name" "$name"
    show audit "$name/vmlinux"
    show lab boot "$name" --modes nvhe,vhe --kaslr 2017 --keep "run-$name"
    show disasm "$name/vmlinux" __kvm_nvhe_pa_bits_of | tee listing
    { cat "run-$name/nvhe/console.log" && tail -n +3 listing; } >"$name.txt"
    rm listing
    show replay "$name.txt" --engine qemu
done
printf '\n%s\n' "$folder"
