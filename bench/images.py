"""Print what explaining a crash with a real vmlinux costs, beside other programs on the same addresses.

Whole processes, the image in the page cache, every command once a round. The crash has 30 frames and is composed from
Debian's image, which scripts/fetch-image.sh fetches, as it does decode_stacktrace.sh. Nothing is asserted.
With a number: so many rounds (7). A command that takes more than five seconds runs in the first two only.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
N_FRAMES = 30
N_ROUNDS = 7
SLOW_SECONDS = 5.0
SEED = 2022
_PROGRAM = str(Path(sys.executable).with_name("whypanic"))
_CROSS = "aarch64-linux-gnu-"


class Command(NamedTuple):
    name: str
    argv: list[str]
    stdin: Path | None = None
    environment: dict[str, str] | None = None


class Cost(NamedTuple):
    seconds: float
    peak_mib: float
    """Of the process or of the largest one that it waited for."""


def fetch() -> Path:
    """Return the folder of the image, with decode_stacktrace.sh in it."""
    script = ["bash", str(ROOT / "scripts" / "fetch-image.sh"), "--scripts"]
    done = subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip())


def compose(folder: Path, log: Path) -> None:
    """Write a crash of 30 frames whose text prints the KASLR offset; print the addresses to look up."""
    sys.path.insert(0, str(ROOT / "tests"))
    from builders.composed_crash import Composer, Offset
    from builders.image_truth import ImageTruth
    from builders.real_image import RealImage

    image = RealImage(folder)
    truth = ImageTruth(image.vmlinux, image.system_map)
    composer = Composer(truth, release=image.release, package=image.version)
    crash = composer.crash(SEED, N_FRAMES * len(Offset), n_frames=N_FRAMES)
    log.write_text(crash.text)
    print(*(hex(f.lookup) for f in crash.frames))


def commands(folder: Path, log: Path, addresses: list[str]) -> list[Command]:
    """Return what is compared; the first is what the others are held against."""
    vmlinux = str(folder / "vmlinux")
    explain = [_PROGRAM, "explain", "--vmlinux", vmlinux, str(log)]
    decode = ["bash", str(folder / "scripts" / "decode_stacktrace.sh"), vmlinux]
    base = "debian/build"
    return [
        Command("whypanic explain --vmlinux", explain),
        Command("... --format json", [*explain, "--format", "json"]),
        Command("... --all", [*explain, "--all"]),
        Command("whypanic explain, no image", [_PROGRAM, "explain", str(log)]),
        Command(
            "llvm-symbolizer --inlines",
            ["llvm-symbolizer", f"--obj={vmlinux}", "--inlines", *addresses],
        ),
        Command("addr2line -i -f", [f"{_CROSS}addr2line", "-i", "-f", "-e", vmlinux, *addresses]),
        Command(
            "decode_stacktrace.sh", [*decode, base], log, {**os.environ, "CROSS_COMPILE": _CROSS}
        ),
        Command("... LLVM=1", [*decode, base], log, {**os.environ, "LLVM": "1"}),
    ]


def cost_of(command: Command) -> Cost:
    """Return what one run of a command takes."""
    start = time.perf_counter()
    with open(command.stdin or os.devnull, "rb") as given:  # noqa: PTH123
        process = subprocess.Popen(
            command.argv,
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=command.environment,
        )
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        print(f"{command.name}: exit {process.returncode}: {said.decode(errors='replace')[-300:]}")
    return Cost(time.perf_counter() - start, usage.ru_maxrss / 1024)


def main() -> None:
    """Print one line a command: minimum, median, ratio of medians to the first, peak memory."""
    if sys.argv[1:2] == ["--compose"]:
        compose(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    n_rounds = int(sys.argv[1]) if len(sys.argv) > 1 else N_ROUNDS
    image = fetch()
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "crash.txt"
        # In a process of its own: a child's peak is at least what its parent had when it was started.
        composing = [sys.executable, __file__, "--compose", str(image), str(log)]
        done = subprocess.run(composing, check=True, stdout=subprocess.PIPE, text=True)
        addresses = done.stdout.split()
        compared = commands(image, log, addresses)
        costs: dict[str, list[Cost]] = {}
        cost_of(compared[0])  # puts the image into the page cache
        for i in range(n_rounds):
            for command in compared:
                known = costs.setdefault(command.name, [])
                if i < 2 or min(c.seconds for c in known) < SLOW_SECONDS:
                    known.append(cost_of(command))
    size = (image / "vmlinux").stat().st_size / 1e6
    print(
        f"linux {image.name}, vmlinux of {size:.0f} MB, {len(addresses)} frames; {n_rounds} rounds"
    )
    first = statistics.median(c.seconds for c in costs[compared[0].name])
    for name, known in costs.items():
        seconds = [c.seconds for c in known]
        median = statistics.median(seconds)
        print(
            f"{name:28} best {min(seconds):7.2f} s  median {median:7.2f} s  {median / first:7.2f} x"
            f"  peak {max(c.peak_mib for c in known):5.0f} MiB"
        )


if __name__ == "__main__":
    main()
