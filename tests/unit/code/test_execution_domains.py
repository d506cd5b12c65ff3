import struct

import pytest

from builders.images import assemble, link
from whypanic.code.execution_domains import (
    Domain,
    domain_at,
    domains_of,
    known_domains,
    read_domain_table,
)
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage, Section
from whypanic.formats.symbol_table import Symbol, symbol_table
from whypanic.model.errors import InputError

NAMES = (
    *("alternatives", "hyp-idmap", "hyp-stub", "hyp", "idmap", "trampoline", "kexec", "hibernate"),
    *("vdso", "efi-stub", "early", "noinstr", "kernel"),
)


def image(symbols: dict[str, int], sections: list[Section] | None = None, functions: dict[str, tuple[int, int]] | None = None, data: bytes = b"") -> KernelImage:  # fmt: skip
    text = Section(".text", 0x10000, 0x10000, executable=True, writable=False)
    listed = [Symbol(name, address, 0, "other") for name, address in symbols.items()]
    listed += [Symbol(n, a, size, "function") for n, (a, size) in (functions or {}).items()]
    return KernelImage(
        name="vmlinux",
        kind=ImageKind.VMLINUX,
        symbols=symbol_table(listed),
        sections=[text, *(sections or [])],
        extents=[Extent(0x30000, memoryview(data))] if data else [],
    )


HYP_TEXT = {
    "_text": 0x10000,
    "_end": 0x90000,
    "__hyp_text_start": 0x12AE0,
    "__hyp_text_end": 0x16000,
}
STUB = {
    "__hyp_stub_vectors": (0x13000, 0x800),
    "elx_sync": (0x13800, 0x40),
    "el2_sync_invalid": (0x13840, 4),
}
NVHE = {"__kvm_nvhe___hyp_section_.hyp.text": 0x14000, "__hyp_rodata_start": 0x40000, "__hyp_rodata_end": 0x44000,
        "__hyp_bss_start": 0x50000, "__hyp_bss_end": 0x52000}  # fmt: skip


def test_nvhe_code_begins_behind_the_stub() -> None:
    made = image(HYP_TEXT | NVHE, functions=STUB)
    found = {domain.name: domain for domain in domains_of(made)}
    assert found["hyp"].code == ((0x14000, 0x16000),)
    assert found["hyp"].data == ((0x40000, 0x44000), (0x50000, 0x52000))
    assert found["hyp"].era == "5.12 and later"
    assert found["hyp-stub"].code == ((0x13000, 0x14000),)
    assert found["hyp"].holds_data(0x43FFF)
    assert not found["hyp"].holds_data(0x44000)


def test_before_5_12_the_stub_is_cut_out_by_its_functions() -> None:
    # 5.9 to 5.11: nVHE objects without section symbols; the code behind the stub is KVM's.
    kvm = {"__kvm_nvhe___kvm_vcpu_run": (0x14000, 0x100), "kvm_function": (0x13844, 0x20)}
    made = image(HYP_TEXT, functions=STUB | kvm)
    hyp = next(d for d in domains_of(made) if d.name == "hyp")
    assert hyp.era == "5.9 to 5.11"
    assert [domain_at(made, a).name for a in (0x13000, 0x13843, 0x13844, 0x15FFC)] == [  # type: ignore[union-attr]
        "hyp-stub", "hyp-stub", "hyp", "hyp",
    ]  # fmt: skip


def test_before_5_9_the_hyp_text_serves_both_modes() -> None:
    made = image(HYP_TEXT, functions={**STUB, "__kvm_vcpu_run": (0x14000, 0x100)})
    hyp = next(d for d in domains_of(made) if d.name == "hyp")
    assert hyp.era == "4.9 to 5.8"
    assert "with VHE" in hyp.runs_at


def test_code_is_where_the_file_has_bytes() -> None:
    """Boundary symbols may lie before the first byte and behind the last, and sections apart."""
    made = KernelImage(
        name="vmlinux",
        kind=ImageKind.VMLINUX,
        symbols=image(HYP_TEXT).symbols,
        sections=[Section(".text", 0x13000, 0x1000, executable=True, writable=False)],
        extents=[
            Extent(0x13000, memoryview(bytes(0x1000))),
            Extent(0x15000, memoryview(bytes(64))),
        ],
    )
    hyp = next(d for d in domains_of(made) if d.name == "hyp")
    assert hyp.code == ((0x13000, 0x14000), (0x15000, 0x15040))
    assert not hyp.holds(0x12F00)


PAIRS = [
    ("hyp-idmap", "__hyp_idmap_text_start", "__hyp_idmap_text_end"),
    ("idmap", "__idmap_text_start", "__idmap_text_end"),
    ("trampoline", "__entry_tramp_text_start", "__entry_tramp_text_end"),
    ("kexec", "__relocate_new_kernel_start", "__relocate_new_kernel_end"),
    ("hibernate", "__hibernate_exit_text_start", "__hibernate_exit_text_end"),
    ("vdso", "vdso_start", "vdso_end"),
    ("noinstr", "__entry_text_start", "__entry_text_end"),
]


@pytest.mark.parametrize(("name", "start", "end"), PAIRS)
def test_domain_lies_between_its_boundary_symbols(name: str, start: str, end: str) -> None:
    made = image({start: 0x11000, end: 0x11100})
    found = {domain.name: domain.code for domain in domains_of(made)}
    assert found[name] == ((0x11000, 0x11100),)
    inside, outside = domain_at(made, 0x110FC), domain_at(made, 0x11100)
    assert inside is not None
    assert outside is not None
    assert (inside.name, outside.name) == (name, "kernel")


def test_kexec_code_of_older_kernels_is_a_function() -> None:
    made = image({}, functions={"arm64_relocate_new_kernel": (0x12000, 0x90)})
    found = domain_at(made, 0x1208C)
    assert found is not None
    assert (found.name, found.era) == ("kexec", "4.8 to 5.15")


def test_prefixed_functions_count_only_in_the_init_text() -> None:
    init = Section(".init.text", 0x20000, 0x1000, executable=True, writable=False)
    names = {
        "__efistub_entry": (0x20100, 0x20),
        "__pi_map": (0x20200, 0x20),
        "__pi_memcpy": (0x10100, 0x20),
        "primary_entry": (0x20300, 0x10),
        "start_kernel": (0x20400, 0x10),
    }
    made = image({"_text": 0x10000, "_end": 0x90000}, [init], names)
    shown = [domain_at(made, first) for first, _ in names.values()]
    assert [d.name for d in shown if d] == ["efi-stub", "early", "kernel", "early", "kernel"]


def test_replacements_of_alternatives_are_no_code_of_their_place() -> None:
    # Two entries, the second a callback without a replacement.
    table = struct.pack("<iiHBB", -0x20000, 0x13000 - 0x30004, 3, 4, 4)
    table += struct.pack("<iiHBB", -0x20000, 0x14000 - 0x30010, 0x8005, 4, 0)
    section = Section(".altinstructions", 0x30000, len(table), executable=False, writable=False)
    made = image({}, [section], data=table)
    alternatives = domains_of(made)[0]
    assert (alternatives.name, alternatives.code) == ("alternatives", ((0x13000, 0x13004),))


def test_objects_are_told_by_their_sections() -> None:
    source = '.section .hyp.text,"ax"\nf: ret\n.section .hyp.rodata,"a"\n.quad 0\n.text\ng: ret\n'
    made = open_image(assemble(source))
    at = {s.name: s.address for s in made.symbols}
    hyp, other = domain_at(made, at["f"]), domain_at(made, at["g"])
    assert hyp is not None
    assert other is not None
    assert (hyp.name, hyp.era, len(hyp.data)) == ("hyp", "objects", 1)
    assert other.name == "kernel"


def test_data_belongs_to_no_domain_of_code() -> None:
    made = open_image(link(".text\nf: ret\n.data\nd: .quad 0\n"))
    address = made.value_of("d")
    assert address is not None
    assert domain_at(made, address) is None


OWN = """
[[domain]]
name = "secure"
title = "code of a secure monitor"
[[domain.layout]]
era = "mine"
sections = [".text"]
code = [{ functions = ["monitor"] }]
runs_at = "EL3"
"""


def test_domains_of_the_user_go_first() -> None:
    made = image({"_text": 0x10000, "_end": 0x90000}, functions={"monitor": (0x15000, 0x10)})
    rows = read_domain_table(OWN, "mine.toml")
    found = domains_of(made, rows)
    assert (found[0].name, found[0].code) == ("secure", ((0x15000, 0x15010),))
    assert [d.name for d in domains_of(made)] == [d.name for d in found[1:]]


@pytest.mark.parametrize(
    "text", [OWN.replace("runs_at", "runs_in"), OWN.replace("[[domain]]", "[domain"), "x = 1"]
)
def test_table_with_unknown_keys_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="table of domains") as caught:
        read_domain_table(text, "mine.toml")
    assert caught.value.path == "mine.toml"


@pytest.mark.parametrize(
    "ranges",
    [
        '{ from = "a" }',
        '{ to = "a" }',
        '{ section = ".text", executable = true }',
        '{ from = "a", to = "b", run = "c" }',
        "{ }",
        '{ from = "a", section = ".text" }',
    ],
)
def test_range_has_exactly_one_form(ranges: str) -> None:
    text = OWN.replace('{ functions = ["monitor"] }', ranges)
    with pytest.raises(InputError, match="a range of domain `secure` must have one form"):
        read_domain_table(text, "mine.toml")


def test_names_are_those_of_the_contract_in_order_of_precedence() -> None:
    assert tuple(row.name for row in known_domains()) == NAMES


def hyp_of(more: dict[str, int], functions: dict[str, tuple[int, int]] | None = None) -> Domain:
    rodata = {
        "__start_rodata": 0x30000,
        "__end_rodata": 0x38000,
        "__bss_start": 0x60000,
        "__bss_stop": 0x70000,
    }
    table = {"__start___kvm_ex_table": 0x15F00, "__stop___kvm_ex_table": 0x15F20}
    made = image(HYP_TEXT | rodata | table | more, functions=(functions or {}) | STUB)
    return next(d for d in domains_of(made) if d.name == "hyp")


def test_what_hyp_code_reaches_of_the_kernel() -> None:
    kernel = ((0x30000, 0x38000), (0x60000, 0x70000))
    assert hyp_of({}).reaches == hyp_of(NVHE).reaches == kernel
    assert hyp_of(NVHE).tables == ((0x15F00, 0x15F20),)
    later = hyp_of(
        NVHE, {"__kvm_nvhe___pkvm_init_vm": (0x14000, 8), "kvm_vgic_global_state": (0x31000, 0x58)}
    )
    assert later.era == "6.2 and later"
    assert (later.reaches, later.reaches_warn) == (((0x31000, 0x31058),), kernel)


def test_objects_of_the_nvhe_build_are_told_by_their_file_name() -> None:
    path = assemble(
        '.text\nf: ret\n.section .text.cold,"ax"\nret\n.section .idmap.text,"ax"\nret\n'
    )
    named = {d.name: d for d in domains_of(open_image(path, name="hyp/nvhe/switch.nvhe.o"))}
    assert {"hyp", "hyp-idmap"} <= set(named)
    assert sum(end - first for first, end in named["hyp"].code) == 8
    assert "hyp" not in {d.name for d in domains_of(open_image(path, name="switch.o"))}


def test_objects_before_5_12_have_the_kernels_read_only_data() -> None:
    source = '.section .hyp.text,"ax"\nret\n.section .rodata.str1.8,"a"\n.quad 1\n.data\n.quad 1\n'
    hyp = next(d for d in domains_of(open_image(assemble(source))) if d.name == "hyp")
    assert [end - first for first, end in hyp.reaches if end > first] == [8]
