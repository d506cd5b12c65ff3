"""How far PC lies from the hyp idmap page, whose physical address KVM prints at boot."""

from whypanic.model.hyp import HypPanic, IdmapPage
from whypanic.model.provenance import Derived

_SHARED_BITS = 21
"""The kernel image is placed at multiples of 2 MiB, in physical and in virtual addresses alike: the low 21 bits of
an image address are those of its physical address (Linux Documentation/arm64/booting.rst, from memory)."""


class IdmapDistance(Derived, frozen=True, kw_only=True):
    """PC minus the start of the hyp idmap text, modulo 2 MiB."""

    distance: int
    pc: int
    pa: int

    @property
    def statement(self) -> str:
        return (
            f"PC {self.pc:#018x} and the IDMAP page {self.pa:#x} share their placement in 2 MiB: "
            f"PC is {self.distance:#x} past the start of the hyp idmap text"
        )


def find_idmap_distance(panic: HypPanic | None, page: IdmapPage | None) -> IdmapDistance | None:
    """Return the distance, or None where PC or the page was not printed or PC lies before the page."""
    if panic is None or panic.pc is None or page is None:
        return None
    distance = (panic.pc - page.pa) % (1 << _SHARED_BITS)
    if distance >= 1 << (_SHARED_BITS - 1):
        return None
    return IdmapDistance(
        source=page.source, because=(page, panic), distance=distance, pc=panic.pc, pa=page.pa
    )
