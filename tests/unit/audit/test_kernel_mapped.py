import pytest

from builders.images import assemble
from builders.moved_code import function
from whypanic.audit.function_code import codes_of, span_of
from whypanic.audit.kernel_mapped import kernel_is_mapped, runs_linked
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.formats.images import open_image

MAP = "  mrs x30, ttbr1_el1\n  add x30, x30, #0x2000\n  and x30, x30, #~0x1000000000000\n  msr ttbr1_el1, x30\n"
UNMAP = "  mrs x29, ttbr1_el1\n  sub x29, x29, #0x2000\n  orr x29, x29, #0x1000000000000\n  msr ttbr1_el1, x29\n"


def mapped(name: str, body: str) -> bool:
    """Return the answer for the one ADR of a function."""
    view = AuditView(open_image(assemble(function("f", body))))
    code = view.domains[-1]
    domain = Domain(name, "", "", code.code, (), (), "")
    address = view.image.value_of("f")
    assert address is not None
    span = span_of(view, domain, address)
    assert span is not None
    found = codes_of(view, span)[0]
    (place,) = (n for n, word in enumerate(found.flow.words) if word >> 24 & 0x9F == 0x10)
    return kernel_is_mapped(view, domain, found, place)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (MAP + "  adr x0, .\n  ret", True),
        ("  adr x0, .\n" + MAP + "  ret", False),
        ("  adr x0, .\n" + UNMAP + "  eret", True),
        (UNMAP + "  adr x0, .\n  eret", False),
        (MAP + "  b 1f\n1: adr x0, .\n  ret", False),
        ("  adr x0, .\n  ret", False),
    ],
)
def test_trampoline(body: str, expected: bool) -> None:
    assert mapped("trampoline", body) is expected
    assert not mapped("hyp", body)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("  msr sctlr_el1, x0\n  isb\n", True),
        ("  mov x0, #1\n  msr sctlr_el1, x0\n", True),
        ("  mov x0, #4\n  msr sctlr_el1, x0\n", False),
        ("  msr sctlr_el1, xzr\n", False),
        ("  mrs x0, sctlr_el1\n  bic x0, x0, x1\n  msr sctlr_el1, x0\n", False),
        ("  mrs x0, sctlr_el1\n  orr x0, x0, #1\n  msr sctlr_el1, x0\n", True),
        ("  bl __enable_mmu\n", True),
        ("  bl something\n", False),
    ],
)
def test_idmap(before: str, expected: bool) -> None:
    body = before + "  adr x0, .\n  ret"
    assert mapped("idmap", body) is expected
    assert mapped("early", body) is expected


@pytest.mark.parametrize(
    ("callee", "expected"),
    [
        ("  mrs x0, sctlr_el1\n  orr x0, x0, #1\n  msr sctlr_el1, x0\n  ret", True),
        ("  msr sctlr_el1, x0\n  ret", True),
        # init_kernel_el prepares the register with the MMU off.
        ("  mov x0, #0x30d00000\n  msr sctlr_el1, x0\n  ret", False),
        ("  mov x0, #1\n  msr tpidr_el1, x0\n  ret", False),
        ("  mov x0, #1\n  msr sctlr_el1, x0\n  mov x0, #0\n  msr sctlr_el1, x0\n  ret", False),
    ],
)
def test_a_call_to_what_writes_the_register(callee: str, expected: bool) -> None:
    body = "  bl g\n  adr x0, .\n  ret\n.size f, . - f\n.type g, %function\ng:\n" + callee
    assert mapped("idmap", body) is expected


def test_functions_that_run_at_their_link_address() -> None:
    early = Domain("early", "", "", (), (), (), "")
    assert runs_linked(early, "__primary_switched")
    assert not runs_linked(early, "primary_entry")
    assert not runs_linked(early._replace(name="hyp"), "__primary_switched")
