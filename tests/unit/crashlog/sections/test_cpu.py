"""Identity lines."""

import pytest

from builders.log_lines import fact, facts, recognised
from whypanic.crashlog.sections.rule import Part
from whypanic.model.context import (
    BuildId,
    Hardware,
    KernelVersion,
    Modules,
    Taint,
    Task,
    Workqueue,
)


@pytest.mark.parametrize(
    ("text", "cpu", "uid", "pid", "comm"),
    [
        ("CPU: 3 PID: 95 Comm: kworker/u16:2 Not tainted 6.4.0 #237", 3, None, 95, "kworker/u16:2"),
        ("CPU: 9 UID: 0 PID: 7 Comm: (udev-worker) Not tainted 6.12.0 #1", 9, 0, 7, "(udev-worker)"),
        ("CPU: 1 PID: 8 Comm: CPU 18/KVM Tainted: G        W  5.10.0 #2", 1, None, 8, "CPU 18/KVM"),
    ],
)  # fmt: skip
def test_task(text: str, cpu: int, uid: int | None, pid: int, comm: str) -> None:
    task = fact(text, Task)
    assert (task.cpu, task.uid, task.pid, task.comm) == (cpu, uid, pid, comm)


def test_taint_and_release() -> None:
    text = "CPU: 1 PID: 8 Comm: a Kdump: loaded Tainted: G    B   W  O  5.10.7-x+ #2 SMP"
    assert fact(text, Taint).letters == ("G", "B", "W", "O")
    assert fact(text, Task).kdump
    version = fact(text, KernelVersion)
    assert (version.release, version.build, version.number) == ("5.10.7-x+", "#2 SMP", (5, 10))
    assert fact("CPU: 1 PID: 8 Comm: a Not tainted 5.10.7 #2", Taint).letters == ()


def test_build_id() -> None:
    text = f"CPU: 1 PID: 8 Comm: a Not tainted 5.17.0 {'0a' * 20} #2"
    assert fact(text, BuildId).hex == "0a" * 20


@pytest.mark.parametrize("package", ["", " Distro 5.17.3-1"])
def test_build_id_behind_the_build(package: str) -> None:
    text = f"CPU: 1 PID: 8 Comm: a Not tainted 5.17.0 #2 {package} {'0b' * 20}"
    assert fact(text, BuildId).hex == "0b" * 20
    assert fact(text, KernelVersion).build == f"#2{' ' + package if package else ''}"


def test_taint_in_words() -> None:
    assert fact("Tainted: [W]=WARN, [O]=OOT_MODULE", Taint).letters == ("W", "O")


def test_lockdep_and_khungtaskd_name_the_kernel() -> None:
    assert fact("5.10.2 #24 Not tainted", KernelVersion).release == "5.10.2"
    assert fact("      Not tainted 5.9.0-1 #15", KernelVersion).release == "5.9.0-1"


def test_others() -> None:
    assert fact("Hardware name: Some Board (DT)", Hardware).name == "Some Board (DT)"
    queue = fact("Workqueue: events_unbound deferred_probe_work_func", Workqueue)
    assert (queue.name, queue.function) == ("events_unbound", "deferred_probe_work_func")
    process = fact("Process swapper/0 (pid: 1, stack limit = 0xffff000009110000)", Task)
    assert (process.pid, process.comm) == (1, "swapper/0")


def test_modules() -> None:
    modules = fact("Modules linked in: a b(O) c_d(OE+) [last unloaded: e_f(E)]", Modules)
    assert modules.names == ("a", "b(O)", "c_d(OE+)")
    assert modules.last_unloaded == "e_f(E)"
    assert modules.complete
    assert not fact("Modules linked in: a ...", Modules).complete


def test_a_cut_line_still_names_the_task() -> None:
    assert fact("CPU: 3 PID: 95 Comm: foo", Task).pid == 95
    assert facts("CPU: 3 PID: 95 Comm: foo", KernelVersion) == []


def test_unloaded_tainted_modules_are_known() -> None:
    assert recognised("Unloaded tainted modules: frob_core():1 baz():2").part is Part.DETAIL
