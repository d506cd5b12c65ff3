import json

from click.testing import CliRunner

from whypanic.cli.decode import command


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_text_has_a_summary_then_fields_from_the_top() -> None:
    lines = run("esr", "86000004").splitlines()
    assert lines[0].startswith("esr 0x86000004: Instruction Abort")
    assert lines[1].split() == ["[63:44]", "RES0", "0x0", "reserved"]
    ifsc = next(line for line in lines if "IFSC" in line)
    assert ifsc.split()[:3] == ["[5:0]", "IFSC", "0x4"]
    assert lines[-1] == "note: FAR holds the address of this instruction abort"


def test_columns_are_aligned() -> None:
    rows = [line for line in run("pstate", "3c5").splitlines() if line.startswith(" ")]
    assert len({line.index("0x") for line in rows if line.split()[2] == "0x1"}) == 1


def test_json() -> None:
    found = json.loads(run("pstate", "0x6040_0009", "--format", "json"))
    assert found["schema"] == "whypanic.decode/1"
    assert found["tool"]["name"] == "whypanic"
    assert found["what"] == "pstate"
    assert found["value"] == "0x60400009"
    pan = next(field for field in found["fields"] if field["name"] == "PAN")
    assert pan == {
        "name": "PAN",
        "lo": 22,
        "width": 1,
        "value": "0x1",
        "meaning": "privileged access never",
    }


def test_a_printed_page_table_line_needs_no_quotes() -> None:
    found = json.loads(run("pte", "--format", "json", "pmd=0040000082200f91,", "pte=0"))
    assert [row["name"] for row in found["descriptors"]] == ["pmd", "pte"]


def test_el_decides_on_hpfar() -> None:
    for el, valid in (("1", False), ("2", True)):
        found = json.loads(run("esr", "92000007", "--el", el, "--format", "json"))
        assert found["hpfar_valid"] is valid
