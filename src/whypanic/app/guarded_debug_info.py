"""Debug information whose program may die: what cannot be looked up is not known, and said once."""

from collections.abc import Callable, Mapping, Sequence

from whypanic.model.errors import HostError
from whypanic.symbolize.debug_info import Chain, DebugInfo, Variable


class GuardedDebugInfo:
    """One image's debug information behind a guard."""

    def __init__(self, inner: DebugInfo, name: str, tell: Callable[[str], None]) -> None:
        """Keep what answers.

        :param name: of the image, for what is said.
        """
        self.engine = inner.engine
        self._inner = inner
        self._name = name
        self._tell = tell

    @property
    def caution(self) -> str | None:
        """What is to be said of this engine's answers."""
        return self._inner.caution

    @property
    def roots(self) -> tuple[str, ...]:
        """Paths of the kernel tree that names of files begin with."""
        return self._inner.roots

    def locate(self, addresses: Sequence[int]) -> list[Chain]:
        """Return the chains of functions; () for all where the engine's program fails."""
        try:
            return self._inner.locate(addresses)
        except HostError as error:
            self._tell(f"warning: {self._name}: {error.message}: lines are not known")
            return [()] * len(addresses)

    def variables(
        self, pc: int, registers: Mapping[str, int], *, offset: int | None = None, n_bytes: int = 0
    ) -> tuple[Variable, ...] | None:
        """Return the variables in scope; None where the engine's program fails."""
        try:
            return self._inner.variables(pc, registers, offset=offset, n_bytes=n_bytes)
        except HostError as error:
            self._tell(f"warning: {self._name}: {error.message}: variables are not known")
            return None
