"""The stack overflow block."""

from builders.log_lines import fact, recognised
from whypanic.crashlog.sections.rule import Part
from whypanic.model.fault import FaultAddress, StackRange, Syndrome, SyndromePlace


def test_block() -> None:
    syndrome = fact("ESR: 0x96000047 -- DABT (current EL)", Syndrome)
    assert (syndrome.esr, syndrome.place) == (0x96000047, SyndromePlace.STACK_OVERFLOW)
    assert fact("FAR: 0xffff80000a047ff0", FaultAddress).place == "far"
    stack = fact("Task stack:     [0xffff80000a048000..0xffff80000a04c000]", StackRange)
    assert stack.name == "Task stack"
    assert stack.last - stack.first == 0x4000


def test_hex_dump_is_understood() -> None:
    assert recognised("3b60: 00000000d4202000 ffff8000058f8d80").part is Part.STACK
    assert recognised("f980:                   ffffffc1366cf9e0").part is Part.STACK
    assert (
        recognised("Exception stack(0xffff000009113b60 to 0xffff000009113ca0)").part is Part.STACK
    )
