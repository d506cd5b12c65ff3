from builders.images import link
from whypanic.formats.images import open_image
from whypanic.symbolize.block_path import path_to
from whypanic.symbolize.value_origin import Atom, Origin, State, What, origins


def before_last(source: str) -> State:
    """Return what registers held before the last instruction."""
    image = open_image(link(f".text\n.type f, %function\nf:\n{source}\nat: ret\n.size f, . - f\n"))
    pc = image.value_of("at")
    assert pc is not None
    return origins(path_to(image, pc))[-1]


def entry(register: str, constant: int = 0) -> Origin:
    return Origin((Atom(What.ENTRY, 0, register),), constant)


def test_untouched_register_is_what_it_was() -> None:
    assert before_last("nop")["x19"] == entry("x19")


def test_copies_and_constants_are_followed() -> None:
    state = before_last("mov x1, x19\nadd x2, x1, #0x10\nsub x3, x2, #8\nadd x4, sp, #0x20")
    assert state["x1"] == entry("x19")
    assert state["x2"] == entry("x19", 0x10)
    assert state["x3"] == entry("x19", 8)
    assert state["x4"] == entry("sp", 0x20)
    assert before_last("sub x0, x0, #8")["x0"].distance == -8


def test_sums_of_two_registers() -> None:
    state = before_last("add x1, x19, x20")
    assert state["x1"].atoms == (Atom(What.ENTRY, 0, "x19"), Atom(What.ENTRY, 0, "x20"))
    scaled = before_last("add x1, x19, x20, lsl #3\nadd x2, x19, w20, uxtw #2")
    for register in ("x1", "x2"):
        atoms = scaled[register].atoms
        assert Atom(What.ENTRY, 0, "x19") in atoms
        assert [atom.what for atom in atoms if atom.register != "x19"] == [What.OTHER]


def test_loads_of_eight_bytes_are_told_from_others() -> None:
    state = before_last("ldr x0, [x19, #8]\nldp x1, x2, [x19]\nldr w3, [x19]\nldrb w4, [x19]")
    assert state["x0"] == Origin((Atom(What.LOADED, 0, "x0"),))
    assert state["x2"] == Origin((Atom(What.LOADED, 1, "x2"),))
    assert [state[x].only.what for x in ("x3", "x4") if state[x].only] == [What.OTHER, What.OTHER]


def test_writeback_moves_the_base() -> None:
    state = before_last("ldr x0, [x1, #16]!\nldr x2, [x3], #8")
    assert state["x1"] == entry("x1", 16)
    assert state["x3"] == entry("x3", 8)
    assert before_last("ldr x0, [x0, #16]")["x0"] == Origin((Atom(What.LOADED, 0, "x0"),))


def test_call_returns_in_x0_and_changes_what_it_may() -> None:
    state = before_last("bl f")
    assert state["x0"] == Origin((Atom(What.RETURNED, 0, "x0"),))
    assert state["x1"] != entry("x1")
    assert state["x19"] == entry("x19")
    assert before_last("hvc #0")["x3"] != entry("x3")


def test_constants_of_the_code() -> None:
    assert before_last("mov x0, #0x1230")["x0"] == Origin((), 0x1230)
    assert before_last("mov x0, xzr")["x0"] == Origin(())
    address = before_last("adr x0, f")["x0"]
    assert address == Origin((), 0xFFFF800008000000)
    page = before_last("adrp x0, f\nadd x0, x0, #0x123")["x0"]
    assert page == Origin((), 0xFFFF800008000123)


def test_per_cpu_offset_and_current() -> None:
    state = before_last("mrs x0, tpidr_el1\nmrs x1, sp_el0\nmrs x2, cntvct_el0")
    assert state["x0"] == Origin((Atom(What.PER_CPU),))
    assert state["x1"] == Origin((Atom(What.CURRENT),))
    assert state["x2"] == Origin((Atom(What.OTHER, 2, "x2"),))


def test_what_is_not_modelled_is_unknown_but_copies_of_it_are_equal() -> None:
    state = before_last("and x0, x1, #0xff\nmov x2, x0\nadd w3, w1, #1\nmov w4, w1")
    assert state["x0"] == state["x2"] == Origin((Atom(What.OTHER, 0, "x0"),))
    assert state["x3"] == Origin((Atom(What.OTHER, 2, "x3"),))
    assert state["x4"] != entry("x1")


def test_loop_makes_unknown_what_it_writes() -> None:
    state = before_last("mov x0, x19\n1: add x0, x0, #8\ncbnz x20, 1b")
    assert state["x0"] == Origin((Atom(What.LOOP, 1, "x0"),), 8)
    assert state["x19"] == entry("x19")


def test_many_atoms_are_given_up() -> None:
    source = "".join(f"add x0, x0, x{n}\n" for n in range(1, 8))
    assert len(before_last(source)["x0"].atoms) <= 4
