"""Damaged logs: what consoles, loggers, mailers, editors and bad luck do to a crash report.

Everything follows from a seed, so that a log that breaks something can be made again.
"""

import base64
import quopri
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path
from random import Random
from textwrap import wrap
from types import FrameType
from typing import NamedTuple

import msgspec

from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.causes.engine import OWN_ERROR
from whypanic.report.document import encode

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 1.0
"""CPU seconds that one log may take."""
HANG_S = 30
"""Wall seconds after which it is called a hang."""
MAX_LINES = 400
MAX_MUTATIONS = 4

_LOG = re.compile(r"^```log\n(.*?)^```", re.MULTILINE | re.DOTALL)
_HEX = re.compile(rb"(?:0x)?[0-9a-f]{4,16}")
_NUMBERS = (b"0", b"0000000000000000", b"ffffffffffffffff", b"0x", b"-1", b"f" * 40, b"8" * 17)
_QUOTES = (b"> ", b">> ", b"> > ", b"| ", b"    ", b"\t", b">", b" * ", b"+", b"// ")
_PREFIXES = (
    b"[%5d.123456] ",
    b"[    7.%06d][    T1] ",
    b"<4>[    7.%06d] ",
    b"Nov  3 10:11:12 host kernel: [%5d.000001] ",
    b"2024-01-02T03:04:05.%06d kern  :alert : ",
    b"4,%d,7654321,-;",
    b"[%d.5]-(3)[2345:binder] ",
)
_JUNK = (
    b"\0",
    b"\r",
    b"\x1b[31m",
    b"\xff",
    b"\xc2\xa0",
    b"\xe2\x80\x94",
    b"\x08",
    b"&gt;",
    b"=3D",
    b"\\x0a",
)

Mutation = Callable[[Random, list[bytes]], list[bytes]]


@cache
def case_logs() -> tuple[bytes, ...]:
    """Return the logs of the cases and of the examples."""
    found = [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.txt"))]
    for path in sorted((ROOT / "tests" / "cases").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        found.extend(log.encode() for log in _LOG.findall(text))
    return tuple(found)


# What can happen to lines -------------------------------------------------------------------------


def _flip(random: Random, lines: list[bytes]) -> list[bytes]:
    data = bytearray(b"\n".join(lines))
    for _ in range(random.randint(1, 12)):
        if data:
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(data).split(b"\n")


def _overwrite(random: Random, lines: list[bytes]) -> list[bytes]:
    data = bytearray(b"\n".join(lines))
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(data) + 1)
        data[at : at + random.randint(0, 8)] = random.choice(
            (random.choice(_JUNK), random.randbytes(3))
        )
    return bytes(data).split(b"\n")


def _renumber(random: Random, lines: list[bytes]) -> list[bytes]:
    data = b"\n".join(lines)
    spans = [match.span() for match in _HEX.finditer(data)]
    for start, end in sorted(random.sample(spans, min(len(spans), 4)), reverse=True):
        data = data[:start] + random.choice(_NUMBERS) + data[end:]
    return data.split(b"\n")


def _drop(random: Random, lines: list[bytes]) -> list[bytes]:
    share = random.choice((0.03, 0.2, 0.6))
    return [line for line in lines if random.random() >= share]


def _repeat(random: Random, lines: list[bytes]) -> list[bytes]:
    start = random.randrange(len(lines) + 1)
    end = start + random.randint(1, 12)
    return lines[:end] + lines[start:end] * random.randint(1, 3) + lines[end:]


def _move(random: Random, lines: list[bytes]) -> list[bytes]:
    moved = list(lines)
    for _ in range(random.randint(1, 5)):
        if moved:
            moved.insert(random.randrange(len(moved)), moved.pop(random.randrange(len(moved))))
    return moved


def _cut(random: Random, lines: list[bytes]) -> list[bytes]:
    data = b"\n".join(lines)
    start, end = sorted(random.randrange(len(data) + 1) for _ in range(2))
    return random.choice((data[start:], data[:end], data[start:end])).split(b"\n")


def _shorten(random: Random, lines: list[bytes]) -> list[bytes]:
    width = random.randint(8, 60)
    return [line[:width] if random.random() < 0.3 else line for line in lines]


def _interleave(random: Random, lines: list[bytes]) -> list[bytes]:
    other = random.choice(case_logs()).split(b"\n")
    if random.random() < 0.5:
        return [row for pair in zip_longest(lines, other) for row in pair if row is not None]
    at = random.randrange(len(lines) + 1)
    return lines[:at] + other + lines[at:]


def _join(random: Random, lines: list[bytes]) -> list[bytes]:
    share = random.choice((0.05, 0.3))
    ends = [b"" if random.random() < share else b"\n" for _ in lines]
    return b"".join(line + end for line, end in zip(lines, ends, strict=True)).split(b"\n")


def _wrapped(random: Random, lines: list[bytes]) -> list[bytes]:
    width = random.randint(20, 80)
    text = (line.decode("latin-1") for line in lines)
    return [row.encode("latin-1") for line in text for row in wrap(line, width) or [""]]


def _quote(random: Random, lines: list[bytes]) -> list[bytes]:
    mark = random.choice(_QUOTES)
    share = random.choice((0.7, 1.0))
    return [mark + line if random.random() < share else line for line in lines]


def _stamp(random: Random, lines: list[bytes]) -> list[bytes]:
    form = random.choice(_PREFIXES)
    start = random.randrange(9000)
    return [form % (start + number) + line for number, line in enumerate(lines)]


def _unstamp(random: Random, lines: list[bytes]) -> list[bytes]:
    width = random.randint(1, 20)
    return [line[width:] for line in lines]


def _case(random: Random, lines: list[bytes]) -> list[bytes]:
    change = random.choice((bytes.upper, bytes.lower, bytes.title, bytes.lstrip))
    return [change(line) for line in lines]


def _encode(random: Random, lines: list[bytes]) -> list[bytes]:
    data = b"\n".join(lines)
    text = data.decode("latin-1")
    forms: tuple[Callable[[], bytes], ...] = (
        lambda: text.encode("utf-16"),
        lambda: text.encode("utf-16-be"),
        lambda: b"\xef\xbb\xbf" + data,
        lambda: quopri.encodestring(data),
        lambda: base64.encodebytes(data),
        lambda: data.replace(b"\n", b"\r\n"),
        lambda: data.replace(b"\n", b"\r"),
        lambda: text.replace("-", "\u2014").encode("utf-8"),
        lambda: data.replace(b"<", b"&lt;").replace(b">", b"&gt;"),
        lambda: b"Subject: x\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(data),
    )
    return random.choice(forms)().split(b"\n")


def _swell(random: Random, lines: list[bytes]) -> list[bytes]:
    swollen = list(lines)
    if swollen:
        at = random.randrange(len(swollen))
        word = random.choice((*swollen[at].split()[:6], b" ", b"(", b"0", b"[<", b"x0 :", b"-"))
        swollen[at] += word * random.choice((30, 300, 3000))
    return swollen


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _overwrite, _renumber, _renumber, _drop, _repeat, _move, _cut, _shorten, _interleave,
    _join, _wrapped, _quote, _stamp, _unstamp, _case, _encode, _swell,
)  # fmt: skip


def mutated(seed: str, logs: Sequence[bytes]) -> bytes:
    """Return one damaged log; the same seed and logs give the same bytes."""
    random = Random(seed)
    lines = random.choice(logs).split(b"\n")[:MAX_LINES]
    for _ in range(random.randint(1, MAX_MUTATIONS)):
        lines = random.choice(MUTATIONS)(random, lines)[: 2 * MAX_LINES]
    return b"\n".join(lines)


# What must hold -----------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What became of one damaged log."""

    seed: str
    seconds: float
    """CPU time."""
    n_reports: int
    complaint: str | None
    """What broke; None: nothing did."""


def try_log(seed: str, data: bytes) -> Outcome:
    """Explain one log and return whether it went as it must: no exception, no error of ours, in time."""
    started = time.process_time()
    n_reports, complaint = 0, None
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(HANG_S)
    try:
        document = build_document([explain_input(RawInput("log", data))])
        n_reports = len(document.reports)
        msgspec.json.decode(encode(document))
        broken = (
            words
            for report in document.reports
            for cause in report.causes
            for words in cause.missing
            if words.startswith(OWN_ERROR)
        )
        complaint = next(broken, None)
    except Exception as error:
        complaint = f"{type(error).__name__}: {error}"[:300]
    finally:
        signal.alarm(0)
    seconds = time.process_time() - started
    if complaint is None and seconds > LIMIT_S:
        complaint = f"took {seconds:.1f} s"
    return Outcome(seed, seconds, n_reports, complaint)


def try_mutated(name: str, count: int, logs: Sequence[bytes]) -> Iterator[Outcome]:
    """Yield the outcomes of `count` damaged logs with the seeds `name:0`, `name:1`, ..."""
    for number in range(count):
        seed = f"{name}:{number}"
        yield try_log(seed, mutated(seed, logs))


def _give_up(_number: int, _frame: FrameType | None) -> None:
    message = f"no answer in {HANG_S} s"
    raise TimeoutError(message)
