"""The reply: what is quoted, what is said under it, and what a mailer makes of its header."""

import email
import email.policy
from functools import cache

import pytest

from builders.repository import ROOT
from whypanic import __version__
from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.app.quotable import quotable_reports
from whypanic.report.document import DocReport
from whypanic.report.mail import WIDTH, render_mail

EXAMPLE = (ROOT / "examples" / "2017-juno-hyp-panic.txt").read_bytes()
MAIL = """\
From: "Doe, Jane" <jane@example.org>
To: list@example.org
Cc: Other <other@example.org>
Date: Mon, 1 Jan 2024 10:00:00 +0000
Message-ID: <2@example.org>
In-Reply-To: <1@example.org>
Subject: Re: [BUG] gadget: crash at boot

Hello,

[   41.200731] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000020
[   41.201872] Mem abort info:
[   41.204653]   ESR = 0x0000000096000006
[   41.206204]   EC = 0x25: DABT (current EL), IL = 32 bits
[   41.211356]   FSC = 0x06: level 2 translation fault
[   41.230734] Internal error: Oops: 0000000096000006 [#1] PREEMPT SMP
[   41.235476] CPU: 2 PID: 118 Comm: kworker/2:1 Not tainted 6.6.30 #4
[   41.237348] pstate: 60400009 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
[   41.240539] pc : gadget_poll+0x5c/0x180
[   41.243320] lr : gadget_work+0x30/0x90
[   41.259561] x2 : ffff000004a12300 x1 : ffff000004a11180 x0 : 0000000000000000
[   41.261932] Call trace:
[   41.263483]  gadget_poll+0x5c/0x180
[   41.264624]  gadget_work+0x30/0x90
[   41.271327]  kthread+0x10c/0x118
[   41.275249] Code: aa0003f3 910003fd f9400a81 2a0103f4 (f9401002)
[   41.276390] ---[ end trace 0000000000000000 ]---
"""
REPLY = f"""\
Subject: Re: [BUG] gadget: crash at boot
To: "Doe, Jane" <jane@example.org>
Cc: list@example.org, Other <other@example.org>
In-Reply-To: <2@example.org>
References: <1@example.org> <2@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

This reads as "NULL pointer dereference in gadget_poll"; the function to
look at is gadget_poll. The cause, supported (evidence for it, none
against): a NULL pointer was dereferenced [null-pointer-dereference].

On Mon, 1 Jan 2024 10:00:00 +0000, Doe, Jane wrote:
> [   41.200731] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000020
[...]
> [   41.204653]   ESR = 0x0000000096000006
[...]
> [   41.230734] Internal error: Oops: 0000000096000006 [#1] PREEMPT SMP
> [   41.235476] CPU: 2 PID: 118 Comm: kworker/2:1 Not tainted 6.6.30 #4
[...]
> [   41.240539] pc : gadget_poll+0x5c/0x180
> [   41.243320] lr : gadget_work+0x30/0x90
> [   41.259561] x2 : ffff000004a12300 x1 : ffff000004a11180 x0 : 0000000000000000
> [   41.261932] Call trace:
> [   41.263483]  gadget_poll+0x5c/0x180
> [   41.264624]  gadget_work+0x30/0x90
> [   41.271327]  kthread+0x10c/0x118
> [   41.275249] Code: aa0003f3 910003fd f9400a81 2a0103f4 (f9401002)

Base register x0 of the faulting word is 0x0: NULL, accessed at +0x20.

Ruled out:
 - a NULL function pointer was called: a data access faulted, not an
   instruction fetch.

Next:
 - see file and line of PC, with inlined frames.

     scripts/faddr2line vmlinux gadget_poll+0x5c/0x180

--{" "}
whypanic {__version__}
mail.txt, lines 11-27
"""


@cache
def reply(data: bytes, name: str = "mail.txt") -> str:
    read = explain_input(RawInput(name, data))
    return render_mail(build_document([read]), list(quotable_reports(data, read.explained)))


def reports(data: bytes) -> list[DocReport]:
    return build_document([explain_input(RawInput("reply.txt", data))]).reports


def quoted(text: str) -> list[str]:
    return [line[2:] for line in text.splitlines() if line.startswith("> ")]


def test_reply_to_a_mail() -> None:
    assert reply(MAIL.encode()) == REPLY


def test_a_log_gets_no_addresses() -> None:
    text = reply(MAIL[MAIL.index("[   41") :].encode())
    assert text.startswith("Subject: NULL pointer dereference in gadget_poll\nMIME-Version: 1.0\n")
    for absent in ("\nTo:", "\nCc:", "In-Reply-To", "References", " wrote:"):
        assert absent not in text


def test_quoted_lines_are_those_of_the_mail() -> None:
    for data in (EXAMPLE, MAIL.encode()):
        own = [line.rstrip() for line in data.decode().splitlines()]
        lines = quoted(reply(data))
        assert lines
        assert [line for line in lines if line not in own] == []
        told = [line for line in lines if "[" in line]
        assert sorted(told, key=own.index) == told


def test_words_are_narrow() -> None:
    for line in reply(EXAMPLE).splitlines():
        assert line.startswith("> ") or len(line) <= WIDTH, line


def test_every_claim_of_the_cause_is_said() -> None:
    text = " ".join(reply(EXAMPLE).split())
    (report,) = reports(EXAMPLE)
    for claim in report.causes[0].claims:
        assert " ".join(claim.text.split())[1:] in text


@pytest.mark.parametrize("data", [EXAMPLE, MAIL.encode()])
def test_the_reply_read_again_is_the_same_report(data: bytes) -> None:
    (first,) = reports(data)
    (again,) = reports(reply(data).encode())
    assert (again.kind, again.title, again.signature) == (first.kind, first.title, first.signature)
    assert again.causes[0].id == first.causes[0].id


def test_mail_programs_read_the_header() -> None:
    encoded = MAIL.replace("[BUG] gadget", "=?utf-8?q?b=C3=BCg?=" + " long" * 20)
    message = email.message_from_string(reply(encoded.encode()), policy=email.policy.default)
    assert message["Subject"] == "Re: b\u00fcg" + " long" * 20 + ": crash at boot"
    assert message["In-Reply-To"] == "<2@example.org>"
    assert message["References"].split() == ["<1@example.org>", "<2@example.org>"]
    assert [str(a) for a in message["To"].addresses] == ['"Doe, Jane" <jane@example.org>']
    assert message.get_content_charset() == "utf-8"
    assert not message.defects


@pytest.mark.parametrize(
    "subject",
    ["x\rBcc: all@example.org", "\x1b[2J", "\u202ex", "a" * 3000, "=?utf-8?q?=0ABcc:_x?="],
)
def test_a_subject_commands_nobody(subject: str) -> None:
    text = reply(MAIL.replace("[BUG] gadget: crash at boot", subject).encode())
    assert all(char == "\n" or char.isprintable() for char in text)
    message = email.message_from_string(text, policy=email.policy.default)
    assert message["Bcc"] is None


def test_controls_in_a_log_stay_visible() -> None:
    data = MAIL.replace("kworker/2:1", "\x1b]0;owned\x07\u202e").encode()
    text = reply(data)
    assert "\\x1b]0;owned\\x07\\u202e" in text
    assert all(char == "\n" or char.isprintable() for char in text)


def test_a_line_longer_than_mail_allows_is_cut() -> None:
    data = MAIL.replace("kworker/2:1 Not", "k Not").replace("#4", "#4 " + "x" * 5000).encode()
    assert max(map(len, reply(data).splitlines())) < 998


def test_two_reports_are_one_mail() -> None:
    second = MAIL[MAIL.index("[   41") :].replace("[   41", "[   52").replace("gadget", "widget")
    text = reply((MAIL + "\n\nand then\n\n" + second).encode())
    assert text.count("MIME-Version") == 1
    assert text.count("This reads as") == 2
    assert text.count(" wrote:") == 1
    assert [r.title for r in reports(text.encode())] == [
        "NULL pointer dereference in gadget_poll",
        "NULL pointer dereference in widget_poll",
    ]


def test_nothing_for_nothing() -> None:
    assert reply(b"all is well\n") == ""
