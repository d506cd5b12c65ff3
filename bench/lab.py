"""Print what one boot of the lab costs beside the bare QEMU command, and how long each verdict takes.

    make bench-lab, or WHYPANIC_LAB=$(bash scripts/lab-kernels.sh) python bench/lab.py [ROUNDS]

Both boots print to a file and end with the guest's power off; the bare one logs no exceptions and is watched by nobody.
They take turns, in one process. The kernels that fail are copies of the Image with one word changed. Nothing is
asserted.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from msgspec.structs import replace  # noqa: E402

from builders.built_kernels import FOLDER, BuiltKernel, built_kernels  # noqa: E402
from whypanic.lab.boot import boot  # noqa: E402
from whypanic.lab.initramfs import initramfs_path  # noqa: E402
from whypanic.model.lab import BootSpec  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

N_ROUNDS = 9
MODES = ("el1", "nvhe", "vhe")
SPIN, UNDEFINED, BRK = 0x14000000, 0, 0xD4210000
FAILURES = (
    ("loop at the first instruction", "primary_entry", 0, SPIN, "nvhe"),
    ("fault before the vectors", "primary_entry", 0, UNDEFINED, "nvhe"),
    ("fault in the EL2 vectors", "__kvm_nvhe___do_hyp_init", 0, UNDEFINED, "nvhe"),
    ("loop at EL2 with a guest", "__kvm_nvhe___kvm_vcpu_run", 8, SPIN, "nvhe"),
    ("brk at EL2 with a guest", "__kvm_nvhe___kvm_vcpu_run", 8, BRK, "nvhe"),
    ("fault at EL1", "do_one_initcall", 8, UNDEFINED, "vhe"),
)


def bare_s(argv: "Sequence[str]", console: Path) -> float:
    """Return the seconds of the bare command."""
    start = time.perf_counter()
    command = [f"file:{console}" if word == "stdio" else word for word in argv]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=120)
    return time.perf_counter() - start


def cell_s(spec: BootSpec) -> tuple[float, "Sequence[str]"]:
    """Return the seconds of a boot that is watched, and the command that repeats it."""
    start = time.perf_counter()
    result = boot(spec)
    seconds = time.perf_counter() - start
    if result.verdict != "ok":
        print(f"  {spec.mode}: {result.verdict}: {result.reason}")
    return seconds, result.argv


def compare(spec: BootSpec, scratch: Path, n_rounds: int) -> None:
    """Print both costs of one mode."""
    _, argv = cell_s(spec)
    bare, cell = [], []
    for _ in range(n_rounds):
        bare.append(bare_s(argv, scratch / "bare.log"))
        # The same KASLR offset, so that both do the same.
        cell.append(cell_s(replace(spec, kaslr=argv[argv.index("-seed") + 1]))[0])
    ratio = statistics.median(c / b for b, c in zip(bare, cell, strict=True))
    print(
        f"  {spec.mode:12} bare {statistics.median(bare):5.2f} s (best {min(bare):5.2f})"
        f"  cell {statistics.median(cell):5.2f} s (best {min(cell):5.2f})"
        f"  {100 * (ratio - 1):+5.1f} % (best {100 * (min(cell) / min(bare) - 1):+5.1f} %)"
    )


def verdicts(kernel: BuiltKernel, spec: BootSpec, scratch: Path) -> None:
    """Print how long each kind of failure takes to be known."""
    for title, symbol, offset, word, mode in FAILURES:
        image = scratch / "Image"
        image.write_bytes(kernel.with_words([(symbol, offset, word)]))
        result = boot(replace(spec, image=str(image), mode=mode))
        known = 0.0 if result.verdict_s is None else result.verdict_s
        print(f"  {title:30} {result.verdict:16} {known:5.2f} s, {result.seconds:5.2f} s in all")


def main() -> None:
    """Compare every kernel that there is."""
    n_rounds = int(sys.argv[1]) if len(sys.argv) > 1 else N_ROUNDS
    kernels = built_kernels()
    if not kernels:
        sys.exit(f"name a folder of built kernels: {FOLDER}=...")
    initramfs = str(initramfs_path())
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for kernel in kernels:
            print(f"{kernel.name}, {n_rounds} rounds")
            spec = BootSpec(
                image=str(kernel.image),
                vmlinux=str(kernel.vmlinux),
                initramfs=initramfs,
                mode="nvhe",
                keep=str(scratch / "kept"),
            )
            for mode in MODES:
                compare(replace(spec, mode=mode), scratch, n_rounds)
            verdicts(kernel, spec, scratch)


if __name__ == "__main__":
    main()
