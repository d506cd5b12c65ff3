"""The reference case, live: `scripts/live.sh` as README.md shows it, on the kernels of two toolchains."""

import os
import re
import subprocess

import pytest

from builders.built_kernels import built_kernels
from builders.repository import ROOT
from builders.shown_output import matches

README = ROOT / "README.md"
TABLES = [kernel.name for kernel in built_kernels("tables")]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what the script prints, folders by their names alone."""
    scratch = str(tmp_path_factory.mktemp("live"))
    done = subprocess.run(
        # It ends the script with all that runs below it.
        ["timeout", "-k", "5", "240", "bash", "scripts/live.sh"],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100", "TMPDIR": scratch},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder = done.stdout.strip().rpartition("\n")[2]
    return done.stdout.replace(f"{folder}/", "")


def part(chain: str, command: str, name: str) -> str:
    """Return what one command printed of one kernel."""
    parts = chain.split("\n$ whypanic ")[1:]
    (found,) = (p for p in parts if p.startswith(f"{command} {name}"))
    return found


def test_both_toolchains_have_their_kernels() -> None:
    # Without one the tests over kernels would have nothing to run over, and pass.
    assert [kernel.name for kernel in built_kernels()] == ["clang-thin", "gcc"]
    assert TABLES == ["clang-thin", "gcc"]


@pytest.mark.parametrize("name", TABLES)
def test_the_audit_finds_the_table_before_the_boot(chain: str, name: str) -> None:
    out = part(chain, "audit", name)
    assert "error: a switch branches through 5 absolute addresses  [R01 absolute-jump-table]" in out
    assert "at __kvm_nvhe_pa_bits_of+0x" in out
    assert "warning: " in out
    assert "[R30 orphan-hyp-section]" in out
    assert "1 error, 1 warning, 0 notes in 1 image" in out


@pytest.mark.parametrize("name", TABLES)
def test_it_panics_at_el2_without_vhe_alone_and_the_cause_is_proven(chain: str, name: str) -> None:
    out = part(chain, "lab boot", name)
    assert re.search(r"^nvhe +hyp-panic ", out, re.M)
    assert re.search(r"^vhe +ok +7/0/0 ", out, re.M)
    assert "cause: absolute-jump-table-at-el2  PROVEN" in out
    assert out.count("cause: ") == 1
    assert "(supported)" not in out
    assert "(possible)" not in out


@pytest.mark.parametrize("name", TABLES)
def test_the_panic_comes_out_of_the_listing_bit_for_bit(chain: str, name: str) -> None:
    out = part(chain, "replay", f"{name}.txt")
    assert "absolute-table on Cortex-A57: REPRODUCED" in out
    assert "on qemu: fault: Instruction Abort taken without a change in Exception level" in out
    values = dict(re.findall(r"^    (pc|far|esr|pstate) +0x\w+ +== 0x(\w+) +derived$", out, re.M))
    assert set(values) == {"pc", "far", "esr", "pstate"}
    console = part(chain, "lab boot", name)
    # Those that the machine itself printed.
    assert f"FAR          0x{values['far']}" in console
    assert f"PSTATE       0x{values['pstate']}" in console
    assert f"ESR          0x{values['esr']}" in console


def plain(text: str) -> str:
    """Return a text without what another version of the kernel, the tools or a slower machine changes."""
    text = re.sub(r"\b(?:0x)?[0-9a-f]{8,40}\b", "#", text)
    text = re.sub(r"\d+(?:\.\d+)+(?:-\d+)?", "#", text)
    return re.sub(r" +", " ", re.sub(r"(?:\+0x[0-9a-f]+|lines? [0-9, -]+)", "#", text))


def test_the_readme_shows_it(chain: str) -> None:
    shown = re.search(r"<!-- live -->\n```text\n(.*?)^```", README.read_text(), re.M | re.S)
    assert shown is not None
    head, _, rest = shown[1].partition("\n")
    assert head == "$ bash scripts/live.sh"
    assert matches(plain(rest), plain(chain)), chain
