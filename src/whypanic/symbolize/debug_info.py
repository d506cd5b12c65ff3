"""The protocol behind which drgn, llvm-symbolizer and addr2line answer."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from whypanic.model.image import SourcePosition

Chain = tuple[SourcePosition, ...]


class TypeLayout(Protocol):
    """A C type: what its bytes mean. `symbolize.members.Layout` is one."""

    @property
    def name(self) -> str:
        """`struct foo *`, as C would write it."""
        ...

    @property
    def size(self) -> int:
        """Bytes; 0 where it is not known, as for void and incomplete structures."""
        ...

    @property
    def is_pointer(self) -> bool: ...

    @property
    def structure(self) -> str | None:
        """`struct foo` where it is a structure or union."""
        ...

    @property
    def pointee(self) -> "TypeLayout | None":
        """What it points to; None for what is no pointer."""
        ...

    def members(self, offset: int, n_bytes: int = 0) -> "tuple[Member, ...]":
        """Return what lies at an offset, exact ones first; () before its begin and behind its end."""
        ...


class Member(NamedTuple):
    """What lies at an offset of a structure."""

    struct: str
    """`struct foo`."""
    path: str
    """`list.next`, `table[3].id`; empty where the offset is that of padding."""
    type: str
    exact: bool
    """The member begins at the offset, and is as large as the access."""
    is_function_pointer: bool = False
    layout: TypeLayout | None = None
    """The member's type itself; None in padding."""


class Variable(NamedTuple):
    """A variable in scope at an address."""

    function: str
    """The function, an inlined one perhaps, that declares it."""
    name: str
    type: str
    register: str | None
    """x0..x30, sp: the register that holds exactly this variable; None: in memory, computed, or not known."""
    value: int | None
    pointee: str | None
    """`struct foo` where it points to one."""
    members: tuple[Member, ...] = ()
    """What lies at the asked offset of the pointee."""
    base: str | None = None
    """The register that it is computed from: its value, or where `in_memory` its address, is `base` + `delta`."""
    delta: int = 0
    in_memory: bool = False
    address: int | None = None
    """Where it lies in memory, as far as the given registers tell."""
    layout: TypeLayout | None = None
    """Its type itself."""


class DebugInfo(Protocol):
    """Debug information of one image."""

    engine: str
    """drgn, llvm-symbolizer, addr2line."""

    @property
    def caution(self) -> str | None:
        """What is to be said of this engine's answers, a lower-case clause; None: they are exact."""
        ...

    @property
    def roots(self) -> tuple[str, ...]:
        """Paths of the kernel tree that names of files begin with and that are left out; a module's need them given."""
        ...

    def locate(self, addresses: Sequence[int]) -> list[Chain]:
        """Return for each link VA the chain of functions there, innermost first; () where nothing is known."""
        ...

    def variables(
        self, pc: int, registers: Mapping[str, int], *, offset: int | None = None, n_bytes: int = 0
    ) -> tuple[Variable, ...] | None:
        """Return the variables in scope at a link VA, innermost function first; None: this engine cannot tell.

        :param offset: what is asked of pointers: the member at this offset of their pointee; None: nothing.
        :param n_bytes: size of the access there; 0: not known.
        """
        ...
