"""Places that the kernel patches, and places it has tables of."""

from builders.images import assemble
from builders.patched_code import BASE, NOP, image
from whypanic.code.patch_sites import MOV_X9_LR, PatchSite, PatchSites
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage, RelativeRelocations

BL, RET = 0x94000001, 0xD65F03C0


def sites_in(img: KernelImage, first: int, end: int) -> tuple[PatchSite, ...]:
    return PatchSites(img).within(first, end)


def found(img: KernelImage, n_bytes: int = 64) -> dict[int, PatchSite]:
    return {site.address - BASE: site for site in sites_in(img, BASE, BASE + n_bytes)}


def table(name: str, rows: str) -> str:
    return f'.pushsection {name}, "a"\n.balign 8\n{rows}\n.popsection\n'


def test_two_nops_at_the_entry_are_for_ftrace() -> None:
    img = image(f"f: nop\nnop\nret\n{table('__mcount_loc', '.quad f')}", "-pie")
    sites = found(img)
    assert sites[0].words == (MOV_X9_LR,)
    assert sites[4].allows(BL)
    assert not sites[4].allows(RET)
    assert sorted(sites) == [0, 4]


def test_nops_before_the_function_are_a_literal() -> None:
    img = image(
        ".balign 8\nnop\nnop\n.type f, %function\nf: bti c\nnop\nnop\nret\n.size f, . - f\n"
        + table("__mcount_loc", f".quad {BASE:#x}")
    )
    sites = found(img)
    assert [sites[at].kind for at in (0, 4)] == ["ftrace-literal"] * 2
    assert sites[4].allows(0x12345678)
    assert sites[12].words == (MOV_X9_LR,)
    assert sites[16].allows(BL)
    # The literal belongs to a function whose table row lies before the asked range.
    assert [s.address - BASE for s in sites_in(img, BASE + 16, BASE + 20)] == [16]


def test_a_call_of_mcount_becomes_a_nop() -> None:
    img = image(f"f: bl _mcount\nret\n_mcount: ret\n{table('__mcount_loc', '.quad f')}", "-pie")
    assert found(img)[0].words == (NOP,)


def test_other_words_in_the_table_of_ftrace_are_no_sites() -> None:
    img = image(f"f: nop\nret\n{table('__mcount_loc', '.quad f, 0, f + 1')}", "-pie")
    assert found(img) == {}


def test_the_trampoline_of_ftrace_is_patched_too() -> None:
    img = image(".globl ftrace_call\nf: ret\nftrace_call: nop\nret\n")
    assert found(img)[4].allows(BL)


LABELS = """
f:  nop
    b 1f
    ret
1:  ret
.pushsection .data, "aw"
.balign 8
.type key, %object
key_mark:
key: .quad 0, 0, 0
.size key, 24
.popsection
"""


def test_jump_labels_relative() -> None:
    rows = ".word f - ., 1b - .\n.quad key + 17 - .\n.word f + 4 - ., 1b - .\n.quad key - .\n"
    img = image(LABELS + table("__jump_table", rows), "-pie")
    sites = found(img)
    assert sites[0].words == (NOP, 0x14000003)
    assert sites[0].text == f"jump label key+0x10, to {BASE + 12:#x}"
    assert sites[4].text.startswith("jump label key, ")
    assert sites[4].words == (NOP, 0x14000002)
    assert sites[4].target == BASE + 12


def test_jump_labels_absolute() -> None:
    rows = ".quad f, 1b, key\n.quad f + 4, 1b, key + 1\n"
    sites = found(image(LABELS + table("__jump_table", rows), "-pie"))
    assert sites[0].words == (NOP, 0x14000003)
    assert sites[4].text == f"jump label key, to {BASE + 12:#x}"


def test_jump_labels_of_a_module_name_keys_of_the_kernel() -> None:
    rows = ".word f - ., 1b - .\n.quad far_key - .\n"
    img = open_image(assemble(f"f: nop\nret\n1: ret\n{table('__jump_table', rows)}"))
    text = img.section(".text")
    assert text is not None
    (site,) = sites_in(img, text.address, text.end)
    assert site.text.startswith("jump label far_key, ")


def test_bugs_and_warnings_with_and_without_places() -> None:
    code = "f: brk #0x800\nbrk #0x800\nret\n"
    strings = '.pushsection .rodata.str\n5: .string "made/up.c"\n.popsection\n'
    rows = ".word f - ., 5b - .\n.hword 12, 0\n.word f + 4 - ., 5b - .\n.hword 345, 0x901\n"
    sites = found(image(code + strings + table("__bug_table", rows)))
    assert (sites[0].kind, sites[0].text) == ("bug", "BUG at made/up.c:12")
    assert sites[4].text == "WARN at made/up.c:345"
    assert not sites[4].allows(NOP)
    short = ".word f - .\n.hword 1, 0\n.word f + 4 - .\n.hword 0, 0\n"
    sites = found(image(code + table("__bug_table", short)))
    assert [sites[at].text for at in (0, 4)] == ["WARN", "BUG"]


def test_fixups_of_both_forms() -> None:
    code = "f: ldr x0, [x1]\nret\n9: ret\n"
    new = found(image(code + table("__ex_table", ".word f - ., 9b - .\n.hword 2, 0\n" * 2)))
    old = found(image(code + table("__ex_table", ".word f - ., 9b - .\n")))
    for sites in (new, old):
        assert (sites[0].kind, sites[0].target) == ("fixup", BASE + 8)
    hyp = found(image(code + table("__kvm_ex_table", ".word f - ., 9b - .\n")))
    assert hyp[0].kind == "kvm-fixup"


def test_shadow_call_stacks_only_where_the_kernel_chooses_at_boot() -> None:
    code = "f: paciasp\nautiasp\nret\n"
    assert found(image(code)) == {}
    sites = found(image(f"{code}.globl dynamic_scs_is_enabled\ndynamic_scs_is_enabled: ret\n"))
    assert sites[0].words == (0xF800865E,)
    assert sites[4].words == (0xF85F8E5E,)


def test_run_time_constants() -> None:
    code = (
        "f: movz x0, #0xcdef\nmovk x0, #0x89ab, lsl #16\nmovk x0, #0x4567, lsl #32\n"
        "movk x0, #0x123, lsl #48\nlsr w1, w2, #12\nret\n"
    )
    rows = table("runtime_ptr_made_up", ".word f - .") + table(
        "runtime_shift_made_up", ".word f + 16 - ."
    )
    sites = found(image(code + rows))
    assert sorted(sites) == [0, 4, 8, 12, 16]
    assert sites[4].allows(0xF2A00000)
    assert not sites[4].allows(0xF2A00001)
    assert sites[16].allows(0x53057C41)
    assert sites[16].text == "run-time constant made_up"


def test_only_the_asked_range() -> None:
    img = image(f"f: nop\nnop\nret\n{table('__mcount_loc', '.quad f')}", "-pie")
    tables = PatchSites(img)
    assert [s.address - BASE for s in tables.within(BASE + 4, BASE + 8)] == [4]
    assert tables.within(BASE + 8, BASE + 64) == ()
    assert tables.within(0, 8) == ()


def test_tables_full_of_nonsense_give_nothing() -> None:
    rubbish = ".fill 12, 4, 0xdeadbeef\n"
    names = ("__mcount_loc", "__jump_table", "__bug_table", "__ex_table", "__kvm_ex_table")
    img = image("f: nop\nret\n" + "".join(table(name, rubbish) for name in names))
    assert found(img) == {}
    img.relative = RelativeRelocations(img.symbols.addresses[:1], img.symbols.addresses[:1])
    assert found(img) == {}


def test_a_table_of_no_whole_number_of_addresses_is_cut() -> None:
    img = open_image(
        assemble(
            ".text\n.type f, %function\nf: nop\nnop\nret\n.size f, . - f\n"
            '.section __mcount_loc, "a"\n.p2align 3\n.quad f\n.word 0\n.reloc 8, R_AARCH64_ABS32, f\n'
        )
    )
    (f,) = img.symbols.find("f")
    assert sites_in(img, f.address, f.address + f.size) is not None
