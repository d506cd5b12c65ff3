"""5,000 damaged logs: none raises, none shows an error of ours, none takes over a second."""

import pytest

from builders.mutations import Outcome, case_logs, mutated, try_log, try_mutated

N_LOGS = 5000
N_CHUNKS = 50


@pytest.mark.parametrize("chunk", range(N_CHUNKS))
def test_damaged_logs(chunk: int) -> None:
    outcomes = try_mutated(f"test-{chunk}", N_LOGS // N_CHUNKS, case_logs())
    broken = [outcome for outcome in outcomes if outcome.complaint]
    assert broken == [], "python tools/mutate.py --cases-only --seed SEED writes the log"


def test_a_seed_makes_the_same_log_again() -> None:
    assert mutated("again", case_logs()) == mutated("again", case_logs())
    assert len({mutated(f"again:{n}", case_logs()) for n in range(20)}) > 15


def test_damage_leaves_most_reports_standing() -> None:
    outcomes = list(try_mutated("stand", 60, case_logs()))
    assert sum(outcome.n_reports > 0 for outcome in outcomes) > 30


def test_what_breaks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_raw: object) -> object:
        return dict[str, object]()["pc"]

    monkeypatch.setattr("builders.mutations.explain_input", broken)
    outcome = try_log("x:1", b"")
    assert outcome == Outcome("x:1", outcome.seconds, 0, "KeyError: 'pc'")
