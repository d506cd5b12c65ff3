"""What replays add to the causes."""

import pytest

from builders.el2_panics import BANNER_4_14, panic_4_14
from builders.el2_panics import explained as with_image
from builders.hyp_images import STAGE2_4_14, link_4_14
from builders.repository import ROOT
from builders.stage2 import stage2
from whypanic.app.analysis import Explained, explain_text, with_replays
from whypanic.model.claims import Strength, Verdict
from whypanic.model.experiments import ReplayResult
from whypanic.model.provenance import Origin, Source

MAIL = (ROOT / "examples" / "2017-juno-hyp-panic.txt").read_text()
TABLE, POINTER = "absolute-jump-table-at-el2", "absolute-pointer-at-el2"


def result(
    cause: str = TABLE, *, reproduced: bool = True, modelled: bool = False, **changes: str
) -> ReplayResult:
    return ReplayResult(
        source=Source(origin=Origin.REPLAY),
        hypothesis=changes.get("hypothesis", "h"),
        cause=cause,
        function=changes.get("function", "__init_stage2_translation"),
        cpu="Cortex-A53",
        engine="unicorn" if modelled else "qemu",
        modelled=modelled,
        reproduced=reproduced,
        outcome="fault",
        sentence=f"{cause} ran: {reproduced}",
        differs=not reproduced and changes.get("outcome") != "unknown",
    )


def explain(text: str = MAIL) -> Explained:
    (found,) = explain_text(text.encode())[1]
    return found


def verdict(explained: Explained, cause: str = TABLE) -> Verdict:
    return next(a.verdict for a in explained.assessments if a.id == cause)


def test_a_reproduction_on_a_cpu_model_proves() -> None:
    assert verdict(explain()) is Verdict.SUPPORTED
    shown = with_replays(explain(), [result(), result(POINTER, reproduced=False)])
    assert verdict(shown) is Verdict.PROVEN
    assert shown.assessments[0].id == TABLE
    claim = shown.assessments[0].claims[-1]
    assert [f.source.origin for f in claim.facts] == [Origin.REPLAY, Origin.REPLAY]
    pointer = next(a for a in shown.assessments if a.id == POINTER)
    assert pointer.claims[-1].text == f"{POINTER} ran: False"


@pytest.mark.parametrize(
    "changed",
    [
        result(modelled=True),
        result(reproduced=False),
        result(function="another_function"),
    ],
)
def test_what_does_not_prove(changed: ReplayResult) -> None:
    assert verdict(with_replays(explain(), [changed])) is Verdict.SUPPORTED


def test_an_open_rival_that_was_not_run_keeps_it_from_being_proven() -> None:
    unnamed = MAIL.replace("$ aarch64-linux-gnu-addr2line -ife vmlinux ffff0000089e6fd8", "")
    unnamed = unnamed.replace("> __init_stage2_translation\n", "> \n").replace(
        "arch/arm64/kvm/hyp/s2-setup.c:38", ""
    )
    open_rivals = [a.id for a in explain(unnamed).assessments if a.verdict is Verdict.POSSIBLE]
    assert open_rivals
    assert verdict(with_replays(explain(unnamed), [result()])) is not Verdict.PROVEN


def test_a_rival_that_is_reproduced_too_keeps_it_from_being_proven() -> None:
    shown = with_replays(explain(), [result(), result(POINTER)])
    assert verdict(shown) is Verdict.SUPPORTED


def test_nothing_run_changes_nothing() -> None:
    before = explain()
    assert with_replays(before, []).assessments == before.assessments


WITHOUT_LINE = MAIL.replace("s2-setup.c:38", "s2-setup.c:?")


@pytest.mark.parametrize(
    ("rival", "expected"),
    [
        (result(POINTER, reproduced=False), Verdict.PROVEN),
        (result(POINTER, reproduced=False, outcome="unknown"), Verdict.SUPPORTED),
        (result(POINTER, reproduced=False, modelled=True), Verdict.SUPPORTED),
    ],
)
def test_an_open_rival_must_have_shown_another_value(
    rival: ReplayResult, expected: Verdict
) -> None:
    assert verdict(explain(WITHOUT_LINE), POINTER) in (Verdict.POSSIBLE, Verdict.SUPPORTED)
    assert verdict(with_replays(explain(WITHOUT_LINE), [result(), rival])) is expected


@pytest.mark.parametrize(
    "changed",
    [
        # addr2line was asked for an address that is not PC's link address.
        MAIL.replace("Kernel Offset: disabled", "Kernel Offset: 0x200000 from 0xffff000008000000"),
        # A second version of the code.
        MAIL.replace(
            "Thanks.", "> 0000000000000000 <__init_stage2_translation>:\n> 0: d65f03c0 ret\n"
        ),
        # A capability that KVM without VHE does not leave set.
        MAIL.replace("CPU features: 0x002086", "CPU features: 0x002886"),
        # Nothing says that EL2 ran without VHE.
        MAIL.replace("Hyp mode init", "Hyp mode not i")
        .replace("HYP VA range", "VA range")
        .replace("CPU features: 0x002086", ""),
    ],
)
def test_what_the_text_leaves_open_about_the_code_keeps_it_from_being_proven(changed: str) -> None:
    assert changed != MAIL
    shown = with_replays(explain(changed), [result(), result(POINTER, reproduced=False)])
    assert verdict(shown) is Verdict.SUPPORTED


def test_a_run_that_shows_no_other_value_does_not_refute() -> None:
    rival = result(POINTER, reproduced=False, outcome="unknown")
    shown = with_replays(explain(), [result(), rival])
    pointer = next(a for a in shown.assessments if a.id == POINTER)
    assert all("ran: False" not in claim.text for claim in pointer.claims)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("IDMAP page: 809e2000", "IDMAP page: 80902000"),
        ("IDMAP page: 809e2000", "IDMAP page: 809e8000"),
        ("s2-setup.c:38", "s2-setup.c:23"),
    ],
)
def test_pc_elsewhere_than_inside_the_hyp_text_is_not_proven(old: str, new: str) -> None:
    assert old in MAIL
    shown = with_replays(
        explain(MAIL.replace(old, new)), [result(), result(POINTER, reproduced=False)]
    )
    assert verdict(shown) is not Verdict.PROVEN


def test_code_of_an_image_that_is_not_certainly_the_kernels_proves_nothing() -> None:
    text = panic_4_14(STAGE2_4_14 + 0x54)
    right = link_4_14(stage2(), banner=BANNER_4_14)
    wrong = link_4_14(stage2(), banner=BANNER_4_14.replace("#7", "#9"))
    runs = [result(), result(POINTER, reproduced=False)]
    shown = with_replays(with_image(text, wrong, allow_mismatch=True), runs)
    assert verdict(shown) is Verdict.SUPPORTED
    shown = with_replays(with_image(text, right), runs)
    assert verdict(shown) is Verdict.PROVEN
    assert shown.assessments[0].claims[-1].strength is Strength.EXECUTED
