"""Contents of sections that the text quotes: hex dumps and tables of relocations."""

from whypanic.model.provenance import Fact


class SectionBytes(Fact, frozen=True, kw_only=True):
    """Consecutive rows of a hex dump (`objdump -s`, `readelf -x`)."""

    section: str
    address: int
    """As printed: offset in the section of an object, link VA in an image."""
    data: bytes
    """As in the file: relocations of an object are not applied."""

    @property
    def statement(self) -> str:
        return f"{len(self.data)} bytes of {self.section} from {self.address:#x}"


class SectionRelocation(Fact, frozen=True, kw_only=True):
    """One row of a table of relocations (`objdump -r`, `readelf -r`)."""

    section: str
    """Section that is relocated; of dynamic ones the table itself, `.rela.dyn`."""
    offset: int
    """As printed: offset in the section of an object, link VA for dynamic ones."""
    type: str
    """`R_AARCH64_ABS64`; `R_AARCH64_#N` where only a number is known."""
    symbol: str
    """Symbol or section; empty where the row has none."""
    addend: int = 0

    @property
    def statement(self) -> str:
        sign = "-" if self.addend < 0 else "+"
        value = f"{self.symbol}{sign}{abs(self.addend):#x}"
        return f"{self.section} at {self.offset:#x}: {self.type} {value}"
