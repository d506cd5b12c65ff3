"""Crashes composed from the image come back with every frame, inline, line and variable.

WHYPANIC_SEED and WHYPANIC_CRASHES choose others, and more of them.
"""

import os
import platform
import posixpath
import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import pytest

from builders.composed_crash import ComposedCrash, Composer, Offset, TrueFrame, positions_of
from builders.image_truth import ImageTruth, Position, PrintedName
from builders.real_image import RealImage, Report, Run, explain

SEED = int(os.environ.get("WHYPANIC_SEED") or 2022)
N_CRASHES = int(os.environ.get("WHYPANIC_CRASHES") or 30)
_SUFFIX = re.compile(r"\.(isra|constprop|part|cold|llvm|lto_priv)(\.\d+)*")


needs_drgn = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="drgn has no wheel here, and others know no variables"
)


class Composed(NamedTuple):
    crash: ComposedCrash
    positions: list[tuple[Position, ...]]
    run: Run


@pytest.fixture(scope="module")
def compose(image: RealImage, truth: ImageTruth, composer: Composer) -> object:
    @cache
    def make(number: int) -> Composed:
        crash = composer.crash(SEED, number)
        run = explain(crash.text, "--vmlinux", image.vmlinux)
        return Composed(crash, positions_of(truth, crash), run)

    return make


@pytest.fixture(params=range(N_CRASHES))
def composed(request: pytest.FixtureRequest, compose: object) -> Composed:
    assert callable(compose)
    made = compose(request.param)
    assert isinstance(made, Composed)
    return made


def _base_name(name: str) -> str:
    """Return a function's name without what compilers append."""
    return _SUFFIX.sub("", name)


def _same_file(shown: str | None, true: str) -> bool:
    """Tell whether a path, perhaps shortened, is that of a file: at least one folder and the name agree."""
    if shown is None:
        return False
    tail, whole = (posixpath.normpath(p).split("/") for p in (shown, true))
    return whole[-len(tail) :] == tail and len(tail) >= min(2, len(whole))


def _differences(shown: Report, true: Position) -> list[str]:
    found = []
    if _base_name(shown["function"] or "") != _base_name(true.function):
        found.append(f"function {shown['function']}, not {true.function}")
    if true.line and not _same_file(shown["file"], true.file):
        found.append(f"file {shown['file']}, not {true.file}")
    if (shown["line"] or 0) != true.line:
        found.append(f"line {shown['line']}, not {true.line}")
    if true.line and (shown["column"] or 0) != true.column:
        found.append(f"column {shown['column']}, not {true.column}")
    return found


def test_frames_inlines_and_lines(composed: Composed) -> None:
    report = composed.run.report
    frames, crash = report["frames"], composed.crash
    assert [(f["symbol"], f["offset"], f["size"]) for f in frames] == [
        f.printed for f in crash.frames
    ]
    wrong = []
    for shown, true, chain in zip(frames, crash.frames, composed.positions, strict=True):
        places = [*shown["inlined"], shown]
        if len(places) != len(chain):
            names = [p["function"] for p in places]
            wrong.append(f"{true.printed}: chain {names}, not {[p.function for p in chain]}")
            continue
        for place, position in zip(places, chain, strict=True):
            wrong += [f"{true.printed}: {w}" for w in _differences(place, position)]
    assert wrong == []


def test_the_image_is_known_to_be_the_crashed_kernels(composed: Composed) -> None:
    image = composed.run.report["image"]
    assert image["match"] == "matches"
    assert image["certain"] is True
    assert [c["text"] for c in image["checks"] if not c["agrees"]] == []
    assert image["kind"] == "vmlinux"


def test_kaslr_offset(composed: Composed) -> None:
    image, crash = composed.run.report["image"], composed.crash
    if crash.how is Offset.ABSENT:
        assert image["kaslr_offset"] in {None, hex(crash.slide)}
    else:
        assert image["kaslr_offset"] == hex(crash.slide)
        assert image["kaslr_printed"] is (crash.how is Offset.PRINTED)


@needs_drgn
def test_the_variable_that_held_the_pointer(composed: Composed) -> None:
    crash = composed.crash
    access = [a for a in composed.run.report["access"] if a["variable"]]
    true = {(v.function, v.name): v for v in crash.variables}
    shown = [(a["function"], a["variable"]) for a in access]
    assert access, f"nothing is said of {crash.variables}"
    # Every pointer to a structure that the register held is given; what comes first is one that it held.
    assert {key for key, v in true.items() if v.struct and not v.distance} <= set(shown)
    assert shown[0] in {key for key, v in true.items() if not v.distance}
    for reading, key in zip(access, shown, strict=True):
        assert reading["register"] == f"x{crash.access.base}"
        assert reading["pointer"] == f"{crash.pointer:#x}"
        variable = true.get(key)
        if variable is None or variable.struct is None:
            continue
        assert reading["type"].replace("const ", "").replace("volatile ", "") == variable.type
        assert reading["struct"] == variable.struct
        assert reading["offset"] == crash.access.offset - variable.distance
        members = {m.path for m in variable.at(crash.access.offset, crash.access.n_bytes)}
        assert not members or reading["member"] in members


@needs_drgn
def test_no_variable_is_made_up(composed: Composed) -> None:
    crash = composed.crash
    held = {(v.function, v.name) for v in crash.variables if not v.distance}
    # What is read at another offset follows from other registers too, or from the code.
    shown = {
        (a["function"], a["variable"])
        for a in composed.run.report["access"]
        if (a["variable"] or "").isidentifier() and a["offset"] == crash.access.offset
    }
    assert shown <= held


def test_a_register_that_points_into_the_image(composed: Composed) -> None:
    crash = composed.crash
    named = {n["register"]: n for n in composed.run.report["named"]}
    if crash.how is Offset.ABSENT and composed.run.report["image"]["kaslr_offset"] is None:
        assert named == {}
        return
    found = named[crash.named.register]
    assert (found["symbol"], found["offset"]) == (crash.named.symbol, crash.named.offset)


def _with_other_sizes(crash: ComposedCrash, frames: Sequence[TrueFrame]) -> str:
    """Return the text of a kernel in which some functions have another size."""
    text = crash.text
    for frame in frames:
        printed = frame.printed
        other = PrintedName(printed.name, printed.offset, printed.size + 0x40)
        text = text.replace(f"{printed}\n", f"{other}\n")
    assert text != crash.text
    return text


def test_another_build_is_named_and_nothing_is_taken_from_it(
    image: RealImage, composer: Composer
) -> None:
    crash = composer.crash(SEED, 0)
    text = _with_other_sizes(crash, crash.frames[: len(crash.frames) // 2])
    refused = explain(text, "--vmlinux", image.vmlinux).report
    assert refused["image"]["match"] == "mismatch"
    assert refused["image"]["certain"] is False
    disagreeing = " ".join(c["text"] for c in refused["image"]["checks"] if not c["agrees"])
    assert crash.frames[0].printed.name in disagreeing
    assert hex(crash.frames[0].printed.size + 0x40) in disagreeing
    assert all(f["line"] is None for f in refused["frames"])
    assert refused["access"] == []
    assert refused["causes"][0]["verdict"] != "proven"
    allowed = explain(text, "--vmlinux", image.vmlinux, "--allow-mismatch").report
    assert allowed["image"]["match"] == "mismatch"
    assert allowed["image"]["used"] is True
    assert allowed["causes"][0]["verdict"] != "proven"


def test_one_function_that_differs_is_named_and_has_no_lines(
    image: RealImage, composer: Composer
) -> None:
    crash = composer.crash(SEED, 0)
    text = _with_other_sizes(crash, crash.frames[-1:])
    report = explain(text, "--vmlinux", image.vmlinux).report
    assert report["image"]["certain"] is False
    disagreeing = [c["text"] for c in report["image"]["checks"] if not c["agrees"]]
    assert any(crash.frames[-1].printed.name in text for text in disagreeing)
    assert report["frames"][0]["line"] is not None
    assert report["frames"][-1]["line"] is None
