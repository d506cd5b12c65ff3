"""Where recipes find the symbols that their code refers to, and put their tables."""

from enum import StrEnum
from random import Random
from typing import NamedTuple, Protocol

from builders.planting.ground import HYP, Function, Ground
from builders.planting.linking import Piece


class Area(StrEnum):
    """Parts of an image, by what hyp code may do with them."""

    HYP_TEXT = "hyp text"
    """Starts of functions."""
    HYP_RODATA = "hyp rodata"
    HYP_BSS = "hyp bss"
    HYP_PERCPU = "hyp per-cpu"
    TEXT = "text"
    """Starts of kernel functions."""
    INIT_TEXT = "init text"
    DATA = "data"
    INIT_DATA = "init data"
    PERCPU = "per-cpu"
    RODATA = "rodata"
    BSS = "bss"
    GOT = "got"
    MODULE = "module"
    """Below the kernel; nothing is there in the file."""


UNMAPPED_DATA = (Area.DATA, Area.INIT_DATA, Area.PERCPU)


class Yard(Protocol):
    """What a recipe needs of an image."""

    random: Random

    def target(self, area: Area) -> str:
        """Return a symbol in an area."""

    def near_text(self) -> str:
        """Return a kernel function within reach of ADR."""

    def address(self, symbol: str) -> int | None:
        """Return where a symbol is; None before linking."""

    def table(self, area: Area, label: str, lines: list[str], *, align: int = 8) -> None:
        """Put a table there under a label."""

    def got_load(self, base: int, loaded: int) -> tuple[str, str]:
        """Return the two instructions that load an address from the global offset table."""


class Draft(NamedTuple):
    """One function of a recipe, before it is put anywhere."""

    lines: tuple[str, ...]
    also: frozenset[str] = frozenset()
    """Rules that it breaks besides."""
    detail: str = ""


_SECTION = {
    Area.DATA: ".data",
    Area.INIT_DATA: ".init.data",
    Area.PERCPU: ".data..percpu",
    Area.HYP_PERCPU: ".hyp.data..percpu",
}


class RealYard:
    """A real image: symbols are addresses in it."""

    def __init__(self, ground: Ground, random: Random) -> None:
        self.ground = ground
        self.random = random
        self.outside: dict[str, int] = {}
        self.pieces: list[Piece] = []
        self._hyp_room = ground.hyp_room
        self._rooms = list(ground.kernel_rooms)
        random.shuffle(self._rooms)
        self._got = _got(ground)

    def target(self, area: Area) -> str:
        return self.named(self.pick(area))

    def named(self, address: int) -> str:
        """Return a symbol for an address."""
        name = f"out_{address:x}"
        self.outside[name] = address
        return name

    def pick(self, area: Area) -> int:
        """Return an address in an area, never one of its ends."""
        ground, random = self.ground, self.random
        if area is Area.HYP_TEXT:
            return random.choice([f.address for f in ground.functions if f.domain == "hyp"])
        if area is Area.TEXT:
            return random.choice(ground.starts(".text"))
        if area is Area.INIT_TEXT:
            return random.choice(ground.starts(".init.text"))
        if area is Area.GOT:
            return random.choice(self._got)
        if area is Area.MODULE:
            return min(s.address for s in ground.sections) - random.randrange(1 << 12, 1 << 26, 16)
        if area in (Area.HYP_BSS, Area.BSS):
            names = {
                Area.HYP_BSS: ("__hyp_bss_start", "__hyp_bss_end"),
                Area.BSS: ("__hyp_bss_end", "__bss_stop"),
            }[area]
            first, end = (ground.named[n] for n in names)
            return random.randrange(first + 16, end - 64, 16)
        if area is Area.HYP_RODATA:
            section = ground.section(".hyp.rodata")
            return random.randrange(section.address + 16, ground.hyp_room[0] - 64, 16)
        if area is Area.RODATA:
            first, end = random.choice(ground.kernel_rooms)
            return random.randrange(first, end - 64, 16)
        at, size = random.choice(ground.objects(_SECTION[area]))
        return (at + random.randrange(0, size - 8, 8) if size > 16 else at) & ~7

    def near_text(self) -> str:
        first, end = self.ground.bounds(HYP)
        near = [a for a in self.ground.starts(".text") if end - (1 << 20) < a < first]
        return self.named(self.random.choice(near))

    def address(self, symbol: str) -> int | None:
        return self.outside.get(symbol)

    def table(self, area: Area, label: str, lines: list[str], *, align: int = 8) -> None:
        size = 8 * len(lines) + 16
        if area is Area.HYP_RODATA and self._hyp_room[1] - self._hyp_room[0] >= size:
            at, end = self._hyp_room
            self._hyp_room = (at + size & ~(align - 1), end)
        else:
            first, end = self._rooms.pop()
            at = first + self.random.randrange(0, max(16, end - first - 2 * size), 16)
            if end - at > 4 * size:
                self._rooms.insert(0, (at + size + 15 & ~15, end))
        self.pieces.append(Piece(at, (f"{label}:", *lines), size, is_code=False))

    def got_load(self, base: int, loaded: int) -> tuple[str, str]:
        slot = self.target(Area.GOT)
        return f"adrp x{base}, {slot}", f"ldr x{loaded}, [x{base}, :lo12:{slot}]"


def _got(ground: Ground) -> tuple[int, ...]:
    """Return the slots of the global offset table, which stands in .text up to 6.1."""
    start = ground.named["_GLOBAL_OFFSET_TABLE_"]
    text = ground.section(".text")
    first = ground.named["__idmap_text_end"]
    inside = [a for a in ground.slots.tolist() if first <= a < text.address + text.size]
    own = [a for a in inside if abs(a - start) < 4096]
    return tuple(own or inside)


def code_piece(function: Function, lines: tuple[str, ...]) -> Piece:
    return Piece(function.address, lines, function.size)
