"""Several mails in one file."""

import pytest

from whypanic.crashlog.mbox import is_mbox, letter_of, split_mbox, threads, without_blank_start
from whypanic.crashlog.places import Row, rows_of

MBOX = b"""\
From mboxrd@z Thu Jan  1 00:00:00 1970
From: one@example.org
Message-ID: <1@x>
Subject: a

first
>From here on
>>From there

From mboxrd@z Thu Jan  1 00:00:00 1970
From: two@example.org
Message-ID: <2@x>
Subject: other

second

From mboxrd@z Thu Jan  1 00:00:00 1970
From: three@example.org
Message-ID: <3@x>
In-Reply-To: <1@x>
Subject: Re: a

third
"""


def test_where_each_begins() -> None:
    rows = rows_of(MBOX)
    assert is_mbox(rows)
    letters = split_mbox(rows)
    assert [(m.head.first_line, m.head.last_line) for m in letters] == [(2, 9), (11, 16), (18, 23)]
    assert [m.head.message_id for m in letters] == ["<1@x>", "<2@x>", "<3@x>"]
    assert letters[2].head.references == "<1@x>"


def test_quoting_of_from_lines() -> None:
    first = split_mbox(rows_of(MBOX))[0]
    assert [row.data for row in first.rows[4:7]] == [b"first", b"From here on", b">From there"]


def test_threads_by_message_ids() -> None:
    found = threads(split_mbox(rows_of(MBOX)))
    assert [[m.head.message_id for m in t] for t in found] == [["<1@x>", "<3@x>"], ["<2@x>"]]


def test_a_reply_before_what_it_answers_joins_both() -> None:
    ids = ("Message-ID: <c>\nReferences: <a> <b>", "Message-ID: <a>", "Message-ID: <b>")
    letters = [letter_of(rows_of(f"From: x\n{words}\n\n".encode())) for words in ids]
    assert len(threads(letters)) == 1


def test_mails_without_ids_are_apart() -> None:
    letters = [letter_of(rows_of(b"From: x\nTo: y\n\n")) for _ in range(2)]
    assert len(threads(letters)) == 2


@pytest.mark.parametrize(
    "line",
    [
        b"From user at example.com  Tue Jan  1 00:00:00 2019",
        b"From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001",
        b"From a@b Thu, 02 Jan 2020 10:11:12 +0000",
    ],
)
def test_separators(line: bytes) -> None:
    assert is_mbox(rows_of(line + b"\nFrom: a@b\n\n"))


@pytest.mark.parametrize(
    "data", [b"", b"From here on\nSubject: x\n", b"From a@b Thu Jan  1 00:00:00 1970\nno header\n"]
)
def test_no_mbox(data: bytes) -> None:
    assert not is_mbox(rows_of(data))


def test_blank_lines_and_a_byte_order_mark_before_a_mail() -> None:
    rows = rows_of(b"\xef\xbb\xbf\n\nFrom: a\n\nb\n")
    assert next(without_blank_start(rows)) == Row(b"From: a", 3, 3)
