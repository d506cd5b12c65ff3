"""Cells of the lab: what is built and booted, and what came of it. Everything in it can be written as JSON."""

from enum import StrEnum

from msgspec import Struct


class LabVerdict(StrEnum):
    """What became of one cell."""

    OK = "ok"
    KVM_FAIL = "kvm-fail"
    """The kernel booted in the asked mode, and the guest exerciser failed."""
    PANIC = "panic"
    HYP_PANIC = "hyp-panic"
    OOPS = "oops"
    WARNING = "warning"
    STALL = "stall"
    """Lockup or RCU stall reported by the kernel."""
    SILENT_HANG = "silent-hang"
    """No output, and the CPUs stand still or run in a small loop."""
    EXCEPTION_STORM = "exception-storm"
    RESET_LOOP = "reset-loop"
    WRONG_MODE = "wrong-mode"
    """It booted, and not in the mode that was asked for."""
    NO_EARLY_OUTPUT = "no-early-output"
    SLOW = "slow"
    """The deadline passed, and it does not hang as far as was seen."""
    BUILD_FAILED = "build-failed"
    NOT_APPLICABLE = "not-applicable"
    INFRASTRUCTURE = "infrastructure"
    """QEMU or this machine failed, not the kernel."""


class Toolchain(Struct, frozen=True, kw_only=True):
    """One compiler with its linker, as make is told of it."""

    id: str
    """`gcc-12`, `clang-19`, or a path for an unpacked one."""
    family: str
    """gcc, clang."""
    version: str
    """As the compiler says it: 12.2.0."""
    compiler: str
    """Program or path."""
    compiler_text: str
    """First line of `--version`."""
    linker: str
    linker_text: str
    make_variables: tuple[tuple[str, str], ...]
    """`LLVM=-19`, `CROSS_COMPILE=aarch64-linux-gnu-`, ... in the order of the command line."""
    lto: tuple[str, ...] = ("none",)
    """none, thin, full: what it can do with its linker."""
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Programs without which it cannot build."""


class BuildSpec(Struct, frozen=True, kw_only=True):
    """What to build."""

    tree: str
    """Folder of the kernel source."""
    toolchain: str
    lto: str = "none"
    config: str = "virt-min"
    """virt-min, defconfig, another target of make, or a file."""
    fragments: tuple[str, ...] = ()
    """Files, or single lines `CONFIG_X=y`."""
    targets: tuple[str, ...] = ("Image", "modules")


class OptionCheck(Struct, frozen=True, kw_only=True):
    """One requested option held against the final .config."""

    name: str
    """`CONFIG_LTO_CLANG_THIN`."""
    wanted: str
    """y, m, n or a value."""
    got: str
    because: str = ""
    """Which dependency refused it, where that can be told."""

    @property
    def kept(self) -> bool:
        return self.wanted == self.got


class Diagnostic(Struct, frozen=True, kw_only=True):
    """One message of a compiler, assembler or linker."""

    level: str
    """error, warning, note."""
    text: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    target: str | None = None
    """The object that make was building."""


class BuildResult(Struct, frozen=True, kw_only=True):
    spec: BuildSpec
    ok: bool
    reason: str = ""
    """Why not, in one line: the first error and its file."""
    folder: str
    """Where Image, vmlinux, .config and build.json are kept; the key of the cache is its name."""
    image: str | None = None
    vmlinux: str | None = None
    kvm_nvhe: str | None = None
    """kvm_nvhe.o, for the audit."""
    image_hash: str | None = None
    """sha256 of Image."""
    compiler: str | None = None
    """Read back from the image's own banner."""
    linker: str | None = None
    options: tuple[OptionCheck, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    seconds: float = 0.0
    cached: bool = False
    log: str | None = None
    """Path of make's output."""


class Mode(Struct, frozen=True, kw_only=True):
    """One row of the table of modes: how QEMU and the kernel are told to boot so."""

    id: str
    """el1, nvhe, vhe, nvhe-on-vhe, hvhe, protected, kvm-off."""
    title: str
    machine: str
    """Of -M."""
    cpu: str
    append: str = ""
    proofs: tuple[str, ...] = ()
    """Texts, one of which the console must hold to prove the mode; of the first era that fits."""
    denied: tuple[str, ...] = ()
    """Texts that prove another mode."""
    kvm: bool = True
    """/dev/kvm is there: the exerciser runs guests."""
    cpus: tuple[str, ...] = ()
    """Every CPU model it is booted on, the preferred first: the first that has the image's page size is taken."""
    vhe: bool | None = None
    """Whether the CPU must have VHE; None: it does not matter."""
    image_texts: tuple[str, ...] = ()
    """Texts, one of which a kernel that can boot so holds."""
    absent: str = ""
    """What an image without them lacks: the reason why it is not applicable."""


class BootSpec(Struct, frozen=True, kw_only=True):
    """One boot; with the files it names it can be repeated elsewhere."""

    image: str
    initramfs: str
    mode: str
    vmlinux: str | None = None
    kaslr: str = "on"
    """on, off, or a seed: a decimal number."""
    page: str = "4k"
    n_cpus: int = 1
    memory_mib: int = 256
    deterministic: bool = False
    deadline_s: float = 60.0
    append: str = ""
    keep: str | None = None
    """Folder for console, QEMU's log, RAM dump; None: a new one among the temporary ones, the caller's to remove."""
    cpu: str | None = None
    """CPU model; None: the mode's first that has the page size."""


class GuestResult(Struct, frozen=True, kw_only=True):
    """What the exerciser in the initramfs reported, in KTAP."""

    passed: int
    failed: int
    skipped: int
    failures: tuple[str, ...] = ()


class CpuSample(Struct, frozen=True, kw_only=True):
    """Where one CPU was when it was looked at."""

    cpu: int
    pc: int
    el: int | None
    pstate: int | None = None
    symbol: str | None = None
    halted: bool = False
    """It waits for an interrupt, or is not switched on."""
    pa: int | None = None
    """Physical address of the PC; None where the CPU cannot translate it."""
    registers: dict[str, int] = {}
    """x0 to x30, sp, pc, cpsr, ESR_EL2, ... of the stopped CPU, through the gdb stub; its PC may be a later one than
    `pc`."""
    motion: str = ""
    """stands still, goes round in a small loop, waits for an interrupt, runs; empty: looked at once only."""


class ExceptionRecord(Struct, frozen=True, kw_only=True):
    """One exception in QEMU's log of interrupts."""

    kind: str
    """`Data Abort`, `Hypervisor Call`, ..."""
    from_el: int
    to_el: int
    esr: int | None = None
    far: int | None = None
    elr: int | None = None
    cpu: int = 0
    symbol: str | None = None
    """Where ELR points, if the CPU could still translate it."""


class BootResult(Struct, frozen=True, kw_only=True):
    spec: BootSpec
    verdict: LabVerdict
    reason: str
    """One line: the proof, or what went wrong."""
    proved_mode: bool | None
    """None: nothing on the console tells."""
    proof: str = ""
    """The console's words that prove or deny the mode."""
    guest: GuestResult | None = None
    seconds: float = 0.0
    verdict_s: float | None = None
    """From the deciding text, or from the last output, to the verdict."""
    console: str = ""
    """Path of what the serial line printed."""
    samples: tuple[CpuSample, ...] = ()
    exceptions: tuple[ExceptionRecord, ...] = ()
    """The first and the last unusual ones of a boot that failed."""
    n_exceptions: int = 0
    system_registers: dict[str, int] = {}
    """`ESR_EL2` ... of the CPU that hangs, read through the gdb stub."""
    last_words: str = ""
    """Lines of the kernel's ring buffer that never reached the console."""
    backtrace: tuple[str, ...] = ()
    artifacts: dict[str, str] = {}
    """Name -> path."""
    argv: tuple[str, ...] = ()
    """The QEMU command that repeats it."""
    notes: tuple[str, ...] = ()
    """What could not be found out, and why: one lower-case clause each."""
