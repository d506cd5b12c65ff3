"""What a reply needs besides the document."""

from whypanic.app.analysis import explain_text
from whypanic.app.quotable import quotable_reports
from whypanic.report.mail import Quotable

MAIL = b"""\
From: =?utf-8?q?R=C3=A9porter?= <r@example.org>
To: list@example.org
Cc: other@example.org
Reply-To: back@example.org
Date: Mon, 1 Jan 2024 10:00:00 +0000
Subject: =?utf-8?q?bo=C3=AEte?=
Message-ID: <1@example.org>
In-Reply-To: <0@example.org>
Content-Transfer-Encoding: quoted-printable

Hello,

[   12.345678] Unable to handle kernel NULL pointer dereference at virtual =
address 0000000000000010
[   12.345691]   ESR =3D 0x0000000096000006
[   12.345700] Internal error: Oops: 0000000096000006 [#1] SMP
[   12.345701] pc : gadget_poll+0x10/0x20
[   12.345702] Call trace:
[   12.345703]  gadget_poll+0x10/0x20
"""


def quotable(data: bytes) -> Quotable:
    (found,) = quotable_reports(data, explain_text(data)[1])
    return found


def test_the_words_are_decoded() -> None:
    words = quotable(MAIL).words
    assert words[13] == [
        "[   12.345678] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010"
    ]
    assert words[15] == ["[   12.345691]   ESR = 0x0000000096000006"]


def test_headline_pc_and_trace_are_chief_lines() -> None:
    assert {13, 15, 16, 17, 18, 19} <= quotable(MAIL).chief


def test_the_mail_that_is_answered() -> None:
    mail = quotable(MAIL).mail
    assert mail is not None
    assert mail.sender == "R\u00e9porter <r@example.org>"
    assert mail.subject == "bo\u00eete"
    assert (mail.to, mail.cc) == ("back@example.org", "list@example.org, other@example.org")
    assert (mail.message_id, mail.references) == ("<1@example.org>", "<0@example.org>")


def test_a_log_is_no_mail() -> None:
    assert quotable(MAIL[MAIL.index(b"[") :]).mail is None


def test_of_a_thread_the_mail_with_the_report() -> None:
    other = b"From: first@example.org\nMessage-ID: <0@example.org>\nSubject: x\n\nnothing\n\n"
    mark = b"From a@b Thu Jan  1 00:00:00 1970\n"
    mail = quotable(mark + other + mark + MAIL).mail
    assert mail is not None
    assert mail.message_id == "<1@example.org>"


def test_no_report() -> None:
    assert list(quotable_reports(b"quiet\n", ())) == []
