"""A folder that looks like a kernel tree and builds in a moment: real make runs it, and it prints what kbuild would.

A line of a source file says what its compilation does: `#error TEXT`, `#warning TEXT`, `#say TEXT`, `#sleep SECONDS`.
"""

import os
from pathlib import Path

COMPILER = "aarch64-linux-gnu-gcc-99"
COMPILER_TEXT = f"{COMPILER} (Toy 99.1.0-1) 99.1.0"
LINKER_TEXT = "GNU ld (GNU Binutils for Toys) 9.41"

_MAKEFILE = """\
# SPDX-License-Identifier: GPL-2.0
VERSION = 6
PATCHLEVEL = 1
SUBLEVEL = 99
EXTRAVERSION = -toy
NAME = None
LLVM_SUFFIX :=
OBJECTS := init/main.o kernel/fork.o arch/arm64/kvm/hyp/nvhe/kvm_nvhe.o
T := $(CURDIR)/scripts
export CC CROSS_COMPILE O

allnoconfig: ; @sh $(T)/configure.sh "$$KCONFIG_ALLCONFIG"
defconfig: ; @sh $(T)/configure.sh arch/arm64/configs/defconfig
olddefconfig: ; @cp $(O)/.config $(O)/.old && sh $(T)/configure.sh $(O)/.old

Image: $(addprefix $(O)/,$(OBJECTS))
\t@echo "  LD      vmlinux"; cat $^ >$(O)/vmlinux
\t@echo "  OBJCOPY arch/arm64/boot/Image"; sh $(T)/image.sh
$(O)/%.o: %.c $(O)/.config
\t@echo "  CC      $*.o"; sh $(T)/compile.sh $*
modules: ; @mkdir -p $(O)/drivers; echo toy >$(O)/drivers/toy.ko; echo drivers/toy.o >$(O)/modules.order
"""
_SCRIPTS = {
    # An option is refused where its file says so.
    "configure.sh": """\
echo run >>"$O/runs"
grep -v -x -f scripts/refused "$1" >"$O/.config"
echo "#"; echo "# configuration written to .config"; echo "#"
""",
    "compile.sh": """\
set -e
mkdir -p "$(dirname "$O/$1.o")"
n=0
while IFS= read -r line; do
    n=$((n + 1))
    case $line in
        "#error "*) echo "$PWD/$1.c:$n:2: error: ${line#* }" >&2; exit 1 ;;
        "#warning "*) echo "$PWD/$1.c:$n:2: warning: ${line#* } [-Wcpp]" >&2 ;;
        "#say "*) echo "${line#* }" >&2; exit 1 ;;
        "#sleep "*) sleep "${line#* }" ;;
    esac
done <"$1.c"
cp "$1.c" "$O/$1.o"
""",
    "image.sh": """\
mkdir -p "$O/arch/arm64/boot"
cc=$("${CC##* }" --version | head -n 1); ld=$("${CROSS_COMPILE}ld" --version | head -n 1)
[ -f scripts/other-compiler ] && cc="another compiler 1.2.3"
{ cat "$O/vmlinux"; printf 'Linux version 6.1.99-toy (%s@%s) (%s, %s) #%s SMP %s\\n' \\
    "$KBUILD_BUILD_USER" "$KBUILD_BUILD_HOST" "$cc" "$ld" "$KBUILD_BUILD_VERSION" "$KBUILD_BUILD_TIMESTAMP"
} >"$O/arch/arm64/boot/Image"
""",
    "refused": "CONFIG_LTO_CLANG_THIN=y\nCONFIG_TEA=y\n",
}
_KCONFIG = """\
mainmenu "Toy"
source "arch/$(SRCARCH)/Kconfig"

config CC_IS_CLANG
\tdef_bool $(success,test $(cc-name) = Clang)

config KETTLE
\tbool "Kettle"
\thelp
\t  Boils water.

\t  config NOT_AN_OPTION of a help text

config HAS_TEA
\tdef_bool y
\tdepends on KETTLE && \\
\t\t(CUPS > 2 || MUG)

config TEA
\ttristate "Tea" if EXPERT
\tdepends on HAS_TEA
\tselect SUGAR if MUG

config SUGAR
\tbool

choice
\tprompt "Link Time Optimization"
\tdefault LTO_NONE

config LTO_NONE
\tbool "None"

config LTO_CLANG_THIN
\tbool "Thin"
\tdepends on CC_IS_CLANG
endchoice

if NET
menu "Below the net"
\tdepends on INET

config VIRTIO_NET
\ttristate "Virtio"
endmenu
endif
"""


def make_toy_tree(folder: Path) -> Path:
    """Write the tree, and return its folder."""
    files = {
        "Makefile": _MAKEFILE,
        "Kconfig": _KCONFIG,
        "arch/arm64/Kconfig": 'config EXPERT\n\tbool "Expert"\n\nconfig MUG\n\tbool "Mug"\n',
        "arch/arm64/configs/defconfig": "CONFIG_DEFAULT=y\nCONFIG_KETTLE=y\n",
        "arch/mips/Kconfig": "config MIPS\n\tdef_bool y\n",
        "init/main.c": "int main;\n",
        "kernel/fork.c": "int fork;\n",
        "arch/arm64/kvm/hyp/nvhe/kvm_nvhe.c": "int hyp;\n",
    }
    files |= {f"scripts/{name}": text for name, text in _SCRIPTS.items()}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def make_toy_programs(folder: Path) -> Path:
    """Write a compiler, a linker and the programs that a build wants to see, and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    answers = {
        COMPILER: COMPILER_TEXT,
        "aarch64-linux-gnu-ld": LINKER_TEXT,
        "aarch64-linux-gnu-objcopy": "objcopy",
        "flex": "flex",
        "bison": "bison",
        "bc": "bc",
    }
    for name, text in answers.items():
        write_program(folder / name, f"echo '{text}'")
    return folder


def write_program(path: Path, text: str) -> None:
    """Write a shell script that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def path_with(folder: Path) -> str:
    """Return PATH with that folder first."""
    return f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
