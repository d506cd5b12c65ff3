"""What an image says of a crash: whether it is the crashed kernel's, and what its code and data mean for it."""

from enum import StrEnum

from msgspec import Struct

from whypanic.model.provenance import Derived, Fact
from whypanic.model.registers import SymbolRef
from whypanic.model.trace import Frame


class Match(StrEnum):
    """Whether an image is that of the crashed kernel."""

    MATCHES = "matches"
    """Something that tells images apart agrees, and nothing disagrees."""
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"
    """The text holds nothing to compare with."""


class IdentityCheck(Struct, frozen=True, kw_only=True):
    """One comparison of the text with the image."""

    name: str
    """build-id, version, symbol-size, symbol, code."""
    agrees: bool
    text: str
    """One lower-case sentence with both sides' values."""


class ImageIdentity(Derived, frozen=True, kw_only=True):
    """One image held against the text of one report."""

    name: str
    kind: str
    build_id: str | None
    banner: str | None
    compiler: str | None = None
    linker: str | None = None
    match: Match
    certain: bool
    """Build id equal; or version string, every symbol's size and every `Code:` word equal; and nothing disagrees."""
    checks: tuple[IdentityCheck, ...]
    allowed: bool = False
    """The user said to use it though it does not match."""
    missing: tuple[str, ...] = ()
    """What the image lacks."""
    holds_pc: bool = True
    """PC lies in it; of several images that one tells."""

    @property
    def is_used(self) -> bool:
        """Claims may rest on this image."""
        return self.match is not Match.MISMATCH or self.allowed

    @property
    def statement(self) -> str:
        words = {
            Match.MATCHES: "is the crashed kernel's"
            if self.certain
            else "agrees with the crashed kernel as far as was compared",
            Match.MISMATCH: "is not the crashed kernel's",
            Match.UNKNOWN: "cannot be told from another kernel's by this text",
        }[self.match]
        agreeing = [c.text for c in self.checks if c.agrees is (self.match is not Match.MISMATCH)]
        return f"{self.name} {words}" + (f": {'; '.join(agreeing[:3])}" if agreeing else "")


class DebugEngine(Fact, frozen=True, kw_only=True):
    """What read the image's debug information."""

    name: str
    caution: str | None = None
    """What is to be said of its answers."""


class Slide(Derived, frozen=True, kw_only=True):
    """What is added to link VAs: by KASLR, or for a module its load address."""

    value: int
    """Modulo 2^64: run VA = link VA + value."""
    printed: bool
    """False: solved."""
    module: str | None = None
    section: str | None = None
    """Of a module: where this holds; its sections are loaded each to a place of its own."""
    sentence: str

    @property
    def statement(self) -> str:
        return self.sentence


class HypSlide(Derived, frozen=True, kw_only=True):
    """Link VA = hyp VA + value, modulo 2^64."""

    value: int
    printed: bool
    sentence: str

    @property
    def statement(self) -> str:
        return self.sentence


class SourcePosition(Struct, frozen=True):
    """One function of a chain of inlined ones."""

    function: str | None
    file: str | None
    line: int | None
    column: int | None


class Located(Struct, frozen=True, kw_only=True):
    """A link VA, named."""

    address: int
    """The link VA that was looked up: the instruction itself, or the call before a return address."""
    symbol: str | None
    offset: int | None
    size: int | None
    section: str | None = None
    module: str | None = None
    chain: tuple[SourcePosition, ...] = ()
    """Innermost inlined function first; the last is the function that the code was compiled as."""


class FrameLocation(Derived, frozen=True, kw_only=True):
    """Where the image says that one frame of a trace is."""

    frame: Frame
    located: Located
    note: str = ""
    """How it was told from others of its name, or why it is not what the text calls it."""


class PcLocation(Derived, frozen=True, kw_only=True):
    """Where the image says that PC (or lr) is."""

    register: str
    located: Located

    @property
    def statement(self) -> str:
        at = self.located
        name = f"{at.symbol}+{at.offset or 0:#x}" if at.symbol else f"{at.address:#x}"
        place = at.chain[0] if at.chain else None
        where = f", {place.file}:{place.line}" if place and place.file and place.line else ""
        return f"{self.register} is {name}{where}"


class NamedValue(Derived, frozen=True, kw_only=True):
    """A register whose value is an address in the image."""

    register: str
    value: int
    ref: SymbolRef
    section: str | None


class AccessReading(Derived, frozen=True, kw_only=True):
    """One way to read the faulting access in terms of the source."""

    function: str | None
    """The function, an inlined one perhaps, whose variable it is."""
    variable: str | None
    """`p`, or an expression such as `p->next`."""
    type: str | None
    register: str
    pointer: int
    """Value of that register."""
    struct: str | None = None
    """`struct foo`, the pointee."""
    member: str | None = None
    """Path inside it, e.g. `list.next` or `table[3].id`."""
    member_type: str | None = None
    offset: int | None = 0
    """Bytes from where `variable` points to the access; None where that is not known."""
    value: int | None = None
    """Value of `variable`: that of the register, unless the register holds an address computed from it."""
    origin: str | None = None
    """What the value was loaded from, or returned by: `p->next`, `foo()`."""
    coincides: bool = False
    """Nothing but an equal value ties the register to the variable, or how far they lie apart is not known."""
    sentence: str

    @property
    def statement(self) -> str:
        return self.sentence


class WordState(StrEnum):
    """How one word of the crashed kernel's memory compares with the image."""

    BUILT = "built"
    """As in the file, where nothing would change it."""
    PATCHED = "patched"
    """As alternatives, ftrace, jump labels or a relocation leave it."""
    UNPATCHED = "unpatched"
    """As in the file, though this CPU's features call for another."""
    WRONGLY_PATCHED = "wrongly-patched"
    """As an alternative that this CPU's features do not call for."""
    BIT_FLIP = "bit-flip"
    """One bit away from the word that should be there."""
    NEITHER = "neither"


class ComparedWord(Struct, frozen=True, kw_only=True):
    address: int
    """Link VA."""
    word: int
    """In memory."""
    built: int
    expected: tuple[int, ...]
    """What the word may be on this CPU."""
    state: WordState
    why: str = ""
    """What may change it: `alternative ARM64_HAS_PAN`, `ftrace call site`, `jump label foo`."""


class CodeComparison(Derived, frozen=True, kw_only=True):
    """The words of a `Code:` line held against the image."""

    words: tuple[ComparedWord, ...]
    sentence: str

    @property
    def statement(self) -> str:
        return self.sentence


class ImageLine(Struct, frozen=True, kw_only=True):
    """One word of the image near PC."""

    address: int
    """Link VA."""
    word: int
    """As this CPU's kernel has it; as built where that is not known."""
    is_data: bool
    faulting: bool
    symbol: str | None
    offset: int
    note: str = ""
    position: SourcePosition | None = None
    statement: str = ""
    """The line of source text there, where a tree was given."""


class ImageCode(Derived, frozen=True, kw_only=True):
    """Code of the image around PC, by run address."""

    lines: tuple[ImageLine, ...]
    slide: int = 0
    """Run VA = link VA + slide."""


class TableEntryKind(StrEnum):
    ABSOLUTE = "absolute"
    """The entry is the address."""
    RELATIVE = "relative"
    """The entry is added to a PC-relative base."""


class JumpTable(Derived, frozen=True, kw_only=True):
    """A branch through a table of the image, with the table read."""

    function: str
    branch: int
    """Link VA of the branch."""
    call: bool
    table: int
    """Link VA of the first entry."""
    section: str | None
    entry_bytes: int
    entry_kind: TableEntryKind
    base: int | None
    """What relative entries are added to."""
    targets: tuple[int, ...]
    """Link VAs, by index, as far as the table is known to go."""
    bound: str
    """How its end is known: `cmp at 0x..`, `next table`, `last entry inside the function`."""
    idiom: str
    """Producer and width: `LLVM word, relative to a label`."""
    slice: tuple[int, ...] = ()
    """Link VAs of the instructions that make the target."""
    in_function: bool = True
    """Every target lies in the function: a switch, not an array of functions."""
    fixed_up: int = 0
    """Entries that .hyp.reloc covers."""

    @property
    def statement(self) -> str:
        what = "addresses" if self.entry_kind is TableEntryKind.ABSOLUTE else "offsets"
        return (
            f"the branch at {self.branch:#x} in {self.function} goes through a table of {len(self.targets)} "
            f"{self.entry_bytes}-byte {what} at {self.table:#x}{f' in {self.section}' if self.section else ''}"
        )


class CodeReference(Derived, frozen=True, kw_only=True):
    """An instruction of the image that leads to an address, or a slot that holds it."""

    kind: str
    """call, branch, address (adrp/adr), got, literal, slot, table, undefined (open relocation of an object)."""
    place: int
    """Link VA of the instruction or slot."""
    function: str | None
    section: str | None
    target: int
    target_symbol: str | None
    domain: str | None = None
    """Domain of `place`, e.g. hyp."""
    covered: bool | None = None
    """For a slot: whether .hyp.reloc lists it; None where it does not apply."""
    word: int | None = None
    text: str = ""

    @property
    def statement(self) -> str:
        where = f"{self.function or 'code'} at {self.place:#x}"
        return (
            f"{self.text or self.kind} in {where} leads to {self.target_symbol or hex(self.target)}"
        )


class CallThrough(Derived, frozen=True, kw_only=True):
    """The instruction before the return address in lr, where it calls through a register."""

    place: int
    """Link VA."""
    function: str | None
    register: str
    value: int | None
    """As printed; None: not printed."""
    text: str
    module: str | None = None
    """The module that it was read from; None: the kernel's image."""

    @property
    def statement(self) -> str:
        held = "" if self.value is None else f", {self.register} = {self.value:#x}"
        return f"the call before lr is `{self.text}` in {self.function or hex(self.place)}{held}"


class ExecutionDomain(Fact, frozen=True, kw_only=True):
    """Where PC's code belongs: from sections and boundary symbols of the image."""

    name: str
    """hyp, hyp-idmap, idmap, ..., kernel."""
    first: int
    end: int

    @property
    def statement(self) -> str:
        return f"{self.name} code lies at {self.first:#x}..{self.end:#x}"
