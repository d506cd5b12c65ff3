"""However a crash was mailed, it is the same crash; and whatever is mailed, nothing breaks."""

import base64
import quopri
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.repository import ROOT
from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.app.quotable import quotable_reports
from whypanic.crashlog.texts import open_texts
from whypanic.report.document import ExplainDocument
from whypanic.report.mail import render_mail

_LOG = re.compile(r"^```log\n(.*?)^```", re.M | re.S)
LOGS = {"example": (ROOT / "examples" / "2017-juno-hyp-panic.txt").read_bytes()} | {
    f"{path.stem}-{number}": log.encode()
    for path in sorted((ROOT / "tests" / "cases").glob("*.md"))
    for number, log in enumerate(_LOG.findall(path.read_text(encoding="utf-8")))
}
HEAD = "From: a <a@b.c>\nTo: list@b.c\nMessage-ID: <1@b.c>\nMIME-Version: 1.0\n"
PIECES = (
    b"From a@b Thu Jan  1 00:00:00 1970\n", b"From: a\n", b"Subject: =?utf-8?q?x=\n", b"\n",
    b'Content-Type: multipart/mixed; boundary="b"\n', b"Content-Type: message/rfc822\n",
    b"Content-Type: text/html\n", b"Content-Type: text/plain; charset=utf-16; format=flowed\n",
    b"Content-Type: application/gzip\n", b"Content-Transfer-Encoding: base64\n",
    b"Content-Transfer-Encoding: quoted-printable\n", b"--b\n", b"--b--\n", b"H4sIAAAA\n", b"\x1f\x8b\x08",
    b"ESR =3D 0x96=\n", b"=", b"Oops#1 Part2\n", b"Oops#1 Part1\n", b"kernel BUG at a/b.c:1!\n",
    b"pc : f+0x1/0x2\n", b"<pre>", b"<br>", b"> ", b"\r", b"\xff\xfe", b" ", b"-----BEGIN PGP SIGNED MESSAGE-----\n",
)  # fmt: skip


def mail(body: bytes, encoding: str, kind: str = "text/plain; charset=utf-8") -> bytes:
    head = f"{HEAD}Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n"
    return head.encode() + body


def in_parts(body: bytes) -> bytes:
    parts = (
        b"--x\nContent-Type: text/plain\n\nSee the attachment.\n"
        b"--x\nContent-Type: application/octet-stream; name=dmesg.txt\n"
        b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(body) + b"--x--\n"
    )
    return mail(parts, "7bit", "multipart/mixed; boundary=x")


def trimmed(data: bytes) -> bytes:
    """Return the text without blanks at the ends of lines: `quopri` breaks such a line, a mailer drops them."""
    return b"\n".join(line.rstrip() for line in data.split(b"\n"))


def explained(data: bytes) -> ExplainDocument:
    return build_document([explain_input(RawInput("mail", data))])


def answers(document: ExplainDocument) -> list[tuple[str, str, str, str, str]]:
    return [
        (r.kind, r.title, r.signature, r.causes[0].id, r.causes[0].verdict)
        for r in document.reports
    ]


@pytest.mark.parametrize("name", LOGS)
def test_every_way_to_mail_a_log_gives_the_same_answer(name: str) -> None:
    log = trimmed(LOGS[name])
    plain = explained(mail(log, "8bit"))
    for data in (
        mail(
            b"\n".join(quopri.encodestring(line) for line in log.split(b"\n")), "quoted-printable"
        ),
        mail(base64.encodebytes(log), "base64"),
        in_parts(log),
    ):
        document = explained(data)
        assert answers(document) == answers(plain)
        n_lines = data.count(b"\n") + 1
        for report in document.reports:
            assert 1 <= report.span.first_line <= report.span.last_line <= n_lines


@pytest.mark.parametrize("name", LOGS)
def test_a_reply_to_a_log_holds_the_same_reports(name: str) -> None:
    read = explain_input(RawInput("mail", LOGS[name]))
    document = build_document([read])
    text = render_mail(document, list(quotable_reports(LOGS[name], read.explained)))
    assert [r.kind for r in explained(text.encode()).reports] == [r.kind for r in document.reports]


def _check(data: bytes) -> None:
    n_lines = data.count(b"\n") + data.count(b"\r") + 1
    for text in open_texts(data):
        if text.places is not None:
            for number in range(1, text.data.count(b"\n") + 1):
                assert 1 <= text.places.line(number) <= n_lines
    read = explain_input(RawInput("mail", data))
    shown = render_mail(build_document([read]), list(quotable_reports(data, read.explained)))
    assert all(char == "\n" or char.isprintable() for char in shown)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))
def test_pieces_of_mail_in_any_order(data: bytes) -> None:
    _check(data)


@given(st.binary(max_size=300))
def test_any_bytes_behind_a_header(data: bytes) -> None:
    for encoding in ("base64", "quoted-printable", "7bit"):
        _check(mail(data, encoding))
    _check(mail(data, "base64", "multipart/mixed; boundary=x"))
    _check(data)


@given(st.sampled_from(sorted(LOGS)), st.data())
def test_mails_with_bytes_overwritten(name: str, data: st.DataObject) -> None:
    raw = bytearray(in_parts(LOGS[name]))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + 1] = data.draw(st.binary(max_size=4))
    _check(bytes(raw))
