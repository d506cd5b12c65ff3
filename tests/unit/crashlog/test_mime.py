"""One mail to the text that its sender meant."""

import base64
import gzip
import time

import pytest

from whypanic.crashlog.mime import read_mail, tidied, unpack
from whypanic.crashlog.places import rows_of

LOG = b"kernel BUG at drivers/gadget/core.c:12!\nESR = 0xf2000800\n"
HEAD = b"From: a@b\nMIME-Version: 1.0\n"


def body(mail: bytes) -> list[bytes]:
    """The decoded lines behind the header, without blank ones."""
    rows = read_mail(rows_of(mail))
    blank = next(i for i, row in enumerate(rows) if not row.data)
    return [row.data for row in rows[blank:] if row.data]


def part(kind: str, data: bytes, encoding: str = "7bit") -> bytes:
    return f"Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n".encode() + data


def multi(kind: str, *parts: bytes, boundary: str = "=_x") -> bytes:
    mark = b"--" + boundary.encode()
    text = b"".join(mark + b"\n" + one + (b"" if one.endswith(b"\n") else b"\n") for one in parts)
    return (
        f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'.encode()
        + text
        + mark
        + b"--\n"
    )


def test_a_plain_mail_is_itself() -> None:
    rows = rows_of(HEAD + b"\n" + LOG)
    assert read_mail(rows) == rows


def test_places_behind_a_header() -> None:
    mail = HEAD + part("text/plain", b"ESR =3D 0x96=\n000004\n", "quoted-printable")
    row = read_mail(rows_of(mail))[-1]
    assert (row.data, row.first, row.last) == (b"ESR = 0x96000004", 6, 7)


def test_plain_text_before_html() -> None:
    html = part("text/html", b"<p>html</p>")
    for parts in ((part("text/plain", LOG), html), (html, part("text/plain", LOG))):
        assert body(HEAD + multi("alternative", *parts)) == LOG.splitlines()


def test_html_where_there_is_nothing_else() -> None:
    html = part("text/html", b"<div>kernel BUG</div>")
    assert body(HEAD + multi("alternative", html)) == [b"kernel BUG"]
    assert body(HEAD + multi("alternative", part("text/plain", b"\n"), html)) == [b"kernel BUG"]
    assert body(HEAD + html) == [b"kernel BUG"]


@pytest.mark.parametrize(
    "kind", ["text/x-log", "application/octet-stream; name=dmesg.txt", "application/x-dmesg"]
)
def test_attachments_of_text(kind: str) -> None:
    attached = part(kind, base64.encodebytes(LOG), "base64")
    found = body(HEAD + multi("mixed", part("text/plain", b"see below\n"), attached))
    assert found == [b"see below", *LOG.splitlines()]


def test_attachments_of_no_text() -> None:
    image = part("image/png", base64.encodebytes(b"\x89PNG text"), "base64")
    blob = part("application/octet-stream", base64.encodebytes(bytes(range(256))), "base64")
    assert body(HEAD + multi("mixed", part("text/plain", LOG), image, blob)) == LOG.splitlines()


def test_a_packed_attachment_is_where_it_begins() -> None:
    packed = base64.encodebytes(gzip.compress(LOG, mtime=0))
    mail = HEAD + multi("mixed", part("application/gzip", packed, "base64"))
    rows = [row for row in read_mail(rows_of(mail)) if row.data.startswith(b"ESR")]
    assert [(row.data, row.first) for row in rows] == [(b"ESR = 0xf2000800", 9)]


def test_unpacking_is_bounded() -> None:
    packed = gzip.compress(b"x" * 100_000)
    assert unpack(packed, 10) == b"x" * 10 + b"\n[...]\n"
    assert unpack(gzip.compress(b"\n" * 100_000), 6400) == b"\n" * 199 + b"\n[...]\n"
    assert unpack(packed[:50], 10**6) in b"x" * 100_000
    assert unpack(b"\x1f\x8bnothing", 10) == b""


def test_a_mail_in_a_mail() -> None:
    inner = b"Subject: inner\n" + part("text/plain", base64.encodebytes(LOG), "base64")
    found = body(HEAD + multi("mixed", part("message/rfc822", inner)))
    assert found[0] == b"Subject: inner"
    assert found[-2:] == LOG.splitlines()


def test_parts_without_an_end() -> None:
    mail = HEAD + multi("mixed", part("text/plain", LOG)).replace(b"--=_x--\n", b"")
    assert body(mail) == LOG.splitlines()


def test_a_boundary_that_stands_nowhere() -> None:
    assert body(HEAD + b'Content-Type: multipart/mixed; boundary="y"\n\n' + LOG) == LOG.splitlines()


def test_what_stands_around_the_parts_is_kept() -> None:
    mail = HEAD + multi("mixed", part("text/plain", LOG)) + b"list footer\n"
    assert body(mail)[-1] == b"list footer"


def test_parts_in_parts_end() -> None:
    mail = part("text/plain", LOG)
    for n in range(40):
        mail = multi("mixed", mail, boundary=f"b{n}")
    assert b"ESR = 0xf2000800" in body(HEAD + mail)


def test_many_parts_end() -> None:
    started = time.process_time()
    mail = HEAD + multi("mixed", *[part("text/plain", b"x\n")] * 5000)
    assert len(read_mail(rows_of(mail))) > 5000
    assert time.process_time() - started < 2


def test_a_text_encoded_twice() -> None:
    assert body(HEAD + b"\nESR =3D 0x96000004\n") == [b"ESR = 0x96000004"]


def test_an_equals_sign_of_the_sender_stays() -> None:
    mail = HEAD + part("text/plain", b"the bytes =3D3D0x are an equals sign\n", "quoted-printable")
    assert body(mail) == [b"the bytes =3D0x are an equals sign"]


def test_signed_text() -> None:
    rows = rows_of(
        b"-----BEGIN PGP SIGNED MESSAGE-----\n\n- ------------[ cut here ]------------\n"
    )
    assert tidied(rows)[-1].data == b"------------[ cut here ]------------"
