"""Instructions that hyp code must not have, whatever they refer to."""

from builders.planting.writing import Writer
from builders.planting.yards import Draft, Yard

FP_FORMS = (
    "fmov d0, x1",
    "fmov x2, d3",
    "ldr q0, [x0]",
    "str q7, [sp, #16]",
    "stp q0, q1, [sp, #-32]!",
    "ldp d8, d9, [sp, #16]",
    "ldr s3, [x1, #4]",
    "str b2, [x3, #1]",
    "ldr d5, [x4, x5, lsl #3]",
    "movi v0.16b, #0",
    "movi d31, #0xffffffffffffffff",
    "fadd d1, d2, d3",
    "scvtf d0, w1",
    "fcvtzs x0, d1",
    "cnt v0.8b, v0.8b",
    "addv b0, v0.8b",
    "umov w0, v1.b[2]",
    "dup v3.4s, w2",
    "ins v1.d[1], x2",
    "ld1 {v0.16b}, [x1], #16",
    "st1 {v2.2d, v3.2d}, [x0]",
    "eor v0.16b, v1.16b, v2.16b",
    "aese v0.16b, v1.16b",
    "pmull v0.1q, v1.1d, v2.1d",
    "sha256h q0, q1, v2.4s",
    "tbl v0.16b, {v1.16b}, v2.16b",
    "fcmp d0, #0.0",
    "fcsel d0, d1, d2, ne",
    "ptrue p0.b",
    "ld1b {z0.b}, p0/z, [x0]",
    "st1d {z1.d}, p1, [x2]",
    "ldr z0, [x0]",
    "cntb x0",
    "rdvl x3, #1",
    "whilelo p0.b, x0, x1",
)
"""FP, SIMD and SVE by class of encoding; the last few write general registers and trap all the same."""


def shadow_call_stack(writer: Writer, _yard: Yard) -> Draft:
    """R11: the return address pushed to and popped from x18."""
    push, pop = "str x30, [x18], #8", "ldr x30, [x18, #-8]!"
    body = list(writer.function([*writer.noise(4)]))
    form = writer.random.choice(("both", "both", "push", "pop"))
    if form != "pop":
        body.insert(1 if body[0] == "paciasp" else 0, push)
    if form != "push":
        body.insert(len(body) - 1, pop)
    return Draft(tuple(body), detail=form)


def stack_protector(writer: Writer, _yard: Yard) -> Draft:
    """R12: the canary loaded through sp_el0."""
    task, value, other = writer.registers(3)
    offset = 8 * writer.random.randrange(400)
    start = [
        f"mrs x{task}, sp_el0",
        f"ldr x{value}, [x{task}, #{offset}]",
        f"str x{value}, [sp, #40]",
    ]
    end = [
        f"mrs x{task}, sp_el0",
        f"ldr x{other}, [sp, #40]",
        f"ldr x{value}, [x{task}, #{offset}]",
        f"subs x{other}, x{other}, x{value}",
    ]
    parts = writer.random.choice(([start, end], [start]))
    body = [line for part in parts for line in (*writer.spread(part, 2), *writer.noise(4))]
    return Draft(writer.function(body), detail=f"offset {offset:#x}")


def floating_point(writer: Writer, _yard: Yard) -> Draft:
    """R15: one or a few instructions of FP, SIMD or SVE."""
    chosen = writer.random.sample(FP_FORMS, writer.random.choice((1, 1, 1, 3)))
    return Draft(writer.function(writer.spread(chosen)), detail="; ".join(chosen))
