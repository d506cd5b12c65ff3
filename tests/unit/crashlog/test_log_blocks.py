"""What a draft becomes when it is over."""

import pytest

from builders.log_lines import recognised
from whypanic.crashlog.drafts import Draft
from whypanic.crashlog.headlines import Entry
from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.log_blocks import FOREIGN, LogBlock, block_of, is_report, without_weak

_LINE = read_lines(b"[    1.000000] kernel BUG at a/b.c:1!").lines[0]
_BUG = "kernel BUG at a/b.c:1!"
_ERROR = "Internal error: Oops - BUG: 0 [#1] SMP"
_PC = "pc : quux+0x1/0x2"


def _draft(*texts: str, entry: Entry | None = Entry.BUG) -> Draft:
    draft = Draft(_LINE, entry)
    for index, text in enumerate(texts):
        draft.add(index, recognised(text))
    return draft


def _block(*, weak: bool) -> LogBlock:
    return block_of(_draft(_ERROR))._replace(weak=weak)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [((_ERROR,), True), ((_PC,), False), ((_PC, _PC), False), ((_PC, _PC, _PC), True)],
)
def test_stray_register_lines_are_no_report(texts: tuple[str, ...], expected: bool) -> None:
    assert is_report(_draft(*texts, entry=None)) is expected


def test_a_prelude_is_a_report_only_where_panic_follows() -> None:
    draft = _draft(_ERROR, entry=Entry.PRELUDE)
    assert not is_report(draft)
    draft.add(1, recognised("Kernel panic - not syncing: Fatal exception"))
    assert is_report(draft)


def test_weak_marks_of_another_architecture_yield_to_arm64s() -> None:
    for texts, foreign, expected in (
        ((_BUG,), 0, False),
        ((_BUG,), 1, True),
        ((_BUG, _PC), 1, False),
        ((_BUG, _PC), FOREIGN, True),
    ):
        draft = _draft(*texts)
        draft.foreign = foreign
        assert block_of(draft).foreign is expected


def test_unknown_lines_behind_the_last_are_not_the_reports() -> None:
    draft = _draft(_BUG, _ERROR)
    draft.unknown = [0, 7]
    block = block_of(draft)
    assert (block.indexes, block.unknown) == ((0, 1), (0,))


def test_call_traces_go_where_there_is_more() -> None:
    weak, strong = _block(weak=True), _block(weak=False)
    assert without_weak([weak, strong, weak]) == (strong,)
    assert without_weak([weak, weak]) == (weak, weak)
    assert without_weak([]) == ()
