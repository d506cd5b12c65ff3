"""The reference case from the mail alone, and mails in which the evidence says something else."""

import re
from functools import cache
from typing import Any

import msgspec
import pytest

from builders.repository import ROOT
from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput

MAIL = (ROOT / "examples" / "2017-juno-hyp-panic.txt").read_text()
PC = "ffff0000089e6fd8"


@cache
def explain(mail: str) -> dict[str, Any]:
    document = build_document([explain_input(RawInput("mail", mail.encode()))])
    (report,) = msgspec.to_builtins(document)["reports"]
    return report


def cause(report: dict[str, Any], id_: str) -> dict[str, Any]:
    return next(c for c in report["causes"] if c["id"] == id_)


def verdict(report: dict[str, Any], id_: str) -> str:
    return cause(report, id_)["verdict"]


def claims(report: dict[str, Any], id_: str) -> str:
    return "\n".join(c["text"] for c in cause(report, id_)["claims"])


def evidence(report: dict[str, Any], name: str) -> str:
    return "\n".join(e["text"] for e in report["evidence"] if e["name"] == name)


JUMP_TABLE = "absolute-jump-table-at-el2"
POINTER = "absolute-pointer-at-el2"


def test_first_cause() -> None:
    report = explain(MAIL)
    assert report["kind"] == "hyp-panic"
    assert (report["el"], report["kvm_mode"]) == (2, "nvhe")
    assert (report["causes"][0]["id"], report["causes"][0]["verdict"]) == (JUMP_TABLE, "supported")
    assert report["blame"]["function"] == "__init_stage2_translation"
    assert report["blame"]["line"] == 38


def test_point_1_syndrome_and_pstate() -> None:
    report = explain(MAIL)
    assert report["syndrome"]["esr"] == "0x86000004"
    assert report["syndrome"]["ec"] == "0x21"
    status = next(f for f in report["syndrome"]["fields"] if f["name"].endswith("FSC"))
    assert status["value"] == "0x4"
    assert "level 0" in status["meaning"].lower()
    flags = {f["name"]: f["value"] for f in report["pstate"]["fields"]}
    assert [flags[n] for n in "NZCV"] == ["0x1", "0x0", "0x0", "0x0"]
    assert [flags[n] for n in "DAIF"] == ["0x1"] * 4


def test_point_2_the_address_and_its_range() -> None:
    report = explain(MAIL)
    text = claims(report, JUMP_TABLE)
    assert "TTBR0_EL2 only" in text
    facts = "\n".join(f["text"] for c in cause(report, JUMP_TABLE)["claims"] for f in c["facts"])
    assert "outside the HYP VA range 800000000000:ffffffffffff" in facts
    assert "0x4fd8 past the hyp idmap text" in text
    assert report["far"]["valid"] is True


def test_point_3_values_that_mean_nothing() -> None:
    report = explain(MAIL)
    assert report["hpfar"]["valid"] is False
    assert report["hpfar"]["ipa"] is None
    assert "means nothing" in evidence(report, "vcpu")
    assert report["par"]["value"] == "0x0"


def test_point_4_the_table() -> None:
    text = claims(explain(MAIL), JUMP_TABLE)
    assert "8-byte entries" in text
    assert "unchanged" in text
    assert "[0] +0x5c, [1] +0x34, [2] +0x54, [3] +0x48, [4] +0x50" in text


def test_point_5_the_threads_suspicion_is_refuted() -> None:
    report = explain(MAIL)
    assert verdict(report, POINTER) == "refuted"
    text = claims(report, POINTER)
    assert "line 38" in text
    assert "23" in text
    assert "1010" in text
    assert verdict(report, "mispatched-alternatives") == "refuted"
    assert "VIRT_HOST_EXTN" in claims(report, "mispatched-alternatives")


def test_point_6_the_return_is_refuted_though_its_flags_fit() -> None:
    report = explain(MAIL)
    assert verdict(report, "corrupted-return-address") == "refuted"
    text = claims(report, "corrupted-return-address")
    assert "8-bit VMIDs" in text
    assert "inside __init_stage2_translation" in text


def test_point_7_core_index_and_load_address() -> None:
    report = explain(MAIL)
    text = claims(report, JUMP_TABLE)
    assert "Cortex-A57 (4)" in text
    assert "Cortex-A53 (2)" in text
    assert "PARange = 0, 1, 2, 3" in text
    assert "index 2 on a Cortex-A53" in text
    assert "0xffff0000089e6f84" in text


def test_point_9_remedies() -> None:
    remedies = cause(explain(MAIL), JUMP_TABLE)["remedies"]
    assert "-fno-jump-tables" in remedies[0]["text"]
    assert any(".hyp.reloc" in r["text"] and "offsets" in r["text"] for r in remedies)


def test_rivals_are_listed_and_refuted() -> None:
    report = explain(MAIL)
    for rival in (
        POINTER,
        "mispatched-alternatives",
        "call-left-hyp-text",
        "corrupted-return-address",
    ):
        assert verdict(report, rival) == "refuted", rival


def test_nothing_is_proven_from_the_mail() -> None:
    assert all(c["verdict"] != "proven" for c in explain(MAIL)["causes"])


# The answer follows the evidence -----------------------------------------------------------------


def test_pc_and_far_moved() -> None:
    report = explain(MAIL.replace(PC, "ffff000008a46fd8"))
    assert report["causes"][0]["id"] == JUMP_TABLE
    assert "0xffff000008a46f84" in claims(report, JUMP_TABLE)


def test_flags_0110_select_index_4_and_a_load_address_4_higher() -> None:
    report = explain(MAIL.replace("PS:800003c9", "PS:600003c9"))
    assert report["causes"][0]["id"] == JUMP_TABLE
    text = claims(report, JUMP_TABLE)
    assert "index 4 on a Cortex-A57" in text
    assert "0xffff0000089e6f88" in text


def test_registers_renamed() -> None:
    """Swap x9 with x13 and x11 with x14 in every word that names them, up to the branch."""
    renamed = MAIL
    swaps = {
        "d5380709": "d538070d",  # mrs x13, id_aa64mmfr0_el1
        "12000928": "120009a8",  # and w8, w13, #7
        "d3700928": "d37009a8",  # ubfiz x8, x13, #16, #3
        "92400929": "924009ad",  # and x13, x13, #7
        "f869794b": "f86d794e",  # ldr x14, [x10, x13, lsl #3]
        "d61f0160": "d61f01c0",  # br x14
    }
    for old, new in swaps.items():
        assert old in renamed
        renamed = renamed.replace(old, new)
    report = explain(renamed)
    assert report["causes"][0]["id"] == JUMP_TABLE
    assert report["causes"][0]["verdict"] == "supported"
    assert "0xffff0000089e6f84" in claims(report, JUMP_TABLE)


def test_targets_permuted() -> None:
    """Exchange the sizes of 36 and 42 bits: indexes 1 and 3 change places."""
    swapped = MAIL.replace("52800480", "5280054X").replace("52800549", "52800489")
    swapped = swapped.replace("5280054X", "52800540")
    text = claims(explain(swapped), JUMP_TABLE)
    assert "[1] +0x48" in text
    assert "[3] +0x34" in text


def test_a_table_of_offsets_is_not_the_cause() -> None:
    """`ldrsw x11, [x10, x9, lsl #2]; add x11, x10, x11` instead of the 8-byte load."""
    relative = MAIL.replace("f869794b", "b8a9794b").replace("52800509", "8b0b014b")
    report = explain(relative)
    assert verdict(report, JUMP_TABLE) == "refuted"
    assert "offsets" in claims(report, JUMP_TABLE)


@pytest.mark.parametrize("line", ["23", "24"])
def test_entry_through_the_hyp_call_is_possible_with_its_flags_and_line(line: str) -> None:
    entry = MAIL.replace("PS:800003c9", "PS:a00003c9").replace(
        "s2-setup.c:38", f"s2-setup.c:{line}"
    )
    report = explain(entry)
    assert verdict(report, POINTER) in ("possible", "supported")
    assert report["causes"][0]["id"] != JUMP_TABLE


def test_without_the_listing_both_ways_stay_open() -> None:
    cut = MAIL[: MAIL.index("0000000000000000 <__init")]
    report = explain(cut)
    assert verdict(report, JUMP_TABLE) in ("possible", "supported")
    assert "0xffff0000089e6f84" not in claims(report, JUMP_TABLE)


def test_without_listing_and_addr2line_nothing_is_supported() -> None:
    cut = MAIL[: MAIL.index("$ aarch64-linux-gnu-addr2line")]
    report = explain(cut)
    assert verdict(report, JUMP_TABLE) == "possible"
    assert "index 2" not in claims(report, JUMP_TABLE)


def test_a_hyp_va_is_another_cause() -> None:
    report = explain(MAIL.replace(PC, "0000a0b2089e6fd8"))
    assert report["causes"][0]["id"] == "call-left-hyp-text"
    assert verdict(report, JUMP_TABLE) == "refuted"


def test_a_gcc_banner_takes_the_flag_away() -> None:
    banner = (
        "> [ 0.000000] Linux version 4.14.0-rc7-dirty (user@host) "
        "(gcc version 7.2.0 (Debian 7.2.0-8)) #3 SMP\n"
    )
    at = MAIL.index("> [ 1.301280]")
    report = explain(MAIL[:at] + banner + MAIL[at:])
    remedies = " ".join(r["text"] for r in cause(report, JUMP_TABLE)["remedies"])
    assert "-fno-jump-tables" not in remedies
    assert ".hyp.reloc" in remedies


def test_the_repeated_end_marker_is_no_second_report() -> None:
    explain(MAIL)  # unpacks exactly one report


def test_every_claim_rests_on_facts_with_places() -> None:
    for listed in explain(MAIL)["causes"]:
        for claim in listed["claims"]:
            assert claim["facts"], claim["text"]
            for fact in claim["facts"]:
                assert fact["text"]
                assert fact["line"] is not None, fact


def test_addresses_are_strings_everywhere() -> None:
    text = msgspec.json.encode(explain(MAIL)).decode()
    assert not re.search(r'":\s*\d{9,}', text)


# What the text does not show is not concluded ----------------------------------------------------


def without_line(offset: str) -> str:
    kept = [x for x in MAIL.splitlines(keepends=True) if not x.startswith(f"> {offset}: ")]
    assert len(kept) + 1 == len(MAIL.splitlines())
    return "".join(kept)


@pytest.mark.parametrize("offset", ["20", "30"])
def test_a_listing_without_the_load_or_the_branch_refutes_no_table(offset: str) -> None:
    report = explain(without_line(offset))
    assert verdict(report, JUMP_TABLE) != "refuted"
    assert verdict(report, "corrupted-return-address") == "possible"


def test_a_block_that_is_not_whole_leaves_the_target_open() -> None:
    text = claims(explain(without_line("3c")), JUMP_TABLE)
    assert "was linked at" not in text


def test_kaslr_moves_pc_but_not_the_link_address() -> None:
    ran = MAIL.replace(f"PC:{PC}", "PC:ffff00001ade6fd8").replace(
        f"FAR:{PC}", "FAR:ffff00001ade6fd8"
    )
    ran = ran.replace(
        "Kernel Offset: disabled", "Kernel Offset: 0x12400000 from 0xffff000008000000"
    )
    report = explain(ran)
    assert report["blame"] == explain(MAIL)["blame"]
    assert verdict(report, POINTER) == "refuted"
    text = claims(report, JUMP_TABLE)
    assert "linked at 0xffff0000089e6f84 and lay at 0xffff00001ade6f84" in text


def test_pc_away_from_addr2lines_address_is_not_placed_by_it() -> None:
    """The listing is then tied to PC by the switch alone, which must not refute its own rival."""
    moved = MAIL.replace(f"PC:{PC}", "PC:ffff000008a46fd8").replace(
        f"FAR:{PC}", "FAR:ffff000008a46fd8"
    )
    report = explain(moved)
    assert report["causes"][0]["id"] == JUMP_TABLE
    assert "0xffff000008a46f84" in claims(report, JUMP_TABLE)
    assert verdict(report, "corrupted-return-address") == "possible"
    assert report["blame"]["function"] == "__init_stage2_translation"


@pytest.mark.parametrize("esr", ["86000005", "86000007", "8600000f"])
def test_a_fault_that_needs_a_mapping_is_none_of_an_unmapped_range(esr: str) -> None:
    report = explain(MAIL.replace("ESR:86000004", f"ESR:{esr}"))
    assert verdict(report, JUMP_TABLE) == "refuted"
    assert verdict(report, POINTER) == "refuted"


def test_a_pc_that_is_neither_kernel_nor_hyp_address() -> None:
    report = explain(MAIL.replace(PC, "00ff0000089e6fd8"))
    assert {c["verdict"] for c in report["causes"][1:]} == {"refuted"}


def test_a_status_of_el1_contradicts_an_abort_from_el2() -> None:
    report = explain(MAIL.replace("PS:800003c9", "PS:800003c5"))
    assert report["causes"][0]["id"] == "unknown"


@pytest.mark.parametrize("bitmap", ["0x002082", "0x000082", "0x000004"])
def test_the_machines_name_adds_the_cores_that_no_erratum_names(bitmap: str) -> None:
    text = claims(explain(MAIL.replace("0x002086", bitmap)), JUMP_TABLE)
    assert "index 2 on a Cortex-A53" in text


def test_the_vhe_capability_with_nvhe_at_el2_is_weighed() -> None:
    vhe = MAIL.replace("0x002086", "0x002886")
    assert verdict(explain(vhe), "mispatched-alternatives") == "refuted"
    entered = vhe.replace("PS:800003c9", "PS:a00003c9").replace("s2-setup.c:38", "s2-setup.c:23")
    assert verdict(explain(entered), "mispatched-alternatives") == "supported"


def test_a_branch_through_a_pointer_in_memory_leaves_the_pointer_open() -> None:
    """`ldr x11, [x10, #8]` in place of the indexed load."""
    report = explain(MAIL.replace("f869794b", "f940054b"))
    assert verdict(report, JUMP_TABLE) == "refuted"
    assert report["causes"][0]["id"] == POINTER
    assert "a pointer in memory" in claims(report, POINTER)


def test_eight_byte_offsets_added_to_a_base_are_offsets() -> None:
    """`add x11, x10, x11` between the load and the branch."""
    report = explain(MAIL.replace("52800509", "8b0b014b"))
    assert verdict(report, JUMP_TABLE) == "refuted"
    assert "8-byte offsets" in claims(report, JUMP_TABLE)


def test_a_listing_of_an_image_that_does_not_reach_pc_is_another_functions() -> None:
    base = 0xFFFF000009000000
    moved = re.sub(
        r"(?m)^> ([0-9a-f]{1,2}): (?=[0-9a-f]{8} )",
        lambda m: f"> {base + int(m[1], 16):x}: ",
        MAIL.replace("0000000000000000 <__init", f"{base:016x} <__init"),
    )
    assert "was linked at" not in claims(explain(moved), JUMP_TABLE)


def test_an_image_listing_that_puts_pc_elsewhere_than_the_table_refutes_it() -> None:
    base = 0xFFFF0000089E6FD8 - 0x48
    moved = re.sub(
        r"(?m)^> ([0-9a-f]{1,2}): (?=[0-9a-f]{8} )",
        lambda m: f"> {base + int(m[1], 16):x}: ",
        MAIL.replace("0000000000000000 <__init", f"{base:016x} <__init"),
    )
    text = claims(explain(moved), JUMP_TABLE)
    assert "0xffff0000089e6f84" not in text


def test_boot_lines_of_another_kernel_say_nothing_of_a_second_crash() -> None:
    second = """
[  120.100000] Kernel panic - not syncing: HYP panic:
[  120.100000] PS:a00003c9 PC:0000004b002a1b40 ESR:86000007
[  120.100000] FAR:0000004b002a1b40 HPFAR:0000000000000000 PAR:0000000000000000
[  120.100000] VCPU:0000000000000000
[  120.100000] CPU: 3 PID: 900 Comm: runner Not tainted 5.2.0 #1
[  120.100000] Hardware name: Example board (DT)
"""
    document = build_document([explain_input(RawInput("mail", (MAIL + second).encode()))])
    first, other = msgspec.to_builtins(document)["reports"]
    assert first["causes"][0]["id"] == JUMP_TABLE
    assert (other["causes"][0]["id"], other["causes"][0]["verdict"]) == (
        "call-left-hyp-text",
        "supported",
    )
