"""Machine code that the text carries: `Code:` lines, listings, addr2line results."""

from enum import StrEnum

from msgspec import Struct

from whypanic.model.provenance import Fact
from whypanic.model.registers import SymbolRef


class CodeLine(Fact, frozen=True, kw_only=True):
    """`Code: w w w w (w)`: the words up to the faulting one."""

    words: tuple[int, ...]
    """32-bit words in CPU order, ascending addresses."""
    faulting: int | None
    """Index of the word in parentheses; None when it was not marked or is missing."""
    bad_pc: bool = False
    """`Code: bad PC value`: the kernel could not read at PC."""
    hyp: bool = False
    """The hyp's code, not the host's."""


class Relocation(Struct, frozen=True, kw_only=True):
    """A relocation printed inside a listing."""

    type: str
    symbol: str
    addend: int = 0


class ListingTool(StrEnum):
    GNU_OBJDUMP = "gnu-objdump"
    LLVM_OBJDUMP = "llvm-objdump"
    GDB = "gdb"
    UNKNOWN = "unknown"


class ListingLine(Fact, frozen=True, kw_only=True):
    """One instruction of a listing."""

    address: int
    """As printed: section offset in an object, link VA in an image."""
    word: int | None
    """None where the listing shows no encoding (gdb without /r)."""
    text: str
    """The printed mnemonic: shown, never decoded."""
    function: str | None = None
    relocations: tuple[Relocation, ...] = ()


class Listing(Fact, frozen=True, kw_only=True):
    """One function (or run of lines) of a disassembly in the text."""

    function: str | None
    lines: tuple[ListingLine, ...]
    tool: ListingTool = ListingTool.UNKNOWN
    section: str | None = None
    """From objdump's `Disassembly of section NAME:` above it."""

    @property
    def statement(self) -> str:
        name = self.function or "code"
        return f"listing of {name}, {len(self.lines)} words"


class SourceLocation(Fact, frozen=True, kw_only=True):
    """What addr2line, faddr2line, gdb or a reader said of an address."""

    address: int | None
    """None where the command line with the address is not in the text."""
    function: str | None
    file: str | None
    line: int | None
    ref: SymbolRef | None = None
