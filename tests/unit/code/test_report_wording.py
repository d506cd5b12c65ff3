"""The direction of the linear map, by how a report is worded."""

import pytest

from whypanic.code.kernel_layout import infer_layout
from whypanic.code.report_wording import told_by_wording
from whypanic.crashlog.read import read_log

FAULT = """\
Unable to handle kernel paging request at virtual address ffffffbefe638000
Mem abort info:
  ESR = {esr}
  {ec}
swapper pgtable: 4k pages, 39-bit VAs, pgdp={pgdp}
[ffffffbefe638000] {walk}
"""


@pytest.mark.parametrize(
    ("esr", "ec", "walk", "flipped"),
    [
        (
            "0x96000007",
            "Exception class = DABT (current EL), IL = 32 bits",
            "pgd=41003, pud=41003",
            False,
        ),
        ("0x96000007", "EC = 0x25: DABT (current EL), IL = 32 bits", "pgd=41003, p4d=41003", True),
        ("0x0000000096000007", "EC = 0x25: DABT (current EL), IL = 32 bits", "pgd=41003", True),
        ("0x96000007", "EC = 0x25: DABT (current EL), IL = 32 bits", "pgd=41003, pud=41003", None),
    ],
)
def test_the_wording_tells_the_direction_where_nothing_else_does(
    esr: str, ec: str, walk: str, flipped: bool | None
) -> None:
    text = FAULT.format(esr=esr, ec=ec, walk=walk, pgdp="0000000053379000")
    (report,) = read_log(text.encode()).reports
    told = told_by_wording(report.facts)
    assert (told.lower if told else None) is flipped
    assert infer_layout(report.facts).layout.flipped is flipped
