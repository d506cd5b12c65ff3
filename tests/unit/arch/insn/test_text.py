"""Rendering of words."""

import pytest

from whypanic.arch.insn.text import render


@pytest.mark.parametrize(
    ("word", "address", "text"),
    [
        (0xF9400401, None, "ldr x1, [x0, #8]"),
        (0xD61F0160, None, "br x11"),
        (0x54000088, None, "b.hi .+0x10"),
        (0x17FFFFFF, None, "b .-0x4"),
        (0xB7400065, 0x1000, "tbnz x5, #0x28, #0x100c"),
        (0x58000205, None, "ldr x5, .+0x40"),
        (0xD503201F, None, "nop"),
        (0x00000000, None, "udf #0"),
        (0x02345678, None, ".inst 0x02345678"),
    ],
)
def test_render(word: int, address: int | None, text: str) -> None:
    assert render(word, address) == text
