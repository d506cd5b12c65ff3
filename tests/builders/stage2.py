"""The function of the 2017 panic as assembler text of our own, with its table in either form.

Words and offsets are those of the listing in the mail; what the mail does not show, the table, is made here.
"""

_ENTRIES = (0x5C, 0x34, 0x54, 0x48, 0x50)


def stage2(
    *, table: str = "absolute", name: str = "__init_stage2_translation", section: str = ".rodata"
) -> str:
    """Return assembler text of the function in `.hyp.text` and of its table.

    :param table: absolute: addresses as linked; offsets: from the function, 64 bits wide.
    """
    rows = "\n".join(
        f"  .quad {name} + {entry:#x}" if table == "absolute" else f"  .quad {entry:#x}"
        for entry in _ENTRIES
    )
    return f"""\
.section .hyp.text, "ax"
.globl {name}
.type {name}, %function
{name}:
  mrs x9, id_aa64mmfr0_el1
  and w8, w9, #0x7
  cmp w8, #0x4
  ubfiz x8, x9, #16, #3
  b.hi {name} + 0x40
  adrp x10, .Ltable
  and x9, x9, #0x7
  add x10, x10, :lo12:.Ltable
  ldr x11, [x10, x9, lsl #3]
  mov w9, #0x28
  orr w0, wzr, #0x20
  orr w10, wzr, #0x20
  br x11
  mov w0, #0x24
  orr w10, wzr, #0x1c
  b {name} + 0x5c
  orr w9, wzr, #0x30
  b {name} + 0x54
  mov w9, #0x2a
  b {name} + 0x54
  mov w9, #0x2c
  orr w10, wzr, #0x18
  mov w0, w9
  orr x8, x10, x8
  mov x10, #-51904
  mrs x9, id_aa64mmfr1_el1
  movk x10, #0x8000, lsl #16
  mrs x11, id_aa64mmfr1_el1
  add x12, x10, #0x200, lsl #12
  tst x9, #0xf
  and x9, x11, #0xf0
  csel x10, x10, x12, eq
  cmp x9, #0x20
  orr x8, x8, x10
  cset w9, eq
  orr x8, x8, x9, lsl #19
  msr vtcr_el2, x8
  ret
.size {name}, . - {name}
.section {section}, "a"
.p2align 3
.type .Ltable, %object
.Ltable:
{rows}
.size .Ltable, . - .Ltable
"""
