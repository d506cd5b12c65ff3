"""Commands that show the same; words from a log are quoted for the shell."""

import shlex
from pathlib import Path

import pytest

from builders.el2_panics import BANNER_4_14, explained, panic_4_14
from builders.hyp_images import STAGE2_4_14, link_4_14
from builders.stage2 import stage2
from whypanic.app.analysis import explain_text
from whypanic.app.reproduce import commands_of, disasm_of, settled_by_image

OOPS = """\
Unable to handle kernel paging request at virtual address ffff800012345678
Internal error: Oops: 0000000096000007 [#1] SMP
CPU: 1 PID: 77 Comm: probe Not tainted 6.1.9 #1
pc : {pc}
Code: a9be7bfd 910003fd f9000bf3 aa0003f3 (f9400c01)
"""
HYP = """\
kvm [9]: nVHE hyp panic at: [<ffff800008fa3750>] __kvm_nvhe_f+0x10/0x20!
kvm [9]: Hyp Offset: 0xfffe8be807e00000
Kernel panic - not syncing: HYP panic:
PS:600003c9 PC:{pc} ESR:0000000096000007
FAR:0000f41801000000 HPFAR:0000000000000000 PAR:0000000000000000
VCPU:0000000000000000
CPU: 1 PID: 9 Comm: x Not tainted 6.1.9 #1
{ending}
"""


def commands(text: str) -> list[str]:
    (explained,) = explain_text(text.encode())[1]
    return [c.command for c in commands_of(explained.case)]


def test_symbol_and_module() -> None:
    found = commands(OOPS.format(pc="widget_probe+0x24/0x80"))
    assert "scripts/faddr2line vmlinux widget_probe+0x24/0x80" in found
    assert "whypanic decode esr 0x96000007" in found
    assert "scripts/decodecode < LOG" in found
    module = commands(OOPS.format(pc="widget_probe+0x24/0x80 [widget]"))
    assert "scripts/faddr2line widget.ko widget_probe+0x24/0x80" in module


def test_words_of_the_log_are_quoted() -> None:
    for command in commands(OOPS.format(pc="f;rm${IFS}x+0x24/0x80 [a;b]")):
        assert ";" not in shlex.split(command, comments=False)[0]
        assert all(";" not in word or " " not in word for word in shlex.split(command))


def test_a_hyp_va_is_looked_up_at_its_link_address() -> None:
    found = commands(HYP.format(pc="0000f418011a3750", ending=""))
    assert "addr2line -ife vmlinux ffff800008fa3750" in found


def test_kaslr_is_taken_off() -> None:
    ending = "Kernel Offset: 0x100000000 from 0xffff800008000000"
    found = commands(HYP.format(pc="ffff800108fa3750", ending=ending))
    assert "addr2line -ife vmlinux ffff800008fa3750" in found


def test_a_hyp_va_without_offset_names_nothing() -> None:
    old = HYP.format(pc="0000f418011a3750", ending="").split("\n", 2)[2]
    assert not any("addr2line" in c for c in commands(old))


def test_the_image_that_was_given_is_what_to_look_at() -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    found = commands_of(explained(panic_4_14(STAGE2_4_14 + 0x54), image).case)
    assert found[0].command == f"whypanic disasm {image} __init_stage2_translation"
    assert not any("vmlinux" in c.command.split() for c in found)


def test_a_name_is_quoted_for_the_shell(tmp_path: Path) -> None:
    given = tmp_path / "a b; vmlinux"
    given.write_bytes(link_4_14(stage2(), banner=BANNER_4_14).read_bytes())
    found = disasm_of(explained(panic_4_14(STAGE2_4_14 + 0x54), given).case)
    assert found is not None
    assert shlex.split(found.command)[2] == str(given)


def test_an_image_that_is_another_kernels_or_has_no_code_is_not(tmp_path: Path) -> None:
    text = panic_4_14(STAGE2_4_14 + 0x54)
    wrong = link_4_14(stage2(), banner=BANNER_4_14.replace("#7", "#9"))
    assert disasm_of(explained(text, wrong).case) is None
    assert disasm_of(explained(text, wrong, allow_mismatch=True).case) is None
    assert disasm_of(explained(text).case) is None
    symbols = tmp_path / "System.map"
    symbols.write_text(f"{STAGE2_4_14:016x} T __init_stage2_translation\n")
    assert disasm_of(explained(text, symbols).case) is None


@pytest.mark.parametrize(
    ("command", "with_image"),
    [
        ("addr2line -ife vmlinux ffff000008080000", None),
        ("nm -n vmlinux | grep x", None),
        ("whypanic disasm vmlinux f", "whypanic disasm {image} f"),
        ("whypanic decode esr 0x0", "whypanic decode esr 0x0"),
        (None, None),
    ],
)
def test_steps_that_the_image_settles(command: str | None, with_image: str | None) -> None:
    text = panic_4_14(STAGE2_4_14 + 0x54)
    image = link_4_14(stage2(), banner=BANNER_4_14)
    expected = None if with_image is None else with_image.format(image=image)
    assert settled_by_image(explained(text, image).case, command) == expected
    assert settled_by_image(explained(text).case, command) == command
