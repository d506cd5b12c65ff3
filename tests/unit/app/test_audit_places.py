import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from builders.audits import finding
from builders.hyp_images import STAGE2_4_14, link_4_14
from builders.images import assemble, link
from builders.stage2 import stage2
from whypanic.app import audit_places
from whypanic.app.audit_places import MAX_SLICE, Place, Places
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.host.symbolizers import find_symbolizer
from whypanic.model.audit import Finding
from whypanic.model.image import SourcePosition
from whypanic.symbolize.debug_info import Chain
from whypanic.symbolize.open_debug_info import open_debug_info

BRANCH = STAGE2_4_14 + 0x30


class Lines:
    """Debug information that has every line, and remembers what it was asked."""

    engine, caution, roots = "made-up", None, ()

    def __init__(self) -> None:
        self.asked: list[int] = []

    def locate(self, addresses: Sequence[int]) -> list[Chain]:
        self.asked += addresses
        return [(SourcePosition("inlined", "a/b.c", a % 1000, None),) for a in addresses]

    def variables(self, *_: object, **__: object) -> None:
        return None


def view_of(path: Path) -> AuditView:
    return AuditView(open_image(path))


def place_of(view: AuditView, found: Finding) -> Place:
    return Places(view, [found], None).of(found)


def test_instruction_of_a_function() -> None:
    view = view_of(link_4_14(stage2()))
    found = place_of(view, finding(BRANCH, slice=(BRANCH - 16, BRANCH)))
    assert (found.function, found.offset) == ("__init_stage2_translation", 0x30)
    assert found.link_address == hex(BRANCH)
    assert found.run_address is None
    assert (found.section, found.section_offset) == (".text", 0x4FB4)
    assert found.names == ("__init_stage2_translation", ".text")
    assert [(line.address, line.word, line.text) for line in found.slice] == [
        (hex(BRANCH - 16), "0xf869794b", "ldr x11, [x10, x9, lsl #3]"),
        (hex(BRANCH), "0xd61f0160", "br x11"),
    ]
    assert (found.file, found.line) == (None, None)


def test_place_is_an_instruction_of_the_slice_even_alone() -> None:
    view = view_of(link_4_14(stage2()))
    assert [line.text for line in place_of(view, finding(BRANCH)).slice] == ["br x11"]


def test_word_of_an_alternative_is_shown() -> None:
    view = view_of(link_4_14(stage2()))
    (line,) = place_of(view, finding(BRANCH, word=0xD503201F)).slice
    assert (line.word, line.text) == ("0xd503201f", "nop")


def test_slot_in_data_is_of_its_object() -> None:
    view = view_of(link_4_14(stage2()))
    table = view.image.value_of(".Ltable") or view.image.section(".rodata").address  # type: ignore[union-attr]
    found = place_of(view, finding(table + 8))
    assert found.section == ".rodata"
    assert found.section_offset == 8
    assert found.slice == ()
    assert ".rodata" in found.names


def test_object_has_no_link_address() -> None:
    view = view_of(assemble(stage2()))
    first = view.image.section(".hyp.text").address  # type: ignore[union-attr]
    found = place_of(view, finding(first + 0x30))
    assert found.link_address is None
    assert (found.section, found.section_offset) == (".hyp.text", 0x30)
    assert (found.function, found.offset) == ("__init_stage2_translation", 0x30)


CODE = """\
.text
.globl _start
.type _start, %function
_start: nop
 br x1
.size _start, . - _start
.data
.quad _start
"""


def test_kernel_that_is_never_moved_runs_at_its_link_address() -> None:
    fixed = view_of(link(CODE))
    start = fixed.image.value_of("_start") or 0
    assert place_of(fixed, finding(start + 4, domain="kernel")).run_address == hex(start + 4)
    assert place_of(fixed, finding(start + 4, domain="hyp")).run_address is None
    moved = view_of(link(CODE, "-pie"))
    assert len(moved.image.relative.slots)
    assert place_of(moved, finding(start + 4, domain="kernel")).run_address is None


@pytest.mark.parametrize("place", [0, 3, -4, BRANCH + 1, (1 << 64) - 4, 1 << 64, 1 << 80])
def test_places_that_are_none(place: int) -> None:
    view = view_of(link_4_14(stage2()))
    found = finding(place, slice=(place, -1, 1 << 70, BRANCH))
    assert [line.text for line in place_of(view, found).slice] == ["br x11"]


def test_slice_is_bounded_and_keeps_the_place() -> None:
    view = view_of(link_4_14(stage2()))
    many = tuple(STAGE2_4_14 - 4 * n for n in range(2 * MAX_SLICE))
    found = place_of(view, finding(BRANCH, slice=(BRANCH, *many)))
    assert len(found.slice) <= MAX_SLICE
    assert hex(BRANCH) in [line.address for line in found.slice]


def test_lines_are_asked_once_for_all_findings() -> None:
    view, lines = view_of(link_4_14(stage2())), Lines()
    both = [finding(BRANCH, slice=(BRANCH - 4, BRANCH)), finding(BRANCH, rule="other")]
    places = Places(view, both, lines)
    assert lines.asked == [BRANCH, BRANCH - 4]
    found = places.of(both[0])
    assert (found.file, found.line) == ("a/b.c", BRANCH % 1000)
    assert found.slice[0].source == f"a/b.c:{(BRANCH - 4) % 1000}"
    assert places.n_left_out == 0


def test_number_of_lines_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_places, "MAX_LOOKED_UP", 1)
    view, lines = view_of(link_4_14(stage2())), Lines()
    places = Places(view, [finding(BRANCH, slice=(BRANCH - 4, BRANCH))], lines)
    assert lines.asked == [BRANCH]
    assert places.n_left_out == 1


def test_lines_of_an_object_with_debug_information() -> None:
    path = assemble(stage2(), "-gdwarf-5")
    view = view_of(path)
    if (
        shutil.which("llvm-symbolizer") is None
        and shutil.which("aarch64-linux-gnu-addr2line") is None
    ):
        pytest.skip(
            "neither llvm-symbolizer nor aarch64-linux-gnu-addr2line: `bash scripts/setup.sh dev` installs both"
        )
    debug = open_debug_info(view.image, find_symbolizer)
    first = view.image.section(".hyp.text").address  # type: ignore[union-attr]
    found = finding(first + 0x30)
    place = Places(view, [found], debug).of(found)
    assert place.line == stage2().splitlines().index("  br x11") + 1


def test_object_without_a_size_ends_at_the_next_symbol() -> None:
    far = ".data\nfirst: .quad 1\nsecond: .quad 2\nlast: .skip 0x20000\n.globl _text\n.text\n_text: nop\n"
    view = view_of(link(far))
    second = view.image.value_of("second") or 0
    found = place_of(view, finding(second + 4))
    assert (found.function, found.offset) == ("second", 4)
    assert place_of(view, finding(second + 0x10000)).function is None
