"""What words refer to, by relocations and without."""

from builders.replays import subject_of
from whypanic.replay.references import Reference

HEAD = "\n0000000000000000 <frob>:\n"


def _listed(*rows: str) -> str:
    return HEAD + "".join(f"{row}\n" for row in rows)


def test_an_adrp_and_what_completes_it() -> None:
    text = _listed(
        "   0:\t90000008 \tadrp\tx8, 0 <frob>",
        "\t\t\t0: R_AARCH64_ADR_PREL_PG_HI21\tmode+0x8",
        "   4:\t52800002 \tmov\tw2, #0x0",
        "   8:\t91000101 \tadd\tx1, x8, #0x0",
        "\t\t\t8: R_AARCH64_ADD_ABS_LO12_NC\tmode+0x8",
        "   c:\td65f03c0 \tret",
    )
    assert subject_of(text).references == (Reference("mode", 8, "x1", (0, 8)),)


def test_a_register_that_is_overwritten_ends_the_search() -> None:
    text = _listed(
        "   0:\t90000008 \tadrp\tx8, 0 <frob>",
        "   4:\td2800008 \tmov\tx8, #0x0",
        "   8:\t91000101 \tadd\tx1, x8, #0x0",
        "   c:\td65f03c0 \tret",
    )
    subject = subject_of(text)
    assert subject.references == (Reference("unresolved reference #0", 0, "x8", (0,)),)
    assert len(subject.patches) == 1


def test_two_open_references_have_two_numbers() -> None:
    text = _listed(
        "   0:\t90000008 \tadrp\tx8, 0 <frob>",
        "   4:\tb9400101 \tldr\tw1, [x8]",
        "   8:\t90000009 \tadrp\tx9, 0 <frob>",
        "   c:\tb9000121 \tstr\tw1, [x9]",
        "  10:\td65f03c0 \tret",
    )
    subject = subject_of(text)
    assert [target.unresolved for target in subject.targets.values()] == [0, 1]
    assert [patch.type for patch in subject.patches] == [
        "R_AARCH64_ADR_PREL_PG_HI21",
        "R_AARCH64_LDST32_ABS_LO12_NC",
    ] * 2


def test_a_relocation_of_the_function_itself_is_no_target() -> None:
    text = _listed(
        "   0:\t94000000 \tbl\t0 <frob>",
        "\t\t\t0: R_AARCH64_CALL26\tfrob",
        "   4:\td65f03c0 \tret",
    )
    subject = subject_of(text)
    assert subject.targets == {}
    assert [(patch.symbol, patch.addend) for patch in subject.patches] == [(None, 0)]


def test_a_function_called_and_pointed_to_is_one_target() -> None:
    text = _listed(
        "   0:\t90000008 \tadrp\tx8, 0 <frob>",
        "\t\t\t0: R_AARCH64_ADR_PREL_PG_HI21\thandler",
        "   4:\t94000000 \tbl\t0 <handler>",
        "\t\t\t4: R_AARCH64_CALL26\thandler",
        "   8:\td65f03c0 \tret",
    )
    targets = subject_of(text).targets
    assert [(name, target.is_call) for name, target in targets.items()] == [("handler", True)]
