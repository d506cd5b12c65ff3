from pathlib import Path

import pytest

from builders.fake_qemu import AT_REST, POWER_OFF, REGISTERS, RESET, fake_qemu
from whypanic.host.machine import start_machine
from whypanic.lab import watch
from whypanic.lab.console import Console
from whypanic.lab.interrupt_log import InterruptLog
from whypanic.lab.watch import End, Watch, Watched

PANIC = ("console", "[    1.0] Kernel panic - not syncing: enough\n")
STORM = (
    "Taking exception 1 [Undefined Instruction] on CPU 0\n...from EL1 to EL1\n...with ELR 0x200\n"
)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("_HANG_S", 0.3),
        ("_WAITING_HANG_S", 0.6),
        ("_LOOK_FROM_S", 0.05),
        ("_LOOK_EVERY_S", 0.01),
        ("_BUSY_S", 0.0),
        ("_POLL_S", 0.01),
    ):
        monkeypatch.setattr(watch, name, value)


def _watch(
    folder: Path,
    *steps: tuple[object, ...],
    answers: dict[str, str] = AT_REST,
    deadline_s: float = 20,
    lines: list[str] | None = None,
    deterministic: bool = False,
) -> Watched:
    program = fake_qemu(folder, steps, answers)
    files = (folder / "c", folder / "d")
    argv = (program, "-chardev", f"file,id=console,path={files[0]}", "-D", str(files[1]))
    with start_machine(argv, file_bytes=1 << 24) as machine:
        seen = lines.append if lines is not None else None
        console, interrupts = Console(files[0]), InterruptLog(files[1])
        return Watch(machine, console, interrupts, seen, deterministic=deterministic).run(
            deadline_s
        )


def test_a_guest_that_turns_itself_off(tmp_path: Path) -> None:
    lines: list[str] = []
    watched = _watch(tmp_path, ("console", "one\ntwo\n"), POWER_OFF, lines=lines)
    assert watched.end is End.POWER_OFF
    assert lines == ["one", "two"]


def test_a_reset_after_a_panic(tmp_path: Path) -> None:
    watched = _watch(tmp_path, PANIC, ("sleep", 0.1), RESET)
    assert watched.end is End.RESET
    assert 0.0 < watched.verdict_s < 5.0


def test_pvpanic(tmp_path: Path) -> None:
    event = ("event", "GUEST_PANICKED", {"action": "pause"})
    assert _watch(tmp_path, event).end is End.PANICKED


def test_a_panic_that_stays_is_known_half_a_second_later(tmp_path: Path) -> None:
    watched = _watch(
        tmp_path, PANIC, *(step for _ in range(50) for step in (("sleep", 0.02), ("console", ".")))
    )
    assert watched.end is End.PANIC_TEXT
    assert 0.5 <= watched.verdict_s < 5.0


def test_cpus_that_stand_still(tmp_path: Path) -> None:
    watched = _watch(tmp_path, ("console", "hello\n"))
    assert watched.end is End.SILENT
    assert watched.quiet_s >= 0.3
    assert watched.sampler.n_looks >= 8


def test_a_machine_that_had_no_cpu_time_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_BUSY_S", 1000.0)
    assert _watch(tmp_path, deadline_s=1.0).end is End.DEADLINE


def test_cpus_that_wait_are_given_longer(tmp_path: Path) -> None:
    answers = AT_REST | {"xp": "0000000040210000: 0xd503207f\n"}
    watched = _watch(tmp_path, answers=answers)
    assert watched.end is End.SILENT
    assert watched.quiet_s >= 0.6


def test_a_deterministic_machine_is_left_alone_for_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_LOOK_FROM_DETERMINISTIC_S", 10.0)
    watched = _watch(tmp_path, ("console", "hello\n"), deadline_s=1.0, deterministic=True)
    assert watched.end is End.DEADLINE
    assert watched.sampler.n_looks == 0


def test_output_ends_the_silence(tmp_path: Path) -> None:
    steps = [step for _ in range(8) for step in (("sleep", 0.1), ("console", "."))]
    assert _watch(tmp_path, *steps, POWER_OFF).end is End.POWER_OFF


def test_a_storm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_HANG_S", 15.0)
    watched = _watch(tmp_path, ("sleep", 0.3), ("exceptions", STORM * 100_000))
    assert watched.end is End.STORM


def test_a_deadline(tmp_path: Path) -> None:
    moving = AT_REST | {"info registers -a": REGISTERS.format(x1=1).replace("CPU#0", "CPU#x")}
    assert _watch(tmp_path, answers=moving, deadline_s=0.5).end is End.DEADLINE


def test_a_qemu_that_dies(tmp_path: Path) -> None:
    assert _watch(tmp_path, ("die", "assertion failed")).end is End.DIED


def test_a_qemu_that_was_told_to_stop_by_the_host(tmp_path: Path) -> None:
    event = ("event", "SHUTDOWN", {"guest": False, "reason": "host-signal"})
    assert _watch(tmp_path, event).end is End.DIED


def test_output_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whypanic.lab.console.MAX_BYTES", 1000)
    assert _watch(tmp_path, ("console", "x" * 2000)).end is End.FLOOD
