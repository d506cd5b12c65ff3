from pathlib import Path

import pytest

from builders.fake_qemu import POWER_OFF, fake_qemu
from whypanic.host.machine import start_machine, temporary_folder
from whypanic.host.qmp import MachineDiedError, MachineEvent
from whypanic.model.errors import HostError


def _argv(program: str, folder: Path) -> tuple[str, ...]:
    return (program, "-chardev", f"file,id=console,path={folder / 'c'}", "-D", str(folder / "d"))


def test_it_runs_when_it_is_told_to_and_answers(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [("console", "hello\n"), POWER_OFF])
    with start_machine(_argv(program, tmp_path), file_bytes=1 << 20) as machine:
        assert machine.next_event(0.05) is None
        machine.resume()
        assert machine.next_event(10) == MachineEvent("SHUTDOWN", "guest-shutdown")
        machine.pause()
        assert machine.hmp("info registers -a").startswith("CPU#0\n")
        assert machine.physical_address(0xFFFF800008010004) == 0x40210004
        assert machine.physical_word(0x40210000) == 0x14000000
        assert not machine.is_gone
        assert machine.cpu_s() >= 0.0
    assert (tmp_path / "c").read_text(encoding="ascii") == "hello\n"


def test_what_is_not_mapped_has_no_physical_address(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [], {"gva2gpa": "Unmapped\n", "xp": "Cannot access memory\n"})
    with start_machine(_argv(program, tmp_path), file_bytes=1 << 20) as machine:
        assert machine.physical_address(0) is None
        assert machine.physical_word(0) is None


def test_the_socket_of_gdb_is_opened_once(tmp_path: Path) -> None:
    with start_machine(_argv(fake_qemu(tmp_path, []), tmp_path), file_bytes=1 << 20) as machine:
        first = machine.gdb_socket()
        assert first == machine.gdb_socket()
        assert len(str(first)) < 108


def test_a_qemu_that_dies_has_last_words(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [("die", "out of everything")])
    with start_machine(_argv(program, tmp_path), file_bytes=1 << 20) as machine:
        machine.resume()
        assert machine.next_event(10) is None
        assert machine.is_gone
        assert machine.complaint() == "out of everything"
        with pytest.raises(MachineDiedError):
            machine.hmp("info status")


def test_a_qemu_that_does_not_start(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [("refuse", "no such CPU")])
    with (
        pytest.raises(MachineDiedError, match="does not start: no such CPU"),
        start_machine(_argv(program, tmp_path), file_bytes=1 << 20),
    ):
        pass


def test_a_program_that_is_missing(tmp_path: Path) -> None:
    with (
        pytest.raises(HostError, match="cannot start"),
        start_machine((str(tmp_path / "no"),), file_bytes=1 << 20),
    ):
        pass


def test_a_console_without_end_kills_qemu_and_not_the_disk(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [("console", "x" * 100_000)] * 2)
    with start_machine(_argv(program, tmp_path), file_bytes=100_000) as machine:
        machine.resume()
        machine.next_event(2)
    assert (tmp_path / "c").stat().st_size == 100_000


def test_temporary_folders_are_new() -> None:
    one, two = temporary_folder(), temporary_folder()
    assert one != two
    one.rmdir()
    two.rmdir()


def test_a_machine_whose_guest_has_ended_cannot_be_resumed(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [POWER_OFF, ("no-more-cont",)])
    with start_machine(_argv(program, tmp_path), file_bytes=1 << 20) as machine:
        assert machine.resume()
        assert machine.next_event(10) is not None
        while machine.resume():
            assert machine.next_event(0.01) is None
