"""C expressions for what a register held: `p`, `p->next`, `foo()`, by DWARF and by how the code made the value."""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from whypanic.arch.insn.record import MASK_64, signed
from whypanic.formats.kernel_image import KernelImage
from whypanic.formats.symbol_table import Symbol
from whypanic.symbolize.block_path import Step
from whypanic.symbolize.debug_info import DebugInfo, TypeLayout, Variable
from whypanic.symbolize.value_origin import Atom, Origin, State, What, origins

INDIRECT_CALL = "an indirect call"
_MAX_DEPTH = 6
_MAX_TERMS = 16
_NAMED = frozenset({What.LOADED, What.RETURNED, What.CURRENT})
_FARTHEST_STEP = 12
"""Instructions before the access that are asked for variables."""
_FARTHEST = 1 << 20
"""Bytes between a register and a variable that it is still said to be computed from."""


class How(IntEnum):
    """How a term is known to have the value of a register; better ones first."""

    HELD = 0
    """The debug information says that the register holds it."""
    COPIED = 1
    """Another register holds it, and the code copied that one or added to it."""
    INDEXED = 2
    """As COPIED, with something unnamed added."""
    EARLIER = 3
    """It was the value of that variable a few instructions before."""
    LOADED = 4
    """The code loaded it from there, computed its address, or it is what a call returned."""
    SAME_VALUE = 5


class Term(NamedTuple):
    """An expression, and how far a register's value is from its value."""

    text: str
    layout: TypeLayout | None
    """Its type, where it is known."""
    function: str | None
    how: How
    delta: int | None
    """The register's value minus that of the expression; None: not known."""
    is_integer: bool = False
    symbol: str | None = None
    """Of a term that is the address of a symbol, per-CPU or not: its name."""

    @property
    def pointee(self) -> TypeLayout | None:
        return None if self.layout is None else self.layout.pointee


class Terms:
    """What the registers held along a path that ends at the faulting instruction."""

    def __init__(
        self,
        path: Sequence[Step],
        registers: Mapping[str, int],
        debug_info: DebugInfo | None,
        image: KernelImage | None,
    ) -> None:
        self.path = path
        self.last = len(path) - 1
        self.states: list[State] = origins(path)
        self.registers = registers
        self._debug_info = debug_info
        self._image = image
        self._known: dict[int, tuple[Variable, ...]] = {}

    @property
    def compiled_function(self) -> str | None:
        """The function that the code belongs to by its symbol, without suffixes such as `.isra.0`."""
        symbol = None if self._image is None else self._image.symbol_at(self.path[-1].address)
        return None if symbol is None else symbol.name.partition(".")[0]

    def variables(self, at: int) -> tuple[Variable, ...]:
        """Return the variables in scope at a step; only at the last one are their values known."""
        if at not in self._known:
            values = self.registers if at == self.last else {}
            pc = self.path[at].address
            found = None if self._debug_info is None else self._debug_info.variables(pc, values)
            self._known[at] = found or ()
        return self._known[at]

    def of(self, register: str, reach: int = 0) -> tuple[Term, ...]:
        """Return what a register held before the last step, best first: variables, else what its value was made from.

        :param reach: offset of the access, which tells the symbol where the register holds a constant.
        """
        return self._of(register, self.last, reach, 0)

    def _of(self, register: str, at: int, reach: int, depth: int) -> tuple[Term, ...]:
        found = self.held(register, at)
        if not any(term.pointee is not None for term in found):
            found += self._earlier(register, at)
            found += self.made(self.states[at][register], reach, depth)
        return tuple(found[:_MAX_TERMS])

    def held(self, register: str, at: int) -> list[Term]:
        """Return the variables that a register held, or an address computed from them; inlined functions first."""
        found = self._held_at(at, self.states[at][register], register, at)
        found.sort(key=lambda term: (term.how, term.is_integer, term.delta != 0))
        return found

    def _earlier(self, register: str, at: int) -> list[Term]:
        """Return variables that had the value at the nearest step before: compilers end a variable at its last use."""
        ours = self.states[at][register]
        for before in range(at - 1, max(at - _FARTHEST_STEP, 0) - 1, -1):
            found = self._held_at(before, ours, register, at)
            pointers = [term for term in found if term.pointee is not None]
            if pointers:
                return [term._replace(how=How.EARLIER) for term in pointers]
        return []

    def _held_at(self, at: int, ours: Origin, register: str, used_at: int) -> list[Term]:
        """Return the variables in scope at one step that are related to a value."""
        found = []
        for variable in self.variables(at):
            base = variable.base
            if variable.in_memory or base not in self.states[at] or variable.layout is None:
                continue
            term = self._related(variable, at, ours, register, used_at)
            if term is not None:
                found.append(term)
        return found

    def _related(
        self, variable: Variable, at: int, ours: Origin, register: str, used_at: int
    ) -> Term | None:
        layout, base = variable.layout, variable.base
        if layout is None or base is None:
            return None
        theirs, is_here = self.states[at][base], at == used_at
        delta: int | None
        if (base == register and is_here) or (ours.atoms and ours.atoms == theirs.atoms):
            delta = signed(ours.constant - theirs.constant - variable.delta, 64)
            how = How.HELD if base == register and is_here else How.COPIED
            if not layout.is_pointer and (delta or how is not How.HELD or layout.size < 8):
                return None
            if abs(delta) > _FARTHEST or (
                at == self.last and self._contradicts(register, base, delta + variable.delta)
            ):
                return None
        elif layout.is_pointer and variable.delta == 0 and _is_indexed(ours, theirs):
            value = self.registers.get(register) if used_at == self.last else None
            known = value is not None and variable.value is not None
            delta = signed((value or 0) - (variable.value or 0), 64) if known else None
            if delta is not None and abs(delta) > _FARTHEST:
                delta = None
            how = How.INDEXED
        else:
            return None
        is_integer = not layout.is_pointer
        return Term(variable.name, layout, variable.function, how, delta, is_integer)

    def _contradicts(self, register: str, base: str, distance: int) -> bool:
        """Tell whether the printed values of two registers are not as far apart as the code says."""
        mine, theirs = self.registers.get(register), self.registers.get(base)
        if mine is None or theirs is None:
            return False
        return (mine - theirs - distance) & MASK_64 != 0

    def made(self, origin: Origin, reach: int = 0, depth: int = 0) -> list[Term]:
        """Return expressions for a value by what the code did to make it.

        :param reach: see `of`.
        """
        atoms = [atom for atom in origin.atoms if atom.what is not What.PER_CPU]
        n_per_cpu = len(origin.atoms) - len(atoms)
        named = [atom for atom in atoms if atom.what in _NAMED]
        if depth > _MAX_DEPTH or n_per_cpu > 1 or len(named) > 1:
            return []
        if len(atoms) > 1 and named:
            # Something was added, an index perhaps, and nothing tells how much.
            found = [
                term._replace(how=How.INDEXED, delta=None)
                for term in self._atom(named[0], depth)
                if term.pointee is not None
            ]
        elif len(atoms) > 1:
            return []
        elif atoms:
            found = [term._replace(delta=origin.distance) for term in self._atom(atoms[0], depth)]
        else:
            symbol = self._symbol((origin.constant + reach) & MASK_64)
            if symbol is None:
                return []
            delta = signed(origin.constant - symbol.address, 64)
            name = symbol.name
            found = [Term(f"&{name}", None, None, How.LOADED, delta, symbol=name)]
        if n_per_cpu:
            return [term._replace(text=f"this_cpu_ptr({term.text})") for term in found]
        return found

    def _atom(self, atom: Atom, depth: int) -> list[Term]:
        if atom.what is What.CURRENT:
            return [Term("current", None, None, How.LOADED, 0)]
        if atom.what is What.RETURNED:
            return [Term(self._callee(atom.at), None, None, How.LOADED, 0)]
        if atom.what is What.LOADED:
            return list(self._loaded(atom, depth))[:_MAX_TERMS]
        return []

    def _callee(self, at: int) -> str:
        """Return `foo()` for the call at a step."""
        step = self.path[at]
        branch = step.insn.branch
        target = None
        if branch is not None and branch.offset is not None and self._image is not None:
            target = self._image.symbol_at((step.address + branch.offset) & MASK_64)
        return INDIRECT_CALL if target is None else f"{target.name}()"

    def _loaded(self, atom: Atom, depth: int) -> Iterator[Term]:
        """Yield what the eight bytes are that a step loaded into a register."""
        insn = self.path[atom.at].insn
        memory = insn.memory
        if memory is None or memory.index is not None or memory.base == "pc":
            return
        offset = memory.offset + memory.size * memory.data.index(atom.register)
        address = self.states[atom.at][memory.base].plus(offset)
        spilled = self._at_address(address, atom.at)
        if spilled is not None:
            yield spilled
            return
        for term in self._of(memory.base, atom.at, offset, depth + 1):
            yield from _members_of(term, offset)

    def _at_address(self, address: Origin, at: int) -> Term | None:
        """Return the variable that lies in memory at an address, such as one spilled to the stack."""
        state = self.states[at]
        for variable in self.variables(at):
            base = variable.base
            if not variable.in_memory or base not in state or variable.layout is None:
                continue
            if state[base].plus(variable.delta) == address and variable.layout.is_pointer:
                return Term(variable.name, variable.layout, variable.function, How.LOADED, 0)
        return None

    def _symbol(self, address: int) -> Symbol | None:
        """Return the data symbol that holds an address."""
        if self._image is None:
            return None
        symbol = self._image.symbol_at(address)
        section = self._image.section_at(address)
        if symbol is None or section is None or section.executable or symbol.kind == "function":
            return None
        return symbol if address - symbol.address < max(symbol.size, 1) else None


def _members_of(term: Term, offset: int) -> Iterator[Term]:
    """Yield the pointers that lie at an offset of what a term points to."""
    if term.delta is None:
        return
    place, pointee = term.delta + offset, term.pointee
    if pointee is None:
        # Of a variable known by its symbol only: its first eight bytes are itself, or its first member.
        if term.symbol is not None and place == 0:
            text = term.symbol if term.text == f"&{term.symbol}" else f"*{term.text}"
            yield Term(text, None, None, How.LOADED, 0)
    elif not pointee.structure:
        if place == 0 and pointee.is_pointer:
            yield Term(f"*{term.text}", pointee, term.function, How.LOADED, 0)
    else:
        for member in pointee.members(place, 8):
            if member.exact and member.layout is not None and member.layout.is_pointer:
                text = f"{term.text}->{member.path}"
                yield Term(text, member.layout, term.function, How.LOADED, 0)


def _is_indexed(ours: Origin, theirs: Origin) -> bool:
    """Tell whether one value is the other plus something that no name is known for."""
    if not theirs.atoms or len(ours.atoms) <= len(theirs.atoms):
        return False
    rest = list(ours.atoms)
    for atom in theirs.atoms:
        if atom not in rest:
            return False
        rest.remove(atom)
    return all(atom.what is not What.PER_CPU for atom in rest)
