"""The QEMU command of one boot: a pure function of what is to be booted.

Source: measured on QEMU 7.2 and its manual page. A kernel started with `-kernel` lies 2 MiB above the start of RAM,
plus the header's text_offset (hw/arm/boot.c, load_aarch64_image).
"""

from pathlib import Path
from typing import NamedTuple

from whypanic.lab.modes import cpu_for
from whypanic.model.errors import UsageError
from whypanic.model.lab import BootSpec, Mode

PROGRAM = "qemu-system-aarch64"
HINTS = ("as root: apt-get install qemu-system-arm",)
RAM_BASE = 0x40000000
_KERNEL_OFFSET = 2 << 20
_ARGUMENTS = "console=ttyAMA0 earlycon panic=-1"
_BARE = ("-display", "none", "-nodefaults", "-no-user-config", "-monitor", "none")
# An instruction takes 16 ns of the guest's time, whatever the host does; with the seed and a clock that begins at a
# fixed date nothing is left that differs from boot to boot.
_DETERMINISTIC = (
    *("-icount", "shift=4,sleep=off"),
    *("-rtc", "base=2020-01-01,clock=vm"),
)
_MAX_SEED = 1 << 32
_FIXED_SEED = 42


class BootFiles(NamedTuple):
    """Files that QEMU reads and writes."""

    image: Path
    """Raw Image."""
    initramfs: Path
    console: Path
    interrupts: Path


def seed_of(spec: BootSpec, drawn: int) -> int:
    """Return the seed of all that is random in the machine: the KASLR offset comes from it.

    :param drawn: taken where neither `kaslr` nor `deterministic` fixes it.
    :raises UsageError: if `kaslr` is neither on, off nor a number.
    """
    if spec.kaslr in ("on", "off"):
        return _FIXED_SEED if spec.deterministic else drawn % _MAX_SEED
    if spec.kaslr.isdecimal() and int(spec.kaslr) < _MAX_SEED:
        return int(spec.kaslr)
    message = f"KASLR is `on`, `off` or a seed below 2^32, not `{spec.kaslr}`"
    raise UsageError(message)


def kernel_arguments(spec: BootSpec, mode: Mode) -> str:
    """Return the kernel's command line."""
    words = (_ARGUMENTS, mode.append, "nokaslr" if spec.kaslr == "off" else "", spec.append)
    return " ".join(word for word in words if word)


def qemu_argv(
    spec: BootSpec, mode: Mode, files: BootFiles, *, seed: int, program: str = PROGRAM
) -> tuple[str, ...]:
    """Return the command of a boot whose console and log of exceptions go to files."""
    return (
        *_machine(spec, mode, files, seed, program),
        *("-chardev", f"file,id=console,path={_escaped(files.console)}"),
        *("-serial", "chardev:console"),
        *("-d", "int,guest_errors", "-D", str(files.interrupts)),
    )


def command_by_hand(
    spec: BootSpec, mode: Mode, files: BootFiles, *, seed: int, program: str = PROGRAM
) -> tuple[str, ...]:
    """Return the command that boots the same on a terminal."""
    return (*_machine(spec, mode, files, seed, program), "-serial", "stdio", "-no-reboot")


def _machine(
    spec: BootSpec, mode: Mode, files: BootFiles, seed: int, program: str
) -> tuple[str, ...]:
    return (
        *(program, "-accel", "tcg", "-M", mode.machine),
        *("-cpu", spec.cpu or cpu_for(mode, spec.page)),
        *("-smp", str(spec.n_cpus), "-m", f"{spec.memory_mib}M", *_BARE),
        *("-kernel", str(files.image), "-initrd", str(files.initramfs)),
        *("-append", kernel_arguments(spec, mode)),
        *("-seed", str(seed), *(_DETERMINISTIC if spec.deterministic else ())),
    )


def _escaped(path: Path) -> str:
    """Return a path as a value of QEMU's key=value lists, where a comma is doubled."""
    return str(path).replace(",", ",,")


def load_address(text_offset: int) -> int:
    """Return the physical address of the first byte of the Image."""
    return RAM_BASE + _KERNEL_OFFSET + text_offset
