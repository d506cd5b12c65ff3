"""Symbols of an image by the names that the kernel prints for them.

Kernels built with clang's LTO cut the compiler's suffixes off what they print: `foo.llvm.123` is printed as `foo`. From
5.16 to 6.0 they cut everything from the first dot on. Other kernels print the whole name.

Source: Linux kernel/kallsyms.c `cleanup_symbol_name()` of 6.1, read; of 5.16 the patch "kallsyms: strip LTO suffixes
from static functions", read.
"""

import re
from collections.abc import Iterable
from functools import cache

from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.formats.symbol_table import Symbol

LTO_MARKS = (".llvm.", ".__uniq.")
"""What LLVM puts between the name in the source and a hash."""
_NO_MODULES = frozenset({"bpf", "kprobes"})
"""Words in brackets behind a symbol that name no module but who made the code."""


def find_printed(image: KernelImage, names: Iterable[str]) -> dict[str, tuple[Symbol, ...]]:
    """Return for each printed name the symbols of the image that may be meant, by address; without one it is left out.

    Absolute symbols outside the image are no places in it.
    """
    wanted = tuple(dict.fromkeys(names))
    found = {name: list(symbols) for name, symbols in image.symbols.find_each(wanted).items()}
    marks = tuple(mark for mark in LTO_MARKS if image.symbols.has_text(mark))
    longer = {source_name(name) + mark: name for name in wanted for mark in marks}
    for start, symbols in image.symbols.find_starting(longer).items():
        name = longer[start]
        found.setdefault(name, []).extend(s for s in symbols if s not in found.get(name, ()))
    missing = [name for name in wanted if name not in found]
    short = {name: source_name(name) for name in missing if source_name(name) != name}
    for base, symbols in image.symbols.find_each(short.values()).items():
        found.update({full: list(symbols) for full, start in short.items() if start == base})
    cut = {f"{name}.": name for name in missing if name not in found and "." not in name}
    for start, symbols in image.symbols.find_starting(cut).items():
        found[cut[start]] = list(symbols)
    inside = {n: [s for s in symbols if _is_inside(image, s)] for n, symbols in found.items()}
    return {n: tuple(sorted(ss, key=lambda s: s.address)) for n, ss in inside.items() if ss}


def source_name(name: str) -> str:
    """Return a name without the suffix that LTO gives it."""
    for mark in LTO_MARKS:
        name = name.partition(mark)[0] or name
    return name


def is_generated(symbol: str) -> bool:
    """Tell whether a printed symbol is that of code the kernel made while it ran: no image has it."""
    return _generated().match(symbol) is not None


@cache
def _generated() -> re.Pattern[str]:
    """Programs and trampolines have numbers in their names: `bpf_prog_select_runtime` is an ordinary function."""
    return re.compile(r"bpf_prog_[0-9a-f]{16}(?:_|$)|bpf_trampoline_\d|ftrace_trampoline|0x")


def module_name(module: str | None) -> str | None:
    """Return the module that a printed symbol belongs to, with _ for -; None: the kernel image itself."""
    return None if module is None else module.replace("-", "_")


def is_of_image(module: str | None, image: KernelImage) -> bool:
    """Tell whether a symbol printed with `[module]` behind it, or with nothing, is to be looked up in an image."""
    if module is None:
        return image.kind not in (ImageKind.MODULE, ImageKind.OBJECT)
    return image.module is not None and module_name(module) == image.module


def names_no_image(symbol: str, module: str | None) -> bool:
    """Tell whether no file can have a printed symbol."""
    return is_generated(symbol) or (
        module is not None and (module in _NO_MODULES or module.startswith("__builtin__"))
    )


def _is_inside(image: KernelImage, symbol: Symbol) -> bool:
    return not image.sections or image.contains(symbol.address) or symbol.address == image.end
