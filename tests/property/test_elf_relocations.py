"""Relocating many places at once comes to the same bytes as relocating each word by itself."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from whypanic.arch.relocations import RELOCATIONS, Relocation, relocate_data, relocate_word
from whypanic.formats.elf_relocations import apply_relocations, decode_relr
from whypanic.formats.kernel_image import ObjectRelocations

PLACES = st.integers(0x10000, 0x40000).map(lambda n: n & ~3)
NEAR = st.integers(-(1 << 22), 1 << 22)
TARGETS = st.one_of(
    st.integers(0, (1 << 64) - 1),
    NEAR.map(lambda n: 0x20000 + n & (1 << 64) - 1),
    NEAR.map(lambda n: (0x20000 + n & (1 << 64) - 1) & ~15),
)


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Relocation, int, int, bytes]:
    kind = draw(st.sampled_from([row for row in RELOCATIONS if not row.is_got]))
    if kind.is_data:
        return kind, draw(PLACES), draw(TARGETS), draw(st.binary(min_size=8, max_size=8))
    noise = draw(st.integers(0, (1 << 32) - 1))
    field = draw(st.sampled_from(kind.encodings))
    word = draw(st.sampled_from([noise, noise & ~field.mask | field.value]))
    return kind, draw(PLACES), draw(TARGETS), word.to_bytes(4, "little") + bytes(4)


def _alone(kind: Relocation, place: int, target: int, old: bytes) -> bytes | None:
    try:
        if kind.is_data:
            new = relocate_data(kind, target=target, place=place)
        else:
            word = int.from_bytes(old[:4], "little")
            new = relocate_word(word, kind, target=target, place=place).to_bytes(4, "little")
    except ValueError:
        return None
    return new + old[len(new) :]


@given(st.lists(_cases(), min_size=1, max_size=20))
def test_all_at_once_is_each_alone(cases: list[tuple[Relocation, int, int, bytes]]) -> None:
    octets = np.frombuffer(b"".join(old for _, _, _, old in cases), np.uint8).copy()
    places = [place for _, place, _, _ in cases]
    relocations = ObjectRelocations(
        places=np.array(places, np.uint64),
        types=np.array([kind.number for kind, _, _, _ in cases], np.uint32),
        addends=np.zeros(len(cases), np.int64),
        targets=np.array([target for _, _, target, _ in cases], np.uint64),
        is_defined=np.ones(len(cases), np.bool_),
        symbols=np.zeros(len(cases), np.int64),
        name_of=str,
    )
    kept = apply_relocations(octets, np.arange(len(cases)) * 8, np.full(len(cases), 8), relocations)
    alone = [_alone(*case) for case in cases]
    expected = [
        old if new is None else new for new, (_, _, _, old) in zip(alone, cases, strict=True)
    ]
    assert octets.tobytes() == b"".join(expected)
    assert sum(kept.values()) == alone.count(None)


def _expand(words: list[int]) -> list[int]:
    """Decode RELR as the gABI's own loop does."""
    found, where = [], 0
    for word in words:
        if word & 1 == 0:
            found.append(word)
            where = word + 8
        else:
            found += [where + 8 * i for i in range(63) if word >> 1 + i & 1]
            where += 63 * 8
    return [slot & (1 << 64) - 1 for slot in found]


@given(st.integers(0, 1 << 60), st.lists(st.integers(0, (1 << 64) - 1), max_size=30))
def test_relr_is_what_the_loop_of_the_specification_yields(first: int, rest: list[int]) -> None:
    words = [first & ~1, *rest]
    found = decode_relr(np.array(words, np.uint64))
    assert found is not None
    assert sorted(found.tolist()) == sorted(_expand(words))
