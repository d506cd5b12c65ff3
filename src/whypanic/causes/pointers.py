"""What the faulting access says of the pointer behind it: which value, found how, of which nature.

Every rule about pointers asks the same two questions: which value was used as a pointer, and what is that value?
They are answered once here; a rule then only says what its nature means for it. The value is looked for in this order:

1. the base (or index) register of the faulting word, where the word, the registers and FAR agree; without registers,
   the base that the word and FAR imply;
2. without the word, a register so close to FAR that FAR is a member of what it points to;
3. FAR itself.

Sources: Arm ARM DDI 0487 L, FAR_EL1 and ESR_EL1 (ISS of a Data Abort); Linux include/linux/err.h (MAX_ERRNO),
include/linux/slab.h (ZERO_SIZE_PTR), Documentation/dev-tools/kasan.rst (shadow of an address: (address >> 3) + offset).
"""

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from whypanic.arch.values import (
    ascii_text,
    error_pointer,
    near_error_pointer,
)
from whypanic.causes.aborts import is_data_access
from whypanic.causes.case import CaseView
from whypanic.causes.natures import MASK64, PAGE_BYTES, Nature, value_nature
from whypanic.code.faulting import Agreement, EffectiveAddress
from whypanic.model.code import CodeLine
from whypanic.model.fault import KasanHint
from whypanic.model.provenance import Fact


class How(StrEnum):
    """How the value was found."""

    WORD = "word"
    REGISTER = "register"
    FAR = "far"


class Pointer(NamedTuple):
    """A value that was used as a pointer."""

    value: int
    nature: Nature
    is_what: str
    """The value in words: `0`, `-19 (-ENODEV)`, `LIST_POISON1 + 0x8`."""
    how: How
    found: str
    """Where it was found, as the start of a sentence: `base register x0 of the faulting word`."""
    facts: tuple[Fact, ...]
    offset: int = 0
    """Address accessed minus value."""
    inner: "Pointer | None" = None
    """SHADOW: the address whose shadow was looked up."""
    also: Nature | None = None
    """Another nature that the value fits nearly as well."""

    @property
    def story(self) -> "Pointer":
        """The pointer that the code meant: behind a shadow lookup, the address looked up."""
        return self.inner or self

    @property
    def claim(self) -> str:
        """`found holds value: what it is`."""
        return f"{self.found} is {self.value:#x}: {self.is_what}"


@lru_cache(maxsize=8)
def data_pointer(case: CaseView) -> Pointer | None:
    """Return the pointer behind a data access that faulted; None for anything else."""
    if not is_data_access(case):
        return None
    far = case.far
    address = far.va if far is not None and _far_usable(case) else None
    access = case.effective_address
    found = None
    if access is not None and access.agreement is not Agreement.DIFFERS:
        found = _from_word(case, access)
    elif access is None and address is not None and far is not None:
        found = _implied(case, address, far)
    if found is None and address is not None and far is not None:
        found = _from_registers(case, address, far) or _from_far(case, address, far)
    return found


def null_hint(case: CaseView) -> KasanHint | None:
    """Return KASAN's own line where it says `null-ptr-deref`."""
    return next((h for h in case.all(KasanHint) if h.what == "null-ptr-deref"), None)


def _far_usable(case: CaseView) -> bool:
    esr = case.esr
    return esr is None or not esr.is_abort or esr.far_valid is not False


_MASK56 = (1 << 56) - 1

# 1. through the faulting word ----------------------------------------------------------------------


def _from_word(case: CaseView, access: EffectiveAddress) -> Pointer:
    base, index = access.base_value, access.index_value
    facts = (access, *_register_facts(case, access.base))
    found = f"base register {access.base} of the faulting word"
    if index is not None and access.index is not None:
        shadow = _shadow_lookup(case, access, base, index, facts)
        if shadow is not None:
            return shadow
        if _is_better_pointer(case, index, base):
            base, index = index, base
            found = f"index register {access.index} of the faulting word"
            facts = (access, *_register_facts(case, access.index))
    offset = _signed(access.value - base)
    per_cpu = _per_cpu_null(case, access, base, index)
    if per_cpu is not None:
        return per_cpu
    nature, words = value_nature(case, base)
    pointer = Pointer(base, nature, words, How.WORD, found, facts, offset)
    if nature is Nature.ERROR:
        return _container_of(pointer)
    if nature is Nature.NULL and base % 4 and base != 0:
        return _member_of_error(case, pointer)
    plain = {Nature.LINEAR, Nature.MAPPING, Nature.IMAGE, Nature.ODD, Nature.USER, Nature.SMALL}
    if nature in plain and abs(offset) >= PAGE_BYTES:
        nature, words = value_nature(case, access.value)
        words += f", {offset:#x} from {access.base} = {base:#x}"
        return pointer._replace(
            value=access.value, nature=nature, is_what=words, found="the address computed", offset=0
        )
    return pointer


def _implied(case: CaseView, address: int, far: Fact) -> Pointer | None:
    """Return the base that the faulting word and FAR imply where the registers are not in the text."""
    faulting = case.faulting
    memory = faulting.insn.memory if faulting is not None else None
    if faulting is None or memory is None or memory.index is not None or memory.base == "pc":
        return None
    base = (address - memory.offset) & MASK64
    nature, words = value_nature(case, base)
    found = f"base register {memory.base} that the faulting word and FAR imply"
    pointer = Pointer(base, nature, words, How.WORD, found, (faulting, far), memory.offset)
    return _container_of(pointer) if nature is Nature.ERROR else pointer


def _is_better_pointer(case: CaseView, index: int, base: int) -> bool:
    """True where the index register holds the bad pointer and the base only a distance from it."""
    if not 0 < base < PAGE_BYTES:
        return False
    return index >= PAGE_BYTES and value_nature(case, index)[0] is not Nature.SMALL


def _container_of(pointer: Pointer) -> Pointer:
    """Tell a member offset below NULL from an error value: offsets of list members are multiples of 8."""
    distance = _signed(pointer.value)
    if distance % 8:
        return pointer
    return pointer._replace(
        nature=Nature.CONTAINER_OF_NULL,
        is_what=f"NULL minus {-distance:#x}, as container_of() of a NULL member makes it",
        also=Nature.ERROR,
    )


def _member_of_error(case: CaseView, pointer: Pointer) -> Pointer:
    """Tell an error value plus member offset from NULL plus offset: members are aligned, error values seldom."""
    for name, value in case.values.items():
        error = error_pointer(value) if name.startswith("x") else None
        if error is None:
            continue
        distance = (pointer.value - value) & MASK64
        if distance < PAGE_BYTES and distance % 8 == 0 and value % 4:
            return Pointer(
                value,
                Nature.ERROR,
                f"the error value -{error.name}, and {pointer.value:#x} is that plus {distance:#x}",
                pointer.how,
                f"register {name}, from which the address was made,",
                (*pointer.facts, *_register_facts(case, name)),
                distance + pointer.offset,
            )
    return pointer


# MRS Xt, TPIDR_EL1 and MRS Xt, TPIDR_EL2: the per-cpu offset on nVHE and VHE kernels.
_PER_CPU_READS = (0xD538D080, 0xD53CD040)
_ADD_REGISTER_MASK, _ADD_REGISTER = 0xFFE0FC00, 0x8B000000


def _per_cpu_null(
    case: CaseView, access: EffectiveAddress, base: int, index: int | None
) -> Pointer | None:
    """Find `mrs xT, tpidr; add xB, xP, xT` before the access with xP = 0, or a NULL base indexed by xT."""
    line = case.get(CodeLine)
    if line is None or line.faulting is None:
        return None
    words = line.words[: line.faulting]
    for word in words:
        if word & ~0x1F not in _PER_CPU_READS:
            continue
        offset_register = f"x{word & 0x1F}"
        offset = case.value(offset_register)
        if offset is None:
            continue
        null_base = index is not None and access.index == offset_register and base < PAGE_BYTES
        summed = any(
            later & _ADD_REGISTER_MASK == _ADD_REGISTER
            and f"x{later & 0x1F}" == access.base
            and offset_register in (f"x{later >> 5 & 0x1F}", f"x{later >> 16 & 0x1F}")
            for later in words
        )
        distance = base if null_base else (base - offset) & MASK64
        if (null_base or summed) and distance < PAGE_BYTES:
            facts = (access, line, *_register_facts(case, offset_register))
            return Pointer(
                distance,
                Nature.PER_CPU_NULL,
                f"a NULL per-cpu pointer plus this CPU's offset in {offset_register}",
                How.WORD,
                f"base before the per-cpu offset {offset:#x} was added",
                facts,
            )
    return None


def _shadow_lookup(
    case: CaseView, access: EffectiveAddress, base: int, index: int, facts: tuple[Fact, ...]
) -> Pointer | None:
    """Find `ldrsb wN, [address >> 3, shadow offset]`, the check that KASAN puts before an access."""
    for offset, shifted in ((base, index), (index, base)):
        if offset >> 48 != 0xDFFF or offset & 0xFFFF_FFFF:
            continue
        inner_value, inner_words = shifted << 3 & MASK64, "shadow of that address"
        for name, value in case.values.items():
            if name.startswith("x") and value >> 3 == shifted and value:
                inner_value, inner_words = value, f"register {name}, whose shadow was looked up,"
                break
        nature, words = value_nature(case, inner_value)
        inner = Pointer(inner_value, nature, words, How.WORD, inner_words, facts)
        return Pointer(
            (offset + shifted) & MASK64,
            Nature.SHADOW,
            f"the KASAN shadow of {inner_value:#x}",
            How.WORD,
            "the address computed",
            facts,
            inner=inner,
        )
    return None


# 2. through a register near FAR --------------------------------------------------------------------

_TELLING = frozenset({Nature.ERROR, Nature.POISON, Nature.TEXT, Nature.NON_CANONICAL})


def _from_registers(case: CaseView, address: int, far: Fact) -> Pointer | None:
    """Return a register with a telling value from which FAR is a member offset away; nearest first."""
    best: Pointer | None = None
    for name, value in case.values.items():
        if not name.startswith("x") or value in (0, MASK64):
            continue
        distance = _signed(address - value)
        if not -0x100 <= distance < PAGE_BYTES:
            distance = ((address & _MASK56) - (value & _MASK56)) & _MASK56
            if distance >= PAGE_BYTES or value >> 56 == 0xFF:
                continue
        nature, words = value_nature(case, value)
        if nature not in _TELLING or (best is not None and abs(best.offset) <= abs(distance)):
            continue
        pointer = Pointer(
            value,
            nature,
            words,
            How.REGISTER,
            f"register {name}, {distance:#x} from the fault address,",
            (far, *_register_facts(case, name)),
            distance,
        )
        if nature is Nature.ERROR:
            pointer = _container_of(pointer)
            if pointer.nature is Nature.ERROR and (distance < 0 or distance % 4):
                continue  # an error value left over from elsewhere: members are aligned and lie above
        best = pointer
    return best


def _register_facts(case: CaseView, name: str | None) -> tuple[Fact, ...]:
    register = case.registers.get(name) if name is not None else None
    return (register,) if register is not None else ()


# 3. FAR alone --------------------------------------------------------------------------------------


def _from_far(case: CaseView, address: int, far: Fact) -> Pointer:
    nature, words = value_nature(case, address)
    pointer = Pointer(address, nature, words, How.FAR, "the fault address", (far,))
    if nature is Nature.ERROR:
        near = _container_of(pointer)
        return (
            near._replace(is_what="next to zero from below: an error value plus an offset")
            if (near.nature is Nature.ERROR)
            else near
        )
    if nature is Nature.NULL:
        odd = address % 2 and near_error_pointer(address, PAGE_BYTES)
        return pointer._replace(also=Nature.ERROR) if odd else pointer
    if nature in (Nature.NON_CANONICAL, Nature.SMALL) and address >> 56 != 0xFF:
        # A member offset may have changed the lowest byte only.
        text = ascii_text(address & ~0xFF | ord("?"))
        if text is not None and len(text) > 6:
            return pointer._replace(
                nature=Nature.TEXT, is_what=f'the characters "{text}" plus a member offset'
            )
    if nature is Nature.SHADOW or address >> 48 == 0xDFFF:
        hint = null_hint(case)
        inner = (
            Pointer(0, Nature.NULL, "NULL", How.FAR, "address looked up", (hint, far))
            if hint is not None
            else None
        )
        return pointer._replace(nature=Nature.SHADOW, inner=inner)
    return pointer


def _signed(value: int) -> int:
    value &= MASK64
    return value - (1 << 64) if value >> 63 else value
