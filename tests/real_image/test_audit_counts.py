"""What the audit sees of a real image, counted again from what readelf, nm and objdump print."""

from collections import Counter

import numpy as np
import pytest

from builders.objdump_view import ObjdumpView
from builders.real_image import RealImage
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.formats.images import open_image

CODE = ("hyp-idmap", "hyp-stub", "hyp", "idmap", "trampoline", "hibernate", "kexec")


@pytest.fixture(scope="module")
def view(image: RealImage) -> AuditView:
    return AuditView(open_image(image.vmlinux))


@pytest.fixture(scope="module")
def printed(image: RealImage) -> ObjdumpView:
    return ObjdumpView(image.vmlinux)


def _domain(view: AuditView, name: str) -> Domain:
    (domain,) = view.named((name,))
    return domain


@pytest.mark.parametrize("name", CODE)
def test_a_domain_lies_where_its_symbols_say(
    name: str, view: AuditView, printed: ObjdumpView
) -> None:
    code = _domain(view, name).code
    assert (code[0][0], code[-1][1]) == printed.bounds(name)


def test_the_hyp_domain_has_the_relative_relocations(view: AuditView, printed: ObjdumpView) -> None:
    slots = []
    for name in ("hyp", "hyp-idmap"):
        domain = _domain(view, name)
        for first, end in (*domain.code, *domain.data):
            slots += view.image.relative.within(first, end).slots.tolist()
    assert printed.hyp_slots
    assert sorted(set(slots)) == printed.hyp_slots


def test_hyp_reloc_covers_what_it_covers(view: AuditView, printed: ObjdumpView) -> None:
    listed = view.hyp_relocations
    assert listed is not None
    assert listed.slots.tolist() == printed.listed_slots
    covered = [a for a in printed.hyp_slots if listed.covers(a)]
    assert covered == [a for a in printed.hyp_slots if a in set(printed.listed_slots)]
    assert len(covered) == len(printed.hyp_slots)


@pytest.mark.parametrize("name", CODE)
def test_indirect_branches_are_those_of_objdump(
    name: str, view: AuditView, printed: ObjdumpView
) -> None:
    code = view.instructions(_domain(view, name))
    built = code.where(~code.from_alternative)
    wanted = printed.indirect(name)
    for kind in ("br", "blr"):
        found = built.found("br|blr")
        is_call = (found.words >> np.uint32(21) & np.uint32(1)) == 1
        places = found.places[is_call == (kind == "blr")]
        alternatives = view.named(("alternatives",))
        kept = [a for a in wanted[kind] if not any(d.holds(a) for d in alternatives)]
        assert places.tolist() == kept


def test_switches_and_their_entries_are_those_of_objdump(
    view: AuditView, printed: ObjdumpView
) -> None:
    tables = {t.branch: t for t in view.tables(_domain(view, "hyp")) if not t.call}
    wanted = printed.switches("hyp")
    assert wanted
    assert {s.branch: s.table for s in wanted} == {
        b: t.table for b, t in tables.items() if t.entry_bytes < 8
    }
    for switch in wanted:
        if switch.targets:
            assert tables[switch.branch].targets == switch.targets


def test_alternatives_by_domain_are_those_of_objdump(view: AuditView, printed: ObjdumpView) -> None:
    def owner(place: int) -> str:
        for name in CODE:
            first, end = printed.bounds(name)
            if first <= place < end:
                return name
        return "other"

    table = view.alternatives
    found = Counter(
        (owner(a), size, replacement, bool(callback))
        for a, size, replacement, callback in zip(
            table.places.tolist(),
            table.n_bytes.tolist(),
            table.replacement_bytes.tolist(),
            table.is_callback.tolist(),
            strict=True,
        )
    )
    wanted = Counter((owner(a), *rest) for a, *rest in printed.alternatives)
    assert found == wanted
    by_domain = Counter(d.name if (d := view.owner(a)) else "" for a in table.places.tolist())
    for name in CODE:
        assert by_domain[name] == sum(n for row, n in wanted.items() if row[0] == name)
