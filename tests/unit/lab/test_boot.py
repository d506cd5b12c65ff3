import gzip
from pathlib import Path

import pytest
from msgspec.structs import replace

from builders.fake_qemu import KVM, LINUX, POWER_OFF, RESET, boot_spec, fake_qemu, raw_image
from whypanic.host.machine import Machine
from whypanic.lab.boot import boot
from whypanic.lab.markers import DONE, KVM_NO
from whypanic.model.errors import HostError, InputError, UsageError
from whypanic.model.lab import BootResult, LabVerdict

MODE = "kvm [1]: Hyp mode initialized successfully\n"
DONE_LINE = f"{DONE}passed=7 failed=0 skipped=0\n"
FAULT = (
    "Taking exception 4 [Data Abort] on CPU 0\n...from EL2 to EL2\n"
    "...with ESR 0x25/0x96000005\n...with FAR 0x10\n...with ELR 0x40210010\n"
)


def test_a_boot_that_is_fine(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [("console", MODE + DONE_LINE), POWER_OFF])
    lines: list[str] = []
    result = boot(boot_spec(tmp_path), program=program, progress=lines.append, autopsy=_no_autopsy)
    assert result.verdict is LabVerdict.OK
    assert result.proved_mode is True
    assert result.proof == MODE.strip()
    assert result.guest is not None
    assert result.guest.passed == 7
    assert lines == [MODE.strip(), DONE_LINE.strip()]
    assert Path(result.console).read_text(encoding="ascii") == MODE + DONE_LINE
    assert result.seconds > 0
    assert result.argv[-1] == "-no-reboot"
    assert result.samples == ()


def _no_autopsy(_machine: Machine, _result: BootResult) -> BootResult:
    pytest.fail("a boot that is fine needs none")


def test_a_failure_is_looked_at_while_the_machine_stands_still(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [("console", MODE), ("exceptions", FAULT), RESET])

    def autopsy(machine: Machine, result: BootResult) -> BootResult:
        assert "PC=" in machine.hmp("info registers -a")
        return replace(result, last_words="words")

    result = boot(
        boot_spec(tmp_path),
        program=program,
        autopsy=autopsy,
        namer=lambda offset: f"at {offset:#x}",
    )
    assert result.verdict is LabVerdict.RESET_LOOP
    assert result.last_words == "words"
    assert result.samples[0].symbol == "at 0x10004"
    assert result.n_exceptions == 1
    assert result.exceptions[0].symbol == "at 0x10010"


def test_a_panic_that_was_never_printed_is_a_panic(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [("console", MODE), RESET])
    words = "[    1.000000] Kernel panic - not syncing: out of toys"
    result = boot(
        boot_spec(tmp_path),
        program=program,
        autopsy=lambda _machine, result: replace(result, last_words=words),
    )
    assert result.verdict is LabVerdict.PANIC
    assert result.reason.endswith("the console never had it")


@pytest.mark.parametrize("printed", [MODE, ""])
def test_what_was_survived_does_not_explain_the_end(tmp_path: Path, printed: str) -> None:
    steps = [("console", printed)] if printed else []
    program = fake_qemu(tmp_path, [*steps, RESET])
    words = (
        "[    1.000000] ------------[ cut here ]------------\n"
        "[    1.000000] WARNING: CPU: 0 PID: 1 at drivers/toy.c:7 toy_probe+0x10/0x40\n"
        "[    1.000000] ---[ end trace 0000000000000000 ]---"
    )
    result = boot(
        boot_spec(tmp_path),
        program=program,
        autopsy=lambda _machine, result: replace(result, last_words=words),
    )
    assert result.verdict is LabVerdict.RESET_LOOP


def test_what_is_not_applicable_is_not_booted(tmp_path: Path) -> None:
    result = boot(boot_spec(tmp_path, mode="hvhe"), program=str(tmp_path / "missing"))
    assert result.verdict is LabVerdict.NOT_APPLICABLE
    assert result.reason == "this kernel has no hVHE (it came with 6.5)"
    assert result.proved_mode is None


def test_a_qemu_that_does_not_start_or_dies(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [("refuse", "no such CPU")])
    result = boot(boot_spec(tmp_path), program=program, autopsy=_no_autopsy)
    assert result.verdict is LabVerdict.INFRASTRUCTURE
    assert result.reason.endswith("does not start: no such CPU")
    program = fake_qemu(tmp_path, [("console", "hello\n"), ("die", "assertion failed")])
    result = boot(boot_spec(tmp_path), program=program, autopsy=_no_autopsy)
    assert result.verdict is LabVerdict.INFRASTRUCTURE
    assert result.reason == "QEMU ended: assertion failed"


def test_a_packed_image_is_unpacked_for_qemu(tmp_path: Path) -> None:
    raw = raw_image(LINUX, KVM)
    spec = boot_spec(tmp_path, image=gzip.compress(raw))
    program = fake_qemu(tmp_path, [("console", MODE + DONE_LINE), POWER_OFF])
    result = boot(spec, program=program)
    assert result.verdict is LabVerdict.OK
    unpacked = result.argv[result.argv.index("-kernel") + 1]
    assert Path(unpacked).read_bytes() == raw


def test_a_second_boot_in_the_same_folder_begins_anew(tmp_path: Path) -> None:
    spec = boot_spec(tmp_path)
    for _ in range(2):
        program = fake_qemu(tmp_path, [("console", MODE + DONE_LINE), POWER_OFF])
        assert Path(boot(spec, program=program).console).stat().st_size == len(MODE + DONE_LINE)


def test_errors(tmp_path: Path) -> None:
    spec = boot_spec(tmp_path)
    program = fake_qemu(tmp_path, [])
    with pytest.raises(HostError, match="no program") as missing:
        boot(spec, program="qemu-of-nowhere")
    assert "qemu-system-arm" in missing.value.hints[0]
    with pytest.raises(InputError, match="no initramfs"):
        boot(replace(spec, initramfs=str(tmp_path / "no")), program=program)
    with pytest.raises(InputError, match="cannot read"):
        boot(replace(spec, image=str(tmp_path / "no")), program=program)
    with pytest.raises(UsageError, match="no mode"):
        boot(replace(spec, mode="el9"), program=program)
    with pytest.raises(UsageError, match="KASLR"):
        boot(replace(spec, kaslr="perhaps"), program=program)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(HostError, match="cannot write"):
        boot(replace(spec, keep=str(tmp_path / "file" / "below")), program=program)


def test_a_mode_of_kvm_without_kvm_is_not_fine(tmp_path: Path) -> None:
    said = f"{KVM_NO}19\n{DONE}passed=0 failed=0 skipped=1\n"
    program = fake_qemu(tmp_path, [("console", said), POWER_OFF])
    result = boot(boot_spec(tmp_path), program=program)
    assert result.verdict is LabVerdict.KVM_FAIL
    assert "/dev/kvm" in result.reason
    plain = boot(replace(boot_spec(tmp_path), mode="kvm-off"), program=program)
    assert plain.verdict is not LabVerdict.KVM_FAIL
