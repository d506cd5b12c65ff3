"""Titles."""

import pytest

from builders.log_lines import report
from whypanic.crashlog.titles import (
    MAX_TITLE,
    WORDS,
    faulting_symbol,
    is_reporting,
    plain_symbol,
    title_of,
)
from whypanic.model.kinds import Kind


def test_every_kind_has_words() -> None:
    assert set(WORDS) == set(Kind)


@pytest.mark.parametrize(
    ("log", "title"),
    [
        (
            "Unable to handle kernel NULL pointer dereference at virtual address 00000018\npc : quux.isra.0+0x1/0x2\n",
            "NULL pointer dereference in quux",
        ),
        ("BUG: KASAN: use-after-free in quux+0x10/0x20 [m]\n", "KASAN: use-after-free in quux"),
        ("Kernel panic - not syncing: No working init found.\n", "panic: No working init found."),
        ("PS:800003c9 PC:0000aa0081203abc ESR:86000006\n", "HYP panic at EL2"),
        (
            "kvm [1]: nVHE hyp panic at: [<ffff8000090a6570>] __kvm_nvhe_quux+0xac/0xf8!\n",
            "HYP panic at EL2 in quux",
        ),
        (
            "kvm [1]: nVHE hyp panic at: [<ffff7f00100a6570>] __kvm_nvhe_quux+0xac/0xf8!\n"
            "Kernel panic - not syncing: HYP panic:\nPS:800003c9 PC:ffff800008203abc ESR:86000004\n",
            "HYP panic at EL2",
        ),
        (
            "kvm [1]: nVHE hyp BUG at: arch/arm64/kvm/hyp/nvhe/quux.c:9!\n",
            "HYP panic at EL2: BUG in arch/arm64/kvm/hyp/nvhe/quux.c",
        ),
    ],
)  # fmt: skip
def test_titles(log: str, title: str) -> None:
    assert report(log).title == title


def test_reporting_frames_are_passed_over() -> None:
    log = (
        "Kernel panic - not syncing: Asynchronous SError Interrupt\n"
        "Call trace:\n dump_backtrace+0x0/0x10\n panic+0x10/0x20\n do_serror+0x10/0x20\n"
        " el1h_64_error+0x64/0x68\n quux+0x10/0x20\n"
    )
    symbol = faulting_symbol(report(log).facts)
    assert symbol is not None
    assert symbol.symbol == "quux"


def test_suffixes() -> None:
    assert plain_symbol("quux.constprop.0.isra.0") == "quux"
    assert plain_symbol("__kvm_nvhe_quux.llvm.1234") == "quux"
    assert is_reporting("el1_sync")
    assert is_reporting("panic")
    assert not is_reporting("quux")


def test_titles_are_bounded_and_stable() -> None:
    log = "Kernel panic - not syncing: " + "word " * 100 + "\n"
    assert len(report(log).title) <= MAX_TITLE
    assert title_of(Kind.SERROR, ()) == "SError interrupt"
    assert "1234567" not in report("Kernel panic - not syncing: at 0x1234567\n").title
