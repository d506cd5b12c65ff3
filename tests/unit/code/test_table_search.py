"""Tables found by their look."""

from builders.patched_code import alternative, image
from whypanic.code.alternatives import read_alternatives
from whypanic.code.patch_sites import MOV_X9_LR, PatchSites
from whypanic.code.table_search import find_alternatives, find_jump_labels
from whypanic.formats.kernel_image import ImageKind, KernelImage, Section
from whypanic.formats.symbol_table import symbol_table

N = 20
ROWS = "".join(alternative(f"f + {4 * i}", "10b - 80", 5, 4, 4) for i in range(N))
LABELS = "".join(f".word f + {4 * i} - ., f - .\n.quad key - .\n" for i in range(1, N))
SOURCE = f"""
.type f, %function
f:  .fill {N}, 4, 0xd503201f
    .fill {N}, 4, 0xd503201f
10: ret
.pushsection .init.text, "ax"
.balign 4
start: ret
.popsection
{ROWS}
.pushsection .data, "aw"
.balign 8
    .quad 0, 0, 0, 0
labels:
{LABELS}
    .quad 0, 0
key: .quad 0
.popsection
"""


def raw(img: KernelImage) -> KernelImage:
    """Return an image as a distribution ships it: no section but those of code and data, names of functions only."""
    kept = [s for s in img.sections if s.name in (".text", ".init.text", ".data")]
    return KernelImage(
        name="raw",
        kind=ImageKind.RAW,
        symbols=symbol_table([s for s in img.symbols if s.kind == "function"]),
        sections=kept,
        extents=img.extents,
        relative=img.relative,
    )


def named(img: KernelImage, name: str) -> Section:
    section = img.section(name)
    assert section is not None
    return section


def test_alternatives_behind_the_code_of_initialisation() -> None:
    img = image(SOURCE)
    section = named(img, ".altinstructions")
    assert section.address > named(img, ".init.text").address
    assert find_alternatives(raw(img)) == (section.address, 12 * N)
    table = read_alternatives(raw(img))
    assert (len(table), table.is_known) == (N, True)


def test_jump_labels_among_data() -> None:
    img = image(SOURCE)
    data = named(img, ".data")
    assert find_jump_labels(raw(img)) == (data.address + 32, 16 * (N - 1))
    assert PatchSites(raw(img)).is_known


def test_an_image_without_such_tables() -> None:
    img = raw(image('f: ret\n.pushsection .init.text, "ax"\nret\n.popsection\n'))
    assert find_alternatives(img) is None
    assert find_jump_labels(img) is None
    assert not read_alternatives(img).is_known
    assert not PatchSites(img).is_known


def test_ftrace_sites_are_seen_at_entries() -> None:
    img = raw(image(SOURCE))
    text = named(img, ".text")
    sites = PatchSites(img).within(text.address, text.address + 8)
    assert [s.kind for s in sites if s.kind == "ftrace"] == ["ftrace", "ftrace"]
    assert sites[0].words == (MOV_X9_LR,)
