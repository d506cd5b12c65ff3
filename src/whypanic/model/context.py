"""The machine and the kernel around a crash: boot lines, identity lines, endings."""

import re

from whypanic.model.provenance import Fact

_RELEASE = re.compile(r"(\d+)\.(\d+)")


class KernelVersion(Fact, frozen=True, kw_only=True):
    """A kernel release: from the `Linux version` banner or from the `CPU: .. Comm:` line."""

    release: str
    """e.g. 4.14.0-rc7-dirty"""
    compiler: str | None = None
    """The compiler's own words from the banner."""
    build: str | None = None
    """`#3 SMP ...`"""
    banner: bool = False

    @property
    def number(self) -> tuple[int, int] | None:
        """(major, minor), or None where the release does not begin with them."""
        match = _RELEASE.match(self.release)
        return (int(match[1]), int(match[2])) if match else None


class Task(Fact, frozen=True, kw_only=True):
    """`CPU: N UID: N PID: N Comm: name`: what ran."""

    cpu: int | None
    pid: int | None
    comm: str | None
    uid: int | None = None
    kdump: bool = False


class Taint(Fact, frozen=True, kw_only=True):
    """Taint letters, in the order of printing; () is `Not tainted`."""

    letters: tuple[str, ...]


class Hardware(Fact, frozen=True, kw_only=True):
    """`Hardware name:` or `Machine model:`."""

    name: str
    boot: bool = False


class Workqueue(Fact, frozen=True, kw_only=True):
    name: str
    function: str | None


class Modules(Fact, frozen=True, kw_only=True):
    """`Modules linked in:`; flags such as (O) are kept in `names` as printed."""

    names: tuple[str, ...]
    last_unloaded: str | None = None
    complete: bool = True


class KernelOffset(Fact, frozen=True, kw_only=True):
    """`Kernel Offset: 0x.. from 0x..` | `disabled`."""

    enabled: bool
    offset: int | None = None
    base: int | None = None

    @property
    def slide(self) -> int:
        """How far the kernel ran above its link address."""
        return (self.offset or 0) if self.enabled else 0


class PhysOffset(Fact, frozen=True, kw_only=True):
    pa: int


class CpuFeatures(Fact, frozen=True, kw_only=True):
    """The capability bitmap of the panic ending, e.g. 0x002086 or 0x0,00000001,70028143."""

    raw: str
    bitmap: int
    n_groups: int


class DetectedFeature(Fact, frozen=True, kw_only=True):
    """`CPU features: detected: X`, `enabling workaround for ...`."""

    name: str


class BootCpu(Fact, frozen=True, kw_only=True):
    """`Booting Linux on physical CPU 0x.. [0xMIDR]` or `Boot CPU: AArch64 Processor [MIDR]`."""

    midr: int | None
    mpidr: int | None = None


class StartedAtEl(Fact, frozen=True, kw_only=True):
    """`CPU: All CPU(s) started at EL2`."""

    el: int


class MemoryRange(Fact, frozen=True, kw_only=True):
    """A line of `Virtual kernel memory layout:`; `last` is exclusive as printed."""

    name: str
    first: int
    last: int


class CommandLine(Fact, frozen=True, kw_only=True):
    text: str


class Compiler(Fact, frozen=True, kw_only=True):
    """A toolchain that the writer's own words or a listing tie to the crashed kernel."""

    words: str


class BuildId(Fact, frozen=True, kw_only=True):
    hex: str
