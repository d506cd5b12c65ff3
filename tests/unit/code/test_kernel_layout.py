import pytest

from whypanic.arch.layouts import classify
from whypanic.code.kernel_layout import infer_layout
from whypanic.model.context import CommandLine, KernelOffset, KernelVersion, MemoryRange, Task
from whypanic.model.fault import KasanHint, PageTable
from whypanic.model.hyp import HypPanic, HypPanicAt, HypVaRange
from whypanic.model.provenance import Source
from whypanic.model.regions import Region
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.trace import Frame, TraceRole


def at(line: int) -> Source:
    return Source(line=line, text=f"line {line}")


def version(release: str, *, banner: bool = False) -> KernelVersion:
    return KernelVersion(release=release, banner=banner, source=at(1))


def table(
    va_bits: int, page_kib: int = 4, owner: str = "swapper", pgd: int = 0x41000000
) -> PageTable:
    return PageTable(owner=owner, page_kib=page_kib, va_bits=va_bits, pgd=pgd, source=at(2))


def register(
    name: str, value: int, symbol: str | None = None, module: str | None = None
) -> Register:
    ref = SymbolRef(symbol=symbol, offset=0x10, size=0x80, module=module) if symbol else None
    return Register(name=name, value=value, ref=ref, source=at(3))


def frame(address: int, symbol: str, module: str | None = None) -> Frame:
    ref = SymbolRef(symbol=symbol, offset=0x20, size=0x100, module=module)
    return Frame(address=address, ref=ref, source=at(4))


def test_no_facts_still_make_a_layout() -> None:
    found = infer_layout(())
    assert found.layout.va_bits is None
    assert found.source == Source()
    assert found.because == ()
    assert found.statement == (
        "neither the width of addresses nor the kernel's version is in the text"
    )
    assert not classify(0xFFFF800012345678, found.layout).certain


def test_page_table_line_and_version() -> None:
    found = infer_layout([version("6.1.55"), table(48)])
    assert found.statement == "48-bit, linear map in the lower half (5.4 and later)"
    assert (found.layout.va_bits, found.layout.page_kib) == (48, 4)
    assert found.layout.candidates == ("5.15",)
    assert found.source == at(2)
    old = infer_layout([version("4.14.200"), table(39)])
    assert old.statement == "39-bit, linear map in the upper half (before 5.4)"


def test_the_line_of_the_report_beats_the_banner() -> None:
    found = infer_layout([version("6.9.1", banner=True), version("4.19.3"), table(48)])
    assert found.layout.flipped is False


def test_user_table_of_52_bits_before_5_4_says_nothing_of_the_kernel() -> None:
    assert infer_layout([version("5.2.1"), table(52, 64, "user")]).layout.va_bits == 48
    assert infer_layout([version("6.12.1"), table(52, 64, "user")]).layout.va_bits == 52


def test_kernel_offset_line_beats_the_version() -> None:
    offset = KernelOffset(
        enabled=True, offset=0x2A5C71200000, base=0xFFFF800010000000, source=at(9)
    )
    found = infer_layout([version("4.18.0-305.x"), offset])
    assert found.layout.flipped is True
    assert "48-bit, from the base of the Kernel Offset line" in found.statement
    assert found.statement.endswith(
        "measured by the base of the Kernel Offset line against version 4.18.0-305.x"
    )
    image = classify(0xFFFF800010000000 + 0x2A5C71200000 + 0x81234, found.layout)
    assert (image.region, image.certain) == (Region.IMAGE, True)
    assert found.because[0] is offset


def test_disabled_offset_and_nokaslr_keep_the_image_at_its_base() -> None:
    off = KernelOffset(enabled=False, source=at(9))
    nokaslr = CommandLine(text="console=ttyAMA0 nokaslr", source=at(5))
    for fact in (off, nokaslr):
        layout = infer_layout([version("6.6.1"), table(48), fact]).layout
        assert classify(0xFFFF800080123450, layout).region is Region.IMAGE
        assert classify(0xFFFFB5A3C1234568, layout)[:1] == (Region.VMALLOC,)
        assert classify(0xFFFFB5A3C1234568, layout).alternatives == ()


def test_printed_ranges() -> None:
    rows = (
        ("modules", 0xFFFF000000000000, 0xFFFF000008000000),
        ("vmalloc", 0xFFFF000008000000, 0xFFFF7DFFBFFF0000),
        (".text", 0xFFFF000008080000, 0xFFFF000008B00000),
        ("memory", 0xFFFF800000000000, 0xFFFF800080000000),
        ("vmalloc", 0x12345678, 0x23456789),
    )
    facts = [MemoryRange(name=n, first=a, last=b, source=at(7)) for n, a, b in rows]
    found = infer_layout(facts)
    assert found.layout.va_bits == 48
    assert found.layout.flipped is False
    assert classify(0xFFFF000008AFFFFF, found.layout).region is Region.IMAGE
    assert classify(0xFFFF000008B00000, found.layout).region is Region.VMALLOC
    assert classify(0xFFFF8000F0000000, found.layout).region is Region.LINEAR


def test_addresses_with_symbols_place_image_and_module() -> None:
    facts = [
        version("4.9.118"),
        register("pc", 0xFFFFFF8008A31234, "foo_probe"),
        frame(0xFFFFFF8008512340, "bar_attach"),
        frame(0xFFFFFF8008012340, "do_one_initcall"),
        frame(0xFFFFFF8001198880, "baz_init", "baz"),
    ]
    found = infer_layout(facts)
    assert found.layout.va_bits == 39
    assert found.layout.flipped is False
    between = classify(0xFFFFFF8008700000, found.layout)
    assert (between.region, between.certain) == (Region.IMAGE, True)
    module = classify(0xFFFFFF8001198890, found.layout)
    assert (module.region, module.note) == (Region.MODULE, "module baz")


def test_image_inside_the_linear_map() -> None:
    facts = [version("3.18.31"), register("pc", 0xFFFFFFC000A31234, "foo_probe")]
    found = infer_layout(facts)
    assert found.layout.candidates == ("3.7",)
    assert "image inside the linear map" in found.statement


def test_one_damaged_address_does_not_stretch_the_image() -> None:
    facts = [
        version("5.10.1"),
        *(frame(0xFFFF800010100000 + i * 0x1000, f"foo_{i}") for i in range(4)),
        frame(0xFFFFFF0010100000, "damaged"),
    ]
    layout = infer_layout(facts).layout
    assert layout.kimage == (0xFFFF8000100FFFE0, 0xFFFF8000101030DF)


def test_generated_code_is_no_image() -> None:
    facts = [version("4.9.1"), frame(0xFFFFFF8000A00020, "bpf_prog_0123456789abcdef_foo")]
    assert infer_layout(facts).layout.kimage is None


def test_width_from_the_stack_pointer() -> None:
    stacks = {
        0xFFFFFFC0123A3C40: 39,
        0xFFFF80002B003C40: 48,
        0xFFFFC00085003C40: 47,
        0xFFFFFE001B003C40: 42,
        0xFFFF000012343C40: 48,
    }
    for value, va_bits in stacks.items():
        assert infer_layout([register("sp", value)]).layout.va_bits == va_bits


def test_registers_only_tell_52_from_48_bits() -> None:
    stack = register("sp", 0xFFFF80002B003C40)
    wide = [register("x1", 0xFFF0000004C0FFE8), register("x2", 0xFFF0000004C0AAA8)]
    assert infer_layout([version("6.12.1"), stack, *wide]).layout.va_bits == 52
    assert infer_layout([version("6.12.1"), stack, wide[0]]).layout.va_bits == 48
    assert infer_layout([version("6.12.1"), *wide]).layout.va_bits is None
    mask = [register("x1", 0xFFF0000000000000), register("x2", 0xFFF1000000000000)]
    assert infer_layout([version("6.1.1"), stack, *mask]).layout.va_bits == 48


def test_the_stack_of_a_task_is_vmalloc() -> None:
    stack = register("sp", 0xFFFF80000A003C40)
    task = Task(cpu=0, pid=123, comm="foo", source=at(1))
    idle = Task(cpu=0, pid=0, comm="swapper/0", source=at(1))
    found = classify(0xFFFF80000A003CC0, infer_layout([version("6.1.1"), stack, task]).layout)
    assert (found.region, found.certain) == (Region.VMALLOC, True)
    assert not classify(
        0xFFFF80000A003CC0, infer_layout([version("6.1.1"), stack, idle]).layout
    ).certain
    old = infer_layout([version("4.9.1"), register("sp", 0xFFFF00000A003C40), task]).layout
    assert not classify(0xFFFF00000A003CC0, old).certain


def test_stack_only_leans() -> None:
    layout = infer_layout([table(48), register("sp", 0xFFFF80002B003C40)]).layout
    assert layout.flipped is None
    assert classify(0xFFFF000012345678, layout)[0] is Region.LINEAR
    old = infer_layout([table(48), register("sp", 0xFFFF00002B003C40)]).layout
    assert classify(0xFFFF800012345678, old)[0] is Region.LINEAR


def test_user_page_table_in_the_linear_map() -> None:
    found = infer_layout([table(48, owner="user", pgd=0xFFFF80001AB36000)])
    assert found.layout.flipped is False


def test_kasan_is_known_by_its_own_words() -> None:
    hint = KasanHint(what="null-ptr-deref", first=0, last=7, source=at(6))
    layout = infer_layout([version("6.1.1"), table(48), hint]).layout
    assert classify(0xFFFF700000001234, layout).region is Region.KASAN_SHADOW
    user = register("pc", 0xFFFF800008123450, "__asan_load8")
    assert (
        infer_layout([version("6.1.1"), table(48), user]).layout
        != infer_layout(
            [version("6.1.1"), table(48), register("pc", 0xFFFF800008123450, "foo")]
        ).layout
    )


def test_hyp_range_counts_at_el2_only() -> None:
    printed = HypVaRange(first=0x400000000000, last=0x7FFFFFFFFFFF, source=at(5))
    panic = HypPanic(
        ps=0x3C9,
        pc=0x600012345678,
        esr=0x86000006,
        far=None,
        hpfar=None,
        par=None,
        vcpu=None,
        source=at(8),
    )
    assert infer_layout([version("5.2.1"), table(48), printed]).layout.hyp is None
    found = infer_layout([version("5.2.1"), table(48), printed, panic]).layout
    assert found.hyp == (0x400000000000, 0x7FFFFFFFFFFF)
    assert classify(0x600012345678, found).region is Region.HYP


def test_hyp_pc_tells_the_half_of_hyp_addresses() -> None:
    panic = HypPanic(
        ps=0x3C9,
        pc=0x83001228ADA0,
        esr=0x86000007,
        far=None,
        hpfar=None,
        par=None,
        vcpu=None,
        source=at(8),
    )
    layout = infer_layout([version("5.2.1"), panic]).layout
    near = classify(0x83001228BDA0, layout)
    assert (near.region, near.alternatives) == (Region.HYP, (Region.USER,))
    assert classify(0x12345678, layout).region is Region.USER


def test_link_address_of_a_hyp_symbol_tells_the_base() -> None:
    where = HypPanicAt(
        what="panic",
        address=0xFFFF800008FA3750,
        ref=SymbolRef(symbol="__kvm_nvhe_foo", offset=0x10, size=0x34),
        source=at(8),
    )
    hyp_frame = Frame(
        address=0xFFFF800008FA3800,
        ref=SymbolRef(symbol="__kvm_nvhe_bar"),
        role=TraceRole.HYP,
        source=at(9),
    )
    layout = infer_layout([where, hyp_frame]).layout
    assert (layout.va_bits, layout.candidates) == (48, ("5.15",))
    assert layout.kimage is None


def test_hostile_facts() -> None:
    big = (1 << 64) - 1
    facts = [
        version("99999999.4294967295"),
        table(7, 3, "user", big),
        KernelOffset(enabled=True, offset=big, base=big, source=at(1)),
        MemoryRange(name="memory", first=big, last=0, source=at(1)),
        HypVaRange(first=5, last=1, source=at(1)),
        register("pc", big, "foo"),
        register("sp", 0),
        frame(0xFFFF000000000000, "low"),
    ]
    assert infer_layout(facts).layout.candidates


@pytest.mark.parametrize(
    ("release", "candidates"),
    [
        ("6.4.0", ("5.15", "6.5")),
        ("6.4.0+", ("5.15", "6.5")),
        ("6.4.0-01234-g0123456789ab", ("5.15", "6.5")),
        ("6.4.0-rc3-next-20230525", ("5.15", "6.5")),
        ("6.4.0-rc3-00007-g0123456789ab", ("5.15",)),
        ("6.4.0-rc3", ("5.15",)),
        ("6.4.12", ("5.15",)),
        ("6.4.0-31-generic", ("5.15",)),
        ("6.4", ("5.15",)),
    ],
)
def test_names_of_trees_under_development(release: str, candidates: tuple[str, ...]) -> None:
    layout = infer_layout([version(release), table(48)]).layout
    assert layout.candidates == candidates


def test_hyp_pc_beyond_48_bits() -> None:
    panic = HypPanic(
        ps=0x3C9,
        pc=0xA5FA44012345C,
        esr=0x86000006,
        far=None,
        hpfar=None,
        par=None,
        vcpu=None,
        source=at(8),
    )
    layout = infer_layout([version("6.18.1"), panic]).layout
    assert layout.va_bits == 52
    assert classify(0xA5FA44012345C, layout).region is Region.HYP
