"""Other architectures' lines, and reports made of them."""

import pytest

from builders.log_lines import recognised, reports
from whypanic.crashlog.sections.rule import Part


@pytest.mark.parametrize(
    "text",
    [
        "Internal error: Oops: 5 [#1] SMP ARM",
        "Internal error: Oops - undefined instruction: 0 [#3] PREEMPT THUMB2",
        "pc : [<c01f3218>]    lr : [<c01f3200>]    psr: 60000013",
        "[<c01f3218>] (widget_poll) from [<c01f3200>] (widget_work+0x50/0xa8)",
        "widget_poll [widget] from widget_work+0x20/0x134",
        "task: d9ce9380 task.stack: d9922000",
        "sp : c0a1bf38  ip : 00000000  fp : c0a1bf54",
        "Flags: nZCv  IRQs on  FIQs on  Mode SVC_32",
        "Control: 10c5387d  Table: 41bc806a  DAC: 00000051",
        "RIP: 0010:foo+0x1/0x2",
        "epc : foo+0x1/0x2 ra : foo+0x1/0x2 sp : ffffffe000000000",
        "gp : ffffffe001810070 tp : ffffffe00160a380 t0 : 0000000000000040",
        "Oops [#1]",
    ],
)
def test_other_architectures(text: str) -> None:
    assert recognised(text).part is Part.FOREIGN


@pytest.mark.parametrize(
    "text",
    [
        "Internal error: Oops: 0000000096000006 [#1] PREEMPT SMP",
        "Internal error: synchronous external abort: 96000210 [#1] SMP",
        "task: ffffffc0efcb8000 task.stack: ffffffc0efcb4000",
        "widget_poll+0x20/0x134 [widget]",
    ],
)
def test_arm64_is_not_foreign(text: str) -> None:
    assert recognised(text).part not in (Part.FOREIGN, Part.FOREIGN_HINT)


def test_a_32_bit_die_alone_is_no_report() -> None:
    text = """\
[ 1.0] Internal error: Oops - undefined instruction: 0 [#1] SMP ARM
[ 1.0] Modules linked in: widget
[ 1.0] CPU: 1 PID: 9 Comm: widgetd Tainted: G         C        5.15.61-v7+ #1579
[ 1.0] Hardware name: BCM2835
[ 1.0] PC is at widget_poll+0x10/0x40
"""
    assert reports(text) == ()


def test_a_64_bit_die_behind_a_32_bit_one_is_one_report() -> None:
    text = """\
Internal error: Oops: 5 [#1] SMP ARM
PC is at widget_poll+0x10/0x40
Internal error: Oops: 0000000096000006 [#1] SMP
pc : gadget_poll+0x10/0x40
"""
    assert len(reports(text)) == 1
