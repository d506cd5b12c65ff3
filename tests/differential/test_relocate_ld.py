"""Our relocation beside GNU ld's: every word and every entry of the examples, and a sample of each kind."""

import shutil
import subprocess
from pathlib import Path

import pytest

from builders.replays import EXAMPLES, subject_in, subject_of
from whypanic.replay.relocate import Placement, place
from whypanic.replay.subject import Subject

TOOLS = "aarch64-linux-gnu-"
AT = 0xFFFF_0000_089E_6F84
pytestmark = pytest.mark.skipif(
    shutil.which(TOOLS + "ld") is None,
    reason=f"no {TOOLS}ld: `bash scripts/setup.sh dev` installs it",
)

KINDS = """
    .text
f:  adrp x0, table + 24
    add x0, x0, :lo12:table + 24
    ldrb w1, [x0, :lo12:table + 3]
    ldrh w1, [x0, :lo12:table + 6]
    ldr w1, [x0, :lo12:table + 12]
    ldr x1, [x0, :lo12:table + 16]
    ldr q1, [x0, :lo12:table + 8]
    strb w1, [x0, :lo12:scratch]
    adr x2, near
    ldr x3, near
    cbz x1, near
    b.ne near
    tbnz x1, #40, near
    bl far
    b far
    movz x4, #:abs_g3:far
    movk x4, #:abs_g2_nc:far
    movk x4, #:abs_g1_nc:far
    movk x4, #:abs_g0_nc:far
    ret
    .data
scratch: .quad 0
    .section .rodata, "a"
    .quad 0x1122334455667788
table:
    .quad f + 4, far, f - ., table
    .word f - ., far - .
    .word 7, 8
"""


def _tool(name: str, *arguments: str, folder: Path) -> str:
    done = subprocess.run(
        [TOOLS + name, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _linked(folder: Path, placement: Placement, rodata: str | None) -> tuple[bytes, bytes]:
    """Link f.o where the placement has its parts, and return .text and .rodata."""
    fixed = [f"--section-start=.text={AT:#x}"]
    if rodata is not None:
        fixed.append(f"--section-start=.rodata={placement.find(rodata):#x}")
    names = [(n, v) for n, v in placement.solved if n.replace("_", "").isalnum()]
    fixed += [f"--defsym={name}={value:#x}" for name, value in names if name not in _OURS]
    if placement.find(".data") is not None:
        fixed.append(f"--section-start=.data={placement.find('.data'):#x}")
    _tool("ld", "-o", "f", "-e", "0", *fixed, "f.o", folder=folder)
    found = []
    for section in (".text", ".rodata"):
        _tool("objcopy", "-O", "binary", "-j", section, "f", "out", folder=folder)
        found.append((folder / "out").read_bytes())
    return found[0], found[1]


_OURS = ("function", "stack", "got")


def _assembly(subject: Subject) -> str:
    """Return the source of an object with the subject's words, bytes and relocations."""
    rows = [".text"]
    rows += [f".inst {word:#x}" for word in subject.words.values()]
    for p in subject.patches:
        rows.append(f".reloc {p.offset}, {p.type}, {p.symbol} + {p.addend}")
    for target in subject.targets.values():
        if target.symbol == ".rodata":
            rows.append('.section .rodata, "a"')
            rows += [f".byte {byte}" for _, part in target.contents.parts for byte in part]
            for p in target.contents.patches:
                rows.append(f".reloc {p.offset}, {p.type}, .text + {p.addend}")
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path, tmp_path: Path) -> None:
    subject = subject_in(path)
    placement = place(subject, at=AT)
    (tmp_path / "f.s").write_text(_assembly(subject), encoding="ascii")
    _tool("as", "-o", "f.o", "f.s", folder=tmp_path)
    rodata = ".rodata" if ".rodata" in subject.targets else None
    text, data = _linked(tmp_path, placement, rodata)
    assert placement.regions[0].data == text
    if rodata:
        assert placement.regions[1].data == data


def test_every_kind(tmp_path: Path) -> None:
    (tmp_path / "f.s").write_text(KINDS, encoding="ascii")
    _tool("as", "-o", "f.o", "f.s", folder=tmp_path)
    shown = _tool("objdump", "-dr", "f.o", folder=tmp_path)
    shown += _tool("objdump", "-s", "-r", "-j", ".rodata", "-j", ".data", "f.o", folder=tmp_path)
    subject = subject_of(shown, "f")
    placement = place(subject, at=AT, calls_at=AT + 0x4000)
    text, data = _linked(tmp_path, placement, ".rodata")
    assert len({patch.type for patch in subject.patches}) == 17
    assert placement.regions[0].data.hex(" ", 4) == text.hex(" ", 4)
    rodata = next(region for region in placement.regions if region.name == ".rodata")
    assert rodata.data.hex(" ", 8) == data.hex(" ", 8)
