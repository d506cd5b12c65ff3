import struct

import numpy as np
import pytest

from builders.kallsyms import Entry, Era, encode
from whypanic.formats import kallsyms_names
from whypanic.formats.kallsyms_names import (
    CompressedNames,
    ExpandedNames,
    expand_names,
    find_names,
)
from whypanic.formats.kallsyms_tokens import TokenTable, find_token_tables

BASE = 0xFFFF_8000_1000_0000


def symbols(n: int) -> list[Entry]:
    return [Entry(BASE + 4 * i, "Tt"[i % 2], f"sched_{i}_irq") for i in range(n)]


def found_in(data: bytes) -> tuple[CompressedNames | None, TokenTable]:
    (tokens,) = find_token_tables(data)
    return find_names(data, tokens), tokens


def texts(expanded: ExpandedNames) -> list[str]:
    return [
        chr(letter) + expanded.blob[at : expanded.blob.index(b"\0", at)].decode()
        for at, letter in zip(expanded.offsets.tolist(), expanded.letters.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("era", "width"), [(Era.ABSOLUTE, 8), (Era.WIDE, 8), (Era.SORTED, 4), (Era.PLACE, 4)]
)
@pytest.mark.parametrize("n", [1, 256, 513, 3000])
def test_names_are_found_and_written_out(era: Era, width: int, n: int) -> None:
    wanted = symbols(n)
    data = encode(wanted, era).data
    names, tokens = found_in(data)
    assert names is not None
    assert len(names.starts) == n
    assert names.marker_bytes == width or n <= 256
    assert struct.unpack_from("<I", data, names.count_at) == (n,)
    expanded = expand_names(data, names, tokens)
    assert expanded is not None
    assert texts(expanded) == [s.letter + s.name for s in wanted]


def test_wrong_marker_is_no_table() -> None:
    data = bytearray(encode(symbols(800), Era.BEHIND).data)
    names, tokens = found_in(bytes(data))
    assert names is not None
    markers = np.frombuffer(data[: tokens.start], "<u4")
    place = 4 * int(np.flatnonzero(markers == names.starts[512] - names.starts[0])[-1])
    struct.pack_into("<I", data, place, int(names.starts[512] - names.starts[0]) + 1)
    assert found_in(bytes(data))[0] is None


def test_wrong_count_is_no_table() -> None:
    for count in (799, 801, 0, 1 << 31):
        data = bytearray(encode(symbols(800), Era.BEHIND).data)
        struct.pack_into("<I", data, 0, count)
        assert found_in(bytes(data))[0] is None


def test_names_without_a_letter_are_none() -> None:
    wanted = [Entry(BASE, "T", "a"), Entry(BASE + 4, "7", "b")]
    data = encode(wanted, Era.BEHIND).data
    names, tokens = found_in(data)
    assert names is not None
    assert expand_names(data, names, tokens) is None


def test_names_that_come_out_too_long_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(symbols(300), Era.BEHIND).data
    names, tokens = found_in(data)
    assert names is not None
    monkeypatch.setattr(kallsyms_names, "_MAX_TEXT_BYTES", 1000)
    assert expand_names(data, names, tokens) is None
