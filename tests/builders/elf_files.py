"""ELF files for tests of their readers: a small kernel, a small module, and one field of theirs overwritten."""

import struct
from pathlib import Path

from builders.images import assemble, link

KERNEL = r"""
        .text
        .globl  first
        .type   first, %function
first:  adrp    x0, table
        add     x0, x0, :lo12:table
        bl      second
        ret
        .size   first, . - first
        .type   second, %function
second: ldr     x1, =0x123456789
        ret
        .size   second, . - second
code_start:
        nop
        .size   code_start, 4
label:  nop

        .section .hyp.text,"ax"
        .globl  __kvm_nvhe_go
        .type   __kvm_nvhe_go, %function
__kvm_nvhe_go:
        ret
__kvm_nvhe_$d:
        .word   1
        .size   __kvm_nvhe_go, 8

        .section .rodata,"a"
        .globl  linux_banner
        .type   linux_banner, %object
linux_banner:
        .asciz  "Linux version 6.9.0-test (a@b) (gcc 12) #1 SMP\n"
        .size   linux_banner, . - linux_banner
        .balign 8
        .data
        .globl  table
        .type   table, %object
table:  .quad   first, second + 4, 0
        .size   table, 24

        .bss
        .globl  zeroes
        .type   zeroes, %object
zeroes: .skip   64
        .size   zeroes, 64

        .section .debug_info,"",%progbits
        .byte   1, 2, 3
        .set    absolute_inside, 0xffff800008000004
        .set    absolute_outside, 0x1234
        .globl  absolute_inside, absolute_outside
"""

MODULE = r"""
        .text
        .globl  init_module
        .type   init_module, %function
init_module:
        adrp    x0, state
        add     x0, x0, :lo12:state
        ldr     x1, [x0, :lo12:state]
        bl      printk
        bl      helper
        cbz     x0, helper
        tbz     x0, #3, helper
        b.eq    helper
        b       helper
        adr     x2, helper
        movz    x3, #:abs_g1:state
        movk    x3, #:abs_g0_nc:state
        ret
        .size   init_module, . - init_module

        .section .text.unlikely,"ax"
        .type   helper, %function
helper: ret
        .size   helper, 4

        .data
        .balign 8
        .type   state, %object
state:  .quad   helper
        .quad   printk + 16
        .word   helper - .
        .word   0
        .size   state, 24

        .bss
        .balign 64
        .type   buffer, %object
buffer: .skip   128
        .size   buffer, 128

        .section .modinfo,"a"
        .asciz  "license=GPL"
        .asciz  "name=frob_nic"
        .asciz  "vermagic=6.9.0-test SMP mod_unload aarch64"

        .section .gnu.linkonce.this_module,"aw"
        .skip   24
        .asciz  "frob_nic"
        .skip   31

        .section .note.gnu.build-id,"a",%note
        .word   4, 8, 3
        .asciz  "GNU"
        .quad   0x8877665544332211

        .section .rela_less,"a"
        .byte   0
"""

# Offsets in the file header, a section header and a program header; struct codes of the fields.
EHDR = {"class": (4, "B"), "encoding": (5, "B"), "type": (16, "H"), "machine": (18, "H")}
EHDR |= {"phoff": (32, "Q"), "shoff": (40, "Q"), "phentsize": (54, "H"), "phnum": (56, "H")}
EHDR |= {"shentsize": (58, "H"), "shnum": (60, "H"), "shstrndx": (62, "H")}
SHDR = {"name": (0, "I"), "type": (4, "I"), "flags": (8, "Q"), "address": (16, "Q")}
SHDR |= {"offset": (24, "Q"), "size": (32, "Q"), "link": (40, "I"), "info": (44, "I")}
SHDR |= {"alignment": (48, "Q"), "entsize": (56, "Q")}
PHDR = {"type": (0, "I"), "flags": (4, "I"), "offset": (8, "Q"), "vaddr": (16, "Q")}
PHDR |= {"filesz": (32, "Q"), "memsz": (40, "Q")}


def kernel(*options: str) -> Path:
    """Return a small linked kernel; `-pie` for one with relative relocations."""
    return link(KERNEL, *options)


def module() -> Path:
    """Return a small module."""
    return assemble(MODULE)


def header(data: bytes | bytearray, field: str) -> int:
    """Return a field of the file header."""
    offset, code = EHDR[field]
    return int(struct.unpack_from(f"<{code}", data, offset)[0])


def with_header(data: bytes, **fields: int) -> bytes:
    """Return a file with fields of its header overwritten."""
    changed = bytearray(data)
    for field, value in fields.items():
        offset, code = EHDR[field]
        struct.pack_into(f"<{code}", changed, offset, value)
    return bytes(changed)


def section_number(data: bytes, name: str) -> int:
    """Return the number of a section of this name."""
    table, count = header(data, "shoff"), header(data, "shnum")
    names = struct.unpack_from("<Q", data, table + 64 * header(data, "shstrndx") + 24)[0]
    for i in range(count):
        at = names + struct.unpack_from("<I", data, table + 64 * i)[0]
        if data[at : data.index(b"\0", at)] == name.encode():
            return i
    raise KeyError(name)


def with_section(data: bytes, section: str | int, **fields: int) -> bytes:
    """Return a file with fields of one section header overwritten."""
    number = section if isinstance(section, int) else section_number(data, section)
    changed = bytearray(data)
    for field, value in fields.items():
        offset, code = SHDR[field]
        struct.pack_into(f"<{code}", changed, header(data, "shoff") + 64 * number + offset, value)
    return bytes(changed)


def with_segment(data: bytes, number: int, **fields: int) -> bytes:
    """Return a file with fields of one program header overwritten."""
    changed = bytearray(data)
    for field, value in fields.items():
        offset, code = PHDR[field]
        struct.pack_into(f"<{code}", changed, header(data, "phoff") + 56 * number + offset, value)
    return bytes(changed)
