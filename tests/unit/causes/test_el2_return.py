"""The return as a rival at EL2."""

from whypanic.app.analysis import explain_text
from whypanic.causes.el2_return import returned_to_el1_address
from whypanic.model.claims import Sense

PANIC = """\
kvm [1]: {vmid}-bit VMID
Kernel panic - not syncing: HYP panic:
PS:800003c9 PC:ffff000009100008 ESR:86000004
FAR:ffff000009100008 HPFAR:0000000000000000 PAR:0000000000000000
VCPU:0000000000000000
CPU: 1 PID: 1 Comm: swapper/0 Not tainted 4.14.0 #1

$ addr2line -ife vmlinux ffff000009100008
f
a.c:9

0000000000000000 <f>:
   0:\t{word} \tx
   4:\td503201f \tnop
   {place}:\td503201f \tnop
   c:\td65f03c0 \tret
"""


def claims(word: str = "d503201f", place: str = "8") -> list[tuple[Sense, str]]:
    text = PANIC.format(vmid=8, word=word, place=place)
    (explained,) = explain_text(text.encode())[1]
    return [(c.sense, c.text) for c in returned_to_el1_address(explained.case)]  # type: ignore[union-attr]


def test_a_function_without_calls_holds_no_return_address() -> None:
    ((sense, text),) = claims()
    assert sense is Sense.REFUTES
    assert "contains no call" in text


def test_a_call_in_the_function_leaves_it_open() -> None:
    ((sense, _),) = claims(word="94000000")
    assert sense is Sense.SUPPORTS


def test_a_gap_in_the_listing_may_hide_a_call() -> None:
    text = PANIC.format(vmid=8, word="d503201f", place="8").replace("   8:\td503201f \tnop\n", "")
    (explained,) = explain_text(text.encode())[1]
    assert [c.sense for c in returned_to_el1_address(explained.case)] == [Sense.SUPPORTS]  # type: ignore[union-attr]


def test_the_word_before_pc_decides_where_the_listing_has_its_address() -> None:
    listing = (
        "\n\nffff000009100000 <f>:\n"
        "ffff000009100000:\t94000010 \tbl\tffff000009100040 <g>\n"
        "ffff000009100004:\t{word} \tx\n"
        "ffff000009100008:\td503201f \tnop\n"
        "ffff00000910000c:\td65f03c0 \tret\n"
    )
    head = PANIC.format(vmid=8, word="d503201f", place="8").split("0000000000000000 <f>")[0]
    for word, sense in (("d503201f", Sense.REFUTES), ("94000010", Sense.SUPPORTS)):
        (explained,) = explain_text((head + listing.format(word=word)).encode())[1]
        claims = list(returned_to_el1_address(explained.case))
        assert [c.sense for c in claims] == [sense]  # type: ignore[union-attr]
