from whypanic.code.symbol_spans import module_ranges, symbol_spans, window_of
from whypanic.model.fault import PageTable
from whypanic.model.provenance import Source
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.trace import Frame, TraceRole

HERE = Source(line=1, text="a line")


def frame(
    address: int,
    symbol: str,
    *,
    size: int | None = 0x100,
    module: str | None = None,
    role: TraceRole = TraceRole.FAULT,
) -> Frame:
    ref = SymbolRef(symbol=symbol, offset=0x20, size=size, module=module)
    return Frame(address=address, ref=ref, role=role, source=HERE)


def test_a_symbol_tells_the_whole_function() -> None:
    image, modules = symbol_spans([frame(0xFFFFFF8008512340, "foo_attach")])
    assert [(s.first, s.last) for s in image] == [(0xFFFFFF8008512320, 0xFFFFFF800851241F)]
    assert modules == []


def test_without_a_believable_size_only_the_address_counts() -> None:
    for size in (None, 0x10, 1 << 40):
        image, _ = symbol_spans([frame(0xFFFFFF8008512340, "foo_attach", size=size)])
        assert [(s.first, s.last) for s in image] == [(0xFFFFFF8008512340, 0xFFFFFF8008512340)]


def test_what_tells_nothing_is_left_out() -> None:
    facts = [
        frame(0x1234, "foo"),
        frame(0xFFFFFF8008512340, "bpf_prog_0123456789abcdef_foo"),
        frame(0xFFFFFF8008512340, "__kvm_nvhe_foo", role=TraceRole.HYP),
        Register(name="x3", value=0xFFFFFF8008512340, source=HERE),
        Register(name="pc", value=0xFFFFFF8008512340, source=HERE),
        PageTable(owner="user", page_kib=4, va_bits=39, pgd=0xFFFFFFC012345000, source=HERE),
        PageTable(owner="swapper", page_kib=4, va_bits=39, pgd=0x41234000, source=HERE),
    ]
    assert symbol_spans(facts) == ([], [])


def test_page_table_of_the_kernel_is_in_the_image() -> None:
    table = PageTable(owner="swapper", page_kib=4, va_bits=48, pgd=0xFFFF0000093D5000, source=HERE)
    image, _ = symbol_spans([table])
    assert window_of(image) == (0xFFFF0000093D5000, 0xFFFF0000093D5000)


def test_modules_have_a_range_each() -> None:
    facts = [
        frame(0xFFFFFF8000A10020, "foo_init", module="foo"),
        frame(0xFFFFFF8000A12020, "foo_probe", module="foo"),
        frame(0xFFFFFF8000B10020, "bar_init", module="bar"),
    ]
    _, modules = symbol_spans(facts)
    ranges = module_ranges(modules)
    assert [(r.first, r.last, r.name) for r in ranges] == [
        (0xFFFFFF8000A10000, 0xFFFFFF8000A120FF, "module foo"),
        (0xFFFFFF8000B10000, 0xFFFFFF8000B100FF, "module bar"),
    ]


def test_no_spans_have_no_window() -> None:
    assert window_of([]) is None
