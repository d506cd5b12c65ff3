"""What watchdogs, RCU, the hung-task detector, the workqueue watchdog and the OOM killer printed."""

from whypanic.model.provenance import Fact


class StalledCpu(Fact, frozen=True, kw_only=True):
    """One CPU that RCU waits for: `1-...!: (10 ticks this GP) idle=9f9/1/0x4.. softirq=1/2 fqs=0`."""

    cpu: int
    flags: str = ""
    """The letters behind the number: `O` offline, `!` the grace-period kthread ran not, digits: need of a QS."""
    ticks: int | None = None
    """Scheduling-clock ticks that the CPU took in this grace period."""
    behind: int | None = None
    """Grace periods by which it is behind."""
    idle: str | None = None
    """`idle=` as printed: dyntick counter, nesting, NMI nesting."""
    softirq: tuple[int, int] | None = None
    """RCU softirq handlers at the start of the grace period and now."""
    fqs: int | None = None
    """Times that the grace-period kthread looked for idle CPUs."""


class StallLength(Fact, frozen=True, kw_only=True):
    """`(t=21003 jiffies g=1 q=2)` or `(detected by 3, t=...)`."""

    jiffies: int
    detected_by: int | None = None


class StalledTasks(Fact, frozen=True, kw_only=True):
    """`Tasks blocked on level-0 rcu_node (CPUs 0-7): P12 P34/1:b..l`: preempted readers."""

    pids: tuple[int, ...]


class StarvedKthread(Fact, frozen=True, kw_only=True):
    """`rcu_preempt kthread starved for N jiffies!`, or its timer wakeup did not happen."""

    name: str
    jiffies: int
    state: str = ""
    """What it waited in, e.g. RCU_GP_WAIT_FQS."""
    cpu: int | None = None
    timer: bool = False


class CpuLoad(Fact, frozen=True, kw_only=True):
    """How a CPU spent the time it was stuck: percent (soft lockup), numbers or milliseconds (RCU stall)."""

    unit: str
    """percent | number | ms"""
    hardirq: int
    softirq: int
    system: int
    """For `number`: context switches."""
    idle: int | None = None
    total: int | None = None
    """Milliseconds in which that was counted."""


class InterruptTime(Fact, frozen=True, kw_only=True):
    """`CPU#N Detect HardIRQ Time exceeds 50%`."""

    cpu: int
    percent: int


class BusyInterrupt(Fact, frozen=True, kw_only=True):
    """One of the most frequent interrupts of a stuck CPU: `#1: 33000  irq#12`."""

    irq: int
    count: int


class CpuDump(Fact, frozen=True, kw_only=True):
    """`NMI backtrace for cpu N`, `Task dump for CPU N:`: whose trace follows."""

    cpu: int


class TaskState(Fact, frozen=True, kw_only=True):
    """`task:comm state:D .. pid:N`: whose trace follows; sched_show_task()."""

    comm: str
    state: str
    """R, S, D, T, t, X, Z, P, I"""
    pid: int | None = None


class WorkerPool(Fact, frozen=True, kw_only=True):
    """A line of `Showing busy workqueues`: what runs, what waits, for how long."""

    hung: int | None = None
    """Seconds."""
    running: tuple[str, ...] = ()
    """Functions of work that was started and has not ended."""
    pending: tuple[str, ...] = ()


class Context(Fact, frozen=True, kw_only=True):
    """In what context a function that may sleep was called; each line of the report holds a part."""

    in_atomic: bool | None = None
    irqs_disabled: bool | None = None
    preempt_count: int | None = None
    expected: int | None = None
    rcu_depth: int | None = None


class OomKill(Fact, frozen=True, kw_only=True):
    """`comm invoked oom-killer: gfp_mask=.., order=N`."""

    comm: str
    order: int | None = None
    mask: str = ""


class OomVictim(Fact, frozen=True, kw_only=True):
    """`Out of memory: Killed process N (comm)`."""

    pid: int
    comm: str
    anon_kib: int | None = None


class RootDevice(Fact, frozen=True, kw_only=True):
    """`VFS: Cannot open root device "X" or unknown-block(0,0): error -6`."""

    device: str
    block: str
    error: int | None = None
