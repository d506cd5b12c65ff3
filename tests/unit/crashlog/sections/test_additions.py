"""What vendors, distributors and scripts add."""

import pytest

from builders.log_lines import fact, report
from whypanic.model.context import Taint
from whypanic.model.fault import Detail


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Supported: No, Unsupported modules are loaded", "vendor"),
        ("TGID: 71 Comm: widgetd", "vendor"),
        ("CPUMERRSR: 0000000000000000, L2MERRSR: 0000000000000000", "vendor"),
        ("exynos-snapshot: context saved(CPU:5)", "vendor"),
        ("All code", "disassembly"),
        (
            "   0:*\t00 04 00             \tadd    %al,(%rax,%rax,1)\t\t<-- trapping instruction",
            "disassembly",
        ),
        ("  2a:\tc3                   \tret", "disassembly"),
    ],
)
def test_details(text: str, name: str) -> None:
    assert fact(text, Detail).name == name


def test_taint_that_a_mailer_put_on_a_line_of_its_own() -> None:
    assert fact("Tainted: G   M    W", Taint).letters == ("G", "M", "W")


def test_lines_of_a_report_count_as_understood() -> None:
    found = report(
        "[ 1.0] WARNING: CPU: 0 PID: 9 at kernel/widget.c:12 widget_poll+0x10/0x40\n"
        "[ 1.0] Supported: Yes\n"
        "[ 1.0] something nobody knows: 12 widgets\n"
        "[ 1.0] CPU: 0 PID: 9 Comm: widgetd Not tainted 5.3.18 #1\n"
    )
    assert (found.n_lines, found.n_understood) == (4, 3)
