"""Code that looks like a defect and is none: no rule may call it an error.

Relative tables as GCC and LLVM make them, tables that .hyp.reloc covers, registers that are only saved, addresses that
are only compared or passed on, constants that are no addresses. Each is legal in hyp code of Linux 6.1.
"""

from collections.abc import Callable

from builders.planting.absolute import based, bounded, used
from builders.planting.ground import Ground
from builders.planting.writing import Writer
from builders.planting.yards import Area, Draft, RealYard

Decoy = Callable[[Writer, RealYard, Ground], Draft]


def relative_switch(writer: Writer, yard: RealYard, _ground: Ground) -> Draft:
    """A switch through distances: bytes, half-words or words, from the code or from the table."""
    random = writer.random
    n = random.choice((4, 5, 7, 8, 12))
    index, table, out = writer.register(), writer.distinct("table"), writer.distinct("out")
    address, entry, anchor, target = writer.registers(4)
    form = random.choice(("gcc1", "gcc2", "gcc4", "llvm1", "llvm2", "llvm4", "table4"))
    width, make = int(form[-1]), form[:-1]
    start, after = writer.distinct("start"), writer.distinct("after")
    cases = [writer.distinct(f"case{i}") for i in range(n)]
    load = {
        ("gcc", 1): f"ldrb w{entry}, [x{address}, w{index}, uxtw]",
        ("gcc", 2): f"ldrh w{entry}, [x{address}, w{index}, uxtw #1]",
        ("gcc", 4): f"ldr w{entry}, [x{address}, w{index}, uxtw #2]",
        ("llvm", 1): f"ldrb w{entry}, [x{address}, x{index}]",
        ("llvm", 2): f"ldrh w{entry}, [x{address}, x{index}, lsl #1]",
        ("llvm", 4): f"ldrsw x{entry}, [x{address}, x{index}, lsl #2]",
        ("table", 4): f"ldrsw x{entry}, [x{address}, x{index}, lsl #2]",
    }[make, width]
    origin = {"gcc": after, "llvm": start, "table": table}[make]
    scaled = "" if make == "table" or form == "llvm4" else " >> 2"
    directive = {1: ".byte", 2: ".hword", 4: ".word"}[width]
    rows = [f"{directive} ({c} - {origin}){scaled}" for c in cases]
    base = address if make == "table" else anchor
    add = f"add x{target}, x{base}, x{entry}" + (", lsl #2" if form in ("llvm1", "llvm2") else "")
    if make == "gcc":
        extend = {1: "sxtb", 2: "sxth", 4: "sxtw"}[width]
        add = f"add x{target}, x{base}, w{entry}, {extend} #2"
    body = [
        *bounded(writer, index, n, out),
        f"adrp x{address}, {table}",
        f"add x{address}, x{address}, :lo12:{table}",
        load,
        *([] if make == "table" else [f"adr x{anchor}, {origin}"]),
        add,
    ]
    blocks: list[str] = []
    for i, label in enumerate(cases):
        blocks += [f"{label}:", f"mov w0, #{random.randrange(1 << 12)}"]
        blocks += [f"b {out}"] if i % 2 else [f"add w0, w0, #{i}", f"b {out}"]
    lines = writer.function(
        [*writer.spread(body, 2), f"br x{target}", f"{after}:", f"{start}:", *blocks, f"{out}:"]
    )
    area = random.choice((Area.HYP_RODATA, Area.RODATA))
    yard.table(area, table, rows)
    return Draft(lines, detail=f"{form} in {area}")


def covered_table(writer: Writer, yard: RealYard, ground: Ground) -> Draft:
    """A call through pointers that .hyp.reloc lists."""
    slots = sorted(s for _, s in ground.hyp_slots)
    runs = [s for s in slots if s + 8 in set(slots) and s + 16 in set(slots)]
    table = yard.named(writer.random.choice(runs))
    index, entry = writer.registers(2)
    out = writer.distinct("out")
    base, address = based(writer, table)
    lines = [
        *bounded(writer, index, 3, out),
        *address,
        f"ldr x{entry}, [x{base}, x{index}, lsl #3]",
        f"cbz x{entry}, {out}",
        f"blr x{entry}",
        f"{out}:",
    ]
    return Draft(writer.function(lines))


def saved_task(writer: Writer, _yard: RealYard, _ground: Ground) -> Draft:
    """sp_el0 of the guest is saved and restored, never followed."""
    value = writer.register()
    save = [f"mrs x{value}, sp_el0", f"str x{value}, [x0, #{8 * writer.random.randrange(64)}]"]
    load = [f"ldr x{value}, [x0, #{8 * writer.random.randrange(64)}]", f"msr sp_el0, x{value}"]
    return Draft(writer.function([*writer.spread(save), *writer.noise(3), *writer.spread(load)]))


def scratch_x18(writer: Writer, _yard: RealYard, _ground: Ground) -> Draft:
    """x18 used as any other register, as kernels without a shadow call stack do."""
    lines = [
        "ldr x18, [x0, #24]",
        "add x18, x18, #1",
        "ldrsw x18, [x1, x2, lsl #2]",
        "str x18, [x0, #24]",
    ]
    return Draft(writer.function(writer.spread(lines)))


def boundary(writer: Writer, yard: RealYard, ground: Ground) -> Draft:
    """The end of a range, which is the beginning of something else."""
    name = writer.random.choice(
        (
            "__hyp_bss_end",
            "__hyp_rodata_end",
            "__kvm_nvhe___per_cpu_end",
            "__bss_stop",
            "__hyp_text_end",
        )
    )
    first, address = based(writer, yard.named(ground.named[name]))
    value = writer.register()
    lines = [*address, f"sub x{value}, x{first}, x0", f"cmp x1, x{first}", f"cset x{value}, lo"]
    return Draft(writer.function(lines), detail=name)


def mapped_data(writer: Writer, yard: RealYard, _ground: Ground) -> Draft:
    """Data that EL2 maps in 6.1: its own, and the kernel's .rodata and .bss."""
    area = writer.random.choice(
        (Area.HYP_RODATA, Area.HYP_BSS, Area.HYP_PERCPU, Area.RODATA, Area.BSS)
    )
    base, address = based(writer, yard.target(area))
    value = writer.register()
    return Draft(
        writer.function([*address, *writer.noise(3), f"ldr x{value}, [x{base}, #8]"]), detail=area
    )


def constants(writer: Writer, _yard: RealYard, _ground: Ground) -> Draft:
    """Constants that are no addresses, and the placeholders that alternatives fill."""
    value = writer.register()
    chain = writer.random.choice(
        [
            [f"mov x{value}, #0x3510", f"movk x{value}, #0x8080, lsl #16"],
            [f"movz x{value}, #0", *(f"movk x{value}, #0, lsl #{s}" for s in (16, 32, 48))],
            [f"movz x{value}, #0xfff, lsl #48", f"movk x{value}, #0xf000"],
            [f"movn x{value}, #0xcabf", f"movk x{value}, #0x8000, lsl #16"],
            [f"mov x{value}, #0xdead000000000000", f"movk x{value}, #0x122"],
        ]
    )
    return Draft(
        writer.function([*writer.spread(chain), f"msr vtcr_el2, x{value}"]), detail=chain[0]
    )


def constant_literal(writer: Writer, _yard: RealYard, _ground: Ground) -> Draft:
    """A literal that is a mask."""
    place, value = writer.distinct("literal"), writer.register()
    after = [".p2align 3", f"{place}:", f".quad {writer.random.getrandbits(40):#x}"]
    body = [f"ldr x{value}, {place}", f"and x{value}, x{value}, x0", f"msr tcr_el2, x{value}"]
    return Draft(writer.function(writer.spread(body), after=after))


def passed_on(writer: Writer, yard: RealYard, _ground: Ground) -> Draft:
    """The address of a kernel function, which EL1 is returned to."""
    base, address = based(writer, yard.target(Area.TEXT))
    end = [f"msr elr_el2, x{base}", "mov x3, #0x3c5", "msr spsr_el2, x3", "eret"]
    return Draft(writer.function([*address, *end]))


def own_call(writer: Writer, yard: RealYard, _ground: Ground) -> Draft:
    """Calls inside hyp code: direct, through a veneer of distances, through a pointer it was given."""
    aim = yard.target(Area.HYP_TEXT)
    form = writer.random.choice(("direct", "veneer", "field", "array"))
    thunk, pointer = writer.distinct("thunk"), writer.register()
    after: list[str] = []
    if form == "direct":
        lines = [f"bl {aim}"]
    elif form == "veneer":
        lines = [f"bl {thunk}"]
        after = [f"{thunk}:", f"adrp x16, {aim}", f"add x16, x16, :lo12:{aim}", "br x16"]
    elif form == "field":
        lines = [f"ldr x{pointer}, [x0, #16]", f"blr x{pointer}"]
    else:
        lines = [f"ldr x{pointer}, [x0, x1, lsl #3]", f"blr x{pointer}"]
    return Draft(writer.function(writer.spread(lines), after=after), detail=form)


def like_fp(writer: Writer, _yard: RealYard, _ground: Ground) -> Draft:
    """Memory copy instructions and others whose encodings stand near those of FP."""
    copy = ["cpyfp [x0]!, [x1]!, x2!", "cpyfm [x0]!, [x1]!, x2!", "cpyfe [x0]!, [x1]!, x2!"]
    others = [
        "crc32x w0, w1, x2",
        "prfm pldl1keep, [x3]",
        "ldapr x4, [x5]",
        "ldadd x1, x2, [x3]",
        "cas x1, x2, [x3]",
    ]
    fill = ["setp [x0]!, x1!, x2", "setm [x0]!, x1!, x2", "sete [x0]!, x1!, x2"]
    return Draft(writer.function(writer.spread(writer.random.choice((copy, fill, others)))))


def data_in_code(writer: Writer, _yard: RealYard, _ground: Ground) -> Draft:
    """Words behind the code that would be forbidden instructions."""
    value, place = writer.register(), writer.distinct("words")
    words = [
        f".word {w:#x}"
        for w in writer.random.sample(
            (0x1E604020, 0xF800865E, 0x97123456, 0xD5384101, 0x3DC00000), 3
        )
    ]
    body = [f"ldr w{value}, {place}", f"str w{value}, [x0]"]
    return Draft(writer.function(body, after=[f"{place}:", *words]))


def local_address(writer: Writer, yard: RealYard, _ground: Ground) -> Draft:
    """A pointer to hyp data that is used, beside a kernel address that is only stored for the host to read."""
    base, address = based(writer, yard.target(Area.HYP_BSS))
    return Draft(writer.function([*address, *used(writer, base, is_code=False)]))


DECOYS: tuple[Decoy, ...] = (
    relative_switch,
    relative_switch,
    covered_table,
    saved_task,
    scratch_x18,
    boundary,
    mapped_data,
    constants,
    constant_literal,
    passed_on,
    own_call,
    like_fp,
    data_in_code,
    local_address,
)
