"""Conclusions that are no cause's claims."""

import pytest

from whypanic.app.analysis import explain_text
from whypanic.app.evidence import evidence_of

PANIC = """\
kvm [9]: nVHE hyp panic at: [<{at}>] {symbol}!
kvm [9]: Hyp Offset: 0xfffe8be807e00000
Kernel panic - not syncing: HYP panic:
PS:600003c9 PC:{pc} ESR:0000000096000007
FAR:0000f41801000000 HPFAR:0000000000000000 PAR:0000000000000000
VCPU:{vcpu}
CPU: 1 PID: {pid} Comm: {comm} Not tainted 6.1.9 #1
Kernel Offset: {offset}
"""


def evidence(**changes: str) -> dict[str, str]:
    words = {
        "at": "ffff800008fa3750",
        "symbol": "__kvm_nvhe_f+0x10/0x20",
        "pc": "0000f418011a3750",
        "vcpu": "0000000000000000",
        "pid": "40",
        "comm": "vcpu",
        "offset": "disabled",
        **changes,
    }
    (explained,) = explain_text(PANIC.format(**words).encode())[1]
    return {e.name: e.text for e in evidence_of(explained.case)}


def test_link_address_from_the_hyp_offset() -> None:
    assert "0xffff800008fa3750" in evidence()["link-address"]
    assert "hyp-panic-at" not in evidence()


def test_the_bracketed_address_means_nothing_when_pc_is_a_kernel_address() -> None:
    found = evidence(pc="ffff800008fa3750", at="fffe8be810da3750", symbol="0xfffe8be810da3750")
    assert "mean nothing" in found["hyp-panic-at"]
    assert "link-address" not in found


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "no vCPU was loaded"),
        ({"vcpu": "000804fc20001221", "pid": "0", "comm": "swapper/0"}, "means nothing"),
        ({"vcpu": "000000004e10b7d6"}, "hashed"),
    ],
)
def test_vcpu(changes: dict[str, str], words: str) -> None:
    assert words in evidence(**changes)["vcpu"]


def test_kaslr() -> None:
    assert "off" in evidence()["kaslr"]
    assert "0x100000000" in evidence(offset="0x100000000 from 0xffff800008000000")["kaslr"]


def test_mode() -> None:
    assert "nvhe" in evidence()["kvm-mode"]


FAULT = """\
Unable to handle kernel paging request at virtual address ffff800012345678
Mem abort info:
  ESR = 0x0000000096000007
swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000041d05000
[ffff800012345678] pgd=100000013ffff003, p4d=100000013ffff003, pud=100000013fffe003, pmd=100000013fffd003, pte={pte}
Internal error: Oops: 0000000096000007 [#{count}] SMP
CPU: 1 PID: 77 Comm: probe {taint} 6.1.9 #1
pc : gadget+0x10/0x40
"""


def of_fault(
    pte: str = "0000000000000000", count: int = 1, taint: str = "Not tainted"
) -> list[tuple[str, str]]:
    text = FAULT.format(pte=pte, count=count, taint=taint)
    (explained,) = explain_text(text.encode())[1]
    wanted = ("page-walk", "cascade")
    return [(e.name, e.text) for e in evidence_of(explained.case) if e.name in wanted]


def test_the_walk_against_the_level() -> None:
    assert of_fault() == [
        ("page-walk", "the pte entry 0x0 is invalid, level 3: it explains the fault")
    ]
    ((name, words),) = of_fault(pte="00680000fe000703")
    assert name == "page-walk"
    assert "is a valid page of level 3" in words


def test_not_the_first_oops() -> None:
    found = [
        words
        for name, words in of_fault(count=3, taint="Tainted: G      D   ")
        if name == "cascade"
    ]
    assert found[0] == "not the first oops since boot: [#3]"
    assert found[1].startswith("taint D")
