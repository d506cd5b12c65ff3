"""Decoded registers of a case."""

from whypanic.app.analysis import explain_text
from whypanic.app.decoded_values import (
    exception_level_of,
    far_of,
    features_of,
    hpfar_of,
    page_table_of,
    pstate_of,
    registers_of,
    syndrome_of,
)
from whypanic.causes.case import CaseView

FAULT = """\
Unable to handle kernel write to read-only memory at virtual address ffff000012345678
Mem abort info:
  ESR = 0x000000009600004f
swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000041234000
[ffff000012345678] pgd=180000013ffff003, p4d=180000013ffff003, pud=180000013fffe003, pmd=180000013fffd003, pte=0060000052345783
Internal error: Oops: 000000009600004f [#1] SMP
CPU: 1 PID: 77 Comm: probe Not tainted 6.1.9 #1
pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : widget_probe+0x24/0x80
x1 : ffff000012345678 x0 : 0000000000000000
"""
HYP = """\
Kernel panic - not syncing: HYP panic:
PS:600003c9 PC:0000f418011a3750 ESR:f2000800
FAR:ffff000439200000 HPFAR:0000000004792000 PAR:0000000000000000
VCPU:0000000000000000
CPU: 1 PID: 9 Comm: x Not tainted 4.14.0 #1
CPU features: 0x002086
"""


def case(text: str) -> CaseView:
    (explained,) = explain_text(text.encode())[1]
    return explained.case


def test_registers_have_every_name() -> None:
    registers = registers_of(case(FAULT))
    assert registers["x1"] == "0xffff000012345678"
    assert registers["x0"] == "0x0"
    assert registers["x30"] is None
    assert registers["pc"] is None
    assert "pstate" not in registers


def test_pstate_and_level() -> None:
    found = pstate_of(case(FAULT))
    assert found is not None
    assert {f.name: f.value for f in found.fields}["PAN"] == "0x1"
    assert exception_level_of(case(FAULT)) == 1
    assert exception_level_of(case(HYP)) == 2


def test_syndrome_and_far() -> None:
    syndrome, far = syndrome_of(case(FAULT)), far_of(case(FAULT))
    assert syndrome is not None
    assert (syndrome.esr, syndrome.ec, syndrome.complete) == ("0x9600004f", "0x25", True)
    assert far is not None
    assert (far.value, far.valid, far.region) == ("0xffff000012345678", True, "linear")


def test_page_table() -> None:
    table = page_table_of(case(FAULT))
    assert table is not None
    assert (table.owner, table.page_kib, table.va_bits) == ("swapper", 4, 48)
    assert [e.name for e in table.entries] == ["pgd", "p4d", "pud", "pmd", "pte"]
    assert [e.kind for e in table.entries] == ["table"] * 4 + ["page"]


def test_values_that_a_brk_does_not_write() -> None:
    found = case(HYP)
    far, hpfar = far_of(found), hpfar_of(found)
    assert far is not None
    assert far.valid is False
    assert hpfar is not None
    assert (hpfar.valid, hpfar.ipa) == (False, None)


def test_features() -> None:
    features = features_of(case(HYP))
    assert features is not None
    assert (features.table, features.exact) == ("4.14", True)
    assert "HAS_32BIT_EL0" in features.names
    assert features_of(case(FAULT)) is None
