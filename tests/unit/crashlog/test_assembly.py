"""Facts put together across lines."""

from builders.log_lines import of, report
from whypanic.crashlog.assembly import FIELD_SHIFTS
from whypanic.model.code import CodeLine
from whypanic.model.fault import FaultAddress, Headline, PageWalk, Syndrome, SyndromePlace
from whypanic.model.hyp import HypPanic
from whypanic.model.registers import Register
from whypanic.model.trace import Frame, TraceRole

HYP = """\
kvm [12]: nVHE hyp panic at: [<ffff8000090a6570>] __kvm_nvhe_quux+0xac/0xf8!
kvm [12]: nVHE call trace:
kvm [12]:  [<ffff8000090a6570>] __kvm_nvhe_hyp_panic+0xac/0xf8
kvm [12]:  [<ffff8000090a65cc>] __kvm_nvhe_quux+0x10/0x10
kvm [12]: ---[ end nVHE call trace ]---
Code: d503201f d503201f d503201f d503201f (d4210000)
kvm [12]: Hyp Offset: 0xfffe8db00ffa0000
Kernel panic - not syncing: HYP panic:
PS:a34023c9 PC:0000f250710b973c ESR:00000000f2000800
FAR:ffff000800cb00d0 HPFAR:000000000880cb00 PAR:0000000000000000
VCPU:0000000000000000
CPU: 3 PID: 12 Comm: vcpu Not tainted 6.4.0 #1
Call trace:
 dump_backtrace+0xec/0x108
 panic+0x138/0x33c
---[ end Kernel panic - not syncing: HYP panic:
PS:a34023c9 PC:0000f250710b973c ESR:00000000f2000800
FAR:ffff000800cb00d0 HPFAR:000000000880cb00 PAR:0000000000000000
VCPU:0000000000000000 ]---
"""


def test_hyp_values_become_one_fact() -> None:
    (panic,) = of(report(HYP), HypPanic)
    assert panic.pc == 0xF250710B973C
    assert (panic.hpfar, panic.vcpu, panic.esr_digits) == (0x880CB00, 0, 16)
    assert (panic.source.line, panic.source.last_line) == (9, 11)
    registers = {r.name: r.value for r in of(report(HYP), Register)}
    assert registers == {"pc": 0xF250710B973C, "pstate": 0xA34023C9, "vcpu": 0}


def test_missing_hyp_lines_are_none() -> None:
    (panic,) = of(
        report("Kernel panic - not syncing: HYP panic:\nVCPU:0000000000000000\n"), HypPanic
    )
    assert (panic.pc, panic.far, panic.vcpu) == (None, None, 0)


def test_roles_and_code_of_a_hyp_report() -> None:
    found = report(HYP)
    assert [(f.trace, f.role) for f in of(found, Frame)] == [
        (0, TraceRole.HYP), (0, TraceRole.HYP), (1, TraceRole.PANIC), (1, TraceRole.PANIC),
    ]  # fmt: skip
    assert [c.hyp for c in of(found, CodeLine)] == [True]


def test_roles_of_an_oops_with_a_panic() -> None:
    log = (
        "kernel BUG at a/b.c:1!\n"
        "pc : quux+0x10/0x20\n"
        "Call trace:\n quux+0x10/0x20\n main+0x10/0x20\n"
        "Code: d503201f (d4210000)\n"
        "Kernel panic - not syncing: Oops - BUG: Fatal exception\n"
        "Call trace:\n panic+0x10/0x20\n die+0x10/0x20\n"
    )
    roles = [f.role for f in of(report(log), Frame)]
    assert roles == [TraceRole.FAULT] * 2 + [TraceRole.PANIC] * 2


def test_stacks_of_others() -> None:
    log = (
        "BUG: KASAN: use-after-free in quux+0x10/0x20\n"
        "Read of size 8 at addr ffff0000c2bb708c by task a/77\n"
        "Call trace:\n kasan_report+0x1/0x2\n quux+0x10/0x20\n"
        "Allocated by task 12:\n kmalloc+0x10/0x20\n"
        "Freed by task 13:\n kfree+0x10/0x20\n"
    )
    frames = of(report(log), Frame)
    assert [f.trace for f in frames] == [0, 0, 1, 2]
    assert [f.role for f in frames] == [TraceRole.FAULT] * 2 + [TraceRole.OTHER] * 2


def test_pc_is_at_and_its_address_are_one_register() -> None:
    log = (
        "Unable to handle kernel paging request at virtual address ffffff8001198880\n"
        "PC is at quux+0x10/0x20\n"
        "LR is at main+0x8/0x20\n"
        "pc : [<ffff000008e170f8>] lr : [<ffff000008e170d0>] pstate: 604000c5\n"
    )
    pc, lr, pstate = of(report(log), Register)
    assert (pc.name, pc.value) == ("pc", 0xFFFF000008E170F8)
    assert pc.ref is not None
    assert pc.ref.symbol == "quux"
    assert (lr.value, pstate.value) == (0xFFFF000008E170D0, 0x604000C5)


def test_walk_on_several_lines() -> None:
    log = (
        "[    1.000000] Unable to handle kernel NULL pointer dereference at virtual address 00000018\n"
        "[    1.000001] [0000000000000018] *pgd=00000006962a7003\n"
        "[    1.000002] , *pud=00000006962a8003\n"
        "[    1.000003] , *pmd=0000000000000000\n"
    )
    (walk,) = of(report(log), PageWalk)
    assert [e.name for e in walk.entries] == ["pgd", "pud", "pmd"]


_DECODED = """\
Unable to handle kernel NULL pointer dereference at virtual address 00000018
Mem abort info:
  Exception class = DABT (current EL), IL = 32 bits
  SET = 0, FnV = 0
  EA = 0, S1PTW = 0
"""


def test_esr_put_together_from_fields() -> None:
    log = _DECODED + "Data abort info:\n  ISV = 0, ISS = 0x00000046\n  CM = 0, WnR = 1\n"
    (syndrome,) = of(report(log), Syndrome)
    assert syndrome.place is SyndromePlace.RECONSTRUCTED
    assert syndrome.esr == 0x96000046
    assert syndrome.complete


def test_esr_without_iss_is_incomplete() -> None:
    (syndrome,) = of(report(_DECODED), Syndrome)
    assert (syndrome.esr, syndrome.complete) == (0x96000000, False)


def test_printed_esr_is_never_put_together() -> None:
    log = _DECODED + "Internal error: Oops: 96000046 [#1] PREEMPT SMP\n"
    assert [s.place for s in of(report(log), Syndrome)] == [SyndromePlace.INTERNAL_ERROR]


def test_every_report_has_a_headline() -> None:
    for log in (
        "Kernel panic - not syncing: No working init found.\n",
        "Internal error: Oops: 96000046 [#1] SMP\n",
        "Mem abort info:\n  ESR = 0x96000046\n",
        "PS:800003c9 PC:0000aa0081203abc ESR:86000006\n",
    ):
        found = report(log)
        (headline,) = of(found, Headline)
        assert headline.kind is found.kind


def test_first_fault_address_is_that_of_the_header() -> None:
    log = _DECODED + "[0000000000000018] pgd=0000000000000000\n"
    assert [f.place for f in of(report(log), FaultAddress)] == ["header", "page-walk"]


def test_shifts_are_those_of_the_manual() -> None:
    assert FIELD_SHIFTS["EC"] == 26
    assert FIELD_SHIFTS["WnR"] == 6
