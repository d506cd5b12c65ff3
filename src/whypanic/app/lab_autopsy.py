"""What is looked at in a machine that failed, as long as it stands still: between lab/boot.py and the autopsy."""

from msgspec.structs import replace

from whypanic.app.lab_kernel import BootedKernel
from whypanic.host.machine import Machine
from whypanic.lab.boot import Autopsy
from whypanic.model.lab import BootResult


def autopsy_of(kernel: BootedKernel) -> Autopsy:
    """Return what `boot` calls for every verdict but `ok`.

    It sees a vmlinux only if that is the Image's: what was named may be another kernel's, which is found out here, for
    a boot that succeeds does not need it.
    """

    def look(machine: Machine, result: BootResult) -> BootResult:
        from whypanic.lab.autopsy import autopsy

        vmlinux = None if kernel.vmlinux is None else str(kernel.vmlinux)
        spec = replace(result.spec, vmlinux=vmlinux)
        return replace(autopsy(machine, replace(result, spec=spec)), spec=result.spec)

    return look
