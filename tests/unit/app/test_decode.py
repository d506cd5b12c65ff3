import json

import pytest

from whypanic.app.decode import (
    DecodeOptions,
    decode_value,
    document,
    kernel_number,
    parse_hex,
    parse_walk,
)
from whypanic.model.errors import UsageError

PLAIN = DecodeOptions()
COMMON = {"schema", "tool", "what", "value", "summary", "fields", "notes"}


@pytest.mark.parametrize("text", ["86000004", "0x86000004", "0X8600_0004", " 0000000086000004 "])
def test_values_are_always_hexadecimal(text: str) -> None:
    assert parse_hex(text, what="esr") == 0x86000004


@pytest.mark.parametrize("text", ["", "0x", "12g", "-1", "\u0661", "1" * 17])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_hex(text, what="esr")


def test_kernel_number() -> None:
    assert kernel_number("5.10.12-foo") == (5, 10)
    assert kernel_number("v6.1") == (6, 1)
    assert kernel_number("4.14-rc7") == (4, 14)
    assert kernel_number(None) is None
    for text in ("six", "6", "6.", ".1"):
        with pytest.raises(UsageError, match="not a kernel version"):
            kernel_number(text)


def test_features() -> None:
    found = document(decode_value("features", "0x2,25006082", DecodeOptions(kernel="5.4")))
    assert found["value"] == "0x225006082"
    assert isinstance(found["names"], list)
    assert isinstance(found["fields"], list)
    assert len(found["names"]) == len(found["fields"]) == 8
    with pytest.raises(UsageError, match="not a capability bitmap"):
        decode_value("features", "1,,2", PLAIN)


def test_midr_names_the_core() -> None:
    decoded = decode_value("midr", "410fd034", PLAIN)
    assert decoded.summary == "Arm Cortex-A53 r0p4"
    assert decode_value("midr", "99000000", PLAIN).details["core"] is None


def test_walk() -> None:
    line = "[ffff800012345678] pgd=10000000bfff8003, *pmd=0, pte=1"
    assert parse_walk(line) == [("pgd", 0x10000000BFFF8003), ("pmd", 0), ("pte", 1)]
    assert parse_walk("f03") == [("pte", 0xF03)]
    with pytest.raises(UsageError, match="no table level"):
        parse_walk("foo=1")
    with pytest.raises(UsageError, match="no descriptor"):
        parse_walk("[0] ,")


def test_esr_document() -> None:
    found = document(decode_value("esr", "96000046", PLAIN))
    assert set(found) == COMMON | {
        "ec", "ec_name", "ec_short", "fsc", "fsc_name", "fault_kind", "fault_level",
        "far_valid", "hpfar_valid", "res0_set",
    }  # fmt: skip
    assert found["value"] == "0x96000046"
    assert found["ec"] == "0x25"
    assert found["fault_kind"] == "translation"
    assert found["fault_level"] == 2
    assert found["summary"] == (
        "Data Abort taken without a change in Exception level, level 2 translation fault, write"
    )
    json.dumps(found)


@pytest.mark.parametrize(
    ("what", "text", "words"),
    [
        ("esr", "be000011", "SError exception, uncontainable (UC)"),
        ("pstate", "800003c9", "EL2h Nzcv DAIF BTYPE=--"),
        ("hpfar", "47a3000", "IPA 0x47a300000"),
        ("par", "80f", "translation failed: level 3 translation fault"),
        ("brk", "800", "BRK #0x800: BUG() or WARN()"),
        ("brk", "f2005514", "BRK #0x5514: UBSAN: shift out of bounds"),
        ("brk", "d4210000", "BRK #0x800: BUG() or WARN()"),
        ("pte", "pmd=0040000082200f91", "pmd: block at 0x82200000, maps a block"),
    ],
)
def test_summaries(what: str, text: str, words: str) -> None:
    assert decode_value(what, text, PLAIN).summary == words


def test_brk_refuses_other_words() -> None:
    with pytest.raises(UsageError, match="neither a BRK immediate"):
        decode_value("brk", "96000004", PLAIN)


def test_far_region_depends_on_the_era() -> None:
    both = document(decode_value("far", "ffff800012345678", PLAIN))
    assert isinstance(both["regions"], list)
    assert len(both["regions"]) > 1
    one = document(decode_value("far", "ffff800012345678", DecodeOptions(kernel="4.14")))
    assert isinstance(one["regions"], list)
    assert [row["region"] for row in one["regions"]] == ["linear"]


def test_unknown_kind_and_endless_text_are_refused() -> None:
    with pytest.raises(UsageError, match="cannot be decoded"):
        decode_value("esr2", "0", PLAIN)
    with pytest.raises(UsageError, match="characters"):
        decode_value("esr", "0" * 5000, PLAIN)


def test_a_bitmap_as_documents_have_it() -> None:
    grouped = decode_value("features", "0x2,25006082", DecodeOptions(kernel="6.1"))
    plain = decode_value("features", "0x225006082", DecodeOptions(kernel="6.1"))
    assert plain == grouped
    assert decode_value("features", "225006082", DecodeOptions(kernel="6.1")) == grouped
