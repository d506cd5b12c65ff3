"""The faulting word and the address it accessed."""

import pytest

from whypanic.arch.insn import Group
from whypanic.code.faulting import (
    Agreement,
    FaultingInstruction,
    find_effective_address,
    find_faulting,
)
from whypanic.model.code import CodeLine, Listing, ListingLine
from whypanic.model.fault import FaultAddress
from whypanic.model.provenance import Source
from whypanic.model.registers import Register, SymbolRef

HERE = Source(line=1)
LDR = 0xF9400401  # ldr x1, [x0, #8]


def _registers(**values: int | None) -> dict[str, Register]:
    return {name: Register(source=HERE, name=name, value=v) for name, v in values.items()}


def _code(
    *words: int, faulting: int | None = 0, bad_pc: bool = False, hyp: bool = False
) -> CodeLine:
    return CodeLine(source=HERE, words=words, faulting=faulting, bad_pc=bad_pc, hyp=hyp)


def _listing(function: str, start: int, *words: int | None) -> Listing:
    lines = tuple(
        ListingLine(source=HERE, address=start + 4 * n, word=word, text="", function=function)
        for n, word in enumerate(words)
    )
    return Listing(source=HERE, function=function, lines=lines)


def _far(va: int) -> FaultAddress:
    return FaultAddress(source=HERE, va=va, place="header")


def _faulting(word: int, **registers: int | None) -> FaultingInstruction:
    found = find_faulting([_code(word)], _registers(**registers), [], None)
    assert found is not None
    return found


def test_word_in_parentheses() -> None:
    registers = _registers(pc=0xFFFF800080012344)
    found = find_faulting([_code(0xD503201F, LDR, faulting=1)], registers, [], None)
    assert found is not None
    assert (found.word, found.address, found.insn.group) == (
        LDR,
        0xFFFF800080012344,
        Group.LOAD_STORE,
    )
    assert found.statement == "the faulting word f9400401 is `ldr x1, [x0, #8]`"


def test_hyp_code_comes_first() -> None:
    found = find_faulting([_code(0xD503201F), _code(LDR, hyp=True)], {}, [], None)
    assert found is not None
    assert (found.word, found.address) == (LDR, None)


@pytest.mark.parametrize(
    "code",
    [
        [],
        [_code(LDR, faulting=None)],
        [_code(faulting=0)],
        [_code(LDR, bad_pc=True)],
        [_code(faulting=None, bad_pc=True), _code(LDR)],
    ],
)
def test_no_word_of_pc(code: list[CodeLine]) -> None:
    assert find_faulting(code, _registers(pc=0x1000), [], None) is None


def test_word_from_a_listing() -> None:
    listings = [_listing("other", 0x40, 1, 2), _listing("toy_read", 0x80, 0xD503201F, LDR)]
    ref = SymbolRef(symbol="toy_read", offset=4, size=8)
    found = find_faulting([], {}, listings, ref)
    assert found is not None
    assert found.word == LDR
    found = find_faulting([], _registers(pc=0x84), listings, None)
    assert found is not None
    assert found.word == LDR
    assert find_faulting([], {}, listings, SymbolRef(symbol="toy_read", offset=8)) is None
    assert find_faulting([], {}, [_listing("toy_read", 0, None)], ref) is None


@pytest.mark.parametrize(
    ("word", "registers", "far", "value", "agreement"),
    [
        (LDR, {"x0": 0}, 8, 8, Agreement.EQUAL),
        (LDR, {"x0": 0}, 0x10, 8, Agreement.DIFFERS),
        (LDR, {"x0": 0}, None, 8, Agreement.NO_FAR),
        (LDR, {"x0": 0}, 0xF, 8, Agreement.WITHIN_ACCESS),
        (LDR, {"x0": 0}, 7, 8, Agreement.DIFFERS),
        (
            LDR,
            {"x0": 0xF3FF_0000_1234_5600},
            0xFFFF_0000_1234_5608 & ~(0xF << 56),
            0xF3FF_0000_1234_5608,
            Agreement.EQUAL_BUT_TAG,
        ),
        (0xA8C27BFD, {"sp": 0x1FF8}, 0x2000, 0x1FF8, Agreement.WITHIN_ACCESS),
        (0xA8C27BFD, {"sp": 0x1FF8}, 0x2008, 0x1FF8, Agreement.DIFFERS),
        (0xD50B7423, {"x3": 0x8040}, 0x8000, 0x8040, Agreement.WITHIN_ACCESS),
        (0xD50B7423, {"x3": 0x8040}, 0x7FFF, 0x8040, Agreement.DIFFERS),
        (0xF94007C1, {"lr": 0x100}, 0x108, 0x108, Agreement.EQUAL),
        (0x58000205, {"pc": 0x1000}, 0x1040, 0x1040, Agreement.EQUAL),
    ],
)
def test_effective_address(
    word: int, registers: dict[str, int], far: int | None, value: int, agreement: Agreement
) -> None:
    found = find_effective_address(
        _faulting(word), _registers(**registers), None if far is None else _far(far)
    )
    assert found is not None
    assert (found.value, found.agreement) == (value, agreement)


def test_index_is_kept() -> None:
    registers = _registers(x10=0x1000, x9=3)
    found = find_effective_address(_faulting(0xF869794B), registers, _far(0x1018))
    assert found is not None
    assert (found.base, found.base_value, found.index, found.index_value) == (
        *("x10", 0x1000),
        *("x9", 3),
    )
    assert found.statement == (
        "the faulting instruction accesses 0x1018 (x10 = 0x1000, x9 = 0x3), which is FAR"
    )


def test_post_index_accesses_the_base_itself() -> None:
    found = find_effective_address(_faulting(0xB8404401), _registers(x0=0x20), _far(0x20))
    assert found is not None
    assert (found.value, found.offset) == (0x20, 0)


@pytest.mark.parametrize(
    ("word", "registers"),
    [
        (LDR, {}),
        (LDR, {"x0": None}),
        (0xF869794B, {"x10": 1}),
        (0xD503201F, {"x0": 1}),
        (0x19C20420, {"x0": 1}),
    ],
)
def test_no_effective_address(word: int, registers: dict[str, int | None]) -> None:
    assert find_effective_address(_faulting(word), _registers(**registers), _far(0)) is None
