"""Print what a whole process costs, beside a bare interpreter measured in the same rounds.

Times depend on the machine and its load; the ratio to the bare interpreter much less so. Nothing is asserted.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
N_ROUNDS = 15
_PROGRAM = str(Path(sys.executable).with_name("whypanic"))
_COMMANDS: dict[str, list[str]] = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "whypanic --help": [_PROGRAM, "--help"],
    "whypanic decode esr 86000004": [_PROGRAM, "decode", "esr", "86000004"],
    "whypanic explain EXAMPLE": [_PROGRAM, "explain", "examples/2017-juno-hyp-panic.txt"],
    "whypanic explain --format json EXAMPLE": [
        *(_PROGRAM, "explain", "--format", "json"),
        "examples/2017-juno-hyp-panic.txt",
    ],
}


def seconds_of(argv: list[str]) -> float:
    """Return the wall time of one process, in seconds."""
    start = time.perf_counter()
    subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print one line a command: median time, ratio of medians to the bare interpreter."""
    times: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for _ in range(N_ROUNDS):
        for name, argv in _COMMANDS.items():
            times[name].append(seconds_of(argv))
    bare = statistics.median(times["python -c pass"])
    print(f"median of {N_ROUNDS} interleaved rounds")
    for name, values in times.items():
        median = statistics.median(values)
        print(
            f"{name:40} {median * 1000:7.0f} ms  {median / bare:5.1f} x  best {min(values) * 1000:.0f} ms"
        )


if __name__ == "__main__":
    main()
