"""From boots that failed to reports."""

import pytest

from builders.boots import BANNER, OOPS, OWN_FAULT, boot_result, stuck
from whypanic.app.lab_diagnosis import (
    deciding_report,
    diagnose,
    explain_boot,
    find_report,
    title_of_hang,
)
from whypanic.crashlog.read import read_log
from whypanic.model.lab import CpuSample, LabVerdict

V = LabVerdict
HUNG = boot_result(
    V.SILENT_HANG,
    reason="no output for 3.1 s",
    samples=(stuck("__kvm_nvhe___do_hyp_init+0x8"),),
)
WARNING = """\
------------[ cut here ]------------
WARNING: CPU: 0 PID: 1 at kernel/quux.c:12 warn_quux+0x10/0x40
CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.7 #1
pc : warn_quux+0x10/0x40
Call trace:
 warn_quux+0x10/0x40
---[ end trace 0000000000000000 ]---
"""


@pytest.mark.parametrize("verdict", [V.OK, V.NOT_APPLICABLE])
def test_what_is_fine_has_no_diagnosis(verdict: LabVerdict) -> None:
    assert diagnose(boot_result(verdict), (BANNER + WARNING).encode(), None) is None


@pytest.mark.parametrize("verdict", [V.KVM_FAIL, V.WRONG_MODE, V.INFRASTRUCTURE, V.SLOW])
def test_no_report_and_no_hang_is_no_diagnosis(verdict: LabVerdict) -> None:
    assert diagnose(boot_result(verdict), BANNER.encode(), None) is None


def test_the_oops_behind_a_panic_is_the_diagnosis() -> None:
    report = diagnose(boot_result(V.PANIC), (BANNER + WARNING + OOPS).encode(), None)
    assert report is not None
    assert report.kind == "null-dereference"
    assert report.causes[0].id == "null-pointer-dereference"
    assert report.order == 2
    assert report.span.first_line == 9


def test_a_warning_before_the_panic_is_not_the_diagnosis() -> None:
    reports = read_log((WARNING + OOPS).encode()).reports
    assert deciding_report(V.PANIC, reports) == 1
    assert deciding_report(V.WARNING, reports) == 0
    assert deciding_report(V.SILENT_HANG, reports) is None
    assert deciding_report(V.KVM_FAIL, reports) == 0
    assert deciding_report(V.PANIC, ()) is None


def test_a_silent_boot_is_a_report_at_the_last_line() -> None:
    report = diagnose(HUNG, (BANNER + "last words\n").encode(), None)
    assert report is not None
    assert (report.kind, report.title) == (
        "boot-hang",
        "silent hang at EL2, in __kvm_nvhe___do_hyp_init",
    )
    assert (report.span.first_line, report.span.last_line) == (2, 2)
    assert (report.cpu, report.kernel.version) == (0, "6.1.7")
    assert (report.causes[0].id, report.causes[0].verdict) == ("stuck-at-el2", "proven")
    assert {f.source for c in report.causes[0].claims for f in c.facts} == {"lab"}
    assert report.registers["pc"] == "0x40451784"
    assert "CPU 0 stands still" in next(e.text for e in report.evidence if e.name == "cpu")
    assert report.signature == "boot-hang:__kvm_nvhe___do_hyp_init"


def test_an_empty_console_has_a_line_too() -> None:
    report = diagnose(boot_result(V.NO_EARLY_OUTPUT), b"", None)
    assert report is not None
    assert (report.span.first_line, report.span.last_line) == (1, 1)
    assert report.causes[0].id == "early-hang"


def test_el2_causes_judge_the_exception_that_el2_took_from_itself() -> None:
    result = boot_result(
        V.SILENT_HANG,
        samples=(stuck("__kvm_nvhe___invalid"),),
        exceptions=(OWN_FAULT,),
    )
    report = diagnose(result, BANNER.encode(), None)
    assert report is not None
    verdicts = {cause.id: cause.verdict for cause in report.causes}
    assert report.causes[0].id == "absolute-pointer-at-el2"
    assert verdicts["stuck-at-el2"] == "supported"
    assert verdicts["data-left-hyp-mappings"] == "refuted"
    # Words of the kernel that nobody said.
    assert not {"cfi-type-mismatch", "hyp-assertion", "undefined-behaviour"} & set(verdicts)
    assert report.el == 2
    assert report.far is not None
    assert report.far.value == "0xffff800009a51000"
    assert report.kvm_mode == "nvhe"


def test_last_words_from_ram_are_read_behind_the_console() -> None:
    result = boot_result(V.SILENT_HANG, last_words=OOPS)
    found = find_report(result, BANNER.encode())
    assert found is not None
    assert found.explained.report.kind.value == "boot-hang"
    found = find_report(boot_result(V.PANIC, last_words=OOPS), BANNER.encode())
    assert found is not None
    assert found.explained.report.kind.value == "null-dereference"


def test_titles_hold_no_values() -> None:
    assert title_of_hang(boot_result(V.RESET_LOOP)) == "reset loop"
    lost = CpuSample(cpu=0, pc=0x1200, el=1)
    assert (
        title_of_hang(boot_result(V.EXCEPTION_STORM, samples=(lost,))) == "exception storm at EL1"
    )


def test_mode_of_the_machine_is_evidence_for_printed_reports_too() -> None:
    found = explain_boot(boot_result(V.PANIC), (BANNER + OOPS).encode())
    assert found is not None
    assert any("cortex-a57" in fact.statement for fact in found.explained.case.facts)
