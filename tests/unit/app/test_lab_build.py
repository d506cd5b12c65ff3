"""Builds as documents, with their events."""

from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace

from whypanic.app.lab_build import build_document, build_kernel
from whypanic.lab.kbuild import BuildProgress
from whypanic.model.lab import BuildResult, BuildSpec, Diagnostic, OptionCheck
from whypanic.report.lab_document import lab_schemas
from whypanic.report.lab_events import BuildFinished, BuildProgressed, decode_event

SPEC = BuildSpec(tree="linux", toolchain="gcc-12", fragments=("CONFIG_KVM=y",))
DONE = BuildResult(
    spec=SPEC, ok=True, folder="/kept", image="/kept/Image", image_hash="ab", seconds=61.0
)
FAILED = BuildResult(
    spec=SPEC,
    ok=False,
    reason="kernel/fork.c:3: no such thing",
    folder="/failed",
    log="/failed/make.log",
    diagnostics=(Diagnostic(level="error", text="no such thing", file="kernel/fork.c", line=3),),
    options=(OptionCheck(name="CONFIG_KVM", wanted="y", got="n", because="needs CONFIG_X"),),
)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYPANIC_CACHE", str(tmp_path))


def builder(result: BuildResult, steps: list[BuildProgress]) -> Any:
    def build(_: BuildSpec, *, progress: Any, **__: Any) -> BuildResult:
        for step in steps:
            progress(step)
        return result

    return build


def run(result: BuildResult, steps: list[BuildProgress]) -> Any:
    return build_kernel(
        SPEC, say=lambda _: None, progress=lambda _: None, builder=builder(result, steps)
    )


def test_documents_are_of_their_schema() -> None:
    for result, verdict in ((DONE, "ok"), (FAILED, "build-failed")):
        document = build_document(result)
        assert document.verdict == verdict
        jsonschema.validate(msgspec.to_builtins(document), lab_schemas()["lab-build"])
    assert [option.kept for option in build_document(FAILED).options] == [False]


def test_a_failure_has_its_screen() -> None:
    assert run(DONE, []).failure == ()
    failure = run(FAILED, []).failure
    assert failure[0] == FAILED.reason
    assert any("CONFIG_KVM=y became n" in line for line in failure)


def test_few_of_many_steps_are_events(tmp_path: Path) -> None:
    step = BuildProgress("compile", 1, 100, True, "CC a.o", 0.0)
    steps = [step._replace(phase="configure")]
    steps += [step._replace(n_objects=n, seconds=n / 10) for n in range(120)]
    run(DONE, steps)
    (log,) = tmp_path.glob("lab/runs/build-*/run.jsonl")
    events = [decode_event(line) for line in log.read_bytes().splitlines()]
    told = [e for e in events if isinstance(e, BuildProgressed)]
    assert [(e.phase, e.n_objects) for e in told] == [
        ("configure", 1),
        ("compile", 0),
        ("compile", 50),
        ("compile", 100),
    ]
    (finished,) = [e for e in events if isinstance(e, BuildFinished)]
    assert finished.verdict == "ok"


def test_steps_reach_the_caller() -> None:
    seen: list[BuildProgress] = []
    step = BuildProgress("compile", 1, None, False, "CC a.o", 0.0)
    build_kernel(
        SPEC,
        say=lambda _: None,
        progress=seen.append,
        builder=builder(replace(DONE, cached=True), [step, step]),
    )
    assert seen == [step, step]
