"""Sections of a kernel that has no section headers: between the boundary symbols of its linker script.

Code that the script gathers inside .text keeps the name of its input section, for it runs elsewhere: .hyp.text,
.idmap.text and so on. Spans never overlap: of two the smaller one wins, and the larger is cut.

Source: Linux arch/arm64/kernel/vmlinux.lds.S of 6.12, read; names in the System.map of 5.10, 6.1, 6.12 and 7.2 kernels.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from whypanic.formats.kernel_image import Section
from whypanic.formats.symbol_table import SymbolTable

_PAGE = 0xFFF


class _Span(NamedTuple):
    name: str
    access: str
    """x executable, w writable, n without bytes in the file."""
    starts: str
    """Symbols at its first byte, that to be taken first."""
    ends: str
    """Symbols behind its last byte."""


# fmt: off
_SPANS = (
    _Span(".head.text",           "x",  "_text _head",                 "_stext"),
    _Span(".text",                "x",  "_stext",                      "_etext"),
    _Span(".hyp.idmap.text",      "x",  "__hyp_idmap_text_start",      "__hyp_idmap_text_end"),
    _Span(".hyp.text",            "x",  "__hyp_text_start",            "__hyp_text_end"),
    _Span(".idmap.text",          "x",  "__idmap_text_start",          "__idmap_text_end"),
    _Span(".rodata",              "",   "__start_rodata",              "__end_rodata __init_begin"),
    _Span(".hyp.rodata",          "",   "__hyp_rodata_start",          "__hyp_rodata_end"),
    _Span(".notes",               "",   "__start_notes",               "__stop_notes"),
    _Span(".entry.tramp.text",    "x",  "__entry_tramp_text_start",    "__entry_tramp_text_end"),
    _Span(".hibernate_exit.text", "x",  "__hibernate_exit_text_start", "__hibernate_exit_text_end"),
    _Span(".kexec_relocate.text", "x",  "__relocate_new_kernel_start", "__relocate_new_kernel_end"),
    _Span(".init.text",           "x",  "_sinittext",                  "_einittext"),
    _Span(".exit.text",           "x",  "__exittext_begin",            "__exittext_end"),
    _Span(".altinstructions",     "",   "__alt_instructions",          "__alt_instructions_end"),
    _Span(".init.data",           "w",  "__initdata_begin",            "__initdata_end __init_end"),
    _Span(".data..percpu",        "w",  "__per_cpu_start",             "__per_cpu_end"),
    _Span(".hyp.reloc",           "",   "__hyp_reloc_begin",           "__hyp_reloc_end"),
    _Span(".data",                "w",  "_sdata _data",                "_edata"),
    _Span(".hyp.data",            "w",  "__hyp_data_start",            "__hyp_data_end"),
    _Span(".bss",                 "wn", "__bss_start",                 "__bss_stop __bss_end"),
    _Span(".hyp.bss",             "wn", "__hyp_bss_start",             "__hyp_bss_end"),
)
# fmt: on


def boundary_sections(symbols: SymbolTable) -> list[Section]:
    """Return the sections that the symbols tell, overlapping as they may.

    Without CONFIG_KALLSYMS_ALL the kernel names code only: .rodata is then what lies between .text and .init.text.
    """
    names = " ".join(f"{span.starts} {span.ends}" for span in _SPANS).split()
    at = {name: found[0].address for name, found in symbols.find_each(names).items()}
    sections = []
    for span in _SPANS:
        first = next((at[name] for name in span.starts.split() if name in at), None)
        end = next((at[name] for name in span.ends.split() if name in at), None)
        if first is not None and end is not None and first < end:
            access = ("x" in span.access, "w" in span.access, "n" not in span.access)
            sections.append(Section(span.name, first, end - first, *access))
    told = {section.name for section in sections}
    if ".rodata" not in told and "_etext" in at and "_sinittext" in at:
        first, end = (at["_etext"] + _PAGE) & ~_PAGE, at["_sinittext"] & ~_PAGE
        if first < end:
            sections.append(Section(".rodata", first, end - first, False, False))
    return sections


def without_overlap(sections: Sequence[Section]) -> list[Section]:
    """Return the sections with each byte in one of them: of several the smallest, of equals the last."""
    edges = sorted({edge for s in sections for edge in (s.address, s.end)})
    pieces: list[tuple[Section, int, int]] = []
    for first, end in pairwise(edges):
        over = [s for s in sections if s.address <= first and end <= s.end]
        if not over:
            continue
        owner = min(reversed(over), key=lambda s: s.size)
        if pieces and pieces[-1][0] is owner and pieces[-1][2] == first:
            pieces[-1] = (owner, pieces[-1][1], end)
        else:
            pieces.append((owner, first, end))
    return [owner._replace(address=first, size=end - first) for owner, first, end in pieces]
