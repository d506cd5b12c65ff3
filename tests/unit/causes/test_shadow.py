"""The rows of the memory state."""

from whypanic.causes.case import CaseView
from whypanic.causes.shadow import first_marked, granule_bytes, granules, near_object
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact, Source
from whypanic.model.sanitizer import Access, BadObject, ShadowRow, TagPair

_AT = Source(line=1)
_ROW = 0xFFFF_0000_C2BB_7080


def _access(address: int, size: int | None) -> Access:
    return Access(what="read", address=address, size=size, source=_AT)


def _row(address: int, *values: int) -> ShadowRow:
    return ShadowRow(
        address=address, values=values + (0,) * (16 - len(values)), guilty=False, source=_AT
    )


def _case(*facts: Fact) -> CaseView:
    return CaseView(Kind.KASAN, facts)


def test_size_of_a_granule() -> None:
    assert granule_bytes(_case()) == 8
    assert granule_bytes(_case(TagPair(pointer=1, memory=2, source=_AT))) == 16
    assert granule_bytes(_case(_row(_ROW), _row(_ROW + 0x100))) == 16


def test_access_across_two_granules() -> None:
    case = _case(_access(_ROW + 12, 8), _row(_ROW, 1, 2, 3, 4))
    assert [g.value for g in granules(case)] == [2, 3]


def test_access_across_two_rows() -> None:
    case = _case(_access(_ROW + 0x78, 16), _row(_ROW), _row(_ROW + 0x80, 0xFC))
    marked = first_marked(case)
    assert marked is not None
    assert (marked.address & 0xFFFF, marked.value) == (0x7100, 0xFC)


def test_tag_of_the_pointer_is_no_part_of_the_place() -> None:
    case = _case(
        _access(0xF4FF_0000_C2BB_7100, None),
        _row(0xFFFF_0000_C2BB_7100, 0xF3),
        TagPair(pointer=0xF4, memory=0xF3, source=_AT),
    )
    assert [g.value for g in granules(case)] == [0xF3]


def test_huge_access_is_bounded() -> None:
    rows = [_row(_ROW + 0x80 * i) for i in range(20)]
    assert len(list(granules(_case(_access(_ROW, 1 << 63), *rows)))) == 64


def test_access_outside_the_rows() -> None:
    assert list(granules(_case(_access(_ROW - 0x1000, 8), _row(_ROW)))) == []
    assert list(granules(_case(_row(_ROW)))) == []


def test_object_is_put_together() -> None:
    near = near_object(
        _case(
            BadObject(cache="kmalloc-64", size=64, source=_AT),
            BadObject(distance=3, side="right", source=_AT),
            BadObject(size=61, state="allocated", source=_AT),
        )
    )
    assert near is not None
    assert near.words == "3 bytes behind the end of an allocated 61-byte object of kmalloc-64"
