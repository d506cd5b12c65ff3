"""Dumps as objdump and readelf would print any bytes come back as those bytes."""

from hypothesis import given
from hypothesis import strategies as st

from whypanic.crashlog.dumps import read_dumps
from whypanic.crashlog.lines import read_lines
from whypanic.model.sections import SectionBytes


def _render(data: bytes, *, readelf: bool) -> str:
    rows = ["Hex dump of section '.rodata':" if readelf else "Contents of section .rodata:"]
    for at in range(0, len(data), 16):
        part = data[at : at + 16]
        groups = " ".join(part[n : n + 4].hex() for n in range(0, len(part), 4))
        shown = "".join(chr(b) if 0x20 <= b < 0x7F else "." for b in part)
        start = f"  0x{at:08x} {groups:<35} " if readelf else f" {at:04x} {groups:<35}  "
        rows.append(start + shown)
    return "\n".join(rows) + "\n"


@given(st.binary(min_size=1, max_size=200), st.booleans())
def test_round_trip(data: bytes, readelf: bool) -> None:
    facts, _ = read_dumps(read_lines(_render(data, readelf=readelf).encode()).lines, set())
    (fact,) = facts
    assert isinstance(fact, SectionBytes)
    assert fact.data == data


@given(st.binary(max_size=300))
def test_total(data: bytes) -> None:
    text = (
        b"Contents of section .rodata:\n 0000 " + data + b"\nRELOCATION RECORDS FOR [.x]:\n" + data
    )
    read_dumps(read_lines(text).lines, set())
