"""Lines of lockdep and of the checks of context."""

import pytest

from builders.log_lines import fact, facts, recognised
from whypanic.crashlog.sections.rule import Part
from whypanic.model.fault import Detail
from whypanic.model.locks import HeldLock, LockChain, LockHolder, LockState, LockStep, LockUse
from whypanic.model.progress import Context


@pytest.mark.parametrize(
    ("text", "name", "place", "index"),
    [
        (" #2: ffff0000c2bb7080 (&a->b){+.+.}-{3:3}, at: foo+0x10/0x20", "&a->b", "foo", 2),
        (" #1: (____ptrval____) (c_lock){+.+.}, at: foo+0x10/0x20", "c_lock", "foo", 1),
        ("ffff0000c2bb7080 (&tty->x#2/1){....}-{2:2}, at: foo.part.0+0x10/0x20", "&tty->x#2/1", "foo.part.0", None),
        (" #0:  (rcu_read_lock){......}, at: [<ffff000008a41230>] foo+0x10/0x20", "rcu_read_lock", "foo", 0),
        ("ffff0000c2bb7080 ((work_completion)(&f->w)){+.+.}-{0:0}, at: foo+0x10/0x20", "(work_completion)(&f->w)", "foo", None),
    ],
)  # fmt: skip
def test_lock(text: str, name: str, place: str | None, index: int | None) -> None:
    lock = fact(text, HeldLock)
    assert (lock.name, lock.index) == (name, index)
    assert (lock.ref.symbol if lock.ref else None) == place


def test_holder() -> None:
    holder = fact("2 locks held by kworker/3:1/1855:", LockHolder)
    assert (holder.comm, holder.pid, holder.count) == ("kworker/3:1", 1855, 2)
    assert fact("no locks held by foo/12.", LockHolder).count == 0
    old = fact("1 lock held by swapper/0:", LockHolder)
    assert old.count == 1


@pytest.mark.parametrize(
    ("text", "step", "pid"),
    [
        ("foo/12 is trying to acquire lock:", LockStep.TAKES, 12),
        ("foo/12 [HC0[0]:SC0[0]:HE0:SE1] is trying to acquire:", LockStep.TAKES, 12),
        ("swapper/0/0 [HC1[1]:SC0[0]:HE0:SE1] takes:", LockStep.TAKES, 0),
        ("foo/12 is trying to lock:", LockStep.TAKES, 12),
        ("foo/12 just changed the state of lock:", LockStep.TAKES, 12),
        ("but task is already holding lock:", LockStep.HOLDS, None),
        ("and this task is already holding:", LockStep.HOLDS, None),
        ("which would create a new lock dependency:", LockStep.OTHER, None),
    ],
)
def test_use(text: str, step: LockStep, pid: int | None) -> None:
    use = fact(text, LockUse)
    assert (use.step, use.pid) == (step, pid)


def test_state_and_chain() -> None:
    state = fact("inconsistent {SOFTIRQ-ON-W} -> {IN-SOFTIRQ-W} usage.", LockState)
    assert (state.before, state.now) == ("SOFTIRQ-ON-W", "IN-SOFTIRQ-W")
    assert fact("  &a->l --> b_lock --> &c", LockChain).names == ("&a->l", "b_lock", "&c")


def test_context() -> None:
    text = "in_atomic(): 1, irqs_disabled(): 128, non_block: 0, pid: 12, name: foo"
    context = fact(text, Context)
    assert (context.in_atomic, context.irqs_disabled) == (True, True)
    count = fact("preempt_count: 10100, expected: 1", Context)
    assert (count.preempt_count, count.expected) == (0x10100, 1)
    assert fact("RCU nest depth: 2, expected: 0", Context).rcu_depth == 2
    atomic = fact("BUG: scheduling while atomic: foo/12/0x00000102", Context)
    assert atomic.preempt_count == 0x102


def test_stacks_of_the_chain_have_titles() -> None:
    for text in ("-> #1 (a_lock){+.+.}-{3:3}:", "{SOFTIRQ-ON-W} state was registered at:"):
        assert facts(text, Detail)[0].name == "other-stack"


def test_code_in_a_mail_is_nothing() -> None:
    for text in ("}", "if (lock) {", "the lock is held by nobody", "a -> b"):
        assert recognised(text).part is Part.NONE
