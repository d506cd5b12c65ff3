"""Print how much one process explains in bulk, and how fast and in how much memory it passes over quiet text.

Rates depend on the machine and its load, so `grep` looks for the same words in the same file beside it. Nothing is
asserted. With an argument: the size of the large file in MiB (1024).
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.cli.explain import collect_less
from whypanic.crashlog.screen import needles
from whypanic.report.document import encode

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "2017-juno-hyp-panic.txt"
N_COPIES = 300
QUIET_BYTES = 100 << 20
LARGE_MIB = 1024
N_ROUNDS = 3
_PROGRAM = str(Path(sys.executable).with_name("whypanic"))


def best_seconds(work: Callable[[], object]) -> float:
    """Return the shortest of a few wall times, in seconds."""
    times = []
    for _ in range(N_ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def explain(data: bytes) -> bytes:
    """Return the JSON document of one input."""
    return encode(build_document([explain_input(RawInput("bench", data))], []))


_SHAPES = (
    "[{time:12.6f}] widget {n:x}.bus: link up, 1000 Mbps, full duplex, flow control off",
    "[{time:12.6f}] systemd[1]: Started unit-{n}.service - Example unit number {n}.",
    "[{time:12.6f}] EXT4-fs (vda{n}): mounted filesystem with ordered data mode. Opts: (null)",
    "[{time:12.6f}] audit: type=1130 audit({n}.123:{n}): pid=1 uid=0 msg='unit=u{n} res=success'",
    "[{time:12.6f}] usb 1-{n}: new high-speed USB device number {n} using xhci_hcd",
    "user@board:~$ make -C tests run-{n}",
    "ok {n} - test_case_{n} # 0.013 s",
)
_NEARLY = (
    "[{time:12.6f}] hub 1-{n}:1.0: 4 ports detected ",
    "Installing package-{n} (1.{n}) ...",
    "INFO: worker {n} is ready",
    "WARNING: option {n} is deprecated",
)
"""Lines with words that the screen halts at, one in twenty."""


def quiet_console(n_bytes: int) -> bytes:
    """Return console text of a machine that works: drivers, services, a shell, and no crash."""
    lines: list[str] = []
    size = 0
    while size < n_bytes:
        n = len(lines)
        shape = _NEARLY[n // 20 % len(_NEARLY)] if n % 20 == 19 else _SHAPES[n % len(_SHAPES)]
        lines.append(shape.format(time=n / 1000, n=n))
        size += len(lines[-1]) + 1
    return "\n".join(lines).encode() + b"\n"


def oops(number: int) -> str:
    """Return an ordinary oops, another one for each number."""
    base = 0xFFFF_8000_8123_0000 + number * 0x1000
    far = 0x28 + number % 64 * 8
    values = [(base + register * 0x40) & ~7 for register in range(30)]
    values[3] = 0
    rows = [
        f"Unable to handle kernel NULL pointer dereference at virtual address {far:016x}",
        "Mem abort info:",
        "  ESR = 0x0000000096000004",
        "  EC = 0x25: DABT (current EL), IL = 32 bits",
        "  SET = 0, FnV = 0",
        "  EA = 0, S1PTW = 0",
        "  FSC = 0x04: level 0 translation fault",
        "Data abort info:",
        "  ISV = 0, ISS = 0x00000004, ISS2 = 0x00000000",
        "  CM = 0, WnR = 0, TnD = 0, TagAccess = 0",
        "  GCS = 0, Overlay = 0, DirtyBit = 0, Xs = 0",
        f"user pgtable: 4k pages, 48-bit VAs, pgdp={0x8000_0000 + number * 0x1000:016x}",
        f"[{far:016x}] pgd=0000000000000000, p4d=0000000000000000",
        f"Internal error: Oops: 0000000096000004 [#{number % 9 + 1}] PREEMPT SMP",
        "Modules linked in: widget gadget(O) sprocket",
        f"CPU: {number % 8} PID: {number + 100} Comm: worker{number} Tainted: G           O       6.6.10 #1",
        "Hardware name: Example Board (DT)",
        "pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)",
        f"pc : widget_step_{number}+0x24/0x90 [widget]",
        f"lr : widget_poll_{number}+0x58/0xc0 [widget]",
        f"sp : {base:016x}",
    ]
    rows += [
        " ".join(f"x{r:<2}: {values[r]:016x}" for r in range(high, max(high - 3, -1), -1))
        for high in range(29, -1, -3)
    ]
    rows += ["Call trace:", f" widget_step_{number}+0x24/0x90 [widget]"]
    rows += [f" layer_{depth}_call+0x{depth * 16 + 4:x}/0x200" for depth in range(12)]
    rows += [
        "Code: f9400261 d503201f aa0003f3 b4000060 (f9401460)",
        "---[ end trace 0000000000000000 ]---",
    ]
    return "".join(f"[{number + 1000:5}.{line:06}] {row}\n" for line, row in enumerate(rows))


def large_file(folder: str, n_mib: int) -> Path:
    """Return a file of quiet text with a boot at its start and an oops here and there."""
    quiet = quiet_console(16 << 20)
    path = Path(folder, "console.log")
    with path.open("wb") as stream:
        stream.write(b"[    0.000000] Linux version 6.6.10 (a@b) (gcc 13.2.0) #1 SMP\n")
        for number in range(max(1, n_mib // 16)):
            stream.write(quiet)
            stream.write(oops(number).encode())
    return path


def rates() -> Iterator[tuple[str, float, str]]:
    """Yield name, figure and unit of what is measured."""
    example = EXAMPLE.read_bytes()
    explain(example)
    seconds = best_seconds(lambda: [explain(example) for _ in range(N_COPIES // 3)])
    yield "example explained, to JSON", N_COPIES // 3 / seconds, "reports/s"
    several = [oops(number).encode() for number in range(N_COPIES)]
    seconds = best_seconds(lambda: [explain(data) for data in several])
    yield "ordinary oopses, to JSON", N_COPIES / seconds, "reports/s"


def processes(n_mib: int) -> Iterator[tuple[str, float, str]]:
    """Yield the same for whole processes on files."""
    with tempfile.TemporaryDirectory() as folder:
        words = Path(folder, "words")
        words.write_text("\n".join(needles()) + "\n", "utf-8")
        grep = ["grep", "-a", "-c", "-F", "-f", str(words)]
        ours = [_PROGRAM, "explain", "--format", "jsonl"]
        quiet = Path(folder, "quiet.log")
        quiet.write_bytes(quiet_console(QUIET_BYTES))
        peer = best_seconds(lambda: _run([*grep, str(quiet)]))
        mine = best_seconds(lambda: _run([*ours, str(quiet)]))
        yield "console text without a crash", QUIET_BYTES / 1e6 / mine, "MB/s, the whole process"
        yield "the same words, grep -c -F", QUIET_BYTES / 1e6 / peer, "MB/s"
        yield "its time over grep's", mine / peer, "times"
        bulk = Path(folder, "bulk.log")
        bulk.write_text("".join(oops(number) for number in range(3000)), "utf-8")
        yield (
            "3000 oopses in one file, to jsonl",
            3000 / best_seconds(lambda: _run([*ours, str(bulk)])),
            "reports/s",
        )
        large = large_file(folder, n_mib)
        start = time.perf_counter()
        peak = _peak_kib([*ours, str(large)])
        seconds = time.perf_counter() - start
        yield f"{n_mib} MiB with an oops each 16 MiB", large.stat().st_size / 1e6 / seconds, "MB/s"
        yield "its peak memory", peak / 1024, "MiB"
        yield "peak memory of the 3000 oopses", _peak_kib([*ours, str(bulk)]) / 1024, "MiB"


def _run(argv: list[str]) -> None:
    # A pipe: grep stops at the first match where its output goes to /dev/null. Its status 1 says that it found nothing.
    subprocess.run(argv, check=False, capture_output=True)


_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _peak_kib(argv: list[str]) -> int:
    """Return the most memory of a process; of a small parent, whose own memory would count until it is started."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *argv], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


def main() -> None:
    """Print one line a figure."""
    collect_less()
    n_mib = int(sys.argv[1]) if len(sys.argv) > 1 else LARGE_MIB
    for measured in (rates(), processes(n_mib)):
        for name, figure, unit in measured:
            print(f"{name:40} {figure:7.1f} {unit}", flush=True)


if __name__ == "__main__":
    main()
