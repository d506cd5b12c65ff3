"""A report of a decoded text, with the lines of the file."""

import base64

from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.app.physical_lines import relocated
from whypanic.crashlog.places import Places, Row
from whypanic.report.document import DocFact, DocReport, DocSpan

HEAD = "From: a@b\nSubject: x\nContent-Transfer-Encoding: {}\n\n"
OOPS = """\
[   12.345678] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010
[   12.345690] Mem abort info:
[   12.345691]   ESR = 0x0000000096000006
[   12.345700] Internal error: Oops: 0000000096000006 [#1] SMP
[   12.345701] pc : gadget_poll+0x10/0x20
"""


def report(data: bytes) -> DocReport:
    (found,) = build_document([explain_input(RawInput("mail", data))]).reports
    return found


def lines_of(found: DocReport) -> set[int]:
    return {
        fact.line
        for cause in found.causes
        for claim in cause.claims
        for fact in claim.facts
        if fact.line is not None
    }


def test_quoted_printable_lines_are_those_of_the_file() -> None:
    body = OOPS.replace("=", "=3D").replace(" virtual", " =\nvirtual")
    found = report((HEAD.format("quoted-printable") + body).encode())
    assert found.span == DocSpan(input=0, first_line=5, last_line=10)
    assert lines_of(found) <= set(range(5, 11))


def test_base64_lines_are_those_of_the_file() -> None:
    body = base64.encodebytes(OOPS.encode()).decode()
    found = report((HEAD.format("base64") + body).encode())
    assert found.span == DocSpan(input=0, first_line=5, last_line=4 + body.count("\n"))


def test_parts_in_reversed_order() -> None:
    first, second = OOPS[: OOPS.index("[   12.345700]")], OOPS[OOPS.index("[   12.345700]") :]
    found = report(f"Oops#1 Part1\n{second}Oops#1 Part2\n{first}".encode())
    assert found.kind == "null-dereference"
    assert found.span == DocSpan(input=0, first_line=2, last_line=7)


def test_nothing_else_is_moved() -> None:
    fact = DocFact(text="x", source="log", line=1, address=None)
    places = Places([Row(b"", 40, 41)])
    assert relocated(fact, None) is fact
    assert relocated([fact, 1, "1"], places) == [
        DocFact(text="x", source="log", line=40, address=None),
        1,
        "1",
    ]
