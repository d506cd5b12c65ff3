from pathlib import Path

import pytest
from msgspec.structs import replace

from whypanic.lab.modes import find_mode
from whypanic.lab.qemu_command import (
    BootFiles,
    command_by_hand,
    kernel_arguments,
    load_address,
    qemu_argv,
    seed_of,
)
from whypanic.model.errors import UsageError
from whypanic.model.lab import BootSpec

SPEC = BootSpec(image="/k/Image", initramfs="/k/rd", mode="protected")
FILES = BootFiles(Path("/k/Image"), Path("/k/rd"), Path("/o/a,b/console.log"), Path("/o/int.log"))


def test_the_whole_command() -> None:
    argv = qemu_argv(replace(SPEC, n_cpus=2), find_mode("protected"), FILES, seed=7)
    assert " ".join(argv) == (
        "qemu-system-aarch64 -accel tcg -M virt,gic-version=3,virtualization=on"
        " -cpu max,pauth-impdef=on -smp 2 -m 256M"
        " -display none -nodefaults -no-user-config -monitor none"
        " -kernel /k/Image -initrd /k/rd"
        " -append console=ttyAMA0 earlycon panic=-1 kvm-arm.mode=protected -seed 7"
        " -chardev file,id=console,path=/o/a,,b/console.log -serial chardev:console"
        " -d int,guest_errors -D /o/int.log"
    )


def test_a_deterministic_boot_has_neither_clock_nor_dice() -> None:
    spec = replace(SPEC, deterministic=True)
    text = " ".join(qemu_argv(spec, find_mode("el1"), FILES, seed=42))
    assert "-seed 42 -icount shift=4,sleep=off -rtc base=2020-01-01,clock=vm" in text


def test_by_hand_it_needs_no_files() -> None:
    argv = command_by_hand(replace(SPEC, cpu="cortex-a53"), find_mode("protected"), FILES, seed=1)
    assert argv[-3:] == ("-serial", "stdio", "-no-reboot")
    assert "cortex-a53" in argv
    assert not any("console.log" in word for word in argv)


def test_arguments_of_the_kernel() -> None:
    spec = replace(SPEC, kaslr="off", append="loglevel=8")
    assert kernel_arguments(spec, find_mode("vhe")) == (
        "console=ttyAMA0 earlycon panic=-1 nokaslr loglevel=8"
    )


@pytest.mark.parametrize(
    ("kaslr", "deterministic", "seed"),
    [("on", False, 99), ("off", False, 99), ("on", True, 42), ("7", False, 7), ("7", True, 7)],
)
def test_seeds(kaslr: str, deterministic: bool, seed: int) -> None:
    assert seed_of(replace(SPEC, kaslr=kaslr, deterministic=deterministic), 99) == seed


@pytest.mark.parametrize("kaslr", ["maybe", "-1", "0x10", "4294967296", ""])
def test_what_is_no_seed(kaslr: str) -> None:
    with pytest.raises(UsageError, match="KASLR is"):
        seed_of(replace(SPEC, kaslr=kaslr), 0)


def test_where_the_kernel_lies() -> None:
    assert load_address(0) == 0x40200000
    assert load_address(0x80000) == 0x40280000
