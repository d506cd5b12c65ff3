#!/usr/bin/env bash
# Print the folder of a real kernel image: Debian's arm64 cloud kernel with its debug information, fetched from the
# archive when there is none in the cache, whatever version the archive has. Nothing of the system is changed: apt runs
# with lists and a status of its own, and no foreign architecture is added. Needs apt, dpkg and tar, not root.
#   --update   ask the archive for a newer version than the cached one
#   --scripts  the kernel's own scripts/ too, from linux-source of the same version (bench/images.py)
set -euo pipefail
cache=${WHYPANIC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/whypanic}/images
meta=linux-image-cloud-arm64-dbg
# Debug files of modules: a handful, the whole set has 1.1 GB.
debug_modules=(nf_conntrack nf_tables virtio_net vsock overlay nvme-core)
update=false scripts=false
for word; do
    case $word in
        --update) update=true ;;
        --scripts) scripts=true ;;
        *) printf 'fetch-image: error: unknown option: %s\n' "$word" >&2; exit 2 ;;
    esac
done

say() { printf 'fetch-image: %s\n' "$*" >&2; }
fail() {
    say "error: $1"
    shift
    for hint in "$@"; do say "hint: $hint"; done
    exit 3
}

# The newest version in the cache; nothing where there is none.
newest() {
    local folder versions=()
    for folder in "$cache"/*/vmlinux; do
        [ -f "$folder" ] && versions+=("$(basename "$(dirname "$folder")")")
    done
    [ ${#versions[@]} -eq 0 ] || printf '%s\n' "${versions[@]}" | sort -V | tail -n 1
}

# Make the scratch folder and apt's own state in it, and fetch the lists.
use_apt() {
    local program
    for program in apt-get apt-cache dpkg-deb tar; do
        command -v "$program" >/dev/null || fail "\`$program\` is not there, and images come from Debian's archive" \
            "run this on Debian, or copy a folder of $cache from a machine that has one"
    done
    mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || fail "\`$cache\` cannot be written" "name a folder: WHYPANIC_CACHE=/path"
    scratch=$(mktemp -d "$cache/.fetch-XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    # What a run that was killed left behind.
    find "$cache" -maxdepth 1 -name '.fetch-*' -mmin +240 -exec rm -rf {} +
    mkdir -p "$scratch"/{state/lists/partial,archives/partial,etc}
    options=(-q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=
        -o Dir::State="$scratch/state" -o Dir::State::status=/dev/null -o Dir::Cache="$scratch" -o Acquire::Languages=none
        -o Acquire::Retries=3 -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false)
    say "asking the archive"
    # The machine's own sources first, for its mirrors; where those leave arm64 out, Debian's.
    lists
    [ -n "$(candidate $meta)" ] && return
    options+=(-o Dir::Etc::sourcelist="$scratch/etc/debian.list" -o Dir::Etc::sourceparts=/dev/null)
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg suite
    for suite in bookworm bookworm-updates; do
        printf 'deb [signed-by=%s] http://deb.debian.org/debian %s main\n' $keys $suite
    done >"$scratch/etc/debian.list"
    printf 'deb [signed-by=%s] http://deb.debian.org/debian-security bookworm-security main\n' $keys >>"$scratch/etc/debian.list"
    lists
    [ -n "$(candidate $meta)" ] || {
        cat "$scratch/log" >&2
        fail "no $meta in the archive, or the archive cannot be reached, and no image in \`$cache\`" \
            "this needs the network once: check http://deb.debian.org, or apt's proxy settings"
    }
}
lists() { apt-get "${options[@]}" update </dev/null >"$scratch/log" 2>&1 || true; }
candidate() { apt-cache "${options[@]}" policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: \([^(].*\)$/\1/p'; }
has() { apt-cache "${options[@]}" madison "$1" 2>/dev/null | grep -qF " $2 "; }
# download PACKAGE=VERSION: the file is named afterwards on stdout.
download() {
    say "fetching $1"
    (cd "$scratch/archives" && apt-get "${options[@]}" download "$1" </dev/null >"$scratch/log" 2>&1) || {
        cat "$scratch/log" >&2
        fail "\`$1\` could not be fetched, see above"
    }
    find "$scratch/archives" -maxdepth 1 -name "${1%%=*}_*.deb"
}

fetch_image() {
    use_apt
    local debug release version image folder
    debug=$(apt-cache "${options[@]}" depends $meta | sed -n 's/^ *Depends: \(linux-image-.*-dbg\)$/\1/p' | head -n 1)
    [ -n "$debug" ] || fail "$meta depends on no linux-image-...-dbg: Debian has changed its packages" "mend scripts/fetch-image.sh"
    version=$(candidate "$debug")
    folder=$cache/$version
    [ -f "$folder/vmlinux" ] && return
    release=${debug#linux-image-} release=${release%-dbg}
    # The signed one comes from another source package and may be late.
    image=linux-image-$release
    has "$image" "$version" || image+=-unsigned
    local new=$scratch/new name patterns=("./usr/lib/debug/boot/*")
    for name in "${debug_modules[@]}"; do patterns+=("./usr/lib/debug/lib/modules/*/$name.ko"); done
    mkdir -p "$new" "$scratch"/{debug,image}
    local file
    file=$(download "$debug=$version")
    # tar reports a pattern that fits nothing: a module that this kernel does not have.
    dpkg-deb --fsys-tarfile "$file" | tar -x -C "$scratch/debug" --wildcards "${patterns[@]}" 2>"$scratch/log" || true
    rm -f "$file"
    file=$(download "$image=$version")
    dpkg-deb --fsys-tarfile "$file" | tar -x -C "$scratch/image" --wildcards './boot/*' './lib/modules/*.ko*'
    mv "$scratch/debug/usr/lib/debug/boot/vmlinux-$release" "$new/vmlinux"
    mv "$scratch/debug/usr/lib/debug/boot/System.map-$release" "$new/System.map"
    mv "$scratch/debug/usr/lib/debug/lib/modules/$release" "$new/debug"
    mv "$scratch/image/boot/vmlinuz-$release" "$new/vmlinuz"
    mv "$scratch/image/boot/config-$release" "$new/config"
    mv "$scratch/image/lib/modules/$release" "$new/modules"
    printf '%s\n' "$release" >"$new/release"
    printf '%s %s\n%s %s\n' "$debug" "$version" "$image" "$version" >"$new/packages"
    # Somebody else may have been faster: theirs is as good.
    mv -T "$new" "$folder" 2>/dev/null || [ -f "$folder/vmlinux" ]
}

fetch_scripts() {
    local folder=$cache/$1 source file
    source=linux-source-$(printf '%s' "$1" | cut -d. -f1,2)
    [ -n "${scratch:-}" ] || use_apt
    # The archive may have a newer version by now: the scripts are as good.
    if has "$source" "$1"; then source+==$1; fi
    file=$(download "$source")
    source=${source%%=*}
    dpkg-deb --fsys-tarfile "$file" | tar -x -C "$scratch" --wildcards './usr/src/*.tar.xz'
    rm -f "$file"
    tar -x -J -C "$scratch" --strip-components=1 --wildcards -f "$scratch/usr/src/$source.tar.xz" '*/scripts/*.sh'
    mv -T "$scratch/scripts" "$folder/scripts" 2>/dev/null || [ -d "$folder/scripts" ]
}

version=$(newest)
if [ -z "$version" ] || $update; then
    fetch_image
    version=$(newest)
fi
if $scripts && [ ! -d "$cache/$version/scripts" ]; then
    fetch_scripts "$version"
fi
printf '%s\n' "$cache/$version"
