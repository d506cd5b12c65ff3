"""What our init prints on the console, and how it is read: marker lines of its own, and KTAP.

The lines are written by guest/init.c. The kernel's own lines may lie between them, and another CPU's may break into
one, so a marker is looked for anywhere in a line. Source of KTAP: Linux Documentation/dev-tools/ktap.rst, version 1.
"""

import re
from functools import cache

from whypanic.model.lab import GuestResult

PREFIX = "whypanic-init: "
START = PREFIX + "start"
"""The kernel has booted: our init runs."""
CPUS = PREFIX + "cpus "
"""Followed by how many CPUs are online."""
KVM_YES = PREFIX + "/dev/kvm yes"
KVM_NO = PREFIX + "/dev/kvm no, error "
"""Followed by the error number of opening it."""
TEST = PREFIX + "test "
"""Followed by number and name of the test that begins."""
WAITING = PREFIX + "waiting "
"""Followed by seconds and name, once a second while a test runs: the kernel is slow, or the test hangs."""
DONE = PREFIX + "done "
"""Followed by `passed=N failed=N skipped=N`: the last line before the power goes off."""
POWER_OFF_FAILED = PREFIX + "power off failed, error "
KTAP = "KTAP version 1"

TEST_DEADLINE_S = 4
"""After so many seconds of the guest's clock a test is killed; DEADLINE_S in guest/init.c."""


@cache
def _done() -> re.Pattern[str]:
    return re.compile(DONE + r"passed=([0-9]{1,6}) failed=([0-9]{1,6}) skipped=([0-9]{1,6})")


@cache
def _result() -> re.Pattern[str]:
    return re.compile(
        r"(not ok|ok) ([0-9]{1,6}) ([a-z0-9-]{1,40})(?: # SKIP ([^\r\n]*))?\r?$", re.M
    )


@cache
def _diagnosis() -> re.Pattern[str]:
    return re.compile(r"# failed: ([^\r\n]*)")


def guest_result(console: str) -> GuestResult | None:
    """Return what the exerciser reported, None before its first result.

    Without the line of the end the results so far are counted, and the test that was running is among the failures.
    """
    done = _done().search(console)
    results = list(_result().finditer(console))
    if done is None and not results:
        return None
    failures = tuple(_failure(console, m) for m in results if m[1] == "not ok")
    if done is not None:
        return GuestResult(
            passed=int(done[1]), failed=int(done[2]), skipped=int(done[3]), failures=failures
        )
    if (running := running_test(console)) is not None:
        failures += (f"{running}: did not end",)
    skipped = sum(m[4] is not None for m in results)
    passed = sum(m[1] == "ok" for m in results) - skipped
    return GuestResult(passed=passed, failed=len(failures), skipped=skipped, failures=failures)


def _failure(console: str, result: re.Match[str]) -> str:
    """Return the test's name and what it said of its failure since it began."""
    begun = max(console.rfind(TEST, 0, result.start()), 0)
    said = _diagnosis().findall(console, begun, result.start())
    return f"{result[3]}: {'; '.join(said)}" if said else result[3]


def running_test(console: str) -> str | None:
    """Return the name of the test that has begun and has no result yet."""
    begun = console.rfind(TEST)
    if begun < 0:
        return None
    words = console[begun + len(TEST) :].split(maxsplit=2)
    if len(words) < 2 or not words[0].isdecimal():
        return None
    ended = any(m[2] == words[0] for m in _result().finditer(console, begun))
    return None if ended or _done().search(console, begun) else words[1]
