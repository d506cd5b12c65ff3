"""Code that takes an absolute address out of a table, a literal, an immediate or the global offset table, and uses it."""

from builders.planting.writing import Writer, quads
from builders.planting.yards import UNMAPPED_DATA, Area, Draft, Yard

_CODE = (Area.TEXT, Area.HYP_TEXT, Area.INIT_TEXT)
_DATA = (Area.RODATA, Area.HYP_RODATA, Area.HYP_BSS, Area.BSS, *UNMAPPED_DATA)
_HYP_SLOT = frozenset({"R03"})
_SPILLED = 0.08


def used(writer: Writer, register: int, *, is_code: bool) -> list[str]:
    """Return instructions that jump to or access what a register holds."""
    n = register
    if writer.random.random() < 0.25:
        other = writer.register()
        lines = [f"mov x{other}, x{n}"]
        n = other
    else:
        lines = []
    if is_code:
        return [*lines, f"{writer.random.choice(('blr', 'blr', 'br'))} x{n}"]
    value = writer.register()
    return [
        *lines,
        writer.random.choice(
            [
                f"ldr x{value}, [x{n}]",
                f"ldrb w{value}, [x{n}, #{writer.random.randrange(64)}]",
                f"ldr w{value}, [x{n}, #{4 * writer.random.randrange(64)}]",
                f"str x{value}, [x{n}, #8]",
                f"ldp x{value}, x{writer.register()}, [x{n}]",
                f"ldrsw x{value}, [x{n}, x{value}, lsl #2]",
            ]
        ),
    ]


def based(writer: Writer, symbol: str, *, most: int = 3) -> tuple[int, list[str]]:
    """Return a register and the instructions that put the address of a symbol into it."""
    page = writer.register()
    base = page if writer.random.random() < 0.6 else writer.register()
    lines = [f"adrp x{page}, {symbol}", f"add x{base}, x{page}, :lo12:{symbol}"]
    if writer.random.random() < _SPILLED:
        # Kept on the stack for a while.
        again = writer.register()
        lines += [f"str x{base}, [sp, #40]", f"ldr x{again}, [sp, #40]"]
        base = again
    return base, writer.spread(lines, most)


def loaded(writer: Writer, base: int, index: int) -> tuple[int, list[str]]:
    """Return a register and the instructions that load an entry of eight bytes into it."""
    entry = writer.register() if writer.random.random() < 0.6 else index
    form = writer.random.choice(("lsl", "uxtw", "sxtw", "sum", "shifted"))
    if form == "lsl":
        return entry, [f"ldr x{entry}, [x{base}, x{index}, lsl #3]"]
    if form == "sum":
        at = writer.register()
        lines = [f"add x{at}, x{base}, x{index}, lsl #3", f"ldr x{entry}, [x{at}]"]
        return entry, writer.spread(lines, 2)
    if form == "shifted":
        at = writer.register()
        lines = [f"lsl x{at}, x{index}, #3", f"ldr x{entry}, [x{base}, x{at}]"]
        return entry, writer.spread(lines, 2)
    return entry, [f"ldr x{entry}, [x{base}, w{index}, {form} #3]"]


def bounded(writer: Writer, index: int, n: int, default: str) -> list[str]:
    """Return instructions that keep an index below a bound; a power of two may be masked instead."""
    if n & (n - 1) == 0 and writer.random.random() < 0.5:
        return [f"and x{index}, x{index}, #{n - 1:#x}"]
    if writer.random.random() < 0.3:
        inside = writer.distinct("inside")
        return [f"cmp w{index}, #{n - 1}", f"b.ls {inside}", f"b {default}", f"{inside}:"]
    size = writer.random.choice("wx")
    return [f"cmp {size}{index}, #{n - 1}", f"b.hi {default}"]


def jump_table(writer: Writer, yard: Yard) -> Draft:
    """R01: a switch through addresses of its own cases."""
    random = writer.random
    n = random.choice((3, 4, 5, 6, 7, 8, 8, 9, 11, 13))
    index, table = writer.register(), writer.distinct("table")
    default, out = writer.distinct("default"), writer.distinct("out")
    base, address = based(writer, table)
    entry, load = loaded(writer, base, index)
    jump = [f"br x{entry}"]
    if random.random() < 0.25:
        other = writer.register()
        jump = [f"mov x{other}, x{entry}", f"br x{other}"]
    bound = bounded(writer, index, n, default)
    # The compare and its branch stay together, as the flags do; where the table's address is made is free.
    body = [*address, *bound] if random.random() < 0.4 else [*bound, *address]
    start = [f"ldr w{index}, [x0, #{8 * random.randrange(8)}]"] if random.random() < 0.5 else []
    area = random.choice((Area.HYP_RODATA, Area.RODATA, Area.RODATA))
    cases = [writer.distinct(f"case{i}") for i in range(n)]
    n_distinct = random.randrange(2, n + 1)
    aims = [cases[i] if i < n_distinct else random.choice(cases[:n_distinct]) for i in range(n)]
    random.shuffle(aims)
    yard.table(area, table, quads(aims))
    blocks: list[str] = []
    for label in cases[:n_distinct]:
        blocks += [f"{label}:", f"mov w0, #{random.randrange(1 << 12)}", f"b {out}"]
    lines = writer.function(
        [
            *start,
            *body,
            *writer.noise(3),
            *writer.spread([*load, *jump]),
            *blocks,
            f"{default}:",
            "mov w0, #-22",
            f"{out}:",
        ]
    )
    return Draft(
        lines, _HYP_SLOT if area is Area.HYP_RODATA else frozenset(), f"{n} entries in {area}"
    )


def pointer_table(writer: Writer, yard: Yard) -> Draft:
    """R02: data found through a table of addresses."""
    return _table(writer, yard, is_code=False)


def function_table(writer: Writer, yard: Yard) -> Draft:
    """R02 or R01: functions called through a table of their addresses."""
    return _table(writer, yard, is_code=True)


def _table(writer: Writer, yard: Yard, *, is_code: bool) -> Draft:
    random = writer.random
    n = random.choice((2, 3, 4, 5, 8, 9))
    area = random.choice((Area.HYP_RODATA, Area.RODATA, Area.RODATA))
    table, out = writer.distinct("table"), writer.distinct("out")
    aims = [yard.target(Area.HYP_TEXT if is_code else random.choice(_DATA)) for _ in range(n)]
    yard.table(area, table, quads(aims))
    index = writer.register()
    base, address = based(writer, table)
    entry, load = loaded(writer, base, index)
    body = [
        *bounded(writer, index, n, out),
        *address,
        *writer.spread([*load, *used(writer, entry, is_code=is_code)]),
    ]
    lines = writer.function([*body, f"{out}:"])
    also = _HYP_SLOT if area is Area.HYP_RODATA else frozenset()
    return Draft(lines, also, f"{n} {'functions' if is_code else 'pointers'} in {area}")


def pointer_slot(writer: Writer, yard: Yard) -> Draft:
    """R02: one pointer in constant data."""
    return _slot(writer, yard, is_code=False)


def function_slot(writer: Writer, yard: Yard) -> Draft:
    """R02 or R01: one pointer to a function in constant data."""
    return _slot(writer, yard, is_code=True)


def _slot(writer: Writer, yard: Yard, *, is_code: bool) -> Draft:
    random = writer.random
    area = random.choice((Area.HYP_RODATA, Area.RODATA))
    table = writer.distinct("table")
    aim = yard.target(Area.HYP_TEXT if is_code else random.choice(_DATA))
    yard.table(area, table, quads([aim]))
    page, entry = writer.registers(2)
    load = [f"adrp x{page}, {table}", f"ldr x{entry}, [x{page}, :lo12:{table}]"]
    lines = writer.function(writer.spread([*load, *used(writer, entry, is_code=is_code)]))
    also = _HYP_SLOT if area is Area.HYP_RODATA else frozenset()
    return Draft(lines, also, f"one {'function' if is_code else 'pointer'} in {area}")


def literal(writer: Writer, yard: Yard) -> Draft:
    """R06: an address in a literal of the code itself."""
    is_code = writer.random.random() < 0.5
    register, place = writer.register(), writer.distinct("literal")
    aim = yard.target(writer.random.choice(_CODE if is_code else _DATA))
    load = [f"ldr x{register}, {place}", *used(writer, register, is_code=is_code)]
    after = [".p2align 3", f"{place}:", f".quad {aim}"]
    return Draft(
        writer.function(writer.spread(load, 4), after=after), _HYP_SLOT, f"literal of {aim}"
    )


def moved(writer: Writer, yard: Yard) -> Draft:
    """R07: an address put together from immediates."""
    random = writer.random
    is_code = random.random() < 0.4
    register = writer.register()
    aim = yard.target(random.choice(_CODE if is_code else _DATA))
    address = yard.address(aim)
    if address is None:
        chain = [f"movz x{register}, #:abs_g3:{aim}"]
        chain += [f"movk x{register}, #:abs_g{g}_nc:{aim}" for g in (2, 1, 0)]
        if random.random() < 0.5:
            chain = [f"movz x{register}, #:abs_g0_nc:{aim}"]
            chain += [f"movk x{register}, #:abs_g{g}_nc:{aim}" for g in (1, 2)]
            chain += [f"movk x{register}, #:abs_g3:{aim}"]
    else:
        parts = {g: address >> 16 * g & 0xFFFF for g in range(4)}
        if (
            random.random() < 0.5
        ):  # movn leaves the upper half-word all ones, as it is in the kernel's half
            chain = [f"movn x{register}, #{~parts[0] & 0xFFFF:#x}"]
            chain += [f"movk x{register}, #{parts[g]:#x}, lsl #{16 * g}" for g in (1, 2)]
        else:
            order = [0, 1, 2, 3]
            random.shuffle(order)
            chain = [f"movz x{register}, #{parts[order[0]]:#x}, lsl #{16 * order[0]}"]
            chain += [f"movk x{register}, #{parts[g]:#x}, lsl #{16 * g}" for g in order[1:]]
    lines = writer.spread([*chain, *used(writer, register, is_code=is_code)])
    return Draft(writer.function(lines), frozenset(), f"{len(chain)} immediates of {aim}")


def got(writer: Writer, yard: Yard) -> Draft:
    """R08: an address taken from the global offset table."""
    base = writer.register()
    entry = base if writer.random.random() < 0.6 else writer.register()
    load = yard.got_load(base, entry)
    use = used(writer, entry, is_code=writer.random.random() < 0.3)
    # The slot itself is kernel data, which hyp code refers to.
    return Draft(writer.function(writer.spread([*load, *use])), frozenset({"R05"}))


def veneer(writer: Writer, yard: Yard) -> Draft:
    """R09: a call through a thunk with the absolute address in it."""
    random = writer.random
    aim = yard.target(random.choice((Area.TEXT, Area.HYP_TEXT, Area.HYP_TEXT)))
    scratch = random.choice((16, 16, 17))
    thunk, place = writer.distinct("thunk"), writer.distinct("slot")
    after = [
        ".p2align 3",
        f"{thunk}:",
        f"ldr x{scratch}, {place}",
        f"br x{scratch}",
        f"{place}:",
        f".quad {aim}",
    ]
    call = f"{random.choice(('bl', 'bl', 'b'))} {thunk}"
    body = writer.function([*writer.noise(3), call], after=after)
    return Draft(body, _HYP_SLOT | {"R06"}, f"x{scratch} to {aim}")
