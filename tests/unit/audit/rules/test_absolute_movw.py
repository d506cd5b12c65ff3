from pathlib import Path

import pytest

from builders.hyp_images import KIMAGE_4_14, STAGE2_4_14
from builders.moved_code import findings, function, functions_found, in_hyp_text
from whypanic.audit.rules.absolute_movw import absolute_movw as rule

FOLDER = Path(__file__).resolve().parents[3] / "data" / "tables"
KERNEL = function("kernel", "  ret", ".text")
LARGE = (
    "  movz x8, #:abs_g3:kernel\n  movk x8, #:abs_g2_nc:kernel\n"
    "  movk x8, #:abs_g1_nc:kernel\n  movk x8, #:abs_g0_nc:kernel\n  br x8"
)
HALVES = [(STAGE2_4_14 + 0x40) >> n & 0xFFFF for n in (0, 16, 32, 48)]


@pytest.mark.parametrize("form", ["object", "4.14"])
def test_address_of_a_symbol(form: str) -> None:
    (finding,) = findings(function("f", LARGE) + KERNEL, form, rule)
    assert finding.fault is not None
    assert (finding.fault.ec, finding.cause) == (0x21, "absolute-pointer-at-el2")
    assert finding.evidence[0].text.startswith("x8 becomes ")


def test_undefined_symbol_of_an_object() -> None:
    (finding,) = findings(function("f", LARGE), "object", rule)
    assert "R_AARCH64_MOVW_UABS_G3 against kernel" in finding.evidence[0].text


LOW, MIDDLE, HIGH, TOP = (f"#{half:#x}" for half in HALVES)
CHAINS = {
    "from below": f"movz x1, {LOW}; movk x1, {MIDDLE}, lsl 16; movk x1, {HIGH}, lsl 32; movk x1, {TOP}, lsl 48",
    "from above": f"movz x1, {TOP}, lsl 48; movk x1, {MIDDLE}, lsl 16; movk x1, {LOW}",
    "movn": f"movn x1, #{HALVES[1] ^ 0xFFFF:#x}, lsl 16; movk x1, {HIGH}, lsl 32; movk x1, {LOW}",
    "movn of low bits": f"movn x1, #{HALVES[0] ^ 0xFFFF:#x}; movk x1, {HIGH}, lsl 32; movk x1, {MIDDLE}, lsl 16",
    "w then x": f"movz w1, {LOW}; movk w1, {MIDDLE}, lsl 16; movk x1, {HIGH}, lsl 32; movk x1, {TOP}, lsl 48",
    "bit mask": f"mov x1, #0xffff000000000000; movk x1, {MIDDLE}, lsl 16; movk x1, {LOW}",
    "moved between": f"movz x2, {LOW}; movk x2, {MIDDLE}, lsl 16; mov x1, x2; movk x1, {TOP}, lsl 48",
    "jumped into": f"movz x1, {LOW}; 1: movk x1, {MIDDLE}, lsl 16; movk x1, {TOP}, lsl 48; cbz x0, 1b",
    "spread": f"movz x1, {LOW}; nop; cbz x0, 1f; 1: movk x1, {MIDDLE}, lsl 16; nop; movk x1, {TOP}, lsl 48",
}


@pytest.mark.parametrize("chain", CHAINS)
def test_chains_of_every_order(chain: str) -> None:
    body = "  " + CHAINS[chain].replace("; ", "\n  ") + "\n  ldr x0, [x1]\n  ret"
    (finding,) = findings(function("f", body) + KERNEL, "4.14", rule)
    assert f"x1 becomes {STAGE2_4_14 + 0x40:#x}" in finding.evidence[0].text
    assert finding.place == max(place for place in finding.slice[:-1])


@pytest.mark.parametrize(
    "body",
    [
        # TRAMP_VALIAS, a mask, kimage_voffset and the hyp vectors before they are patched in
        "movz x1, #0xffff, lsl 48; movk x1, #0x7dff, lsl 32; movk x1, #0xfe78, lsl 16; br x1",
        "movz x1, #0x089e, lsl 16; movk x1, #0x6fc4; and x0, x0, x1; ret",
        "movz x1, #0; movk x1, #0, lsl 16; movk x1, #0, lsl 32; movk x1, #0, lsl 48; sub x0, x0, x1; ret",
        "movz w1, #0x6fc4; movk w1, #0x089e, lsl 16; ldr x0, [x1]; ret",
    ],
)
def test_constants_are_no_addresses(body: str) -> None:
    text = function("f", "  " + body.replace("; ", "\n  ")) + KERNEL
    assert findings(text, "4.14", rule) == []
    assert findings(text, "object", rule) == []


def test_beginning_of_the_image_to_which_the_offset_is_added() -> None:
    # mov_q of KIMAGE_VADDR in __relocate_kernel
    base = KIMAGE_4_14 & ~0x1FFFFF
    body = f"  movz x1, #{base >> 48:#x}, lsl 48\n  movk x1, #{base >> 16 & 0xFFFF:#x}, lsl 16\n"
    base_used = function("f", body + "  add x1, x1, x23\n  ldr x0, [x1]\n  ret")
    start = f"  movz x1, #{KIMAGE_4_14 >> 48:#x}, lsl 48\n"
    start += f"  movk x1, #{KIMAGE_4_14 >> 16 & 0xFFFF:#x}, lsl 16\n"
    added = function("g", start + "  add x1, x1, x23\n  ldr x0, [x1]\n  ret")
    head = function("_head", "  ret", ".head.text")
    assert findings(base_used + added + head + KERNEL, "4.14", rule) == []
    used = function("g", start + "  ldr x0, [x1]\n  ret")
    assert len(findings(used + head + KERNEL, "4.14", rule)) == 1


def test_pc_relative_moves_are_legal() -> None:
    body = (
        "  movz x8, #:prel_g3:kernel\n  movk x8, #:prel_g2_nc:kernel\n"
        "  movk x8, #:prel_g1_nc:kernel\n  movk x8, #:prel_g0_nc:kernel\n  ret"
    )
    assert findings(function("f", body) + KERNEL, "object", rule) == []


def test_address_for_eret_to_el1() -> None:
    body = LARGE.replace("br x8", "msr elr_el2, x8\n  eret")
    assert findings(function("f", body) + KERNEL, "4.14", rule) == []


@pytest.mark.parametrize("form", ["object", "4.14"])
def test_clang_with_the_large_model(form: str) -> None:
    callees = "".join(f"\t.type callee{n}, %function\ncallee{n}:\n\tret\n" for n in range(18))
    text = (FOLDER / "clang-19-large.s").read_text(encoding="utf-8")
    text = in_hyp_text(f"{text}\n\t.text\n{callees}\t.data\n\t.p2align 3\ncell:\n\t.word 0\n")
    assert functions_found(text, form, rule) == {
        *("dense", "with_asm", "in_loop", "threaded", "through_array", "tail_call"),
        *("numbers", "names"),
    }
