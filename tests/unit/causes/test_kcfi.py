from whypanic.causes.case import CaseView
from whypanic.causes.kcfi import hash_found, is_no_hash
from whypanic.model.fault import Syndrome, SyndromePlace
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Source
from whypanic.model.registers import Register

_S = Source(line=1)


def _case(esr: int) -> CaseView:
    return CaseView(
        Kind.CFI_FAILURE,
        [
            Syndrome(source=_S, esr=esr, place=SyndromePlace.INTERNAL_ERROR),
            Register(source=_S, name="x16", value=0x71B4C20D),
            Register(source=_S, name="x17", value=0xFFFF_0000_1A90_E7F3),
        ],
    )


def test_hashes_come_from_w16_and_the_register_of_the_immediate() -> None:
    hashes = hash_found(_case(0xF2008228))
    assert hashes is not None
    assert (hashes.found, hashes.expected) == (0x71B4C20D, 0x1A90E7F3)


def test_other_breakpoints_have_no_hashes() -> None:
    assert hash_found(_case(0xF2000800)) is None


def test_padding_is_no_hash() -> None:
    assert is_no_hash(0xD503201F)
    assert not is_no_hash(0x71B4C20D)
