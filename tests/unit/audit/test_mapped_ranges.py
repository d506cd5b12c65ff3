from builders.hyp_images import link_4_14, link_6_1
from builders.moved_code import function
from whypanic.audit.mapped_ranges import Mapped, MappedRanges, mapped_ranges
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage, Section
from whypanic.formats.symbol_table import Symbol, symbol_table

SOURCE = function("f", "  ret") + function("g", "  ret", ".text")
for _section, _name in ((".data", "d"), (".rodata", "r"), (".bss", "b"), (".hyp.rodata", "h")):
    SOURCE += f".section {_section}\n.globl {_name}\n{_name}: .skip 8\n"
LATER = function("__kvm_nvhe___pkvm_init_vm", "  ret")


def ranges_of(view: AuditView) -> MappedRanges:
    (domain,) = view.named(("hyp",))
    return mapped_ranges(view, domain)


def told(view: AuditView, names: str) -> list[Mapped]:
    ranges = ranges_of(view)
    addresses = [view.image.value_of(name) for name in names]
    return [ranges.of(address) for address in addresses if address is not None]


def test_4_14() -> None:
    view = AuditView(open_image(link_4_14(SOURCE)))
    answers = [Mapped.OWN, Mapped.NOT, Mapped.NOT, Mapped.READ_ONLY, Mapped.READ_ONLY]
    assert told(view, "fgdrb") == answers


def test_6_1() -> None:
    view = AuditView(open_image(link_6_1(SOURCE)))
    answers = [Mapped.OWN, Mapped.NOT, Mapped.NOT, Mapped.READ_ONLY, Mapped.READ_ONLY, Mapped.OWN]
    assert told(view, "fgdrbh") == answers
    f, g = view.image.value_of("f"), view.image.value_of("g")
    assert f is not None
    assert g is not None
    assert ranges_of(view).executes(f)
    assert not ranges_of(view).executes(g)
    assert view.image.value_of("__bss_stop") in ranges_of(view).ends()


def test_6_2_and_later() -> None:
    view = AuditView(open_image(link_6_1(SOURCE + LATER)))
    assert told(view, "fdrbh") == [
        Mapped.OWN,
        Mapped.NOT,
        Mapped.SOMETIMES,
        Mapped.SOMETIMES,
        Mapped.OWN,
    ]


def test_raw_image_has_no_symbols_of_data() -> None:
    spans = [
        (".text", 0x10000, True), (".hyp.text", 0x20000, True), (".rodata", 0x30000, False), (".init.text", 0x40000, True),
        (".data", 0x50000, False), (".hyp.reloc", 0x60000, False), (".data", 0x70000, False), (".bss", 0x80000, False),
    ]  # fmt: skip
    names = {
        "__hyp_text_start": 0x20000,
        "__hyp_text_end": 0x30000,
        "__kvm_nvhe___hyp_section_.hyp.text": 0x20000,
    }
    image = KernelImage(
        name="Image",
        kind=ImageKind.RAW,
        symbols=symbol_table([Symbol(n, a, 0, "function") for n, a in names.items()]),
        sections=[Section(n, a, 0x10000, executable=x, writable=False) for n, a, x in spans],
        extents=[Extent(0x10000, memoryview(bytes(0x70000)))],
    )
    ranges = ranges_of(AuditView(image))
    found = [ranges.of(a) for _, a, _ in spans]
    unknown, not_ = Mapped.UNKNOWN, Mapped.NOT
    assert found == [not_, Mapped.OWN, unknown, not_, unknown, not_, not_, unknown]
