"""Hyp code that branches or refers to what EL2 does not map."""

from builders.planting.absolute import based, used
from builders.planting.writing import Writer
from builders.planting.yards import UNMAPPED_DATA, Area, Draft, Yard


def call(writer: Writer, yard: Yard) -> Draft:
    """R04: a call or tail call of a kernel function."""
    aim = yard.target(writer.random.choice((Area.TEXT, Area.TEXT, Area.INIT_TEXT)))
    if writer.random.random() < 0.6:
        return Draft(writer.function(writer.spread([f"mov x{writer.register()}, x0", f"bl {aim}"])))
    skip = writer.distinct("skip")
    condition = writer.random.choice(("cbz x0,", "b.ne", "tbz w1, #3,"))
    return Draft(
        writer.function([f"{condition} {skip}", f"b {aim}", f"{skip}:"]), detail="tail call"
    )


def call_through_register(writer: Writer, yard: Yard) -> Draft:
    """R04: the same through a register; the address itself is a reference that leaves as well."""
    base, address = based(writer, yard.target(Area.TEXT))
    return Draft(writer.function([*address, *writer.noise(3), f"blr x{base}"]), detail="blr")


def reference(writer: Writer, yard: Yard) -> Draft:
    """R05: kernel data found relative to the code."""
    random = writer.random
    area = random.choice((*UNMAPPED_DATA, *UNMAPPED_DATA, Area.TEXT, Area.INIT_TEXT, Area.MODULE))
    aim = yard.target(area)
    if random.random() < 0.5:
        base, address = based(writer, aim, most=4)
        lines = [*address, *writer.noise(4), *used(writer, base, is_code=False)]
    else:
        page, value = writer.registers(2)
        lines = writer.spread(
            [
                f"adrp x{page}, {aim}",
                f"{random.choice(('ldrb', 'strb'))} w{value}, [x{page}, :lo12:{aim}]",
            ],
            6,
        )
    return Draft(writer.function(lines), detail=f"of {area}")


def near_reference(writer: Writer, yard: Yard) -> Draft:
    """R05: kernel text read through ADR alone, as LLD relaxes what is near."""
    base = writer.register()
    lines = [f"adr x{base}, {yard.near_text()}", *used(writer, base, is_code=False)]
    return Draft(writer.function(["nop", *writer.spread(lines)]), detail="adr")
