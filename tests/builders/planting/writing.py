"""Assembler text of functions as compilers write them: registers, prologues and other instructions between those that count."""

from collections.abc import Callable, Collection, Iterable, Sequence
from random import Random

# x18 is the shadow call stack's or the platform's, x16 and x17 are the linker's; x29 to x31 have roles of their own.
POOL = (*range(16), *range(19, 29))
SAVED = tuple(range(19, 29))
"""What a call leaves alone."""
_KEEPS, _DETOURS, _LONG = 0.2, 0.12, 0.05
"""Shares of functions that hold all that counts across calls, and of gaps with a branch or with many instructions."""


class Writer:
    """Chooses registers and the instructions between, from one seed."""

    def __init__(self, random: Random, label: str, callee: str | None = None) -> None:
        self.random = random
        self.label = label
        """Begins the name of every label of the function."""
        self.used: set[int] = set()
        self.callee = callee
        """A function to call between; only where no register that counts is lost in it."""
        self._pool = SAVED if callee and random.random() < _KEEPS else POOL
        self._n_labels = 0

    def register(self) -> int:
        """Return the number of a register that nothing else uses."""
        n = self.random.choice([r for r in self._pool if r not in self.used])
        self.used.add(n)
        return n

    def registers(self, n: int) -> list[int]:
        return [self.register() for _ in range(n)]

    def noise(self, most: int, *, flags: bool = False) -> list[str]:
        """Return up to so many instructions that touch none of the registers in use.

        :param flags: they may set the flags.
        """
        free = [r for r in POOL if r not in self.used]
        pick = self.random.choice
        forms: list[Callable[[], str]] = [
            lambda: f"add x{pick(free)}, x{pick(free)}, x{pick(free)}",
            lambda: f"eor w{pick(free)}, w{pick(free)}, w{pick(free)}",
            lambda: f"lsl x{pick(free)}, x{pick(free)}, #{self.random.randrange(1, 60)}",
            lambda: f"mov w{pick(free)}, #{self.random.randrange(4096)}",
            lambda: f"ubfx x{pick(free)}, x{pick(free)}, #{self.random.randrange(8, 40)}, #5",
            lambda: f"ldr x{pick(free)}, [sp, #16]",
            lambda: f"str x{pick(free)}, [sp, #24]",
            lambda: f"madd x{pick(free)}, x{pick(free)}, x{pick(free)}, x{pick(free)}",
            lambda: "nop",
        ]
        if flags:
            forms += [
                lambda: f"cmp x{pick(free)}, #{self.random.randrange(64)}",
                lambda: f"tst w{pick(free)}, #0x1",
            ]
        return [pick(forms)() for _ in range(self.random.randrange(most + 1))]

    def spread(self, lines: Iterable[str], most: int = 3) -> list[str]:
        """Return lines with other instructions between them; labels stay with what follows."""
        given = list(lines)
        keeps_flags = any(line.startswith(("cmp", "b.")) for line in given)
        found: list[str] = []
        for line in given:
            if found and not found[-1].endswith(":"):
                found += self._between(most, calls=not keeps_flags)
            found.append(line)
        return found

    def _between(self, most: int, *, calls: bool) -> list[str]:
        """Return instructions between two that count: a few, many, a branch around some, or a call."""
        draw = self.random.random()
        if draw < _LONG:
            return self.noise(25)
        if draw > _LONG + _DETOURS:
            return self.noise(most)
        if calls and self._pool is SAVED and self.used <= set(SAVED) and self.callee:
            return [*self.noise(most), f"bl {self.callee}", *self.noise(most)]
        self._n_labels += 1
        label = self.distinct(f"on{self._n_labels}")
        free = self.random.choice([r for r in POOL if r not in self.used])
        branch = self.random.choice((f"cbz x{free}, {label}", f"tbnz w{free}, #4, {label}", "b"))
        if branch == "b":  # around a place that BUG() marks
            return [f"b {label}", *self.noise(most), "brk #0x800", f"{label}:"]
        return [branch, *self.noise(most), f"{label}:"]

    def distinct(self, text: str) -> str:
        """Return a label of this function."""
        return f".L{self.label}_{text}"

    def function(self, body: Sequence[str], *, after: Sequence[str] = ()) -> tuple[str, ...]:
        """Return a body with a prologue and an epilogue.

        :param after: what stands behind the return.
        """
        start, end = self.random.choice(
            [
                (
                    ["stp x29, x30, [sp, #-64]!", "mov x29, sp"],
                    ["ldp x29, x30, [sp], #64", "ret"],
                ),
                (
                    ["paciasp", "stp x29, x30, [sp, #-64]!", "mov x29, sp"],
                    ["ldp x29, x30, [sp], #64", "autiasp", "ret"],
                ),
                (
                    ["sub sp, sp, #64", "stp x29, x30, [sp, #48]", "add x29, sp, #48"],
                    ["ldp x29, x30, [sp, #48]", "add sp, sp, #64", "ret"],
                ),
            ]
        )
        return (*start, *self.noise(2, flags=True), *body, *self.noise(2, flags=True), *end, *after)


def quads(values: Collection[str]) -> list[str]:
    return [f".quad {v}" for v in values]
