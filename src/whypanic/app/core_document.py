"""Which core the boot CPU is, from its MIDR."""

from whypanic.arch.cores import core_of_midr
from whypanic.arch.midr import decode_midr
from whypanic.causes.case import CaseView
from whypanic.model.context import BootCpu
from whypanic.report.document import DocCore, hexadecimal


def core_of(case: CaseView) -> DocCore | None:
    """Return the core that the boot line names; None where the text has no MIDR."""
    boot = next((cpu for cpu in case.all(BootCpu) if cpu.midr is not None), None)
    if boot is None or boot.midr is None:
        return None
    view = decode_midr(boot.midr)
    return DocCore(
        midr=hexadecimal(boot.midr),
        name=core_of_midr(boot.midr),
        implementer=view.implementer_name,
        revision=view.revision_text,
        note="the boot CPU's; others may be of another type",
    )
