"""The sizes that the kernel prints behind a symbol: the distance to the next symbol that it knows.

Padding behind a function counts as part of it. Which symbols the kernel knows depends on its version and configuration:
linkers' own and compilers' local symbols are left out, so where one of those comes next there are two possible sizes.

Sources: Linux 6.1 kernel/kallsyms.c `get_symbol_pos()`, kernel/module/kallsyms.c `find_kallsyms_symbol()`,
scripts/kallsyms.c `is_ignored_symbol()`, scripts/mksysmap, read; __kvm_nvhe_ symbols were all left out before 5.18
(patch "KVM: arm64: Symbolize the nVHE HYP addresses", read). Names that later versions leave out: from memory.
"""

from collections.abc import Sequence

import numpy as np

from whypanic.arch.values import MASK64
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.formats.symbol_table import Symbol
from whypanic.model.registers import SymbolRef

_MAX_ALTERNATIVES = 64
_MAX_STEPS = 4096
_HYP = "__kvm_nvhe_"
# fmt: off
_NEVER_KNOWN = ("$", "__efistub_")
"""Left out by every version that may have them: where one begins, no printed size ends."""
_LEFT_OUT_PREFIXES = (
    *_NEVER_KNOWN, ".L",
    "__kvm_nvhe_$", "__kvm_nvhe_.L", "__pi_$", "__pi_.L",
    "__efistub_", "__crc_", "__kcfi_typeid_", "__kstrtab_", "__kstrtabns_", "__ksymtab_", "__export_symbol_",
    "__AArch64ADRPThunk_", "__AArch64AbsLongThunk_", "__AArch64AbsXOLongThunk_", "__AArch64BTIThunk_",
    "kallsyms_", "_GLOBAL_OFFSET_TABLE_",
)
_LEFT_OUT_SUFFIXES = ("_veneer",)
_LEFT_OUT_PARTS = (".long_branch.", ".plt_branch.")
# fmt: on


def may_be_left_out(name: str) -> bool:
    """Tell whether some kernels do not know a symbol that stands in their ELF file."""
    return (
        not name
        or name.startswith(_LEFT_OUT_PREFIXES)
        or name.endswith(_LEFT_OUT_SUFFIXES)
        or any(part in name for part in _LEFT_OUT_PARTS)
    )


def printed_sizes(image: KernelImage, symbol: Symbol) -> tuple[int, ...]:
    """Return the sizes that a kernel may print for a symbol, smallest first; (): it cannot be told from this file.

    Behind the last symbol of a module's section comes whatever the kernel loaded there.
    """
    table = image.symbols
    limit = _limit(image, symbol)
    hyp = symbol.name.startswith(_HYP)
    sizes: list[int] = []
    i = int(np.searchsorted(table.addresses, np.uint64(symbol.address), side="right"))
    end = len(table)
    for _ in range(_MAX_STEPS):
        if i >= end:
            if limit is None and image.end > symbol.address:
                sizes.append(image.end - symbol.address)
            break
        address = int(table.addresses[i])
        if (limit is not None and address >= limit) or len(sizes) >= _MAX_ALTERNATIVES:
            break
        last = int(np.searchsorted(table.addresses, np.uint64(address), side="right"))
        names = [table.name(k) for k in range(i, min(last, i + _MAX_ALTERNATIVES))]
        if not all(name.startswith(_NEVER_KNOWN) for name in names):
            sizes.append(address - symbol.address)
            if not all(may_be_left_out(n) or (not hyp and n.startswith(_HYP)) for n in names):
                break
        i = last
    if hyp:
        sizes.extend(_to_mapping_symbols(image, symbol.address, sizes[-1] if sizes else 0))
    return tuple(sorted(set(sizes)))


def agrees(image: KernelImage, symbol: Symbol, ref: SymbolRef) -> bool | None:
    """Tell whether a printed `symbol+0xo/0xs` may be this symbol; None: there is nothing to compare."""
    if ref.offset is not None and ref.size is not None and ref.offset > ref.size:
        return False
    if ref.size is None:
        return None
    sizes = printed_sizes(image, symbol)
    # What reads the file instead of running, faddr2line or a debugger, writes the size that the file has.
    if ref.size in sizes or ref.size == symbol.size:
        return True
    return False if sizes else None


def fitting(image: KernelImage, symbols: Sequence[Symbol], ref: SymbolRef) -> tuple[Symbol, ...]:
    """Return the symbols of one name that a printed reference may be: those whose size agrees, else those untold."""
    judged = [(s, agrees(image, s, ref)) for s in symbols]
    sure = tuple(s for s, yes in judged if yes)
    exact = tuple(s for s in sure if ref.size in printed_sizes(image, s))
    if 0 < len(exact) < len(sure):
        return exact
    return sure or tuple(s for s, yes in judged if yes is None)


def _limit(image: KernelImage, symbol: Symbol) -> int | None:
    """Return where a module's section ends: the kernel loads sections where it likes."""
    if image.kind not in (ImageKind.MODULE, ImageKind.OBJECT):
        return None
    section = image.section_at(symbol.address)
    return section.end if section else symbol.address


def _to_mapping_symbols(image: KernelImage, address: int, n_bytes: int) -> list[int]:
    """Return distances to mapping symbols: prefixed ones were ordinary to kernels that did not know the prefix."""
    marks = image.symbols.mapping_addresses
    bounds = np.array([address, min(address + n_bytes, MASK64)], np.uint64)
    first = np.searchsorted(marks, bounds[0], side="right")
    end = np.searchsorted(marks, bounds[1])
    return [int(mark) - address for mark in marks[first : min(end, first + _MAX_ALTERNATIVES)]]
