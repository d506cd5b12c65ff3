"""Small images built by the cross binutils from assembler text of the tests."""

import hashlib
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

PREFIX = "aarch64-linux-gnu-"
SCRIPT = """\
ENTRY(_text)
PHDRS { text PT_LOAD; note PT_NOTE; }
SECTIONS {
  . = 0xffff800008000000;
  _text = .;
  .text : { *(.text .text.*) } :text
  .hyp.text : { __hyp_text_start = .; *(.hyp.text) __hyp_text_end = .; }
  .rodata : { *(.rodata .rodata.*) }
  .hyp.rodata : { *(.hyp.rodata) }
  .hyp.reloc : { *(.hyp.reloc) }
  .rela.dyn : { *(.rela .rela*) }
  .data : { *(.data .data.*) }
  .note.gnu.build-id : { *(.note.gnu.build-id) } :text :note
  .bss : { *(.bss .bss.*) } :text
  _end = .;
}
"""


def need_binutils() -> None:
    """Skip where the cross binutils are not installed; setup.sh installs them."""
    if shutil.which(f"{PREFIX}as") is None or shutil.which(f"{PREFIX}ld") is None:
        pytest.skip(f"no {PREFIX}as and {PREFIX}ld: bash scripts/setup.sh dev installs them")


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="whypanic-images-"))


def assemble(source: str, *options: str) -> Path:
    """Return a relocatable object of assembler text.

    :param options: of as, e.g. `-gdwarf-5`.
    """
    need_binutils()
    key = repr((source, options)) if options else source
    path = _folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.o"
    if not path.exists():
        _run([f"{PREFIX}as", "-march=armv8.5-a+sve", *options, "-o", str(path), "-"], source)
    return path


def link(
    source: str,
    *options: str,
    script: str = SCRIPT,
    build_id: str = "0x" + "ab" * 20,
    assembler: tuple[str, ...] = (),
) -> Path:
    """Return a linked image of assembler text.

    :param options: of ld, e.g. `-pie` `-shared` for one with R_AARCH64_RELATIVE.
    :param assembler: options of as.
    """
    key = repr((source, options, script, build_id, assembler))
    path = _folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.elf"
    if not path.exists():
        layout = path.with_suffix(".lds")
        layout.write_text(script)
        made = assemble(source, *assembler)
        _run(
            [
                f"{PREFIX}ld",
                f"--build-id={build_id}",
                "-T",
                str(layout),
                "--no-warn-rwx-segments",
                *options,
                "-o",
                str(path),
                str(made),
            ],
            "",
        )
    return path


def _run(argv: list[str], given: str) -> None:
    done = subprocess.run(argv, input=given.encode(), capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
