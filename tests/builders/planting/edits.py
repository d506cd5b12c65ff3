"""Defects made by changing one or two words, records or entries of a real image where they stand."""

import struct
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from builders.planting.forbidden import FP_FORMS
from builders.planting.ground import HYP, Ground
from builders.planting.linking import Piece
from builders.planting.yards import UNMAPPED_DATA, Area, RealYard

_N_TRIES = 200
_USERS = frozenset({"R01", "R02", "R06"})


class Edit(NamedTuple):
    """What is changed, and where a finding may name it."""

    pieces: tuple[Piece, ...] = ()
    slots: tuple[tuple[int, int], ...] = ()
    """RELATIVE records to make or to change: slot and value."""
    entries: tuple[tuple[int, int], ...] = ()
    """Entries of .hyp.reloc to write: their address, and the slot they are to name."""
    symbols: tuple[tuple[str, int], ...] = ()
    """Symbols of an object of eight bytes: a name that the image has, and where it is."""
    places: tuple[int, ...] = ()
    detail: str = ""
    also: frozenset[str] = frozenset()
    """Rules that code breaks which was there and uses what was changed."""


Maker = Callable[[Ground, RealYard, set[int]], Edit | None]


def _word(ground: Ground, random: Random, taken: set[int], mask: int, value: int) -> int | None:
    """Return the place of an instruction of hyp code, of one encoding, that nothing else was planted at."""
    functions = [f for f in ground.functions if f.domain == HYP]
    for _ in range(_N_TRIES):
        function = random.choice(functions)
        places = [
            a
            for a in ground.plain_words(function)
            if ground.word(a) & mask == value and a not in taken
        ]
        if places and not any(part in function.name for part in ("fpsimd", "sve")):
            return random.choice(places)
    return None


def retargeted_call(ground: Ground, yard: RealYard, taken: set[int]) -> Edit | None:
    """R04: a call that is there leads to a kernel function instead."""
    at = _word(ground, yard.random, taken, 0xFC000000, 0x94000000)
    if at is None:
        return None
    return Edit(
        (Piece(at, (f"bl {yard.target(Area.TEXT)}",), 4),),
        places=(at,),
        detail="a call led elsewhere",
    )


def conditional_escape(ground: Ground, yard: RealYard, taken: set[int]) -> Edit | None:
    """R04: a conditional branch out of hyp code; only what is near can be reached."""
    at = _word(ground, yard.random, taken, 0xFF000010, 0x54000000)
    if at is None:
        return None
    near = [a for a in ground.starts(".text") if 0 < at - a < 1 << 20]
    form = yard.random.choice(("b.eq", "b.hi", "cbz x3,", "cbnz w0,"))
    return Edit(
        (Piece(at, (f"{form} {yard.named(yard.random.choice(near))}",), 4),),
        places=(at,),
        detail=form,
    )


def _replacement(ground: Ground, random: Random, taken: set[int]) -> tuple[int, int] | None:
    """Return the place of a word of an alternative of hyp code, and of the word that replaces it."""
    chosen = []
    for place, length, other, size in ground.alternatives:
        if ground.domain_of(place) == HYP and size and size == length:
            chosen += [
                (place + n, other + n)
                for n in range(0, size, 4)
                if place + n not in taken and other + n not in taken
            ]
    return random.choice(chosen) if chosen else None


def call_in_alternative(ground: Ground, yard: RealYard, taken: set[int]) -> Edit | None:
    """R04: replacement code calls a kernel function."""
    found = _replacement(ground, yard.random, taken)
    if found is None:
        return None
    lines = (f"{yard.random.choice(('bl', 'b'))} {yard.target(Area.TEXT)}",)
    return Edit((Piece(found[1], lines, 4),), places=found, detail="in replacement code")


def fp_in_alternative(ground: Ground, yard: RealYard, taken: set[int]) -> Edit | None:
    """R15: replacement code uses FP."""
    found = _replacement(ground, yard.random, taken)
    if found is None:
        return None
    form = yard.random.choice(FP_FORMS)
    return Edit((Piece(found[1], (form,), 4),), places=found, detail=f"{form} in replacement code")


def fp_in_place(ground: Ground, yard: RealYard, taken: set[int]) -> Edit | None:
    """R15: a compare became an FP instruction."""
    at = _word(ground, yard.random, taken, 0x7F20001F, 0x6B00001F)
    at = at or _word(ground, yard.random, taken, 0x7F80001F, 0x7100001F)
    if at is None:
        return None
    form = yard.random.choice(FP_FORMS)
    return Edit((Piece(at, (form,), 4),), places=(at,), detail=form)


def push_in_place(ground: Ground, yard: RealYard, taken: set[int]) -> Edit | None:
    """R11: paciasp became a push to the shadow call stack, as the kernel itself patches it."""
    at = _word(ground, yard.random, taken, 0xFFFFFFFF, 0xD503233F)
    if at is None:
        return None
    return Edit((Piece(at, ("str x30, [x18], #8",), 4),), places=(at,), detail="for paciasp")


def retargeted_reference(ground: Ground, yard: RealYard, taken: set[int]) -> Edit | None:
    """R05: an address that is made in two neighbouring instructions is one of kernel data instead."""
    random = yard.random
    for _ in range(_N_TRIES):
        at = _word(ground, random, taken, 0x9F000000, 0x90000000)
        if at is None:
            return None
        first, second = ground.word(at), ground.word(at + 4)
        register = first & 31
        same = second & 0xFFC00000 == 0x91000000 and second >> 5 & 31 == register
        if same and at + 4 not in taken and _accessed(ground, at + 8, second & 31):
            aim = yard.target(random.choice(UNMAPPED_DATA))
            lines = (f"adrp x{register}, {aim}", f"add x{second & 31}, x{register}, :lo12:{aim}")
            return Edit(
                (Piece(at, lines, 8),),
                places=(at, at + 4),
                detail="a reference led elsewhere",
                also=_USERS,
            )
    return None


def _accessed(ground: Ground, at: int, register: int) -> bool:
    """Tell whether the next instructions load or store through a register; an address may also be only compared."""
    for place in range(at, at + 16, 4):
        word = ground.word(place)
        is_access = word & 0x3B000000 == 0x39000000 or word & 0x3B200C00 == 0x38200800
        if is_access and word >> 5 & 31 == register:
            return True
        if word & 31 == register or word & 0x1C000000 == 0x14000000:  # written, or a branch
            return False
    return False


def dropped_entry(ground: Ground, yard: RealYard, taken: set[int]) -> Edit | None:
    """R03: .hyp.reloc names one slot twice and another not at all."""
    entries = [e for e in ground.hyp_slots if e[1] not in taken]
    (at, slot), (_, other) = yard.random.sample(entries, 2)
    taken.add(other)
    return Edit(entries=((at, other),), places=(slot, other), detail="entry dropped", also=_USERS)


def unlisted_slot(ground: Ground, yard: RealYard, taken: set[int]) -> Edit | None:
    """R03: a pointer in hyp data that the kernel relocates for itself alone."""
    random = yard.random
    bounds = [
        ground.section(".hyp.rodata"),
        ground.section(".hyp.data..percpu"),
    ]
    known = set(ground.slots.tolist())
    for _ in range(_N_TRIES):
        section = random.choice(bounds)
        slot = section.address + 8 * random.randrange(section.size // 8)
        room = range(*ground.hyp_room)  # tables of other plants go there
        if slot not in known and slot not in taken and slot not in room:
            area = random.choice((Area.HYP_TEXT, Area.HYP_RODATA, Area.HYP_BSS))
            return Edit(
                slots=((slot, yard.pick(area)),),
                places=(slot,),
                detail=f"{section.name} to {area}",
                also=_USERS,
            )
    return None


def aim_outside(ground: Ground, yard: RealYard, taken: set[int]) -> Edit | None:
    """R03: a slot that .hyp.reloc lists holds an address that EL2 does not map."""
    slot = yard.random.choice([s for _, s in ground.hyp_slots if s not in taken])
    area = yard.random.choice((Area.TEXT, Area.DATA, Area.INIT_TEXT))
    return Edit(
        slots=((slot, yard.pick(area)),),
        places=(slot,),
        detail=f"listed, leads to {area}",
        also=_USERS,
    )


def misplaced_object(ground: Ground, yard: RealYard, taken: set[int]) -> Edit | None:
    """R30: a variable of the hyp code lies in the kernel's own data."""
    del taken
    area = yard.random.choice(UNMAPPED_DATA)
    at = yard.pick(area)
    name = yard.random.choice(
        [f.name for f in ground.functions if f.name.startswith("__kvm_nvhe_")]
    )
    return Edit(symbols=((name, at),), places=(at,), detail=f"in {area}")


def encoded_entry(at: int, slot: int) -> bytes:
    return struct.pack("<i", slot - at)
