import numpy as np

from builders.hyp_images import link_6_1
from builders.images import assemble
from builders.moved_code import function
from whypanic.audit.direct_branches import branches_of, undefined_branches, veneers_at
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage
from whypanic.formats.symbol_table import symbol_table

SOURCE = function(
    "f", "  bl g\n  cbz x0, g\n  b.ne f\n  tbz x1, #2, g\n  ret\n  .word 0x14000010"
) + function("g", "  ret")


def test_every_direct_branch_once() -> None:
    view = AuditView(open_image(link_6_1(SOURCE)))
    (hyp,) = view.named(("hyp",))
    f, g = view.image.value_of("f"), view.image.value_of("g")
    assert f is not None
    assert g is not None
    found = branches_of(view, hyp)
    rows = [(place - f, target - f) for place, target, _, _ in found.rows()]
    assert rows == [(0, g - f), (4, g - f), (8, 0), (12, g - f)]
    assert len(found.outside(((f, g),)).places) == 3
    assert len(found.outside(((f, g + 4),)).places) == 0


def test_undefined_branches_of_an_object() -> None:
    source = function("f", "  bl x\n  b y\n  adrp x0, z\n  cbz x0, w\n  bl g\n  ret") + function(
        "g", "  ret"
    )
    view = AuditView(open_image(assemble(source)))
    (hyp,) = view.named(("hyp",))
    assert [entry.symbol for entry in undefined_branches(view, hyp)] == ["x", "y", "w"]


def raw(words: list[int]) -> KernelImage:
    data = np.array(words, "<u4").tobytes()
    extents = [Extent(0x1000, memoryview(data))]
    return KernelImage(name="x", kind=ImageKind.VMLINUX, symbols=symbol_table([]), extents=extents)


LDR_X16, BR_X16, LDR_X17, BR_X17, BTI_C = 0x58000050, 0xD61F0200, 0x58000051, 0xD61F0220, 0xD503245F


def test_veneers_by_their_code() -> None:
    words = [
        LDR_X16,
        BR_X16,
        0x08BD0000,
        0xFFFF8000,
        BTI_C,
        LDR_X17,
        BR_X17,
        1,
        0,
        LDR_X16,
        BR_X17,
        LDR_X16,
    ]
    image = raw(words)
    targets = np.array([0x1000, 0x1010, 0x1024, 0x102C, 0x1002, 0x9000, (1 << 64) - 4], np.uint64)
    found = veneers_at(image, targets)
    assert sorted(found) == [0x1000, 0x1010]
    assert (found[0x1000].register, found[0x1000].slot, found[0x1000].value) == (
        16,
        0x1008,
        0xFFFF800008BD0000,
    )
    assert (found[0x1010].register, found[0x1010].slot, found[0x1010].value) == (17, 0x101C, 1)


def test_no_targets_no_veneers() -> None:
    assert veneers_at(raw([0]), np.empty(0, np.uint64)) == {}
