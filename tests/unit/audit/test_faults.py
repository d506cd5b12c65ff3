import pytest

from builders.moved_code import FORMS, function
from whypanic.audit.faults import MOVED, access_fault, cause_of, fetch_fault, runs_where, serves_vhe
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.formats.images import open_image


def domain(name: str) -> Domain:
    return Domain(name, "some code", "", (), (), (), "somewhere")


def test_level_0_where_the_page_tables_do_not_matter() -> None:
    assert (fetch_fault(domain("hyp")).ec, fetch_fault(domain("hyp")).fsc) == (0x21, 4)
    assert (access_fault(domain("hyp-stub")).ec, access_fault(domain("hyp-stub")).fsc) == (0x25, 0)
    assert fetch_fault(domain("kexec")).fsc is None


@pytest.mark.parametrize("name", MOVED)
def test_every_moved_domain_has_a_cause(name: str) -> None:
    expected = ("wild-branch", "wild-pointer") if name in ("own", "trampoline") else None
    found = tuple(cause_of(domain(name), branch=branch) for branch in (True, False))
    assert found == (expected or (found[0], found[0]))
    assert expected is not None or not found[0].startswith("wild")


@pytest.mark.parametrize("form", FORMS)
def test_hyp_code_before_5_9_serves_vhe_too(form: str) -> None:
    view = AuditView(open_image(FORMS[form](function("f", "  ret"))))
    hyp = next(d for d in view.domains if d.name == "hyp")
    assert serves_vhe(view, hyp) == (form != "6.1")
    assert ("with VHE" in runs_where(view, hyp).text) == (form != "6.1")
    assert not serves_vhe(view, domain("idmap"))
    assert runs_where(view, domain("idmap")).text == "some code runs at: somewhere"
