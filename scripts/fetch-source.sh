#!/usr/bin/env bash
# Print the folder of a kernel source: Debian's linux-source of a version (6.1, 6.12), fetched from the archive and unpacked
# when there is none in the cache. Nothing of the system is changed: apt runs with lists and a status of its own. Needs apt,
# dpkg, tar and xz, not root, and 2 GB of disk a version.
#   VERSION    6.1 where none is given
#   --update   ask the archive for a newer one than the cached one
set -euo pipefail
cache=${WHYPANIC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/whypanic}/sources
version=6.1 update=false
for word; do
    case $word in
        --update) update=true ;;
        [1-9]*.[0-9]*) version=$word ;;
        *) printf 'fetch-source: error: unknown word: %s\n' "$word" >&2; exit 2 ;;
    esac
done
package=linux-source-$version

say() { printf 'fetch-source: %s\n' "$*" >&2; }
fail() {
    say "error: $1"
    shift
    for hint in "$@"; do say "hint: $hint"; done
    exit 3
}

# The newest in the cache; nothing where there is none.
newest() {
    local file found=()
    for file in "$cache/$package"_*/Makefile; do
        [ -f "$file" ] && found+=("$(dirname "$file")")
    done
    [ ${#found[@]} -eq 0 ] || printf '%s\n' "${found[@]}" | sort -V | tail -n 1
}

# Make the scratch folder and apt's own state in it, and fetch the lists.
use_apt() {
    local program
    for program in apt-get apt-cache dpkg-deb tar xz; do
        command -v "$program" >/dev/null || fail "\`$program\` is not there, and sources come from Debian's archive" \
            "run this on Debian, or name a tree of your own where one is asked for"
    done
    mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || fail "\`$cache\` cannot be written" "name a folder: WHYPANIC_CACHE=/path"
    scratch=$(mktemp -d "$cache/.fetch-XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    # What a run that was killed left behind.
    find "$cache" -maxdepth 1 -name '.fetch-*' -mmin +240 -exec rm -rf {} +
    mkdir -p "$scratch"/{state/lists/partial,archives/partial,etc,new}
    options=(-q -o APT::Sandbox::User= -o Dir::State="$scratch/state" -o Dir::State::status=/dev/null
        -o Dir::Cache="$scratch" -o Acquire::Languages=none -o Acquire::Retries=3
        -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false)
    say "asking the archive"
    # The machine's own sources first, for its mirrors; where those do not have it, Debian's.
    lists
    [ -n "$(candidate)" ] && return
    options+=(-o Dir::Etc::sourcelist="$scratch/etc/debian.list" -o Dir::Etc::sourceparts=/dev/null)
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg suite
    for suite in bookworm bookworm-updates; do
        printf 'deb [signed-by=%s] http://deb.debian.org/debian %s main\n' $keys $suite
    done >"$scratch/etc/debian.list"
    printf 'deb [signed-by=%s] http://deb.debian.org/debian-security bookworm-security main\n' $keys >>"$scratch/etc/debian.list"
    lists
    [ -n "$(candidate)" ] || {
        cat "$scratch/log" >&2
        fail "no $package in the archive, or the archive cannot be reached, and no source in \`$cache\`" \
            "this needs the network once: check http://deb.debian.org, or apt's proxy settings"
    }
}
lists() { apt-get "${options[@]}" update </dev/null >"$scratch/log" 2>&1 || true; }
candidate() { apt-cache "${options[@]}" policy "$package" 2>/dev/null | sed -n 's/^ *Candidate: \([^(].*\)$/\1/p'; }

fetch() {
    use_apt
    local full folder file
    full=$(candidate)
    folder=$cache/${package}_$full
    [ -f "$folder/Makefile" ] && return
    say "fetching $package $full"
    (cd "$scratch/archives" && apt-get "${options[@]}" download "$package=$full" </dev/null >"$scratch/log" 2>&1) || {
        cat "$scratch/log" >&2
        fail "\`$package\` could not be fetched, see above"
    }
    say "unpacking"
    file=$(find "$scratch/archives" -maxdepth 1 -name "${package}_*.deb")
    dpkg-deb --fsys-tarfile "$file" | tar -x -O --wildcards './usr/src/*.tar.xz' |
        tar -x -J -C "$scratch/new" --strip-components=1 || fail "\`$package\` could not be unpacked into \`$cache\`" \
        "it takes 2 GB: free some space, or name another folder: WHYPANIC_CACHE=/path"
    # Somebody else may have been faster: theirs is as good.
    mv -T "$scratch/new" "$folder" 2>/dev/null || [ -f "$folder/Makefile" ]
}

if [ -z "$(newest)" ] || $update; then
    fetch
fi
newest
