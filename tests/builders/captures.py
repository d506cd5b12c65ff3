"""Console captures for tests: quiet text, and logs read with and without the screen."""

from collections.abc import Iterator

from whypanic.crashlog.read import LogReader, harvests
from whypanic.crashlog.windows import Capture, slices
from whypanic.model.report import LogReport

OOPS = """\
Unable to handle kernel NULL pointer dereference at virtual address 0000000000000028
Mem abort info:
  ESR = 0x0000000096000004
  EC = 0x25: DABT (current EL), IL = 32 bits
  FSC = 0x04: level 0 translation fault
Internal error: Oops: 0000000096000004 [#1] SMP
Modules linked in: widget gadget(O)
CPU: 1 PID: 71 Comm: quux Not tainted 6.6.9 #4
pc : quux_step+0x24/0x90
lr : quux_poll+0x58/0xc0
sp : ffff800081233c10
x1 : ffff000012345678 x0 : 0000000000000000
Call trace:
 quux_step+0x24/0x90
 quux_poll+0x58/0xc0
Code: f9400261 d503201f aa0003f3 b4000060 (f9401460)
---[ end trace 0000000000000000 ]---
"""


def stamped(text: str, second: int = 7, caller: str = "") -> str:
    """Return the lines with the stamps that printk gives."""
    return "".join(
        f"[{second:5}.{n:06}]{caller} {line}\n" for n, line in enumerate(text.splitlines())
    )


def quiet(n_lines: int, start: int = 0) -> str:
    """Return lines of a machine at work; some hold words of crashes."""
    shapes = (
        "[{n:5}.000017] widget {n}.bus: link up, 1000 Mbps",
        "[{n:5}.000018] hub 1-{n}: 4 ports detected ",
        "ok {n} - test_{n}",
        "Installing package-{n}",
        "[{n:5}.000019] EXT4-fs (vda{n}): mounted filesystem",
    )
    return "".join(
        shapes[n % len(shapes)].format(n=n) + "\n" for n in range(start, start + n_lines)
    )


def whole(data: bytes) -> tuple[LogReport, ...]:
    """Return the reports of a text every line of which is read."""
    reader = LogReader()
    reader.feed(data, 1)
    reader.harvest(last=True)
    return tuple(reader.twins.reports.values())


def screened(data: bytes, size: int | None = None) -> tuple[LogReport, ...]:
    """Return the reports of a text that comes in chunks, of which only what may hold a report is read."""
    chunks: Iterator[bytes] = slices(data)
    if size is not None:
        chunks = (data[at : at + size] for at in range(0, len(data), size))
    reader = LogReader()
    for _ in harvests(Capture(chunks), reader):
        pass
    return tuple(reader.twins.reports.values())
