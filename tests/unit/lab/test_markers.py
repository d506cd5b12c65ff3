import re

import pytest

from whypanic.lab import markers
from whypanic.lab.guest_build import GUEST
from whypanic.lab.markers import guest_result, running_test
from whypanic.model.lab import GuestResult

HEAD = "Run /init as init process\r\nwhypanic-init: start\r\nKTAP version 1\r\n1..3\r\n"


def _begins(number: int, name: str) -> str:
    return f"whypanic-init: test {number} {name}\r\n"


@pytest.mark.parametrize(
    "marker",
    [
        markers.START,
        markers.CPUS,
        markers.KVM_YES,
        markers.KVM_NO,
        markers.TEST,
        markers.WAITING,
        markers.DONE,
        markers.POWER_OFF_FAILED,
        markers.KTAP,
    ],
)
def test_the_init_prints_the_marker(marker: str) -> None:
    assert f'"{marker}' in (GUEST / "init.c").read_text(encoding="utf-8")


def test_every_marker_of_the_init_is_defined() -> None:
    known = {value for name, value in vars(markers).items() if name.isupper()}
    printed = re.findall(
        r'"(whypanic-init: [^"]*)"', (GUEST / "init.c").read_text(encoding="utf-8")
    )
    assert [
        text
        for text in printed
        if not any(text.startswith(k) for k in known - {markers.PREFIX} if isinstance(k, str))
    ] == []


def test_the_deadline_is_that_of_the_init() -> None:
    text = (GUEST / "init.c").read_text(encoding="utf-8")
    assert f"DEADLINE_S = {markers.TEST_DEADLINE_S}," in text


def test_all_passed() -> None:
    console = (
        HEAD
        + _begins(1, "kvm-create")
        + "ok 1 kvm-create\r\n"
        + _begins(2, "guest-timer")
        + "ok 2 guest-timer # SKIP KVM has no GIC for its guests here\r\n"
        + "whypanic-init: done passed=1 failed=0 skipped=1\r\n"
    )
    assert guest_result(console) == GuestResult(passed=1, failed=0, skipped=1)


def test_nothing_was_tried() -> None:
    console = (
        "ok 1 kvm-create # SKIP no /dev/kvm\r\nwhypanic-init: done passed=0 failed=0 skipped=1\r\n"
    )
    assert guest_result(HEAD + console) == GuestResult(passed=0, failed=0, skipped=1)


def test_failures_say_what_the_test_said() -> None:
    console = (
        HEAD
        + _begins(1, "guest-mmio")
        + "# failed: of another test\r\nnot ok 1 guest-mmio\r\n"
        + _begins(2, "guest-fp")
        + "# round: wanted 0x5\r\n# failed: round: 0x4\r\nnot ok 2 guest-fp\r\n"
        + _begins(3, "guest-psci")
        + "not ok 3 guest-psci\r\n"
        + "whypanic-init: done passed=0 failed=3 skipped=0\r\n"
    )
    found = guest_result(console)
    assert found is not None
    assert found.failures == (
        "guest-mmio: of another test",
        "guest-fp: round: 0x4",
        "guest-psci",
    )


def test_what_never_ended_is_a_failure() -> None:
    console = (
        HEAD + "ok 1 kvm-create\r\n" + _begins(2, "guest-mmio") + "[    2.1] watchdog: BUG\r\n"
    )
    assert running_test(console) == "guest-mmio"
    assert guest_result(console) == GuestResult(
        passed=1, failed=1, skipped=0, failures=("guest-mmio: did not end",)
    )


def test_nothing_runs_between_tests_and_at_the_end() -> None:
    console = HEAD + _begins(1, "guest-mmio") + "ok 1 guest-mmio\r\n"
    assert running_test(console) is None
    assert running_test(HEAD) is None
    assert running_test(HEAD + markers.TEST + "7\r\n") is None
    assert (
        running_test(console + _begins(2, "x") + markers.DONE + "passed=1 failed=0 skipped=0")
        is None
    )


def test_a_line_that_the_kernel_broke_into() -> None:
    console = "[    3.4] kvm [57]: whypanic-init: done passed=7 failed=0 skipped=0[    3.5] reboot: Power down\n"
    assert guest_result(console) == GuestResult(passed=7, failed=0, skipped=0)


def test_no_result_yet() -> None:
    assert guest_result("") is None
    assert guest_result(HEAD) is None
    assert guest_result("look 3 times, broken 4 ever\n") is None
