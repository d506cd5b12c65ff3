"""One boot of one Image in one mode under QEMU, watched until it is known what became of it."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from whypanic.crashlog.read import read_log
from whypanic.host.clock import Stopwatch
from whypanic.host.machine import Machine, start_machine, temporary_folder
from whypanic.host.process import find_program
from whypanic.host.qmp import MachineDiedError
from whypanic.lab.applicability import BootImage, not_applicable, read_boot_image
from whypanic.lab.console import Console
from whypanic.lab.interrupt_log import Exceptions, InterruptLog
from whypanic.lab.last_words import with_last_words
from whypanic.lab.markers import DONE, KVM_NO, guest_result, running_test
from whypanic.lab.modes import find_mode, prove
from whypanic.lab.places import Namer, image_namer
from whypanic.lab.qemu_command import (
    HINTS,
    PROGRAM,
    BootFiles,
    command_by_hand,
    qemu_argv,
    seed_of,
)
from whypanic.lab.sampling import Motion, Sampler, image_offset
from whypanic.lab.verdicts import FATAL, Evidence, judge
from whypanic.lab.watch import End, Watch
from whypanic.model.errors import HostError, InputError
from whypanic.model.lab import BootResult, BootSpec, CpuSample, ExceptionRecord, LabVerdict, Mode

Progress = Callable[[str], None]
"""Gets each line of the console as it comes."""
Autopsy = Callable[[Machine, BootResult], BootResult]
"""Looks into a machine that failed and stands still, and returns the result with what it found."""

_FILE_BYTES = 512 << 20
_NOT_PRINTED = "it stands in the ring buffer, and the console never had it"


class _Scene(NamedTuple):
    """What a machine looked like when the watch was over."""

    end: End
    verdict_s: float | None = None
    quiet_s: float = 0.0
    busy_s: float = 0.0
    motions: Mapping[int, Motion] = {}
    samples: tuple[CpuSample, ...] = ()
    exceptions: Exceptions = Exceptions(0, ())
    complaint: str = ""


def boot(
    spec: BootSpec,
    *,
    progress: Progress | None = None,
    autopsy: Autopsy | None = None,
    namer: Namer | None = None,
    program: str = PROGRAM,
) -> BootResult:
    """Return what became of one boot; QEMU is gone when this returns or raises.

    :param autopsy: called for every verdict but `ok`, with the machine standing still, as long as QEMU lives.
    :param namer: names places by their offset in the Image; None: by vmlinux, else by the Image's own kallsyms.
    :raises UsageError: if the mode or the KASLR word is unknown.
    :raises InputError: if image or initramfs cannot be read.
    :raises HostError: if QEMU is not installed or a file cannot be written; a QEMU that fails gives `infrastructure`.
    """
    clock = Stopwatch()
    mode = find_mode(spec.mode)
    image = read_boot_image(Path(spec.image))
    if not Path(spec.initramfs).is_file():
        message = f"no initramfs `{spec.initramfs}`"
        raise InputError(message, path=spec.initramfs)
    reason = not_applicable(image, spec, mode)
    if reason is not None:
        return BootResult(
            spec=spec,
            verdict=LabVerdict.NOT_APPLICABLE,
            reason=reason,
            proved_mode=None,
            seconds=clock.seconds(),
        )
    find_program(program, hints=HINTS)
    files = _files(spec, image)
    seed = seed_of(spec, random.SystemRandom().getrandbits(31))
    argv = qemu_argv(spec, mode, files, seed=seed, program=program)
    session = _Session(spec, mode, image, files, namer)
    by_hand = command_by_hand(spec, mode, files, seed=seed, program=program)
    try:
        with start_machine(argv, file_bytes=_FILE_BYTES) as machine:
            try:
                result = replace(session.run(machine, progress), argv=by_hand)
            except MachineDiedError as error:
                result = session.dead(f"{error.message}: {machine.complaint()}")
            if result.verdict is not LabVerdict.OK and autopsy is not None and not machine.is_gone:
                result = session.judged_again(autopsy(machine, result))
    except MachineDiedError as error:
        result = session.dead(error.message)
    return replace(result, argv=by_hand, seconds=clock.seconds())


def _files(spec: BootSpec, image: BootImage) -> BootFiles:
    """Return the files of a boot in its folder, made where it is not there; old ones are removed."""
    folder = temporary_folder() if spec.keep is None else Path(spec.keep).absolute()
    initramfs = Path(spec.initramfs).absolute()
    files = BootFiles(
        image.path.absolute(), initramfs, folder / "console.log", folder / "exceptions.log"
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in (files.console, files.interrupts):
            path.write_bytes(b"")
        if image.packed:
            files = files._replace(image=folder / "Image")
            files.image.write_bytes(image.data)
    except OSError as error:
        message = f"cannot write to `{folder}`: {(error.strerror or str(error)).lower()}"
        raise HostError(message) from error
    return files


class _Session:
    """One machine from its first instruction to the verdict."""

    def __init__(
        self,
        spec: BootSpec,
        mode: Mode,
        image: BootImage,
        files: BootFiles,
        namer: Namer | None,
    ) -> None:
        self._spec = spec
        self._mode = mode
        self._image = image
        self._files = files
        self._namer = namer
        self._console = Console(files.console)
        self._interrupts = InterruptLog(files.interrupts)
        self._evidence: Evidence | None = None

    def run(self, machine: Machine, progress: Progress | None) -> BootResult:
        """Return the result, with the machine standing still.

        :raises MachineDiedError: if QEMU ended.
        """
        watch = Watch(
            machine,
            self._console,
            self._interrupts,
            progress,
            deterministic=self._spec.deterministic,
        )
        watched = watch.run(self._spec.deadline_s)
        if watched.end is End.DIED:
            message = "QEMU ended"
            raise MachineDiedError(message)
        scene = _Scene(watched.end, watched.verdict_s, watched.quiet_s, watched.busy_s)
        if watched.end is not End.POWER_OFF or DONE not in self._console.text:
            machine.pause()
            watch.read_console()
            scene = self._look_around(machine, watched.sampler, scene)
        else:
            scene = scene._replace(exceptions=Exceptions(self._interrupts.count(), ()))
        return self._result(scene)

    def dead(self, why: str) -> BootResult:
        """Return the result of a QEMU that never ran, or ended."""
        self._console.read()
        exceptions = self._interrupts.exceptions()
        return self._result(_Scene(End.DIED, exceptions=exceptions, complaint=why))

    def judged_again(self, result: BootResult) -> BootResult:
        """Return the result with the verdict that follows where the kernel's last words count as printed.

        Only if they tell its death: what it survived does not explain that it is silent.
        """
        if not result.last_words or self._evidence is None:
            return result
        data = with_last_words(bytes(self._console.data), result.last_words)
        verdict, reason = judge(self._evidence._replace(reports=read_log(data).reports))
        if verdict is result.verdict or verdict not in FATAL:
            return result
        return replace(result, verdict=verdict, reason=f"{reason}; {_NOT_PRINTED}")

    def _look_around(self, machine: Machine, sampler: Sampler, scene: _Scene) -> _Scene:
        if not sampler.n_looks:
            sampler.look()
        samples = tuple(replace(s, symbol=self._name(s.pa)) for s in sampler.samples())
        levels = {sample.cpu: sample.el for sample in samples}
        found = self._interrupts.exceptions()
        placed = tuple(self._placed(machine, levels, record) for record in found.unusual)
        return scene._replace(
            motions=sampler.motions(), samples=samples, exceptions=found._replace(unusual=placed)
        )

    def _placed(
        self, machine: Machine, levels: Mapping[int, int | None], record: ExceptionRecord
    ) -> ExceptionRecord:
        """Return an exception with the symbol of its ELR: an address of RAM, or one that its CPU can translate now."""
        pa = record.elr
        if pa is not None and self._offset(pa) is None:
            here = levels.get(record.cpu) == record.to_el
            pa = machine.physical_address(pa, record.cpu) if here else None
        return replace(record, symbol=self._name(pa))

    def _offset(self, pa: int | None) -> int | None:
        return image_offset(pa, self._image.text_offset, len(self._image.data))

    def _name(self, pa: int | None) -> str | None:
        offset = self._offset(pa)
        if offset is None:
            return None
        if self._namer is None:
            vmlinux = Path(self._spec.vmlinux) if self._spec.vmlinux else None
            self._namer = image_namer(self._image.path, vmlinux)
        return self._namer(offset)

    def _result(self, scene: _Scene) -> BootResult:
        text = self._console.text
        proof = prove(self._mode, text)
        guest = guest_result(text)
        self._evidence = Evidence(
            end=scene.end,
            proof=proof,
            wanted=self._mode.id,
            reports=read_log(bytes(self._console.data)).reports,
            guest=guest,
            done=DONE in text,
            no_kvm=self._mode.kvm and KVM_NO in text,
            running=running_test(text),
            n_console_bytes=len(self._console.data),
            quiet_s=scene.quiet_s,
            busy_s=scene.busy_s,
            deadline_s=self._spec.deadline_s,
            motions=scene.motions,
            samples=scene.samples,
            exceptions=scene.exceptions.unusual,
            n_exceptions=scene.exceptions.n_records,
            complaint=scene.complaint,
        )
        verdict, reason = judge(self._evidence)
        return BootResult(
            spec=self._spec,
            verdict=verdict,
            reason=reason,
            proved_mode=proof.proved,
            proof=proof.words,
            guest=guest,
            verdict_s=scene.verdict_s,
            console=str(self._files.console),
            samples=scene.samples,
            exceptions=scene.exceptions.unusual,
            n_exceptions=scene.exceptions.n_records,
            artifacts={
                "folder": str(self._files.console.parent),
                "console": str(self._files.console),
                "exceptions": str(self._files.interrupts),
            },
        )
