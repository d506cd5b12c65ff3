"""Pieces of assembler text made into bytes at given addresses, by the cross binutils."""

import struct
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from elftools.elf.elffile import ELFFile

from builders.planting.ground import PREFIX, RELATIVE, SYMBOL, section_of

ARCHITECTURE = "armv9-a+sve2+mops+sme+crypto"
_LOCAL_NOTYPE = 0


class Piece(NamedTuple):
    """Assembler text and where it goes."""

    address: int
    lines: tuple[str, ...]
    room_bytes: int
    is_code: bool = True


class Made(NamedTuple):
    """What the pieces became."""

    bytes_at: dict[int, bytes]
    slots: dict[int, int]
    """Absolute addresses in the pieces: slot to value."""
    marks: tuple[tuple[int, str], ...]
    """Mapping symbols of the pieces: address and name."""
    labels: dict[str, int]


def link_pieces(pieces: Sequence[Piece], outside: Mapping[str, int]) -> Made:
    """Return the pieces as bytes, linked as the kernel is: -shared, absolute addresses left to RELATIVE records.

    :param outside: symbols that the pieces refer to, anywhere in the image.
    """
    source, script, headers = [], [], []
    for n, piece in enumerate(pieces):
        flags = "ax" if piece.is_code else "aw"
        source += [f'.section .piece{n}, "{flags}"', *piece.lines]
        script.append(f".piece{n} {piece.address:#x} : {{ *(.piece{n}) }} :p{n}")
        headers.append(f"p{n} PT_LOAD;")
    for n, (name, address) in enumerate(outside.items()):
        # A function for the linker; its bytes are the image's own.
        source += [f'.section .out{n}, "ax", %nobits', f"{name}: .skip 4"]
        script.append(f".out{n} {address:#x} (NOLOAD) : {{ *(.out{n}) }} :rest")
    text = (
        f"PHDRS {{ {' '.join(headers)} rest PT_LOAD; }}\n"
        f"SECTIONS {{\n{chr(10).join(script)}\n.rela.dyn 0x10000 : {{ *(.rela*) }} :rest\n"
        "/DISCARD/ : { *(.note* .text .data .bss) } }\n"
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "a.lds").write_text(text)
        _run([f"{PREFIX}as", f"-march={ARCHITECTURE}", "-o", str(folder / "a.o"), "-"], source)
        _run(
            [
                *(f"{PREFIX}ld", "-shared", "-Bsymbolic", "-z", "notext", "--no-warn-rwx-segments"),
                *("--no-apply-dynamic-relocs", "-T", str(folder / "a.lds")),
                *("-o", str(folder / "a.elf"), str(folder / "a.o")),
            ],
            [],
        )
        return _read(folder / "a.elf", pieces)


def _read(path: Path, pieces: Sequence[Piece]) -> Made:
    with path.open("rb") as file:
        elf = ELFFile(file)
        found: dict[int, bytes] = {}
        for n, piece in enumerate(pieces):
            data: bytes = section_of(elf, f".piece{n}").data()
            if len(data) > piece.room_bytes:
                message = f"{len(data)} bytes do not fit into {piece.room_bytes}: {piece.lines}"
                raise ValueError(message)
            found[piece.address] = data
        rest = elf.get_section_by_name(".rela.dyn")
        ranges = [(a, a + len(d)) for a, d in found.items()]
        records = struct.iter_unpack("<QQQ", rest.data() if rest else b"")
        slots = {
            at: value
            for at, kind, value in records
            if kind == RELATIVE and any(a <= at < b for a, b in ranges)
        }
        table = section_of(elf, ".symtab")
        strings: bytes = elf.get_section(table["sh_link"]).data()
        numbers = {n for n, one in enumerate(elf.iter_sections()) if one.name.startswith(".piece")}
        marks, labels = [], {}
        for s in np.frombuffer(table.data(), SYMBOL):
            name = strings[s["name"] : strings.index(b"\0", int(s["name"]))].decode()
            at = int(s["value"])
            if name in ("$x", "$d"):
                if int(s["section"]) in numbers:
                    marks.append((at, name))
            elif name:
                labels[name] = at
    return Made(found, slots, tuple(marks), labels)


def _run(argv: list[str], lines: Sequence[str]) -> None:
    done = subprocess.run(
        argv,
        input="\n".join((*lines, "")),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        message = f"{argv[0]}: {done.stderr[:2000]}"
        raise ValueError(message)
