"""The same defects in images of our own: a relocatable one, one that is not, and an object before linking."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from builders.hyp_images import link_4_14, link_6_1
from builders.images import assemble
from builders.planting import absolute, escapes, forbidden
from builders.planting.linking import ARCHITECTURE
from builders.planting.writing import Writer
from builders.planting.yards import Area, Draft, Yard

FORMS = ("object", "4.14", "6.1")
_SECTIONS = {
    Area.HYP_TEXT: ".hyp.text",
    Area.HYP_RODATA: ".hyp.rodata",
    Area.HYP_BSS: ".hyp.bss",
    Area.HYP_PERCPU: ".hyp.data..percpu",
    Area.TEXT: ".text",
    Area.INIT_TEXT: ".init.text",
    Area.DATA: ".data",
    Area.INIT_DATA: ".init.data",
    Area.PERCPU: ".data..percpu",
    Area.RODATA: ".rodata",
    Area.BSS: ".bss",
    Area.MODULE: ".data",
    Area.GOT: ".data",
}
_NO_HYP_SECTIONS = {".hyp.rodata": ".rodata", ".hyp.bss": ".bss", ".hyp.data..percpu": ".bss"}
_RECIPES: dict[str, tuple[str, Callable[[Writer, Yard], Draft]]] = {
    "jump table": ("R01", absolute.jump_table),
    "pointer table": ("R02", absolute.pointer_table),
    "function table": ("R02", absolute.function_table),
    "pointer": ("R02", absolute.pointer_slot),
    "function pointer": ("R02", absolute.function_slot),
    "call": ("R04", escapes.call),
    "reference": ("R05", escapes.reference),
    "near reference": ("R05", escapes.near_reference),
    "literal": ("R06", absolute.literal),
    "immediates": ("R07", absolute.moved),
    "GOT": ("R08", absolute.got),
    "veneer": ("R09", absolute.veneer),
    "push and pop": ("R11", forbidden.shadow_call_stack),
    "canary": ("R12", forbidden.stack_protector),
    "FP": ("R15", forbidden.floating_point),
}


class SmallPlant(NamedTuple):
    number: int
    kind: str
    rule: str
    instead: frozenset[str]
    also: frozenset[str]
    symbols: tuple[str, ...]
    """Functions and tables that findings about it may stand in."""
    detail: str
    text: tuple[str, ...]


class SmallYard:
    """Assembler text, in whose sections symbols and tables are made as they are asked for."""

    def __init__(self, random: Random, form: str) -> None:
        self.random = random
        self.form = form
        self.lines: list[str] = []
        self.tables: list[str] = []
        self._n = 0

    def section(self, area: Area) -> str:
        name = _SECTIONS[area]
        return name if self.form == "6.1" else _NO_HYP_SECTIONS.get(name, name)

    def target(self, area: Area) -> str:
        self._n += 1
        name = f"target_{self._n}"
        section = self.section(area)
        is_code = "text" in section
        flags = '"ax"' if is_code else '"a"' if "rodata" in section else '"aw"'
        bits = ", %nobits" if section.endswith("bss") else ""
        content = ["mov x0, #0", "ret", ".rept 80", "nop", ".endr"] if is_code else [".skip 320"]
        self.lines += [
            f".section {section}, {flags}{bits}",
            ".p2align 3",
            f".globl {name}",
            f".hidden {name}" if self.random.random() < 0.5 else "",
            f".type {name}, %{'function' if is_code else 'object'}",
            f"{name}:",
            *content,
            f".size {name}, . - {name}",
        ]
        return name

    def near_text(self) -> str:
        return self.target(Area.TEXT)

    def address(self, _symbol: str) -> int | None:
        return None

    def table(self, area: Area, label: str, lines: list[str], *, align: int = 8) -> None:
        self.lines += [
            f'.section {self.section(area)}, "a"',
            f".balign {align}",
            f".type {label}, %object",
            f"{label}:",
            *lines,
            f".size {label}, . - {label}",
        ]
        self.tables.append(label)

    def got_load(self, base: int, loaded: int) -> tuple[str, str]:
        name = self.target(Area.DATA)
        return f"adrp x{base}, :got:{name}", f"ldr x{loaded}, [x{base}, :got_lo12:{name}]"


def small_image(form: str, seed: int) -> tuple[Path, tuple[SmallPlant, ...]]:
    """Return an image or object with one defect of each kind, and what is in it."""
    random = Random(f"{form} {seed}")
    yard = SmallYard(random, form)
    plants: list[SmallPlant] = []
    code: list[str] = []
    for name, (rule, recipe) in _RECIPES.items():
        # ld refuses these in a shared object; in the real image they are planted as numbers.
        if rule == "R07" and form == "6.1":
            continue
        number = len(plants)
        n_tables = len(yard.tables)
        writer = _Named(random, f"p{number}", yard.target(Area.HYP_TEXT))
        draft = recipe(writer, yard)
        function = f"planted_{number}"
        code += [
            '.section .hyp.text, "ax"',
            ".p2align 2",
            f".globl {function}",
            f".type {function}, %function",
            f"{function}:",
            *draft.lines,
            f".size {function}, . - {function}",
        ]
        instead = frozenset({"R01"} if "function" in name else ())
        symbols = (function, *yard.tables[n_tables:])
        plants.append(
            SmallPlant(number, name, rule, instead, draft.also, symbols, draft.detail, draft.lines)
        )
    source = "\n".join((f".arch {ARCHITECTURE}", *yard.lines, *code, ""))
    makers: dict[str, Callable[[str], Path]] = {
        "object": assemble,
        "4.14": link_4_14,
        "6.1": link_6_1,
    }
    make = makers[form]
    return make(source), tuple(plants)


_ORPHANS = (
    ".data.rel.ro",
    ".data.once",
    ".init.data",
    ".text.unlikely",
    "hot",
    ".data..read_mostly",
)
_GATHERED = (
    *(".hyp.rodata", ".hyp.bss", ".hyp.data..percpu", ".altinstructions", "__bug_table"),
    *("__jump_table", "__kvm_ex_table", ".note.gnu.property", ".hyp.data..ro_after_init"),
)


def hyp_object(seed: int, *, orphan: bool) -> tuple[Path, str]:
    """Return a kvm_nvhe.o with one section more than hyp code may have, or only such as it may; and its name."""
    random = Random(f"{orphan} {seed}")
    name = random.choice(_ORPHANS if orphan else _GATHERED)
    flags = '"ax"' if "text" in name else '"a"' if "rodata" in name else '"aw"'
    bits, filled = (", %nobits", "") if name.endswith("bss") else ("", ", 0x1f")
    size = 4 * random.randrange(1, 20)
    return assemble(
        f"""\
.section .hyp.text, "ax"
.globl __kvm_nvhe_step
.type __kvm_nvhe_step, %function
__kvm_nvhe_step:
  mov x0, #{seed}
  ret
.size __kvm_nvhe_step, . - __kvm_nvhe_step
.section .hyp.rodata, "a"
  .quad {seed}
.section .hyp.bss, "aw", %nobits
  .skip 8
.section {name}, {flags}{bits}
.globl __kvm_nvhe_extra
.type __kvm_nvhe_extra, %object
__kvm_nvhe_extra:
  .skip {size}{filled}
.size __kvm_nvhe_extra, {size}
"""
    ), name


class _Named(Writer):
    """Labels that the symbol table keeps."""

    def distinct(self, text: str) -> str:
        return f"{self.label}_{text}" if text == "table" else super().distinct(text)
