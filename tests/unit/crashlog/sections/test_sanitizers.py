"""Lines of the sanitizers behind their headline."""

import pytest

from builders.log_lines import fact, facts, of, report
from whypanic.model.context import Task
from whypanic.model.fault import Detail, FaultAddress
from whypanic.model.sanitizer import (
    Access,
    AsynchronousFault,
    BadObject,
    ShadowRow,
    StackObject,
    StackPlace,
    TagPair,
)
from whypanic.model.trace import Frame, TraceRole


def test_access() -> None:
    text = "Write of size 8 at addr ffff0000c2bb708c by task foo/3:1/77"
    access = fact(text, Access)
    assert (access.what, access.size, access.address) == ("write", 8, 0xFFFF0000C2BB708C)
    assert fact(text, FaultAddress).va == 0xFFFF0000C2BB708C
    task = fact(text, Task)
    assert (task.comm, task.pid) == ("foo/3:1", 77)


def test_access_without_size_or_address() -> None:
    tagged = fact("Read at addr 07ff00002a0f4600 by task foo/7", Access)
    assert (tagged.size, tagged.address) == (None, 0x07FF00002A0F4600)
    old = fact("Read of size 4 by task foo/7", Access)
    assert (old.size, old.address) == (4, None)
    assert fact("Free of addr ffff0000c2bb7080 by task foo/7", Access).what == "free"


@pytest.mark.parametrize(
    ("text", "what", "address", "note"),
    [
        (
            "Out-of-bounds read at 0xffff0000c2bb7fff (1B left of kfence-#7):",
            "read",
            0xFFFF0000C2BB7FFF,
            "1B left of kfence-#7",
        ),
        (
            "Use-after-free write at 0x00000000c2bb7080 (in kfence-#7):",
            "write",
            None,
            "in kfence-#7",
        ),
        ("Invalid read at 0xffff0000c2bb7080:", "read", 0xFFFF0000C2BB7080, ""),
        ("Invalid free of 0xffff0000c2bb7080 (in kfence-#7):", "free", 0xFFFF0000C2BB7080, "in kfence-#7"),
        (
            "Corrupted memory at 0x00000000c2bb70a0 [ ! . . ] (in kfence-#7):",
            "corruption",
            None,
            "in kfence-#7",
        ),
    ],
)  # fmt: skip
def test_kfence_access(text: str, what: str, address: int | None, note: str) -> None:
    found = fact(text, Access)
    assert (found.what, found.address, found.note) == (what, address, note)


@pytest.mark.parametrize(
    ("text", "what", "pid"),
    [
        ("read to 0xffff0000c2bb7080 of 8 bytes by task 12 on cpu 3:", "read", 12),
        ("write (marked) to 0xffff0000c2bb7080 of 8 bytes by interrupt on cpu 3:", "write (marked)", None),
        (
            "race at unknown origin, with read-write to 0xffff0000c2bb7080 of 8 bytes by task 12 on cpu 3:",
            "read-write",
            12,
        ),
        ("assert no writes to 0xffff0000c2bb7080 of 8 bytes by task 12 on cpu 3:", "assert no writes", 12),
    ],
)  # fmt: skip
def test_kcsan_access(text: str, what: str, pid: int | None) -> None:
    found = fact(text, Access)
    assert (found.what, found.pid, found.cpu, found.size) == (what, pid, 3, 8)


def test_tags() -> None:
    pair = fact("Pointer tag: [0b], memory tag: [fe]", TagPair)
    assert (pair.pointer, pair.memory) == (0x0B, 0xFE)
    assert fact("Asynchronous fault: no details available", AsynchronousFault)


def test_object_on_several_lines() -> None:
    assert fact(
        "The buggy address belongs to the object at ffff0000c2bb7080", BadObject
    ).address == (0xFFFF0000C2BB7080)
    named = fact(" which belongs to the cache kmalloc-64 of size 64", BadObject)
    assert (named.cache, named.size) == ("kmalloc-64", 64)
    place = fact("The buggy address is located 3 bytes to the right of", BadObject)
    assert (place.distance, place.side) == (3, "right")
    region = fact(" allocated 61-byte region [ffff0000c2bb7080, ffff0000c2bb70bd)", BadObject)
    assert (region.size, region.state) == (61, "allocated")


def test_row_of_the_memory_state() -> None:
    row = fact(">ffff0000c2bb7080: 00 00 04 fc fc fc fc fc fc fc fc fc fc fc fc fc", ShadowRow)
    assert (row.address, row.values[2], row.guilty) == (0xFFFF0000C2BB7080, 4, True)
    other = fact(" ffff0000c2bb7100: fb fb fb fb fb fb fb fb fb fb fb fb fb fb fb fb", ShadowRow)
    assert not other.guilty


def test_row_is_cut() -> None:
    assert facts(" ffff0000c2bb7100: fb fb fb fb fb fb fb fb", ShadowRow) == []
    assert fact(" ffff0000c2bb7100: fb fb fb fb fb fb fb fb", Detail).name == "sanitizer"


def test_frame_of_a_stack_address() -> None:
    text = "addr ffff80008123bd18 is located in stack of task foo/7 at offset 40 in frame:"
    assert fact(text, StackPlace).offset == 40
    variable = fact(" [32, 64) 'args'", StackObject)
    assert (variable.first, variable.end, variable.name) == (32, 64, "args")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Allocated by task 12:", "bare-stack"),
        ("Freed by task 12 on cpu 3 at 8.100200s:", "bare-stack"),
        ("Last potentially related work creation:", "bare-stack"),
        ("allocated by task 12 on cpu 3 at 8.100200s (0.100000s ago):", "bare-stack"),
        ("rcu freeing by task 12 on cpu 3 at 8.100200s (0.100000s ago):", "bare-stack"),
        ("Allocated in foo_new+0x10/0x20 age=12 cpu=3 pid=7", "bare-stack"),
        ("The buggy address belongs to the variable:", "bare-stack"),
        ("index 9 is out of range for type 'int [8]'", "ubsan"),
        ("shift exponent 70 is too large for 64-bit type 'long unsigned int'", "ubsan"),
        ("2147483647 + 1 cannot be represented in type 'int'", "ubsan"),
        ("member access within null pointer of type 'struct foo'", "ubsan"),
        ("load of value 255 is not a valid value for type '_Bool'", "ubsan"),
        ("page dumped because: nonzero _refcount", "page-reason"),
        ("value changed: 0x0001 -> 0x0002", "race-values"),
        ("[Right Redzone overwritten] 0xffff0000c2bb70c0-0xffff0000c2bb70c7 @offset=64.", "slab"),
        ("FIX kmalloc-64: Restoring Poison", "slab"),
    ],
)
def test_details(text: str, name: str) -> None:
    assert fact(text, Detail).name == name


_FREED = """\
[    8.100000] BUG: KASAN: slab-use-after-free in foo_get+0x10/0x20
[    8.100001] Read of size 8 at addr ffff0000c2bb7080 by task foo/7
[    8.100002] Call trace:
[    8.100003]  foo_get+0x10/0x20
[    8.100004]  foo_ioctl+0x30/0x40
[    8.100005]
[    8.100006] Freed by task 9:
[    8.100007]  free_it mm/slub.c:12 [inline]
[    8.100008]  foo_put+0x50/0x60
[    8.100009]
[    8.100010] The buggy address belongs to the variable:
[    8.100011]  foo_table+0x40/0x80
"""


def test_stacks_carry_the_line_above_them() -> None:
    frames = [(f.label, f.ref.symbol if f.ref else "", f.role) for f in of(report(_FREED), Frame)]
    assert frames == [
        ("", "foo_get", TraceRole.FAULT),
        ("", "foo_ioctl", TraceRole.FAULT),
        ("Freed by task 9", "free_it", TraceRole.OTHER),
        ("Freed by task 9", "foo_put", TraceRole.OTHER),
        ("The buggy address belongs to the variable", "foo_table", TraceRole.OTHER),
    ]


def test_call_trace_behind_an_empty_stack_is_that_of_the_report() -> None:
    text = (
        "[    8.100000] BUG kmalloc-64 (Not tainted): Object already free\n"
        "[    8.100001] Freed in foo_put+0x50/0x60 age=12 cpu=3 pid=9\n"
        "[    8.100002] Call trace:\n"
        "[    8.100003]  foo_ioctl+0x30/0x40\n"
    )
    (frame,) = of(report(text), Frame)
    assert (frame.role, frame.label) == (TraceRole.FAULT, "")
