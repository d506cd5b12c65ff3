"""Words around PC."""

from whypanic.app.analysis import explain_text
from whypanic.app.code_document import code_of
from whypanic.report.document import DocCode

OOPS = """\
Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
Internal error: Oops: 0000000096000006 [#1] SMP
CPU: 1 PID: 77 Comm: probe Not tainted 6.1.9 #1
pc : widget_probe+0x24/0x80
x2 : 0000000000000000 x1 : ffff800008a00000 x0 : 0000000000000000
Code: a9be7bfd 910003fd (f9400c01)
"""
LISTING = """
0000000000000000 <widget_probe>:
   0:\ta9be7bfd \tstp\tx29, x30, [sp, #-32]!
   4:\t910003fd \tmov\tx29, sp
"""


def code(text: str) -> list[DocCode]:
    (explained,) = explain_text(text.encode())[1]
    return code_of(explained.case)


def test_code_line() -> None:
    words = code(OOPS)
    assert [w.word for w in words] == ["0xa9be7bfd", "0x910003fd", "0xf9400c01"]
    assert [w.faulting for w in words] == [False, False, True]
    assert words[2].text == "ldr x1, [x0, #0x18]"
    assert words[2].symbol == "widget_probe+0x24"
    assert words[2].address is None


def test_an_address_where_pc_has_one() -> None:
    words = code(OOPS.replace("pc : widget_probe+0x24/0x80", "pc : ffff800008001024"))
    assert [w.address for w in words[-2:]] == ["0xffff800008001020", "0xffff800008001024"]


def test_a_listing_is_shown_from_its_words_not_its_mnemonics() -> None:
    shown = [
        w for w in code(OOPS + LISTING.replace("stp\tx29", "bogus\tx29")) if w.source == "listing"
    ]
    assert [w.symbol for w in shown] == ["widget_probe+0x0", "widget_probe+0x4"]
    assert shown[0].text.startswith("stp x29, x30")


def test_addresses_wrap_around_zero() -> None:
    words = code(OOPS.replace("pc : widget_probe+0x24/0x80", "pc : 0000000000000004"))
    assert [w.address for w in words] == ["0xfffffffffffffffc", "0x0", "0x4"]


def test_a_long_listing_is_shown_around_pc() -> None:
    start = 0xFFFF000008100000
    lines = "".join(f"{start + 4 * i:x}:\td503201f \tnop\n" for i in range(2000))
    panic = f"""\
HYP panic:
PS:800003c9 PC:{start + 4 * 1500:016x} ESR:86000004
FAR:{start + 4 * 1500:016x} HPFAR:0000000000000000 PAR:0000000000000000
VCPU:          (null)
Kernel panic - not syncing: HYP panic:
"""
    shown = code(f"{panic}\n\n{start:016x} <widget>:\n{lines}")
    assert len(shown) == 400
    assert [w.symbol for w in shown if w.faulting] == ["widget+0x1770"]
