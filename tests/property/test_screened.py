"""The screened reader finds what the other one finds, whatever stands between."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.captures import quiet, screened, whole
from whypanic.crashlog.headlines import TABLE
from whypanic.crashlog.recognise import SECTIONS
from whypanic.crashlog.screen import CONTEXT, OPENING, SHARPER
from whypanic.crashlog.sections.rule import compiled

ROOT = Path(__file__).resolve().parents[2]
LOGS = tuple(
    sorted(
        match[1]
        for path in (ROOT / "tests" / "cases").glob("*.md")
        for match in re.finditer(r"^```log\n(.*?)^```", path.read_text("utf-8"), re.M | re.S)
    )
)
SHARED = sorted((ROOT.parent / "shared" / "cases").glob("*.log"))


def test_labelled_logs() -> None:
    if not SHARED:
        pytest.skip("no labelled logs: ../shared/cases beside the repository is missing")
    for path in SHARED:
        data = path.read_bytes()
        assert screened(data) == whole(data), path.name


def test_logs_of_the_cases() -> None:
    assert len(LOGS) > 50
    for log in LOGS:
        data = log.encode()
        assert screened(data) == whole(data)


# Lines as long as no mailer leaves them: else whether a line was wrapped is judged by other ones in each window.
WIDE = f"[    1.000000] {'wide ' * 20}\n"


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**16).map(lambda n: LOGS[n % len(LOGS)]),
            st.sampled_from((0, 5, 130, 600, 4000)),
        ),
        min_size=1,
        max_size=7,
    ),
    st.sampled_from((None, 501, 60_000)),
)
@settings(max_examples=40, deadline=None)
def test_any_order_with_quiet_between(parts: list[tuple[str, int]], size: int | None) -> None:
    text = "".join(log.rstrip("\n") + "\n" + WIDE + quiet(n_lines) + WIDE for log, n_lines in parts)
    data = text.encode()
    assert screened(data, size) == whole(data)


SHARPENED = sorted(
    {
        (needle, pattern)
        for needle, pattern in (
            *((rule.needle, rule.pattern) for rule in TABLE),
            *((rule.needle, rule.pattern) for rule in SECTIONS if rule.part in OPENING | CONTEXT),
        )
        if SHARPER.get(needle)
    }
)


@pytest.mark.parametrize(("needle", "pattern"), SHARPENED)
@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_sharper_words_are_in_every_line_of_their_rules(
    needle: str, pattern: str, data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(compiled(pattern)))
    match = compiled(pattern).match(text)
    if match is not None and needle in match[0]:
        assert any(word in match[0] for word in SHARPER[needle]), match[0]
