"""The texts that one file holds."""

import gzip

import pytest

from whypanic.crashlog.texts import open_texts

LOG = b"[    1.000000] kernel BUG at drivers/gadget/core.c:12!\n[    1.000001] ESR = 0x96000004\n"


@pytest.mark.parametrize("data", [b"", b"\n", LOG, LOG.replace(b"\n", b"\r\n"), b"\x00\xff" * 50])
def test_a_console_log_is_itself(data: bytes) -> None:
    (text,) = open_texts(data)
    assert (text.data, text.places, text.mails) == (data, None, ())


def test_a_plain_mail_is_itself_and_known() -> None:
    data = b"From: a <a@b>\nSubject: x\nMessage-ID: <1@x>\n\n" + LOG
    (text,) = open_texts(data)
    assert (text.data, text.places) == (data, None)
    assert [mail.message_id for mail in text.mails] == ["<1@x>"]


def test_a_thread_is_one_text_and_two_are_two() -> None:
    mail = (
        "From a@b Thu Jan  1 00:00:00 1970\nFrom: a\nMessage-ID: <{}>\nReferences: <{}>\n\n{}\n\n"
    )
    rows = (("1", "0", "one"), ("2", "9", "two"), ("3", "1", "three"))
    data = "".join(mail.format(*row) for row in rows).encode()
    first, second = open_texts(data)
    assert b"one" in first.data
    assert b"three" in first.data
    assert b"two" in second.data
    assert second.places is not None
    line = second.data.split(b"\n").index(b"two") + 1
    assert second.places.line(line) == data.split(b"\n").index(b"two") + 1


def test_parts_of_a_dump() -> None:
    (text,) = open_texts(b"Oops#1 Part1\nb\nOops#1 Part2\na\n")
    assert text.data == b"a\nb\n"
    assert text.places is not None
    assert text.places.line(1) == 4


def test_a_fragment_of_quoted_printable() -> None:
    (text,) = open_texts(b"ESR =3D 0x96000004\n  EC =3D 0x25\n")
    assert text.data == b"ESR = 0x96000004\n  EC = 0x25\n"


def test_a_packed_file() -> None:
    assert open_texts(gzip.compress(LOG))[0].data == LOG
    broken = b"\x1f\x8b broken"
    assert open_texts(broken)[0].data == broken


def test_utf_16_with_its_mark() -> None:
    assert open_texts(LOG.decode().encode("utf-16"))[0].data == LOG
