"""Registers as a report printed them."""

from msgspec import Struct

from whypanic.model.provenance import Fact


class SymbolRef(Struct, frozen=True, kw_only=True):
    """`symbol+0xoffset/0xsize [module]` as printed."""

    symbol: str
    offset: int | None = None
    size: int | None = None
    module: str | None = None
    build_id: str | None = None
    """Of the module, where the kernel prints it (CONFIG_STACKTRACE_BUILD_ID)."""


class Register(Fact, frozen=True, kw_only=True):
    """One register value."""

    name: str
    """x0..x30, sp, pc, lr, pstate, pmr_save; lower case. At EL2 panics: pc, pstate, vcpu."""
    value: int | None
    """None when only a symbol was printed or the value was masked."""
    ref: SymbolRef | None = None
    """For pc and lr: the symbol printed."""
    n_digits: int = 16
    """Hex digits as printed."""


class PstateText(Fact, frozen=True, kw_only=True):
    """The decoded flags that the kernel printed behind pstate, e.g. `nZCv daif +PAN -UAO`."""

    flags: str
