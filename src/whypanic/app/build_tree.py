"""What a folder stands for in an audit: the kernel that was built there, or the objects that have code of a domain."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from whypanic.model.errors import InputError

VMLINUX = "vmlinux"
NVHE = "arch/arm64/kvm/hyp/nvhe"
NVHE_OBJECT = f"{NVHE}/kvm_nvhe.o"
PLACES = (
    "arch/arm64/kvm",
    "virt/kvm/arm/hyp",
    "arch/arm64/kernel",
    "arch/arm64/mm",
    "drivers/firmware/efi/libstub",
)
"""Where a kernel tree of 4.9 to 6.18 has code that runs elsewhere than at its link address, without that of user space.

Source: arch/arm64/kvm/hyp/Makefile, arch/arm64/kernel/Makefile of Linux 6.1; virt/kvm/arm/hyp, up to 5.7, from memory.
"""
_USER_SPACE = ("vdso", "vdso32", "vdso-wrap", "vdso32-wrap", "compat_vdso")
_INTERMEDIATE = (".tmp.o", ".rel.o", ".mod.o", "built-in.o")
"""What only goes into another object that is there too."""
MAX_OBJECTS = 1000


class Target(NamedTuple):
    """A file to audit."""

    path: Path
    name: str
    """As the user named it, or below the folder that they named."""
    is_member: bool = False
    """One of the objects that a folder stands for: not every one of them has code."""


def targets(names: Sequence[str]) -> Iterator[Target | InputError]:
    """Yield the files that names stand for, each once.

    A folder stands for its vmlinux; where it has none for kvm_nvhe.o and the objects of `PLACES`. A folder without any,
    and one of which only some are audited, comes as an `InputError`.
    """
    seen: set[Path] = set()
    for name in names:
        path = Path(name)
        found = _of_folder(path, name) if _is_folder(path) else [Target(path, name)]
        for each in found:
            if isinstance(each, InputError):
                yield each
            elif each.path not in seen:
                seen.add(each.path)
                yield each


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False  # opening it gives the reason


def _of_folder(folder: Path, name: str) -> Iterator[Target | InputError]:
    if (folder / VMLINUX).is_file():
        yield Target(folder / VMLINUX, str(folder / VMLINUX))
        return
    objects = sorted(_objects(folder))
    if not objects:
        hint = "give a folder in which a kernel was built, or the files themselves"
        message = f"folder holds no {VMLINUX} and no objects in {', '.join(PLACES)}"
        yield InputError(message, path=name, hints=(hint,))
    yield from (Target(path, str(path), is_member=True) for path in objects[:MAX_OBJECTS])
    if len(objects) > MAX_OBJECTS:
        message = f"folder holds {len(objects)} objects, only the first {MAX_OBJECTS} are audited"
        yield InputError(message, path=name)


def _objects(folder: Path) -> Iterator[Path]:
    """Yield the objects to audit; those that kvm_nvhe.o is linked from are left to it."""
    has_nvhe = (folder / NVHE_OBJECT).is_file()
    for place in PLACES:
        for parent, folders, files in os.walk(folder / place):
            folders[:] = [each for each in folders if each not in _USER_SPACE]
            in_nvhe = has_nvhe and Path(parent) == folder / NVHE
            for file in files:
                path = Path(parent, file)
                if not file.endswith(".o") or file.endswith(_INTERMEDIATE):
                    continue
                if (in_nvhe and path != folder / NVHE_OBJECT) or not path.is_file():
                    continue
                yield path
