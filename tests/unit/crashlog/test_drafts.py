"""The state of a report that is being read."""

from builders.log_lines import recognised
from whypanic.crashlog.drafts import MAX_UNKNOWN, Draft, Pending, Stream
from whypanic.crashlog.headlines import Entry
from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.sections.rule import Part

_LINE = read_lines(b"[    1.000000] kernel BUG at a/b.c:1!").lines[0]


def test_a_draft_notices_errors_panics_and_ends() -> None:
    draft = Draft(_LINE, Entry.BUG)
    draft.add(0, recognised("kernel BUG at a/b.c:1!"))
    assert draft.is_message_only
    assert draft.can_die
    error = recognised("Internal error: Oops - BUG: 0 [#1] SMP")
    draft.add(1, error)
    assert draft.repeats(error)
    draft.add(2, recognised("pc : quux+0x1/0x2"))
    assert not draft.repeats(error)
    draft.add(3, recognised("---[ end trace 0000000000000000 ]---"))
    draft.add(4, recognised("Kernel panic - not syncing: Fatal exception"))
    assert (draft.has_ended, draft.panic, draft.is_over) == (True, "Fatal exception", False)
    draft.add(5, recognised("---[ end Kernel panic - not syncing: Fatal exception ]---"))
    assert draft.is_over
    assert draft.indexes == [0, 1, 2, 3, 4, 5]


def test_unknown_lines_are_counted_and_bounded() -> None:
    draft = Draft(_LINE, None)
    for index in range(MAX_UNKNOWN + 10):
        draft.skip(index)
    assert draft.n_unknown == MAX_UNKNOWN + 10
    assert len(draft.unknown) == MAX_UNKNOWN


def test_stamps_are_compared() -> None:
    draft = Draft(_LINE, None)
    bare, quoted = (read_lines(text).lines[0] for text in (b"foo bar", b"> [    1.000000] foo"))
    assert draft.is_stamped_like(_LINE)
    assert not draft.is_stamped_like(bare)
    assert not draft.is_like(quoted)


def test_pending_is_cleared() -> None:
    stream = Stream()
    stream.pending.indexes.append(3)
    stream.pending.part = Part.CUT
    stream.pending.clear()
    assert (stream.pending.indexes, stream.pending.part) == ([], Part.NONE)
    assert Pending().unknown == []
