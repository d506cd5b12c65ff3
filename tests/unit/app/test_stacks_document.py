"""Stacks beside that of the fault."""

from whypanic.app.analysis import explain_text
from whypanic.app.stacks_document import stacks_of

_LOG = b"""\
[    8.100000] BUG: KASAN: slab-use-after-free in foo_get+0x10/0x20
[    8.100001] Read of size 8 at addr ffff0000c2bb7080 by task foo/7
[    8.100002] Call trace:
[    8.100003]  foo_get+0x10/0x20
[    8.100006] Allocated by task 3:
[    8.100007]  kasan_save_stack+0x10/0x20
[    8.100008]  foo_new+0x50/0x60 [foo]
[    8.100009] Freed by task 9:
[    8.100010]  foo_put+0x50/0x60 [foo]
"""


def test_stacks_of_allocation_and_free() -> None:
    stacks = stacks_of(explain_text(_LOG)[1][0].case)
    assert [s.label for s in stacks] == ["Allocated by task 3", "Freed by task 9"]
    assert [(f.symbol, f.role) for f in stacks[0].frames] == [
        ("kasan_save_stack", "reporting"),
        ("foo_new", "call"),
    ]
    assert stacks[1].frames[0].module == "foo"


def test_report_without_them() -> None:
    assert stacks_of(explain_text(_LOG.split(b"\n")[0] + b"\n")[1][0].case) == []
