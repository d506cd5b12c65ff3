"""Lines of checkers and stalls."""

import pytest

from builders.log_lines import fact, facts, recognised
from whypanic.crashlog.sections.rule import Part
from whypanic.model.context import Task
from whypanic.model.fault import Detail, FaultAddress, KasanHint


def test_hint() -> None:
    text = "KASAN: null-ptr-deref in range [0x0000000000000010-0x0000000000000017]"
    hint = fact(text, KasanHint)
    assert (hint.what, hint.first, hint.last) == ("null-ptr-deref", 0x10, 0x17)


def test_access() -> None:
    text = "Write of size 8 at addr ffff0000c2bb708c by task foo/3:1/77"
    assert fact(text, Detail).number == 8
    assert fact(text, FaultAddress).va == 0xFFFF0000C2BB708C
    task = fact(text, Task)
    assert (task.comm, task.pid) == ("foo/3:1", 77)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Allocated by task 12:", "other-stack"),
        ("NMI backtrace for cpu 3", "other-stack"),
        ("Pointer tag: [f2], memory tag: [65]", "sanitizer"),
        (" ffff0000c2bb7080: fb fb fb fb fb fb fb fb fb fb fb fb fb fb fb fb", "sanitizer"),
        ("2 locks held by foo/12:", "lock"),
        (" #0: ffff0000c2bb7080 (&a->b){+.+.}-{3:3}, at: foo+0x10/0x20", "lock"),
        ("rcu: \t1-...0: (0 ticks this GP) idle=05a/1/0x4000000000000000 fqs=2042", "stall"),
        ("x30            = 0x000000000a001234", "firmware"),
    ],
)
def test_details(text: str, name: str) -> None:
    assert fact(text, Detail).name == name


def test_snips_are_nothing() -> None:
    for text in ("...", "[ ... ]", "<snip>", "[...]", "====================="):
        assert recognised(text).part is Part.SNIP


def test_prose_is_nothing() -> None:
    assert facts("I have no idea what this is about, sorry", Detail) == []
