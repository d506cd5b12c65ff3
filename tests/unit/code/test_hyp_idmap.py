"""Distance of PC from the hyp idmap page."""

from whypanic.code.hyp_idmap import find_idmap_distance
from whypanic.model.hyp import HypPanic, IdmapPage
from whypanic.model.provenance import Source


def panic(pc: int | None) -> HypPanic:
    return HypPanic(
        source=Source(line=4), ps=None, pc=pc, esr=None, far=pc, hpfar=None, par=None, vcpu=None
    )


def page(pa: int) -> IdmapPage:
    return IdmapPage(source=Source(line=2), pa=pa)


def test_reference_distance() -> None:
    found = find_idmap_distance(panic(0xFFFF0000089E6FD8), page(0x809E2000))
    assert found is not None
    assert found.distance == 0x4FD8
    assert "0x4fd8 past" in found.statement


def test_pc_before_the_page_is_no_distance() -> None:
    assert find_idmap_distance(panic(0xFFFF0000089E1000), page(0x809E2000)) is None


def test_missing_values() -> None:
    assert find_idmap_distance(None, page(0x809E2000)) is None
    assert find_idmap_distance(panic(None), page(0x809E2000)) is None
    assert find_idmap_distance(panic(0xFFFF0000089E6FD8), None) is None
