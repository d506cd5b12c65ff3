"""The use case `lab build`: a request in, the document of a build out, events on the way."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from whypanic.app.explain_document import tool
from whypanic.app.lab_run import Run, started_run
from whypanic.lab.build import DEADLINE_S, build, failure_lines
from whypanic.lab.kbuild import BuildProgress
from whypanic.model.lab import BuildResult, BuildSpec, LabVerdict
from whypanic.report.lab_document import BUILD_SCHEMA, BuildDocument, DocDiagnostic, DocOption
from whypanic.report.lab_events import BuildFinished, BuildProgressed, BuildStarted, RunFinished

Say = Callable[[str], None]
_TOLD_EVERY_S = 5.0


class Built(NamedTuple):
    """A build, and what a screen holds of it where it failed."""

    document: BuildDocument
    failure: tuple[str, ...]


def build_kernel(
    spec: BuildSpec,
    *,
    jobs: int | None = None,
    deadline_s: float = DEADLINE_S,
    say: Say,
    progress: Callable[[BuildProgress], None],
    command: Sequence[str] = (),
    builder: Callable[..., BuildResult] = build,
) -> Built:
    """Return the document of a build; one that fails is a result too.

    :param progress: called often; events are written at each phase, and every few seconds.
    :param builder: `lab.build.build`, or what stands for it.
    :raises InputError: if tree, config or fragment are none.
    :raises HostError: if a program is missing or something cannot be written.
    """
    with started_run(None, "build", command) as run:
        run.tell(
            BuildStarted(
                at_s=run.at_s,
                tree=spec.tree,
                toolchain=spec.toolchain,
                lto=spec.lto,
                config=spec.config,
                fragments=list(spec.fragments),
            )
        )
        events = _Events(run)

        def both(step: BuildProgress) -> None:
            events.tell(step)
            progress(step)

        result = builder(spec, progress=both, say=say, jobs=jobs, deadline_s=deadline_s)
        document = build_document(result)
        run.tell(
            BuildFinished(
                at_s=run.at_s,
                verdict=document.verdict,
                reason=document.reason,
                folder=document.folder,
                image_hash=document.image_hash,
                seconds=document.seconds,
                cached=document.cached,
            )
        )
        run.tell(RunFinished(at_s=run.at_s, verdicts={document.verdict: 1}))
    return Built(document, () if result.ok else tuple(failure_lines(result)))


class _Events:
    """Passes on one step of many."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._phase = ""
        self._told_s = 0.0

    def tell(self, step: BuildProgress) -> None:
        if step.phase == self._phase and step.seconds - self._told_s < _TOLD_EVERY_S:
            return
        self._phase, self._told_s = step.phase, step.seconds
        self._run.tell(
            BuildProgressed(
                at_s=self._run.at_s,
                phase=step.phase,
                n_objects=step.n_objects,
                n_expected=step.n_expected,
                current=step.current,
            )
        )


def build_document(result: BuildResult) -> BuildDocument:
    """Return a build in the form of the document."""
    spec = result.spec
    return BuildDocument(
        schema=BUILD_SCHEMA,
        tool=tool(),
        tree=spec.tree,
        toolchain=spec.toolchain,
        lto=spec.lto,
        config=spec.config,
        fragments=list(spec.fragments),
        verdict=(LabVerdict.OK if result.ok else LabVerdict.BUILD_FAILED).value,
        reason=result.reason or None,
        folder=result.folder,
        image=result.image,
        vmlinux=result.vmlinux,
        kvm_nvhe=result.kvm_nvhe,
        image_hash=result.image_hash,
        compiler=result.compiler,
        linker=result.linker,
        options=[
            DocOption(
                name=check.name,
                wanted=check.wanted,
                got=check.got,
                kept=check.kept,
                because=check.because or None,
            )
            for check in result.options
        ],
        diagnostics=[
            DocDiagnostic(
                level=found.level,
                text=found.text,
                file=found.file,
                line=found.line,
                column=found.column,
                target=found.target,
            )
            for found in result.diagnostics
        ],
        seconds=round(result.seconds, 3),
        cached=result.cached,
        log=result.log,
    )
