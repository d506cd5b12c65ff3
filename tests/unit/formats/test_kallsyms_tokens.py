import pytest

from builders.kallsyms import Entry, Era, encode
from whypanic.formats.kallsyms_tokens import find_token_tables

SYMBOLS = (Entry(0xFFFF << 48, "T", "sched_clock"), Entry(0xFFFF << 48 | 8, "t", "irq_exit"))


@pytest.mark.parametrize("era", list(Era))
def test_table_and_its_end(era: Era) -> None:
    encoded = encode(SYMBOLS, era, tokens=("sched_", "irq"))
    (found,) = find_token_tables(encoded.data)
    assert found.start == encoded.tokens_at
    tokens = [
        found.pool[at : at + n].decode()
        for at, n in zip(found.offsets.tolist(), found.lengths.tolist(), strict=True)
    ]
    assert len(tokens) == 256
    assert (tokens[ord("0")], tokens[ord("s")]) == ("0", "s")
    assert {"sched_", "irq"} <= set(tokens)
    assert encoded.data[found.index_end - 512 :][:2] == b"\0\0"


def test_token_may_hold_the_digits() -> None:
    encoded = encode(SYMBOLS, Era.BEHIND)
    text = b"0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00" + bytes(6) + encoded.data
    assert [found.start for found in find_token_tables(text)] == [26 + encoded.tokens_at]


def test_offsets_that_disagree_are_no_table() -> None:
    data = bytearray(encode(SYMBOLS, Era.BEHIND).data)
    (found,) = find_token_tables(bytes(data))
    data[found.index_end - 1] ^= 0x40
    assert list(find_token_tables(bytes(data))) == []


def test_table_that_is_cut_short_is_none() -> None:
    data = encode(SYMBOLS, Era.BEFORE).data
    (found,) = find_token_tables(data)
    for end in (found.index_end - 1, found.start + 300, found.start):
        assert list(find_token_tables(data[:end])) == []
