"""Our evaluator beside Unicorn on random straight-line integer code.

Where Unicorn refuses an instruction (features newer than its CPU model) the sequence says nothing.
"""

import importlib
import random

from whypanic.arch.insn import Group, decode
from whypanic.arch.insn.evaluate import State, step

unicorn = importlib.import_module("unicorn")
constants = importlib.import_module("unicorn.arm64_const")

BASE = 0x10000
N_SEQUENCES = 1_500
LENGTH = 8
CORNERS = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)


def _register_numbers() -> list[int]:
    names = [f"UC_ARM64_REG_X{n}" for n in range(31)]
    return [getattr(constants, name) for name in names]


def _word(source: random.Random) -> int:
    """Return a random integer data-processing word."""
    while True:
        op0 = source.choice((0b1000, 0b1001, 0b0101, 0b1101, 0b1101))
        word = source.getrandbits(32) & ~(0xF << 25) | op0 << 25
        if decode(word).group in (Group.DATA_IMMEDIATE, Group.DATA_REGISTER):
            return word


def _value(source: random.Random) -> int:
    return source.choice(CORNERS) if source.random() < 0.4 else source.getrandbits(64)


def test_straight_line_code() -> None:
    source = random.Random(11)
    engine = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
    engine.mem_map(BASE, 0x1000)
    numbers = _register_numbers()
    sp, nzcv = constants.UC_ARM64_REG_SP, constants.UC_ARM64_REG_NZCV
    n_compared = 0
    for _ in range(N_SEQUENCES):
        words = [_word(source) for _ in range(LENGTH)]
        values = [_value(source) for _ in range(31)]
        stack, flags = _value(source), source.getrandbits(4)
        for number, value in zip([*numbers, sp, nzcv], [*values, stack, flags << 28], strict=True):
            engine.reg_write(number, value)
        engine.mem_write(BASE, b"".join(word.to_bytes(4, "little") for word in words))
        engine.ctl_remove_cache(BASE, BASE + 4 * LENGTH)
        try:
            engine.emu_start(BASE, BASE + 4 * LENGTH)
        except unicorn.UcError:
            continue
        # Some registers are hidden from us: what we still claim to know must be right.
        known = tuple(v if source.random() < 0.8 else None for v in values)
        ours = State(known, stack, flags if source.random() < 0.8 else None, BASE)
        for word in words:
            ours = step(ours, decode(word))
        theirs = [engine.reg_read(number) for number in [*numbers, sp]]
        theirs.append(engine.reg_read(nzcv) >> 28)
        for mine, real in zip([*ours.x, ours.sp, ours.nzcv], theirs, strict=True):
            if mine is not None:
                n_compared += 1
                assert mine == real, [hex(word) for word in words]
    assert n_compared > 10_000
