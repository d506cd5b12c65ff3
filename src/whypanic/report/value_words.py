"""Decoded values in words, for a line of text."""

from whypanic.report.document import DocLock, DocReport, DocStall


def stall_words(stall: DocStall) -> str:
    """Return how long a CPU or task made no progress, and what it was busy with."""
    cpus = ", ".join(map(str, stall.cpus))
    load = stall.load
    said = (
        f"CPU {cpus}" if cpus else "",
        f"{stall.task} [{stall.pid}]" if stall.task else "",
        f"{stall.seconds} s" if stall.seconds is not None else "",
        f"{stall.jiffies} jiffies" if stall.jiffies is not None else "",
        f"{stall.ticks} ticks" if stall.ticks is not None else "",
        f"kthread starved for {stall.kthread_starved} jiffies" if stall.kthread_starved else "",
        f"interrupts {load.percent} % of the time" if load and load.percent is not None else "",
        stall.not_stopped or "",
    )
    return ", ".join(words for words in said if words) or "no numbers printed"


def lock_words(lock: DocLock) -> str:
    """Return a lock, who holds it and where it was taken."""
    holder = (
        "" if lock.holder is None else f" by {lock.holder}" + (f" [{lock.pid}]" if lock.pid else "")
    )
    place = "" if lock.place is None else f" in {lock.place}"
    return f"{lock.lock} {lock.state}{holder}{place}"


def syndrome_words(report: DocReport) -> str:
    """Return ESR in words: its class, its fault status and what else is set."""
    syndrome = report.syndrome
    if syndrome is None:
        return ""
    told = [
        f"{f.name} {f.value} {f.meaning}".strip()
        for f in syndrome.fields
        if f.name not in ("EC", "IL", "RES0") and (f.name.endswith("FSC") or f.value != "0x0")
    ]
    return "; ".join([f"EC {syndrome.ec} {syndrome.ec_name}", *told])


def pstate_words(report: DocReport) -> str:
    """Return flags, masks, mode and the other bits that are set."""
    pstate = report.pstate
    if pstate is None:
        return ""
    bits = {f.name: f for f in pstate.fields}
    flags = "".join(
        name if bits[name].value != "0x0" else name.lower() for name in "NZCV" if name in bits
    )
    masks = "".join(
        name if bits[name].value != "0x0" else name.lower() for name in "DAIF" if name in bits
    )
    other = [
        f"{f.name}={f.value}"
        for f in pstate.fields
        if f.name not in {*"NZCV", *"DAIF", "RES0", "M"} and f.value != "0x0" and f.width < 8
    ]
    mode = next((f.meaning for f in pstate.fields if f.name.startswith("M")), "")
    return ", ".join(x for x in (flags, masks, mode, *other) if x)
