import pytest

from whypanic.symbolize.generic_functions import CARRIERS, GENERIC, REPORTING


@pytest.mark.parametrize("table", [GENERIC, REPORTING, CARRIERS])
def test_rows_hold_distinct_names(table: dict[str, str]) -> None:
    words = [word for names in table.values() for word in names.split()]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("table", [GENERIC, REPORTING, CARRIERS])
def test_star_stands_only_at_the_end_of_a_telling_prefix(table: dict[str, str]) -> None:
    words = [word for names in table.values() for word in names.split()]
    assert [w for w in words if "*" in w[:-1] or (w.endswith("*") and len(w.strip("_*")) < 2)] == []
