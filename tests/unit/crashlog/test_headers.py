"""Header fields."""

import pytest

from whypanic.crashlog.headers import ContentType, content_type, decoded_words, read_headers
from whypanic.crashlog.places import rows_of


def test_fields_are_unfolded_and_the_first_counts() -> None:
    rows = rows_of(b"From: a@b\nSubject: one\n two\nX-A: 1\nX-A: 2\n\nbody: no\n")
    headers = read_headers(rows)
    assert headers.fields == {"from": "a@b", "subject": "one two", "x-a": "1"}
    assert headers.n_rows == 6
    assert headers.is_mail


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"kernel BUG at x.c:1!\n", b"word: text\n", b" x: y\n"]
)
def test_no_mail(data: bytes) -> None:
    assert not read_headers(rows_of(data)).is_mail


def test_a_line_that_is_no_field_ends_them() -> None:
    headers = read_headers(rows_of(b"From: a\r\nTo: b\r\nbody\r\n"))
    assert (headers.n_rows, headers.is_mail) == (2, True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ContentType()),
        ("text/plain; charset=ISO-8859-1", ContentType("text/plain", "iso-8859-1")),
        ('multipart/mixed; boundary="a b"', ContentType("multipart/mixed", boundary="a b")),
        (
            "text/plain; format=flowed; delsp=yes",
            ContentType("text/plain", flowed=True, delete_space=True),
        ),
        (
            "multipart/mixed; boundary*0=ab; boundary*1=cd",
            ContentType("multipart/mixed", boundary="abcd"),
        ),
        ("nonsense", ContentType()),
        ("text/plain; charset*=bad'x", ContentType(charset="bad'x")),
    ],
)
def test_content_types(value: str, expected: ContentType) -> None:
    assert content_type(value) == expected


def test_encoded_words() -> None:
    assert decoded_words("=?utf-8?q?caf=C3=A9?= x") == "caf\u00e9 x"
    assert decoded_words("=?no-such?q?a?=") == "=?no-such?q?a?="
    assert decoded_words("plain") == "plain"
