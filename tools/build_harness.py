"""Assemble the harness of the replay: `python tools/build_harness.py` writes harness.bin from harness.S.

GNU as for AArch64 is taken where it is, else clang. Nobody needs either to run the program.
"""

import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HARNESS = Path(__file__).resolve().parents[1] / "src" / "whypanic" / "replay" / "harness"
ASSEMBLERS = (
    ("aarch64-linux-gnu-as", "-march=armv8-a"),
    ("clang", "--target=aarch64-none-elf", "-x", "assembler", "-c"),
    ("clang-19", "--target=aarch64-none-elf", "-x", "assembler", "-c"),
    ("clang-14", "--target=aarch64-none-elf", "-x", "assembler", "-c"),
)


def assemblers() -> list[tuple[str, ...]]:
    """Return the commands that this machine has, the preferred one first."""
    return [command for command in ASSEMBLERS if shutil.which(command[0])]


def assemble(command: tuple[str, ...], source: Path) -> bytes:
    """Return the bytes of .text.

    :raises subprocess.CalledProcessError: if the assembler refuses the source.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "harness.o"
        subprocess.run([*command, "-o", str(target), str(source)], check=True)
        return text_section(target.read_bytes())


def text_section(elf: bytes) -> bytes:
    """Return the contents of .text of a little-endian ELF64 object without relocations against it.

    :raises ValueError: if there is none, or it would have to be linked.
    """
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    entry_bytes, n_sections, names_index = struct.unpack_from("<3H", elf, 0x3A)
    headers = [
        struct.unpack_from("<IIQQQQ", elf, table + entry_bytes * n) for n in range(n_sections)
    ]
    names_at = headers[names_index][4]
    by_name = {}
    for name, _, _, _, offset, size in headers:
        start = names_at + name
        by_name[elf[start : elf.index(b"\0", start)]] = elf[offset : offset + size]
    if b".rela.text" in by_name or b".text" not in by_name:
        message = "the harness must need no linking"
        raise ValueError(message)
    return by_name[b".text"]


def main() -> int:
    """Write harness.bin."""
    found = assemblers()
    if not found:
        print("error: no assembler for AArch64", file=sys.stderr)
        print("hint: as root: apt-get install binutils-aarch64-linux-gnu", file=sys.stderr)
        return 3
    built = assemble(found[0], HARNESS / "harness.S")
    (HARNESS / "harness.bin").write_bytes(built)
    print(f"harness.bin: {len(built)} bytes, {found[0][0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
