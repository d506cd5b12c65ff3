"""What experiments showed: runs of the suspect code, as facts."""

from whypanic.model.provenance import Fact


class ReplayResult(Fact, frozen=True, kw_only=True):
    """One hypothesis, run."""

    hypothesis: str
    """Id of the hypothesis, e.g. `absolute-table`."""
    cause: str
    """Id of the cause whose mechanism was run."""
    function: str
    """The function that was run."""
    cpu: str
    engine: str
    modelled: bool
    """ESR, FAR and SPSR were made by us and not by the CPU model."""
    reproduced: bool
    outcome: str
    sentence: str
    differs: bool = False
    """A value of the run is not the log's: what was assumed did not happen."""

    @property
    def statement(self) -> str:
        return self.sentence
