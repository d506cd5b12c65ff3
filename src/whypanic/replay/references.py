"""What the words of a listed function refer to: objects, tables and callees, named by relocations or left open.

Offsets are bytes from the function's start. A symbol of None is the function itself.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from whypanic.arch.insn import Insn, decode
from whypanic.arch.relocations import BY_NAME
from whypanic.model.code import ListingLine
from whypanic.replay.contents import Contents, Near, Patch

_MAX_SCAN = 64
"""Words behind an ADRP in which its register is followed."""
_CALLS = ("R_AARCH64_CALL26", "R_AARCH64_JUMP26", "R_AARCH64_CONDBR19", "R_AARCH64_TSTBR14")
_PAGES = (
    "R_AARCH64_ADR_PREL_PG_HI21",
    "R_AARCH64_ADR_PREL_PG_HI21_NC",
    "R_AARCH64_ADR_GOT_PAGE",
    "R_AARCH64_ADR_PREL_LO21",
)


class Reference(NamedTuple):
    """An address outside the function that its words form."""

    symbol: str
    """Key of `Subject.targets`."""
    addend: int
    register: str
    """Holds the address behind the last of the words."""
    offsets: tuple[int, ...]
    """Of the words: ADRP and what completes it."""


class Target(NamedTuple):
    """What references and calls lead to."""

    symbol: str
    """As the listing names it; `.rodata`, `printk`, `unresolved reference #0`, or a hexadecimal link address."""
    is_call: bool = False
    link_address: int | None = None
    """None where the listing is of an object."""
    unresolved: int | None = None
    """Number of a reference or call that the listing leaves open."""
    contents: Contents = Contents()


class Code(NamedTuple):
    """The function's words before anything is known of what they refer to."""

    name: str
    section: str | None
    start: int
    is_linked: bool
    size: int
    words: Mapping[int, int]
    texts: Mapping[int, str]

    def own(self, symbol: str, addend: int) -> int | None:
        """Return the offset in (or from) this function that symbol and addend mean; None: something else."""
        if self.is_linked:
            return addend - self.start if not symbol else None
        if symbol == self.name:
            return addend
        if symbol == self.section:
            return addend - self.start
        is_text = self.section is None and symbol.startswith(".") and "text" in symbol
        offset = addend - self.start
        return offset if is_text and 0 <= offset < self.size else None


def printed_patches(line: ListingLine, code: Code) -> Iterator[Patch]:
    """Yield the relocations printed below a line of a listing."""
    for relocation in line.relocations:
        own = code.own(relocation.symbol, relocation.addend)
        symbol, addend = (None, own) if own is not None else (relocation.symbol, relocation.addend)
        yield Patch(line.address - code.start, relocation.type, symbol, addend)


class References:
    """Collects what a function refers to."""

    def __init__(self, code: Code, near: Near) -> None:
        self.code = code
        self.near = near
        self.insns = {offset: decode(word) for offset, word in sorted(code.words.items())}
        self.patches: list[Patch] = []
        self.references: list[Reference] = []
        self.targets: dict[str, Target] = {}

    def objects(self, patches: list[Patch]) -> None:
        """Take the relocations of an object's listing, and what is open without them."""
        self.patches = list(patches)
        done = {patch.offset for patch in patches}
        places: dict[tuple[str | None, int], set[int]] = {}
        for patch in patches:
            places.setdefault((patch.symbol, patch.addend), set()).add(patch.offset)
        for patch in patches:
            if patch.symbol is not None:
                self._add(patch.symbol, is_call=patch.type in _CALLS)
            if patch.symbol is not None and patch.type in _PAGES:
                self._resolved(patch, places[patch.symbol, patch.addend])
        numbers = {"reference": 0, "call": 0}
        for offset, insn in self.insns.items():
            if offset in done:
                continue
            if insn.mnemonic == "adrp" and insn.immediate == 0:
                self._open(offset, insn, numbers["reference"])
                numbers["reference"] += 1
            elif _is_open_call(insn, is_certain=not patches):
                symbol = f"unresolved call #{numbers['call']}"
                self.targets[symbol] = Target(symbol, True, unresolved=numbers["call"])
                kind = "R_AARCH64_CALL26" if insn.mnemonic == "bl" else "R_AARCH64_JUMP26"
                self.patches.append(Patch(offset, kind, symbol, 0))
                numbers["call"] += 1

    def linked(self) -> None:
        """Read addresses of an image off the words."""
        start = self.code.start
        for offset, insn in self.insns.items():
            if insn.mnemonic in ("adrp", "adr"):
                at = start + offset
                base = (at & ~0xFFF if insn.mnemonic == "adrp" else at) + (insn.immediate or 0)
                if insn.mnemonic == "adr":
                    self._at_link(base, insn.writes[0], (offset,))
                    continue
                for use, made, added in _uses(self.insns, offset, insn.writes[0]):
                    self._at_link(base + added, made, (offset, use))
            branch = insn.branch
            if branch is None or branch.offset is None or branch.kind not in ("b", "bl"):
                continue
            target = start + offset + branch.offset
            if not 0 <= target - start < self.code.size:
                symbol = _named(self.code.texts[offset]) or f"{target:#x}"
                self.targets[symbol] = Target(symbol, True, link_address=target)

    def _at_link(self, address: int, register: str, offsets: tuple[int, ...]) -> None:
        if 0 <= address - self.code.start < self.code.size:
            return
        found = self.near.image_run(address)
        base, symbol = (address, f"{address:#x}") if found is None else found
        self._add(symbol, link_address=base)
        self.references.append(Reference(symbol, address - base, register, offsets))

    def _resolved(self, page: Patch, low: set[int]) -> None:
        """Make the reference of an ADRP, or ADR, that has a relocation; `low` are places with the same symbol."""
        symbol, insn = page.symbol, self.insns.get(page.offset)
        if insn is None or symbol is None or not insn.writes:
            return
        register, offsets = insn.writes[0], [page.offset]
        for use, made, _ in _uses(self.insns, page.offset, register):
            if use in low:
                register = made
                offsets.append(use)
                break
        self.references.append(Reference(symbol, page.addend, register, tuple(offsets)))

    def _open(self, offset: int, adrp: Insn, number: int) -> None:
        """Make the reference of an ADRP whose symbol the listing does not print."""
        symbol = f"unresolved reference #{number}"
        self.targets[symbol] = Target(symbol, unresolved=number)
        self.patches.append(Patch(offset, _PAGES[0], symbol, 0))
        register, offsets = adrp.writes[0], [offset]
        for use, made, added in _uses(self.insns, offset, register):
            kind = _low_kind(self.insns[use])
            if kind is not None and added == 0:
                self.patches.append(Patch(use, kind, symbol, 0))
                offsets.append(use)
                register = made
        self.references.append(Reference(symbol, 0, register, tuple(offsets)))

    def _add(self, symbol: str, *, is_call: bool = False, link_address: int | None = None) -> None:
        known = self.targets.get(symbol)
        if known is not None:
            self.targets[symbol] = known._replace(is_call=known.is_call or is_call)
            return
        contents = self.near.contents(symbol, link_address)
        self.targets[symbol] = Target(symbol, is_call, link_address, None, contents)


def _uses(insns: Mapping[int, Insn], offset: int, register: str) -> Iterator[tuple[int, str, int]]:
    """Yield the words that complete the address an ADRP put into a register: offset, register made, bytes added."""
    for at in range(offset + 4, offset + 4 * _MAX_SCAN, 4):
        insn = insns.get(at)
        if insn is None:
            return
        if insn.mnemonic == "add" and insn.reads == (register,) and insn.immediate is not None:
            yield at, insn.writes[0], insn.immediate
        elif insn.memory is not None and insn.memory.base == register and not insn.memory.index:
            yield at, register, insn.memory.offset
        if register in insn.writes:
            return


def _low_kind(insn: Insn) -> str | None:
    """Return the relocation that completes an ADRP in this instruction."""
    if insn.mnemonic == "add":
        return "R_AARCH64_ADD_ABS_LO12_NC"
    memory = insn.memory
    name = f"R_AARCH64_LDST{8 * memory.size}_ABS_LO12_NC" if memory is not None else ""
    plain = memory is not None and memory.n_elements == 1 and not memory.writeback
    return name if plain and name in BY_NAME else None


def _is_open_call(insn: Insn, *, is_certain: bool) -> bool:
    """Return whether a BL, or a B of a listing without relocations, has no target yet."""
    branch = insn.branch
    if branch is None or branch.offset != 0:
        return False
    return branch.kind == "bl" or (branch.kind == "b" and is_certain)


def _named(text: str) -> str | None:
    """Return the symbol in `bl ffff000008123456 <printk>`."""
    name = text.rpartition("<")[2].partition(">")[0] if text.endswith(">") else ""
    return name or None
