"""What a machine that failed to boot still knows: registers, the kernel's own log, the calls on its stack.

Every part is tried by itself. One that fails leaves a note, and the others go on.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from whypanic.host.clock import Deadline
from whypanic.host.machine import Machine
from whypanic.host.scratch import copy_sparse, has_room, scratch_folder
from whypanic.host.unix_socket import connect
from whypanic.lab.console import MAX_BYTES as MAX_CONSOLE_BYTES
from whypanic.lab.gdb_registers import CpuRegisters, read_cpus
from whypanic.lab.gdb_stub import GdbStub
from whypanic.lab.kernel_memory import KernelMemory, memory_of
from whypanic.lab.last_words import last_words
from whypanic.lab.loaded_image import LoadedImage
from whypanic.lab.ram import Ram, mend_dump, open_ram
from whypanic.lab.ring_places import recover_records
from whypanic.lab.stack import call_texts, calls_of
from whypanic.lab.vmcoreinfo import VmcoreInfo, find_vmcoreinfo
from whypanic.model.errors import HostError, InputError
from whypanic.model.lab import BootResult, CpuSample
from whypanic.symbolize.debug_info import Chain, DebugInfo

if TYPE_CHECKING:
    from whypanic.formats.kernel_image import KernelImage

_REGISTERS_S = 2.0
_TOTAL_S = 5.0
"""For all but the dump of RAM: a part that would begin later is left out."""
_MAX_DUMP_BYTES = 2 << 30
_CORE, _DMESG, _INFO = "vmcore", "dmesg", "vmcoreinfo"

OpenInfo = Callable[["KernelImage"], "DebugInfo | None"]


def open_drgn(image: "KernelImage") -> "DebugInfo | None":
    """Return drgn's reading of a vmlinux; None where there is none."""
    from whypanic.symbolize.open_debug_info import open_debug_info

    return open_debug_info(image)


def autopsy(machine: Machine, result: BootResult, *, open_info: OpenInfo = open_drgn) -> BootResult:
    """Return the result with what a machine that stands still knows beside its console.

    Registers of each CPU go to its sample, system registers of the CPU that hangs to `system_registers`. RAM, log and
    VMCOREINFO stay among the artifacts where the boot has a folder to keep things in.

    :param open_info: opens the debug information of a vmlinux.
    """
    return _Autopsy(machine, result, open_info).run()


class _Autopsy:
    """One machine under the knife."""

    def __init__(self, machine: Machine, result: BootResult, open_info: OpenInfo) -> None:
        self._machine = machine
        self._result = result
        self._open_info = open_info
        self._notes = list(result.notes)
        self._cpus: tuple[CpuRegisters, ...] = ()
        self._deadline = Deadline(_TOTAL_S)
        keep = result.spec.keep
        self._keep = None if keep is None else Path(keep).absolute()

    def run(self) -> BootResult:
        """Return the result, with what was found."""
        with self._part("artifacts"):
            self._remove_old()
        with self._part("registers"):
            self._read_registers()
        with self._part("memory"), ExitStack() as stack:
            ram = open_ram(stack.enter_context(self._dump()))
            stack.callback(ram.close)
            self._read_memory(ram)
        return replace(self._result, notes=tuple(self._notes))

    @contextmanager
    def _part(self, what: str) -> Iterator[None]:
        """Have what goes wrong in the block cost that block only."""
        try:
            yield
        except (HostError, InputError) as error:
            self._notes.append(f"{what}: {error.message}")

    def _remove_old(self) -> None:
        """Leave nothing of an earlier boot where things are kept: it would pass for this one's."""
        if self._keep is None:
            return
        for name in (_CORE, _DMESG, _INFO):
            try:
                (self._keep / name).unlink(missing_ok=True)
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                message = f"cannot remove `{self._keep / name}`: {why}"
                raise HostError(message) from error

    def _in_time(self) -> None:
        if not self._deadline.left_s():
            message = f"it took more than {_TOTAL_S:g} s"
            raise HostError(message)

    # Registers.

    def _read_registers(self) -> None:
        with connect(self._machine.gdb_socket(), Deadline(_REGISTERS_S)) as connection:
            self._cpus = read_cpus(GdbStub(connection))
        samples = {sample.cpu: sample for sample in self._result.samples}
        for cpu in self._cpus:
            unseen = CpuSample(cpu=cpu.cpu, pc=cpu.general.get("pc", 0), el=cpu.el)
            registers = {**cpu.general, **cpu.system}
            samples[cpu.cpu] = replace(samples.get(cpu.cpu, unseen), registers=registers)
        in_order = tuple(samples[number] for number in sorted(samples))
        self._result = replace(self._result, samples=in_order)
        subject = self._subject()
        if subject is not None:
            self._result = replace(self._result, system_registers=subject.system)

    def _subject(self) -> CpuRegisters | None:
        """Return the CPU to look at: the first that does something, else the first."""
        busy = {sample.cpu for sample in self._result.samples if not sample.halted}
        chosen = [cpu for cpu in self._cpus if cpu.cpu in busy] or [*self._cpus]
        return chosen[0] if chosen else None

    # Memory.

    @contextmanager
    def _dump(self) -> Iterator[Path]:
        """Yield a dump of RAM that is gone at the end of the block; a copy is kept where things are."""
        n_bytes = self._result.spec.memory_mib << 20
        if n_bytes > _MAX_DUMP_BYTES:
            message = f"{n_bytes >> 20} MiB of RAM are not dumped"
            raise HostError(message)
        with scratch_folder(self._keep) as folder:
            if not has_room(folder, 2 * n_bytes):
                message = f"no room on the disk to dump {n_bytes >> 20} MiB of RAM"
                raise HostError(message)
            core = folder / _CORE
            self._machine.dump_memory(core)
            self._deadline = Deadline(_TOTAL_S)
            mend_dump(core)
            if self._keep is not None:
                with self._part(_CORE):
                    copy_sparse(core, self._keep / _CORE)
                    self._keeps(_CORE)
            yield core

    def _keeps(self, name: str, text: str | None = None) -> None:
        """Add a file of the kept folder to the artifacts, written first where it is a text."""
        if self._keep is None:
            return
        path = self._keep / name
        if text is not None:
            try:
                path.write_text(text, encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                self._notes.append(f"{name}: cannot write `{path}`: {why}")
                return
        self._result = replace(self._result, artifacts={**self._result.artifacts, name: str(path)})

    def _read_memory(self, ram: Ram) -> None:
        cpu, spec = self._subject(), self._result.spec
        if cpu is None:
            message = "without registers no address can be translated"
            raise HostError(message)
        image = LoadedImage(Path(spec.image), Path(spec.vmlinux) if spec.vmlinux else None)
        info = find_vmcoreinfo(ram)
        if info is not None:
            self._keeps(_INFO, info.text)
        swapper_pa = _swapper(image, info)
        memory = memory_of(ram, cpu, swapper_pa=swapper_pa, info=info, page=image.page)
        with self._part("log"):
            self._read_log(ram, memory, image, info)
        with self._part("backtrace"):
            self._read_stack(cpu, memory, image)

    def _read_log(
        self, ram: Ram, memory: KernelMemory, image: LoadedImage, info: VmcoreInfo | None
    ) -> None:
        self._in_time()
        if memory.is_early:
            message = "the kernel has not switched the MMU on yet"
            raise HostError(message)
        found = recover_records(ram, memory.kernel, image, info)
        if found is None:
            message = "no ring buffer of printk is found in RAM"
            raise HostError(message)
        lines = [line for record in found.records for line in record.lines()]
        self._keeps(_DMESG, "".join(f"{line}\n" for line in lines))
        words = last_words(found.records, _read_console(Path(self._result.console)))
        self._result = replace(self._result, last_words="\n".join(words))
        if not lines:
            self._notes.append("log: the ring buffer is empty")

    def _read_stack(self, cpu: CpuRegisters, memory: KernelMemory, image: LoadedImage) -> None:
        self._in_time()
        frames = calls_of(cpu, memory, image.name)
        addresses = [image.link_va(frame.pa) for frame in frames]
        chains: dict[int, Chain] = {}
        info, why_not = self._debug_info(image)
        if info is not None:
            wanted = [address for address in addresses if address is not None]
            chains = dict(zip(wanted, info.locate(wanted), strict=True))
        if why_not:
            self._notes.append(f"backtrace: without lines: {why_not}")
        found = [() if address is None else chains.get(address, ()) for address in addresses]
        self._result = replace(self._result, backtrace=call_texts(frames, found))

    def _debug_info(self, image: LoadedImage) -> "tuple[DebugInfo | None, str]":
        """Return what knows functions and lines, or why there is nothing."""
        symbols = image.symbols
        if symbols is None or not symbols.has_debug_info:
            return None, "no vmlinux with debug information"
        info = self._open_info(symbols)
        if info is None:
            return None, "drgn is not installed, or cannot read this vmlinux"
        return info, ""


def _swapper(image: LoadedImage, info: VmcoreInfo | None) -> int | None:
    """Return the physical address of the kernel's own page tables, by symbols or VMCOREINFO."""
    pa = image.pa_of("swapper_pg_dir")
    if pa is not None or info is None:
        return pa
    va, offset = info.symbol("swapper_pg_dir"), info.number("kimage_voffset")
    return None if va is None or offset is None else va - offset & (1 << 64) - 1


def _read_console(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_CONSOLE_BYTES).decode(errors="backslashreplace")
    except OSError:
        return ""
