import struct

import pytest

from whypanic.arch.insn import decode
from whypanic.replay.qemu_wire import (
    HARNESS_MAGIC,
    OWNED,
    SYSTEM_NAMES,
    TAKEN_BY_EXCEPTION,
    smc,
    vectors_of,
)


def test_smc_holds_its_immediate() -> None:
    insn = decode(smc(0x4002))
    assert (insn.mnemonic, insn.immediate) == ("smc", 0x4002)


def test_register_names_are_unique_and_the_special_ones_among_them() -> None:
    assert len(set(SYSTEM_NAMES)) == len(SYSTEM_NAMES)
    assert set(SYSTEM_NAMES) >= OWNED
    assert set(SYSTEM_NAMES) >= TAKEN_BY_EXCEPTION


def _harness(magic: bytes, version: int, offset: int) -> bytes:
    return struct.pack("<I4sII", 0, magic, version, offset) + bytes(4096)


def test_vectors_are_where_the_header_says() -> None:
    assert vectors_of(_harness(HARNESS_MAGIC, 1, 16)) == bytes(2048)


@pytest.mark.parametrize(
    "harness",
    [_harness(b"NOPE", 1, 16), _harness(HARNESS_MAGIC, 2, 16), _harness(HARNESS_MAGIC, 1, 4096)],
    ids=["magic", "version", "cut"],
)
def test_another_layout_is_refused(harness: bytes) -> None:
    with pytest.raises(ValueError, match="not of the layout"):
        vectors_of(harness)
