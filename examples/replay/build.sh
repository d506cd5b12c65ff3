#!/usr/bin/env bash
# Make the listings of this folder again: two functions, four compilers, with and without -fno-jump-tables, as a kernel
# developer would paste them. Debian packages: clang-14 clang-19 llvm-19 gcc-11-aarch64-linux-gnu
# gcc-12-aarch64-linux-gnu binutils-aarch64-linux-gnu. Objects are made in a temporary folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
flags="-O2 -ffreestanding -mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp dispatch.c interpret.c "$folder"

# show OUTPUT COMMAND...: the command as typed, and what it prints.
show() {
    local output=$1
    shift
    {
        printf '$ %s\n' "$*"
        (cd "$folder" && "$@") | sed 's/[[:space:]]*$//' | cat -s
        printf '\n'
    } >>"$output"
}

# build NAME CODE TABLE COMPILER...: CODE and TABLE are the commands that print the function and its table.
build() {
    local name=$1 function output choice extra code table
    read -ra code <<<"$2"
    read -ra table <<<"$3"
    shift 3
    for function in dispatch interpret; do
        for choice in default no-jump-tables; do
            extra=()
            [ "$choice" = default ] || extra=(-fno-jump-tables)
            output=$PWD/$function-$name-$choice.txt
            : >"$output"
            # shellcheck disable=SC2086 # flags is a list of words
            show "$output" "$@" $flags "${extra[@]}" -c "$function.c" -o "$function.o"
            show "$output" "${code[@]}" "$function.o"
            if aarch64-linux-gnu-readelf -SW "$folder/$function.o" | grep -q ' \.rodata '; then
                show "$output" "${table[@]}" "$function.o"
            fi
        done
    done
}

objdump=aarch64-linux-gnu-objdump
readelf=aarch64-linux-gnu-readelf
build clang-14 "$objdump -dr" "$objdump -s -r -j .rodata" clang-14 --target=aarch64-linux-gnu -fno-pic
build clang-19 "llvm-objdump-19 -dr" "llvm-readelf-19 -x .rodata -r" clang-19 --target=aarch64-linux-gnu -fno-pic
build gcc-11 "$objdump -dr" "$readelf -x .rodata -r" aarch64-linux-gnu-gcc-11 -fno-pie
build gcc-12 "$objdump -dr" "$objdump -s -r -j .rodata" aarch64-linux-gnu-gcc-12 -fno-pie
