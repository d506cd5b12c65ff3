"""What mail does to a text, taken back line by line."""

import base64 as reference
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whypanic.crashlog.places import Row, joined, rows_of
from whypanic.crashlog.transfer import (
    base64,
    flowed,
    in_utf8,
    is_quoted_printable,
    quoted_printable,
    stray_quoted_printable,
    without_dash_escapes,
)


def test_a_soft_break_is_one_line_of_two() -> None:
    rows = rows_of(b"ESR =3D 0x96=\n000004\nnext=20\n")
    assert list(quoted_printable(rows)) == [Row(b"ESR = 0x96000004", 1, 2), Row(b"next ", 3, 3)]


def test_encoded_line_ends() -> None:
    assert list(quoted_printable(rows_of(b"a=0Ab"))) == [Row(b"a", 1, 1), Row(b"b", 1, 1)]


@pytest.mark.parametrize("data", [b"a=", b"a=\n", b"a=G1", b"=", b"x = 5"])
def test_malformed_escapes_stay(data: bytes) -> None:
    assert b"".join(row.data for row in quoted_printable(rows_of(data))) == data.rstrip(b"=\n")


@given(st.binary(max_size=300).map(lambda data: data.replace(b"\r", b"")))
def test_quoted_printable_is_undone(data: bytes) -> None:
    lines = quopri.encodestring(data)
    expected = [line for line in data.split(b"\n") if line]
    assert [row.data for row in quoted_printable(rows_of(lines)) if row.data] == expected


def test_base64_knows_the_line_of_every_line() -> None:
    text = b"".join(b"[    1.%06d] line number %d\n" % (n, n) for n in range(20))
    encoded = reference.encodebytes(text)
    rows = list(base64(rows_of(encoded)))
    assert joined(rows) == text
    # 57 bytes in a line of the file, 29 or 30 in one of the text.
    assert (rows[0].first, rows[0].last) == (1, 1)
    assert (rows[1].first, rows[1].last) == (1, 1)
    assert (rows[2].first, rows[2].last) == (2, 2)
    assert (rows[3].first, rows[3].last) == (2, 3)
    assert rows[-1].last == encoded.count(b"\n")


def test_what_follows_base64_is_text() -> None:
    data = reference.encodebytes(b"one\ntwo\n") + b"\n_______________\nlist footer\n"
    assert [row.data for row in base64(rows_of(data))] == [
        b"one",
        b"two",
        b"_______________",
        b"list footer",
    ]


def test_two_pieces_of_base64() -> None:
    data = reference.encodebytes(b"one\n") + reference.encodebytes(b"second\n")
    assert [row.data for row in base64(rows_of(data))] == [b"one", b"second"]


@given(st.binary(max_size=200))
def test_base64_is_total(data: bytes) -> None:
    n_lines = data.count(b"\n") + 1
    for row in base64(rows_of(data)):
        assert 1 <= row.first <= row.last <= n_lines


@pytest.mark.parametrize(
    "data",
    [
        b"ESR =3D 0x96000004\n",
        b"pgd=3D1, pud=3D2\npmd=3D3\n",
        b"exitcode=3D0x0000000b\n",
        b"=3D=3D=3D=3D\n",
        b"Unable to handle kernel paging request at virtual address ffff80001234567=\n8\n",
    ],
)
def test_quoted_printable_without_a_header(data: bytes) -> None:
    assert is_quoted_printable(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ESR = 0x96000004\n",
        b"pgd=0000000041a3c003, p4d=3D00000000000000\n",
        b"a =3D b once\nESR = 0x96000004\nEC = 0x25\n",
        b"======================\n",
        b"rate=48\nsize=3D\n",
        b"=" * 200,
        b"-----END-----\nabcdefgh=\n",
    ],
)
def test_a_plain_text_is_no_quoted_printable(data: bytes) -> None:
    assert not is_quoted_printable(data)


def test_a_line_that_is_plain_stays_in_a_fragment() -> None:
    rows = rows_of(b"x =3D 1\nmy x = 1\ny =3D 2\n")
    assert joined(list(stray_quoted_printable(rows))) == b"x = 1\nmy x = 1\ny = 2\n"


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("", b"a\xc3\xa9", "a\u00e9"),
        ("utf-8", b"a\xc3\xa9", "a\u00e9"),
        ("iso-8859-1", b"[\xa0 1.0] panic \x97 not", "[\u00a0 1.0] panic \u2014 not"),
        ("windows-1252", b"\x93x\x94", "\u201cx\u201d"),
        ("gb2312", b"\xc4\xfa", "\u60a8"),
        ("iso-2022-jp", b"\x1b$B$3\x1b(B", "\u3053"),
        ("koi8-r", b"\xd0", "\u043f"),
    ],
)
def test_character_sets(charset: str, data: bytes, text: str) -> None:
    assert list(in_utf8([Row(data, 4, 5)], charset)) == [Row(text.encode(), 4, 5)]


def test_utf_16_is_decoded_as_a_whole() -> None:
    data = "one\ntwo\n".encode("utf-16-le")
    assert [row.data for row in in_utf8(rows_of(data), "utf-16-le")][:2] == [b"one", b"two"]


@pytest.mark.parametrize(
    "charset", ["no-such", "hex", "base64", "\0", "rot13", "undefined", "idna"]
)
def test_what_is_no_character_set_changes_nothing(charset: str) -> None:
    assert [row.data for row in in_utf8([Row(b"\xffx", 1, 1)], charset)] == [b"\xffx"]


def test_flowed_text() -> None:
    data = (
        b"> Unable to handle kernel paging request at virtual address that is very \n"
        b"> long\n"
        b"\n"
        b" From here\n"
        b"-- \n"
        b"me\n"
    )
    assert [row.data for row in flowed(rows_of(data))] == [
        b"> Unable to handle kernel paging request at virtual address that is very long",
        b"",
        b"From here",
        b"-- ",
        b"me",
    ]


def test_a_blank_at_the_end_of_a_register_line_is_no_soft_break() -> None:
    data = b"x29: ffff00000a4abd40 x28: ffff000004a2ea00 \nx27: ffff000004a2d880 x26: 0 \n"
    assert [row.data for row in flowed(rows_of(data))] == data.splitlines()


def test_a_stamped_line_is_no_rest_of_another() -> None:
    data = b"[    1.000000] a line of the console that happens to end in one blank \n[    1.1] b\n"
    assert len(list(flowed(rows_of(data)))) == 2


def test_delete_space() -> None:
    data = b"a line of the mail that is long enough to be wrapped at this very pla \nce\n"
    (row,) = flowed(rows_of(data), delete_space=True)
    assert row.data.endswith(b"very place")


def test_dash_escapes_of_a_signed_text() -> None:
    data = (
        b"- - before\n-----BEGIN PGP SIGNED MESSAGE-----\n- ---[ end trace 0 ]---\n- a list\n"
        b"-----BEGIN PGP SIGNATURE-----\n- -x\n"
    )
    assert [row.data for row in without_dash_escapes(rows_of(data))] == [
        b"- - before",
        b"-----BEGIN PGP SIGNED MESSAGE-----",
        b"---[ end trace 0 ]---",
        b"- a list",
        b"-----BEGIN PGP SIGNATURE-----",
        b"- -x",
    ]
