"""The harness: its bytes are what its source assembles to, and its layout is that of qemu_wire."""

import importlib.util
import re
import struct
from pathlib import Path
from types import ModuleType

import pytest

from builders.repository import ROOT
from whypanic.arch.insn import decode
from whypanic.replay import qemu_wire as wire

HARNESS = ROOT / "src" / "whypanic" / "replay" / "harness"
SOURCE = (HARNESS / "harness.S").read_text(encoding="ascii")
BUILT = (HARNESS / "harness.bin").read_bytes()


def _builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("builder", ROOT / "tools" / "build_harness.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_built_bytes_are_those_of_the_source() -> None:
    builder = _builder()
    commands = builder.assemblers()
    if not commands:
        pytest.skip("no aarch64-linux-gnu-as: `bash scripts/setup.sh dev` installs it")
    for command in commands:
        assert builder.assemble(command, HARNESS / "harness.S") == BUILT, command[0]


def test_a_changed_source_gives_other_bytes(tmp_path: Path) -> None:
    builder = _builder()
    commands = builder.assemblers()
    if not commands:
        pytest.skip("no aarch64-linux-gnu-as: `bash scripts/setup.sh dev` installs it")
    changed = tmp_path / "changed.S"
    changed.write_text(SOURCE.replace("str     xzr, [x20, #CONTROL_N_STARTED]", "nop"), "ascii")
    assert builder.assemble(commands[0], changed) != BUILT


def _constant(name: str) -> int:
    found = re.search(rf"^\s+\.set\s+{name}, (\S+)", SOURCE, re.MULTILINE)
    assert found is not None, name
    return int(found[1], 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONTROL", wire.CONTROL),
        ("DESCRIPTOR_BYTES", wire.DESCRIPTOR_BYTES),
        ("RESULT_BYTES", wire.RESULT_BYTES),
        ("ANSWER_CALL", wire.ANSWER_CALL),
        ("ANSWER_IMMEDIATE", wire.ANSWER_IMMEDIATE),
        ("REASON_SYNC", wire.REASON_SYNC),
        ("REASON_STOPPED", wire.REASON_STOPPED),
    ],
)
def test_constants_of_both_sides_are_equal(name: str, value: int) -> None:
    assert _constant(name) == value


def test_an_answer_is_as_long_as_the_harness_steps() -> None:
    assert 1 << _constant("ANSWER_SHIFT") == wire.ANSWER_BYTES
    assert len(wire.pack_answer(wire.Answer(0, 0, 0))) == wire.ANSWER_BYTES


def test_system_registers_stand_in_the_same_order() -> None:
    rows = re.findall(r"^\s+each\s+\\operation, (.+)$", SOURCE, re.MULTILINE)
    assert tuple(", ".join(rows).split(", ")) == wire.SYSTEM_NAMES


def _descriptor() -> bytes:
    n_system = len(wire.SYSTEM)
    return wire.pack_descriptor(
        wire.Descriptor(1, 2, 3, 4, 5, range(100, 131), range(200, 200 + n_system))
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DESCRIPTOR_ENTRY", 1),
        ("DESCRIPTOR_SPSR", 2),
        ("DESCRIPTOR_STEPS", 3),
        ("DESCRIPTOR_ANSWERS", 4),
        ("DESCRIPTOR_N_ANSWERS", 5),
        ("DESCRIPTOR_X", 100),
        ("DESCRIPTOR_SYSTEM", 200),
    ],
)
def test_a_descriptor_is_packed_where_the_harness_reads(name: str, value: int) -> None:
    assert struct.unpack_from("<Q", _descriptor(), _constant(name)) == (value,)


def test_a_result_is_read_where_the_harness_writes() -> None:
    result = bytearray(wire.RESULT_BYTES)
    places = {
        "RESULT_REASON": 1,
        "RESULT_ESR_EL3": 2,
        "RESULT_ELR_EL3": 3,
        "RESULT_SPSR_EL3": 4,
        "RESULT_X": 5,
        "RESULT_BEFORE": 6,
        "RESULT_AFTER": 7,
    }
    for name, value in places.items():
        struct.pack_into("<Q", result, _constant(name), value)
    raw = wire.unpack_result(bytes(result))
    assert raw[:4] == (1, 2, 3, 4)
    assert raw.x[0] == 5
    assert raw.before["sctlr_el2"] == 6
    assert raw.after["sctlr_el2"] == 7


def test_progress_is_read_where_the_harness_writes() -> None:
    control = bytearray(wire.pack_control(9, 8, 7))
    assert struct.unpack_from("<Q", control, _constant("CONTROL_N_JOBS")) == (9,)
    assert struct.unpack_from("<Q", control, _constant("CONTROL_DESCRIPTORS")) == (8,)
    assert struct.unpack_from("<Q", control, _constant("CONTROL_RESULTS")) == (7,)
    struct.pack_into("<Q", control, _constant("CONTROL_N_STARTED"), 5)
    struct.pack_into("<Q", control, _constant("CONTROL_N_DONE"), 4)
    assert wire.unpack_progress(bytes(control)) == (5, 4)


def test_every_vector_makes_a_call_of_its_own_number() -> None:
    vectors = wire.vectors_of(BUILT)
    for number in range(16):
        word = int.from_bytes(vectors[0x80 * number : 0x80 * number + 4], "little")
        assert word == wire.smc(number)
        assert decode(word).mnemonic == "smc"
