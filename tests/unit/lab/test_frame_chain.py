import pytest

from whypanic.lab.frame_chain import before_exception, frame_chain

CODE = 0xFFFF800008000000
STACK = 0xFFFF800009000000
FUNCTIONS = {0x1000: "deepest", 0x2000: "middle", 0x3000: "outer", 0x4000: "first"}


class Memory:
    """Words by virtual address; code is where it is linked, less its upper half."""

    def __init__(self) -> None:
        self.words: dict[int, int] = {}

    def put(self, va: int, *words: int) -> None:
        for i, word in enumerate(words):
            self.words[va + 8 * i] = word

    def read_u64(self, va: int) -> int | None:
        return self.words.get(va)

    def physical(self, va: int) -> int | None:
        return va - CODE if CODE <= va < STACK else None


def name_of(pa: int) -> str | None:
    start = max((f for f in FUNCTIONS if f <= pa), default=None)
    if start is None:
        return None
    return FUNCTIONS[start] if pa == start else f"{FUNCTIONS[start]}+{pa - start:#x}"


def _three_calls() -> Memory:
    memory = Memory()
    memory.put(STACK, STACK + 0x20, CODE + 0x2010)
    memory.put(STACK + 0x20, STACK + 0x40, CODE + 0x3020)
    memory.put(STACK + 0x40, 0, CODE + 0x4030)
    return memory


def _names(memory: Memory, va_bits: int = 48, **registers: int) -> list[str]:
    return [f.text for f in frame_chain(memory, registers, name_of, va_bits)]


def test_records_are_followed_to_the_first_function() -> None:
    names = _names(_three_calls(), pc=CODE + 0x1008, x29=STACK, x30=CODE + 0x2010)
    assert names == ["deepest+0x8", "middle+0x10", "outer+0x20", "first+0x30"]


def test_the_caller_of_a_function_without_a_record_is_in_x30() -> None:
    memory = _three_calls()
    names = _names(memory, pc=CODE + 0x1000, x29=STACK + 0x20, x30=CODE + 0x2010)
    assert names == ["deepest", "middle+0x10", "outer+0x20", "first+0x30"]


def test_an_x30_that_is_left_from_a_call_is_no_caller() -> None:
    names = _names(_three_calls(), pc=CODE + 0x1040, x29=STACK, x30=CODE + 0x1030)
    assert names == ["deepest+0x40", "middle+0x10", "outer+0x20", "first+0x30"]


def test_a_call_at_the_end_of_a_function_is_named_after_it() -> None:
    memory = Memory()
    memory.put(STACK, 0, CODE + 0x3000)
    frames = frame_chain(memory, {"pc": CODE + 0x1000, "x29": STACK, "x30": 0}, name_of)
    assert frames[1].text == "middle+0x1000"
    assert frames[1].pa == 0x2FFC
    assert frames[1].function == "middle"


def test_signed_return_addresses_are_stripped() -> None:
    memory = Memory()
    memory.put(STACK, 0, (CODE + 0x2010) & ~(0x7F << 48) | 0x2A << 48)
    names = _names(memory, pc=CODE + 0x1008, x29=STACK, x30=CODE + 0x2010)
    assert names == ["deepest+0x8", "middle+0x10"]


def test_registers_saved_at_an_exception_are_gone_through() -> None:
    memory = Memory()
    saved = STACK + 0x100
    memory.put(STACK, saved + 304, CODE + 0x2010)
    memory.put(saved + 8 * 29, STACK + 0x800)
    memory.put(saved + 8 * 30, CODE + 0x4030)
    memory.put(saved + 8 * 32, CODE + 0x3000)
    memory.put(saved + 304, STACK + 0x800, CODE + 0x3000)
    memory.put(STACK + 0x800, 0, CODE + 0x4100)
    names = _names(memory, pc=CODE + 0x1008, x29=STACK, x30=0)
    # The interrupted PC is its own, not that of a call, and x30 still is the caller's.
    assert names == ["deepest+0x8", "middle+0x10", "outer", "first+0x30", "first+0x100"]


def test_since_6_13_such_a_record_bears_a_mark() -> None:
    memory = Memory()
    saved = STACK + 0x100
    memory.put(STACK, saved + 296, CODE + 0x2010)
    memory.put(saved + 8 * 29, STACK + 0x800)
    memory.put(saved + 8 * 30, CODE + 0x3010)
    memory.put(saved + 8 * 32, CODE + 0x3020)
    memory.put(saved + 296, 0, 0, 2)
    memory.put(STACK + 0x800, STACK + 0x900, CODE + 0x4100)
    memory.put(STACK + 0x900, 0, 0, 1)
    names = _names(memory, pc=CODE + 0x1008, x29=STACK, x30=0)
    assert names == ["deepest+0x8", "middle+0x10", "outer+0x20", "first+0x100"]


@pytest.mark.parametrize("fp", [0, STACK + 4, 0x1000])
def test_a_frame_pointer_that_is_none_ends_the_chain(fp: int) -> None:
    assert _names(_three_calls(), pc=CODE + 0x1008, x29=fp, x30=0) == ["deepest+0x8"]


def test_a_chain_that_bites_its_tail_ends() -> None:
    memory = Memory()
    memory.put(STACK, STACK + 0x20, CODE + 0x2010)
    memory.put(STACK + 0x20, STACK, CODE + 0x3010)
    assert len(_names(memory, pc=CODE, x29=STACK, x30=0)) == 3


def test_a_chain_is_bounded() -> None:
    memory = Memory()
    for i in range(500):
        memory.put(STACK + 0x20 * i, STACK + 0x20 * (i + 1), CODE + 0x2010)
    assert len(_names(memory, pc=CODE, x29=STACK, x30=0)) == 64


def test_contexts_that_lead_to_themselves_are_bounded() -> None:
    memory = Memory()
    saved = STACK + 0x100
    memory.put(saved + 8 * 29, saved + 304)
    memory.put(saved + 8 * 30, 0)
    memory.put(saved + 8 * 32, CODE + 0x3000)
    memory.put(saved + 304, saved + 304, CODE + 0x3000)
    assert _names(memory, pc=CODE + 0x1000, x29=saved + 304, x30=0) == ["deepest", "outer"]


def test_addresses_outside_the_image_have_no_name() -> None:
    memory = Memory()
    memory.put(STACK, 0, 0xFFFF80007A000010)
    assert _names(memory, pc=CODE + 0x1000, x29=STACK, x30=0) == ["deepest", "0xffff80007a000010"]


@pytest.mark.parametrize(
    ("pc", "el", "meant"),
    [
        (0x10280, 1, 0x42),
        (0x10284, 1, 0x10284),
        (0x10800, 1, 0x10800),
        (0x10280, 2, 0x10280),
        (0x10280, None, 0x10280),
    ],
)
def test_an_exception_that_was_just_taken_is_undone(pc: int, el: int | None, meant: int) -> None:
    registers = {"pc": pc, "VBAR_EL1": 0x10000, "ELR_EL1": 0x42}
    assert before_exception(registers, el)["pc"] == meant
