"""The use case `lab boot`: one kernel in, a boot in every mode and what came of each out."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from whypanic.app.explain_document import tool
from whypanic.app.inputs import describe_file
from whypanic.app.lab_autopsy import autopsy_of
from whypanic.app.lab_diagnosis import diagnose
from whypanic.app.lab_evidence import cpu_of
from whypanic.app.lab_kernel import BootedKernel, Say, find_kernel
from whypanic.app.lab_run import started_run
from whypanic.lab.boot import boot
from whypanic.lab.console import MAX_BYTES
from whypanic.lab.initramfs import initramfs_path
from whypanic.lab.modes import all_modes, find_mode
from whypanic.lab.qemu_command import seed_of
from whypanic.model.errors import UsageError
from whypanic.model.lab import BootResult, BootSpec, LabVerdict
from whypanic.report.document import DocReport, hexadecimal
from whypanic.report.lab_document import (
    BOOT_SCHEMA,
    BootDocument,
    DocCell,
    DocCellId,
    DocException,
    DocGuest,
    DocSample,
)
from whypanic.report.lab_events import BootFinished, BootStarted, RunFinished

_ALL = "all"
_DEFAULT_PAGE = "4k"
_LARGE_BYTES = 16 << 20


class BootOptions(NamedTuple):
    """How to boot."""

    modes: str = _ALL
    """all, or ids separated by commas."""
    vmlinux: str | None = None
    kaslr: str = "on"
    n_cpus: int = 1
    deterministic: bool = False
    deadline_s: float = 60.0
    append: str = ""
    keep: str | None = None
    initramfs: str | None = None


def boot_kernel(
    name: str,
    options: BootOptions,
    *,
    say: Say,
    progress: Callable[[str], None],
    command: Sequence[str] = (),
    booter: Callable[..., BootResult] = boot,
) -> BootDocument:
    """Return what became of a kernel in each mode, in the order of the modes; failures are diagnosed.

    :param name: an Image, or a folder with one.
    :param progress: told where the run is, at each line of a console.
    :param booter: `lab.boot.boot`, or what stands for it.
    :raises UsageError: if a mode or the KASLR word is unknown.
    :raises InputError: if Image, vmlinux or initramfs cannot be read.
    :raises HostError: if QEMU is missing or a file cannot be written.
    """
    modes = chosen_modes(options.modes)
    kernel = find_kernel(name, options.vmlinux, say)
    seed_of(_spec(kernel, options, modes[0], "", None), 0)
    initramfs = options.initramfs or str(initramfs_path())
    cells: list[DocCell] = []
    with started_run(options.keep, "boot", command) as run:
        for number, mode in enumerate(modes, 1):
            folder = run.folder / mode
            spec = _spec(kernel, options, mode, initramfs, str(folder))
            run.tell(BootStarted(at_s=run.at_s, cell=cell_id(spec, kernel)))
            where = f"{mode} ({number} of {len(modes)})"
            progress(where)
            result = booter(
                spec,
                progress=lambda line, where=where: progress(f"{where}: {line}"),
                autopsy=autopsy_of(kernel),
                namer=kernel.name_of,
            )
            if options.keep is None:
                result = without_large_files(result)
            cell = cell_of(result, kernel, diagnose(result, _console(result), kernel))
            cells.append(cell)
            run.tell(BootFinished(at_s=run.at_s, result=cell))
        verdicts = Counter(cell.verdict for cell in cells)
        run.tell(RunFinished(at_s=run.at_s, verdicts=dict(verdicts)))
        folder = run.folder
    return BootDocument(
        schema=BOOT_SCHEMA,
        tool=tool(),
        inputs=[describe_file(str(path)) for path in _files(kernel)],
        run=str(folder),
        cells=cells,
    )


def chosen_modes(words: str) -> tuple[str, ...]:
    """Return the ids that a word of the command line stands for, each once.

    :raises UsageError: if one is unknown, or there is none.
    """
    if words == _ALL:
        return tuple(mode.id for mode in all_modes())
    names = dict.fromkeys(word.strip() for word in words.split(",") if word.strip())
    if not names:
        message = "no mode given"
        raise UsageError(message, hints=("`all`, or a list as in `nvhe,vhe`",))
    return tuple(find_mode(name).id for name in names)


def _spec(
    kernel: BootedKernel, options: BootOptions, mode: str, initramfs: str, folder: str | None
) -> BootSpec:
    vmlinux = kernel.named_vmlinux
    return BootSpec(
        image=str(kernel.image.path),
        initramfs=initramfs,
        mode=mode,
        vmlinux=None if vmlinux is None else str(vmlinux),
        kaslr=options.kaslr,
        page=kernel.image.page or _DEFAULT_PAGE,
        n_cpus=options.n_cpus,
        deterministic=options.deterministic,
        deadline_s=options.deadline_s,
        append=options.append,
        keep=folder,
    )


def _files(kernel: BootedKernel) -> list[Path]:
    vmlinux = kernel.named_vmlinux
    return [kernel.image.path, *([] if vmlinux is None else [vmlinux])]


def without_large_files(result: BootResult) -> BootResult:
    """Remove what a boot left that is too large for a cache nobody looks into, and return the result without it."""
    kept = {}
    for name, path in result.artifacts.items():
        file = Path(path)
        try:
            if file.is_file() and file.stat().st_size > _LARGE_BYTES:
                file.unlink()
                continue
        except OSError:
            pass
        kept[name] = path
    return replace(result, artifacts=kept)


def _console(result: BootResult) -> bytes:
    if not result.console:
        return b""
    try:
        with Path(result.console).open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError:
        return b""


# The document ----------------------------------------------------------------------------------


def cell_id(spec: BootSpec, kernel: BootedKernel) -> DocCellId:
    """Return what names a cell."""
    build = kernel.build
    return DocCellId(
        tree=None if build is None else build.tree,
        ref=None,
        toolchain=None if build is None else build.toolchain,
        lto=None if build is None else build.lto,
        config=None if build is None else build.config,
        mode=spec.mode,
        kaslr=spec.kaslr,
        page=spec.page,
        cpu=cpu_of(spec).partition(",")[0],
        n_cpus=spec.n_cpus,
    )


def cell_of(result: BootResult, kernel: BootedKernel, diagnosis: DocReport | None) -> DocCell:
    """Return one boot in the form of the document."""
    compiler, linker = kernel.tools
    guest = result.guest
    return DocCell(
        cell=cell_id(result.spec, kernel),
        verdict=result.verdict.value,
        reason=result.reason,
        proved_mode=result.proved_mode,
        proof=result.proof or None,
        guest=None
        if guest is None
        else DocGuest(
            passed=guest.passed,
            failed=guest.failed,
            skipped=guest.skipped,
            failures=list(guest.failures),
        ),
        seconds=round(result.seconds, 3),
        verdict_s=None if result.verdict_s is None else round(result.verdict_s, 3),
        image_hash=kernel.sha256,
        compiler=compiler,
        linker=linker,
        diagnosis=diagnosis,
        samples=[
            DocSample(
                cpu=sample.cpu,
                pc=hexadecimal(sample.pc),
                pa=_value(sample.pa),
                el=sample.el,
                pstate=_value(sample.pstate),
                symbol=sample.symbol,
                motion=sample.motion or None,
                halted=sample.halted,
                registers={name: hexadecimal(v) for name, v in sample.registers.items()},
            )
            for sample in result.samples
        ],
        exceptions=[] if result.verdict is LabVerdict.OK else _exceptions(result),
        n_exceptions=result.n_exceptions,
        system_registers={name: hexadecimal(v) for name, v in result.system_registers.items()},
        last_words=result.last_words or None,
        backtrace=list(result.backtrace),
        artifacts=dict(result.artifacts),
        notes=list(result.notes),
        command=list(result.argv),
    )


def _exceptions(result: BootResult) -> list[DocException]:
    return [
        DocException(
            kind=seen.kind,
            from_el=seen.from_el,
            to_el=seen.to_el,
            cpu=seen.cpu,
            esr=_value(seen.esr),
            far=_value(seen.far),
            elr=_value(seen.elr),
            symbol=seen.symbol,
        )
        for seen in result.exceptions
    ]


def _value(value: int | None) -> str | None:
    return None if value is None else hexadecimal(value)
