from collections.abc import Mapping, Sequence

from whypanic.app.guarded_debug_info import GuardedDebugInfo
from whypanic.model.errors import HostError
from whypanic.model.image import SourcePosition
from whypanic.symbolize.debug_info import Chain, Variable

HERE = (SourcePosition(function="f", file="a.c", line=3, column=None),)


class Engine:
    engine = "llvm-symbolizer"
    caution = "be careful"
    roots = ("/build",)

    def __init__(self, *, dies: bool) -> None:
        self.dies = dies

    def locate(self, addresses: Sequence[int]) -> list[Chain]:
        if self.dies:
            message = "`llvm-symbolizer` died"
            raise HostError(message)
        return [HERE for _ in addresses]

    def variables(
        self, pc: int, registers: Mapping[str, int], *, offset: int | None = None, n_bytes: int = 0
    ) -> tuple[Variable, ...] | None:
        if self.dies:
            message = "`llvm-symbolizer` died"
            raise HostError(message)
        return ()


def test_answers_pass() -> None:
    said: list[str] = []
    guarded = GuardedDebugInfo(Engine(dies=False), "vmlinux", said.append)
    assert guarded.locate([1, 2]) == [HERE, HERE]
    assert guarded.variables(1, {}) == ()
    assert (guarded.engine, guarded.caution, guarded.roots) == (
        "llvm-symbolizer",
        "be careful",
        ("/build",),
    )
    assert said == []


def test_a_program_that_dies_costs_only_its_answers() -> None:
    said: list[str] = []
    guarded = GuardedDebugInfo(Engine(dies=True), "vmlinux", said.append)
    assert guarded.locate([1, 2]) == [(), ()]
    assert guarded.variables(1, {}) is None
    assert said == [
        "warning: vmlinux: `llvm-symbolizer` died: lines are not known",
        "warning: vmlinux: `llvm-symbolizer` died: variables are not known",
    ]
