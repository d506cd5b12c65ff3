"""The instruction that faulted and the address it accessed, recomputed from the printed registers."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from whypanic.arch.insn import Insn, decode, effective_address
from whypanic.arch.insn.text import render
from whypanic.model.code import CodeLine, Listing, ListingLine
from whypanic.model.fault import FaultAddress
from whypanic.model.provenance import Derived, Fact
from whypanic.model.registers import Register, SymbolRef

_MASK_64 = (1 << 64) - 1
_LARGEST_BLOCK = 2048
"""Bytes: the largest block that DCZID_EL0.BS and CTR_EL0.CWG can state (DDI 0487)."""


class Agreement(StrEnum):
    """How FAR compares with the address recomputed from the instruction and the registers."""

    EQUAL = "equal"
    EQUAL_BUT_TAG = "equal-but-tag"
    """The same once bits [63:56] are copies of bit 55."""
    WITHIN_ACCESS = "within-access"
    """Behind the first byte, inside what the instruction touches."""
    DIFFERS = "differs"
    NO_FAR = "no-far"


class FaultingInstruction(Derived, frozen=True, kw_only=True):
    """The word at PC."""

    word: int
    insn: Insn
    address: int | None
    """Value of PC where it was printed."""

    @property
    def text(self) -> str:
        """The word in assembler."""
        return render(self.word, self.address)

    @property
    def statement(self) -> str:
        return f"the faulting word {self.word:08x} is `{self.text}`"


class EffectiveAddress(Derived, frozen=True, kw_only=True):
    """The address that the faulting instruction accessed."""

    value: int
    base: str
    base_value: int
    index: str | None = None
    index_value: int | None = None
    """The whole register; the instruction may extend and shift it."""
    offset: int = 0
    agreement: Agreement

    @property
    def statement(self) -> str:
        parts = f"{self.base} = {self.base_value:#x}"
        if self.index is not None and self.index_value is not None:
            parts += f", {self.index} = {self.index_value:#x}"
        if self.offset:
            parts += f", offset {'-' if self.offset < 0 else ''}{abs(self.offset):#x}"
        return f"the faulting instruction accesses {self.value:#x} ({parts}), {self._comparison}"

    @property
    def _comparison(self) -> str:
        return {
            Agreement.EQUAL: "which is FAR",
            Agreement.EQUAL_BUT_TAG: "which is FAR but for the tag in the top byte",
            Agreement.WITHIN_ACCESS: "and FAR lies inside the access",
            Agreement.DIFFERS: "which is not FAR",
            Agreement.NO_FAR: "and no FAR is known",
        }[self.agreement]


def find_faulting(
    code_lines: Sequence[CodeLine],
    registers: Mapping[str, Register],
    listings: Sequence[Listing],
    ref: SymbolRef | None,
) -> FaultingInstruction | None:
    """Return the instruction at PC; None when the text does not hold its word.

    The word in parentheses of the first `Code:` line decides; hyp code comes before the host's. Where the kernel
    could not read at PC, or printed no such line, a listing in the text is searched.

    :param code_lines: those of one report, in order.
    :param ref: symbol of PC.
    """
    pc = registers.get("pc")
    hyp_lines = [line for line in code_lines if line.hyp]
    first = next(iter(hyp_lines or code_lines), None)
    if first is not None and not first.bad_pc:
        index = first.faulting
        if index is not None and 0 <= index < len(first.words):
            return _faulting(first.words[index], first, pc)
    line = find_listed(listings, pc, ref)
    if line is None or line.word is None:
        return None
    return _faulting(line.word, line, pc)


def _faulting(word: int, fact: Fact, pc: Register | None) -> FaultingInstruction:
    because = (fact,) if pc is None else (fact, pc)
    address = None if pc is None else pc.value
    return FaultingInstruction(
        source=fact.source, because=because, word=word, insn=decode(word), address=address
    )


def find_listed(
    listings: Sequence[Listing], pc: Register | None, ref: SymbolRef | None
) -> ListingLine | None:
    """Return the line of a listing at PC: by its address, else by symbol and offset."""
    value = None if pc is None else pc.value
    if value is not None:
        for listing in listings:
            for line in listing.lines:
                if line.address == value:
                    return line
    if ref is None or ref.offset is None:
        return None
    for listing in listings:
        if listing.function != ref.symbol or not listing.lines:
            continue
        start = listing.lines[0].address
        for line in listing.lines:
            if line.address - start == ref.offset:
                return line
    return None


def find_effective_address(
    faulting: FaultingInstruction, registers: Mapping[str, Register], far: FaultAddress | None
) -> EffectiveAddress | None:
    """Return the address accessed; None without a memory access or when a register is unknown.

    Registers of an oops are those before the instruction: an aborted access writes nothing back. CPY* and SET*
    have no answer, because their registers count down while they run.
    """
    insn = faulting.insn
    memory = insn.memory
    if memory is None or insn.mnemonic.startswith(("cpy", "set")):
        return None
    base, index = _register(registers, memory.base), None
    if memory.index is not None:
        index = _register(registers, memory.index)
    values = {
        name: register.value
        for name, register in ((memory.base, base), (memory.index, index))
        if name is not None and register is not None and register.value is not None
    }
    value = effective_address(insn, values, values.get("pc"))
    if value is None or base is None or base.value is None:
        return None
    because: list[Fact] = [faulting, base]
    because += [fact for fact in (index, far) if fact is not None]
    return EffectiveAddress(
        source=faulting.source,
        because=tuple(because),
        value=value,
        base=memory.base,
        base_value=base.value,
        index=memory.index,
        index_value=None if index is None else index.value,
        offset=memory.offset,
        agreement=Agreement.NO_FAR if far is None else _compare(value, far.va, insn),
    )


def _register(registers: Mapping[str, Register], name: str) -> Register | None:
    """Return a register; the kernel prints x30 as lr."""
    found = registers.get(name)
    if name == "x30" and (found is None or found.value is None):
        return registers.get("lr")
    return found


def _compare(value: int, far: int, insn: Insn) -> Agreement:
    if value == far:
        return Agreement.EQUAL
    value, far = _without_tag(value), _without_tag(far)
    if value == far:
        return Agreement.EQUAL_BUT_TAG
    memory = insn.memory
    if memory is None:
        return Agreement.DIFFERS
    if (far - value) & _MASK_64 < memory.n_bytes:
        return Agreement.WITHIN_ACCESS
    # Cache and tag block operations work on the block around the address.
    in_block = value // _LARGEST_BLOCK == far // _LARGEST_BLOCK
    if in_block and (memory.cache or (memory.tag and memory.n_bytes == 0)):
        return Agreement.WITHIN_ACCESS
    return Agreement.DIFFERS


def _without_tag(address: int) -> int:
    """Return the address with bits [63:56] copied from bit 55."""
    if address >> 55 & 1:
        return address | 0xFF << 56
    return address & (1 << 56) - 1
