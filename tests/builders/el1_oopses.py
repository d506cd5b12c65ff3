"""Oopses in the images of tests/data/variables, as a kernel with CONFIG_STACKTRACE_BUILD_ID prints them."""

from builders.variables import Compiler, image

_UNTOUCHED = 4
_RELEASE = "6.1.70"


def oops(
    compiler: Compiler,
    pc: int,
    registers: dict[str, int],
    *,
    far: int,
    esr: int = 0x96000006,
    slide: int = 0,
    words: tuple[int, ...] | None = None,
    build_id: str | None = None,
    lr: str = "start+0x14/0x20",
) -> str:
    """Return the text of an oops at a link VA.

    :param words: of the `Code:` line, the faulting one last; None: those of the image.
    """
    opened = image(compiler)
    symbol = opened.symbol_at(pc)
    assert symbol is not None
    if words is None:
        found = opened.words(pc - 4 * _UNTOUCHED, pc + 4)
        words = () if found is None else tuple(found.tolist())
    code = " ".join(f"{w:08x}" for w in words[:-1]) + f" ({words[-1]:08x})" if words else ""
    values = {f"x{n}": 0xFFFF000001000000 + 0x100 * n for n in range(30)} | registers
    rows = "\n".join(
        " ".join(f"x{n:<2}: {values[f'x{n}']:016x}" for n in range(k, max(k - 3, -1), -1))
        for k in range(29, -1, -3)
    )
    known = build_id or opened.build_id
    shown = "NULL pointer dereference" if far < 4096 else "paging request"
    # As the kernel counts: padding belongs to the function before it.
    end = min((s.address for s in opened.symbols if s.address > symbol.address), default=symbol.end)
    place = f"{symbol.name}+{pc - symbol.address:#x}/{end - symbol.address:#x}"
    return f"""\
Unable to handle kernel {shown} at virtual address {far:016x}
Mem abort info:
  ESR = 0x{esr:016x}
Internal error: Oops: {esr:016x} [#1] PREEMPT SMP
CPU: 1 PID: 41 Comm: reader Not tainted {_RELEASE} #9 {known}
Hardware name: Example board (DT)
pstate: 60000005 (nZCv daif -PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : {place}
lr : {lr}
sp : ffff80000a123450
{rows}
Call trace:
 {place}
 {lr}
Code: {code}
---[ end trace 0000000000000000 ]---
"""
