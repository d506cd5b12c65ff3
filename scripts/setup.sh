#!/usr/bin/env bash
# Make .venv with the program in it: `setup.sh run` what the program needs, `setup.sh dev` (default) the checks too,
# `setup.sh lab` also what builds kernels and what they boot.
# Quick when nothing changed. Uses apt only where Python cannot make a virtual environment by itself and, for `dev` and
# `lab`, where a program that they run is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
level=${1:-dev}
venv=.venv
stamp=$venv/installed

say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
    say "error: $1"
    shift
    for hint in "$@"; do say "hint: $hint"; done
    exit 3
}

case $level in
    run) wanted=(-c requirements/constraints.txt) ;;
    dev | lab) wanted=(-c requirements/constraints.txt -r requirements/dev.txt) ;;
    *) fail "unknown level: $level" "say \`setup.sh run\`, \`setup.sh dev\` or \`setup.sh lab\`" ;;
esac

# Two runs at once: the second waits.
if command -v flock >/dev/null; then
    exec 9<pyproject.toml
    flock 9
fi

find_python() {
    local name
    for name in ${PYTHON:-} python3.11 python3 python3.12 python3.13 python3.14; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$name"
            return
        fi
    done
    return 1
}

can_make_venv() { "$1" -c 'import venv, ensurepip' >/dev/null 2>&1; }

# The rows of a kind in apt-packages.txt whose program is not there.
missing_packages() {
    local kind package program
    while read -r kind package program; do
        [ "$kind" = "$1" ] && ! command -v "$program" >/dev/null && printf '%s\n' "$package"
    done < <(grep -v '^#' scripts/apt-packages.txt)
    return 0
}

# Says why, then installs the packages named.
install_packages() {
    local packages=("${@:2}") as_root=()
    local by_hand="as root: apt-get install ${packages[*]}"
    command -v apt-get >/dev/null || fail "$1, and there is no apt-get to install it" "$by_hand"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "$1, and installing it needs root" "$by_hand"
        if sudo -n true 2>/dev/null; then
            as_root=(sudo -n)
        elif [ -t 0 ]; then
            as_root=(sudo)
        else
            fail "$1, and sudo wants a password that nobody can type here" "$by_hand"
        fi
    fi
    say "$1: installing ${packages[*]}"
    local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
        apt-get install -y -q --no-install-recommends "${packages[@]}")
    # The package lists of a fresh machine are empty or old: fetch them only when the first try fails.
    "${install[@]}" </dev/null >&2 || {
        "${as_root[@]}" apt-get update -q </dev/null >&2 || say "apt-get update failed; trying with the lists there are"
        "${install[@]}" </dev/null >&2 || fail "apt-get could not install ${packages[*]}" "$by_hand"
    }
}

fingerprint() {
    { cat pyproject.toml requirements/*.txt src/whypanic/__init__.py; "$1" -VV; pwd; } | sha256sum | cut -d' ' -f1
}

is_current() {
    [ -f "$stamp" ] && [ -x $venv/bin/python ] || return 1
    local found_print found_level
    read -r found_print found_level <"$stamp" || return 1
    [ "$found_print" = "$(fingerprint $venv/bin/python 2>/dev/null)" ] || return 1
    [ "$found_level" = dev ] || [ "$found_level" = "$level" ]
}

if [ "$level" != run ]; then
    mapfile -t absent < <(missing_packages dev)
    [ ${#absent[@]} -eq 0 ] || install_packages "programs that the tests run are missing" "${absent[@]}"
fi
if [ "$level" = lab ]; then
    mapfile -t absent < <(missing_packages lab)
    [ ${#absent[@]} -eq 0 ] || install_packages "programs that the lab runs are missing" "${absent[@]}"
    level=dev # the same Python packages
fi

if is_current; then
    exit 0
fi

python=$(find_python) && can_make_venv "$python" || {
    mapfile -t absent < <(missing_packages python)
    install_packages "Python 3.11 or later with venv and ensurepip is missing" "${absent[@]}"
    python=$(find_python) || fail "no Python 3.11 or later found" "name one: PYTHON=/path/to/python3 bash scripts/setup.sh"
    can_make_venv "$python" || fail "\`$python\` cannot make virtual environments" \
        "install its venv and ensurepip modules, or name another Python: PYTHON=/usr/bin/python3 bash scripts/setup.sh"
}

say "installing into $venv with $("$python" -V 2>&1) ($level)"
rm -f "$stamp"
# The environment is rebuilt when its Python is not the one found, e.g. after a move of the folder.
if ! $venv/bin/python -m pip --version >/dev/null 2>&1 ||
    [ "$($venv/bin/python -VV)" != "$("$python" -VV)" ] ||
    ! grep -qsF "$PWD/$venv" $venv/bin/activate; then
    "$python" -m venv --clear $venv
fi
# What pip says is shown when it fails, not before.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
pip() { $venv/bin/python -m pip --disable-pip-version-check --no-input --retries 5 "$@" </dev/null >>"$log" 2>&1; }
if ! { pip install "${wanted[@]}" -e . && pip check; }; then
    cat "$log" >&2
    fail "pip could not install the packages, see above" "a package index must be reachable, or a mirror set in pip's configuration"
fi
# An editable install leaves our modules uncompiled: they would be compiled at every start where bytecode is not written.
$venv/bin/python -m compileall -q src || true
printf '%s %s\n' "$(fingerprint $venv/bin/python)" "$level" >"$stamp"
say "done"
