"""Boots as the lab would report them, and what stands in for booting."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from whypanic.model.lab import (
    BootResult,
    BootSpec,
    CpuSample,
    ExceptionRecord,
    GuestResult,
    LabVerdict,
)

BANNER = (
    "Linux version 6.1.7 (me@here) (aarch64-linux-gnu-gcc 12.2.0, GNU ld 2.40) #1 SMP Sat Jan  1\n"
)
OOPS = """\
Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
Mem abort info:
  ESR = 0x0000000096000005
  EC = 0x25: DABT (current EL), IL = 32 bits
Internal error: Oops: 0000000096000005 [#1] PREEMPT SMP
CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.7 #1
pc : probe_quux+0x24/0x90
lr : init_quux+0x10/0x40
Call trace:
 probe_quux+0x24/0x90
 init_quux+0x10/0x40
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b
"""
OWN_FAULT = ExceptionRecord(
    kind="Data Abort",
    from_el=2,
    to_el=2,
    esr=0x96000004,
    far=0xFFFF800009A51000,
    elr=0x40451790,
    symbol="__kvm_nvhe___do_hyp_init+0x10",
)
Booter = Callable[..., BootResult]


def boot_result(verdict: LabVerdict = LabVerdict.OK, **fields: Any) -> BootResult:
    """Return a boot in mode nvhe; `mode` and any field of the result may be given."""
    mode = fields.pop("mode", "nvhe")
    spec = BootSpec(image="Image", initramfs="initramfs.cpio", mode=mode)
    given: dict[str, Any] = {"reason": "", "proved_mode": None, "spec": spec, **fields}
    return BootResult(verdict=verdict, **given)


def stuck(symbol: str, *, el: int = 2, pc: int = 0x40451784, **fields: Any) -> CpuSample:
    """Return a CPU that stands still."""
    given: dict[str, Any] = {"pa": pc, "motion": "stands still", **fields}
    return CpuSample(cpu=0, pc=pc, el=el, symbol=symbol, **given)


def fake_booter(results: dict[str, BootResult], consoles: dict[str, str] | None = None) -> Booter:
    """Return what stands in for `boot`: it answers by mode, and writes that mode's console."""

    def boot(spec: BootSpec, **_: Any) -> BootResult:
        assert spec.keep is not None
        folder = Path(spec.keep)
        folder.mkdir(parents=True, exist_ok=True)
        console = folder / "console.log"
        console.write_text((consoles or {}).get(spec.mode, BANNER))
        artifacts = {"folder": str(folder), "console": str(console)}
        found = results.get(spec.mode) or boot_result(
            LabVerdict.NOT_APPLICABLE, reason="this kernel cannot"
        )
        return replace(found, spec=spec, console=str(console), artifacts=artifacts)

    return boot


FINE = boot_result(
    proved_mode=True,
    proof="[    0.4] kvm [1]: Hyp mode initialized successfully",
    guest=GuestResult(passed=7, failed=0, skipped=0),
    seconds=1.25,
)
