import pytest

from whypanic.arch.brk import UBSAN_CHECKS, brk_meaning


@pytest.mark.parametrize(
    ("imm", "kind"),
    [
        (0x001, "compiler-trap"),
        (0x004, "kprobe"),
        (0x005, "uprobe"),
        (0x100, "fault"),
        (0x3E8, "compiler-trap"),
        (0x400, "kgdb"),
        (0x5A0, "kgdb"),
        (0x800, "bug"),
        (0x801, "unknown"),
        (0x910, "kasan"),
        (0x5512, "ubsan"),
        (0x8228, "cfi"),
        (0x8400, "unknown"),
        (0xFFFF, "unknown"),
    ],
)
def test_kinds(imm: int, kind: str) -> None:
    assert brk_meaning(imm).kind == kind


def test_ubsan_check() -> None:
    meaning = brk_meaning(0x5512)
    assert meaning.check == "array index out of bounds"
    assert meaning.text == "UBSAN: array index out of bounds"
    assert brk_meaning(0x5500 + len(UBSAN_CHECKS)).check is None


def test_ubsan_order_at_its_landmarks() -> None:
    assert UBSAN_CHECKS[0x01] == "unreachable code"
    assert UBSAN_CHECKS[0x0B] == "missing return"
    assert UBSAN_CHECKS[0x14] == "shift out of bounds"
    assert UBSAN_CHECKS[0x18] == "VLA bounds not positive"


def test_cfi_registers() -> None:
    meaning = brk_meaning(0x8000 | 17 << 5 | 8)
    assert (meaning.cfi_target, meaning.cfi_type) == (8, 17)
    assert meaning.text == "KCFI: target in x8, expected type in w17"


def test_kasan_access() -> None:
    meaning = brk_meaning(0x913)
    assert (meaning.kasan_write, meaning.kasan_bytes) == (True, 8)
    assert brk_meaning(0x90F).kasan_bytes is None
    assert "execution goes on" in brk_meaning(0x920).text
