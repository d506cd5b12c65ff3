"""Print how much one process explains in bulk: reports per second, and MB/s of text without a crash.

Nothing is asserted; rates depend on the machine and its load.
"""

import time
from collections.abc import Callable
from pathlib import Path

from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.report.document import encode

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "2017-juno-hyp-panic.txt"
N_COPIES = 300
QUIET_BYTES = 32 << 20
N_ROUNDS = 3


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


def quiet_console(n_bytes: int) -> bytes:
    """Return console text of a machine that works: drivers, services, a shell, and no crash."""
    shapes = (
        "[{time:12.6f}] widget {n:x}.bus: link up, 1000 Mbps, full duplex, flow control off",
        "[{time:12.6f}] systemd[1]: Started unit-{n}.service - Example unit number {n}.",
        "[{time:12.6f}] EXT4-fs (vda{n}): mounted filesystem with ordered data mode. Opts: (null)",
        "[{time:12.6f}] audit: type=1130 audit({n}.123:{n}): pid=1 uid=0 msg='unit=u{n} res=success'",
        "[{time:12.6f}] usb 1-{n}: new high-speed USB device number {n} using xhci_hcd",
        "user@board:~$ make -C tests run-{n}",
        "ok {n} - test_case_{n} # 0.013 s",
    )
    lines: list[str] = []
    size = 0
    while size < n_bytes:
        n = len(lines)
        lines.append(shapes[n % len(shapes)].format(time=n / 1000, n=n))
        size += len(lines[-1]) + 1
    return "\n".join(lines).encode()


def main() -> None:
    """Print the two rates."""
    example = EXAMPLE.read_bytes()
    explain(example)
    seconds = best_seconds(lambda: [explain(example) for _ in range(N_COPIES)])
    print(f"{'example explained, to JSON':40} {N_COPIES / seconds:7.0f} reports/s")
    quiet = quiet_console(QUIET_BYTES)
    seconds = best_seconds(lambda: explain(quiet))
    print(f"{'console text without a crash':40} {len(quiet) / 1e6 / seconds:7.1f} MB/s")


if __name__ == "__main__":
    main()
