"""The view of one report that a cause reads: facts by type, and what follows from them."""

from collections.abc import Iterable
from functools import cached_property
from typing import TypeVar

from whypanic.arch.esr import EsrView, decode_esr
from whypanic.arch.layouts import Classified, Layout, classify
from whypanic.code.faulting import EffectiveAddress, FaultingInstruction
from whypanic.code.kernel_layout import KernelLayout
from whypanic.model.context import KernelVersion
from whypanic.model.fault import FaultAddress, Headline, Syndrome
from whypanic.model.hyp import HypPanic
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.trace import Frame, TraceRole

F = TypeVar("F", bound=Fact)


class CaseView:
    """Everything known of one report. Read only; a cause never sees more than this."""

    def __init__(self, kind: Kind, facts: Iterable[Fact]) -> None:
        self.kind = kind
        self.facts = tuple(facts)
        by_type: dict[type, list[Fact]] = {}
        for fact in self.facts:
            for cls in type(fact).__mro__:
                if cls is Fact:
                    break
                by_type.setdefault(cls, []).append(fact)
        self._by_type = by_type

    def all(self, cls: type[F]) -> tuple[F, ...]:
        """Return every fact of this type, in order of appearance."""
        return tuple(self._by_type.get(cls, ()))  # type: ignore[arg-type]

    def get(self, cls: type[F]) -> F | None:
        """Return the first fact of this type, or None."""
        found = self._by_type.get(cls)
        return found[0] if found else None  # type: ignore[return-value]

    def one(self, cls: type[F]) -> F:
        """Return the first fact of this type; only for types that the cause `needs`."""
        fact = self.get(cls)
        if fact is None:
            raise KeyError(cls.__name__)
        return fact

    # What follows from the facts -------------------------------------------------------------

    @cached_property
    def at_el2(self) -> bool:
        """The code that faulted ran at EL2: the host printed it, or the lab saw EL2 take an exception from itself."""
        seen = self.kind is Kind.BOOT_HANG and self.get(HypPanic) is not None
        return seen or self.kind is Kind.HYP_PANIC

    @cached_property
    def headline(self) -> Headline | None:
        return self.get(Headline)

    @cached_property
    def syndrome(self) -> Syndrome | None:
        """The best ESR of the report: a full one before a reconstructed one."""
        found = self.all(Syndrome)
        return next((s for s in found if s.complete), found[0] if found else None)

    @cached_property
    def esr(self) -> EsrView | None:
        syndrome = self.syndrome
        return None if syndrome is None else decode_esr(syndrome.esr)

    @cached_property
    def far(self) -> FaultAddress | None:
        """The fault address; None where the report printed none."""
        return self.get(FaultAddress)

    @cached_property
    def registers(self) -> dict[str, Register]:
        """First register dump of the report, by name; at EL2 also pc and pstate of the panic line."""
        registers: dict[str, Register] = {}
        for register in self.all(Register):
            registers.setdefault(register.name, register)
        return registers

    @cached_property
    def values(self) -> dict[str, int]:
        """Known register values by name."""
        return {name: r.value for name, r in self.registers.items() if r.value is not None}

    def value(self, name: str) -> int | None:
        return self.values.get(name)

    @cached_property
    def pc_ref(self) -> SymbolRef | None:
        """Symbol of PC: from the `pc :` line, else None."""
        register = self.registers.get("pc")
        return register.ref if register else None

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """Frames of the first call trace of the faulting code (role FAULT), innermost first."""
        frames = [f for f in self.all(Frame) if f.role is TraceRole.FAULT]
        return tuple(f for f in frames if f.trace == frames[0].trace) if frames else ()

    @cached_property
    def kernel(self) -> KernelVersion | None:
        versions = self.all(KernelVersion)
        return next((v for v in versions if not v.banner), versions[0] if versions else None)

    @cached_property
    def hyp(self) -> HypPanic | None:
        return self.get(HypPanic)

    @cached_property
    def faulting(self) -> FaultingInstruction | None:
        return self.get(FaultingInstruction)

    @cached_property
    def effective_address(self) -> EffectiveAddress | None:
        return self.get(EffectiveAddress)

    @cached_property
    def layout(self) -> Layout:
        """Address layout as far as the text tells; `KernelLayout` is the fact behind it."""
        return self.one(KernelLayout).layout

    def classify(self, value: int) -> Classified:
        """Return the region of an address or register value under this kernel's layout."""
        return classify(value, self.layout)
