"""Boot found no root file system to mount.

Stated by: `VFS: Unable to mount root fs on ...`.
Refuted by: a boot that got as far as init.
Sources: Linux 6.12.117 init/do_mounts.c (mount_root_generic(), mount_nfs_root()).
"""

import re

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.endings import Ending, ending_of, errno_words, panic_words
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated
from whypanic.model.context import CommandLine
from whypanic.model.fault import Detail
from whypanic.model.kinds import Kind
from whypanic.model.progress import RootDevice

_ROOT = r"(?:^|\s)(root=\S{1,200})"
_MEANINGS = {
    -6: "no driver has such a device, or not yet",
    -19: "no such device",
    -2: "no such name",
    -22: "no file system known here fits",
}


@cause(
    id="no-root-filesystem",
    title="boot found no root file system",
    kinds=frozenset({Kind.PANIC}),
    specificity=6,
)
def no_root_filesystem(case: CaseView) -> Statements:
    """Yield the words of the mount, the error before it, and the command line."""
    said = panic_words(case)
    if said is None:
        return
    message, fact = said
    ending = ending_of(message)
    if ending in (Ending.NO_INIT, Ending.INIT_DIED):
        yield refutes("boot got past mounting the root file system", fact)
    if ending is not Ending.NO_ROOT:
        return
    yield stated(f"the kernel says so: {message}", fact)
    if "unknown-block(0,0)" in message:
        yield consistent("block (0,0) is no device at all: the name in root= was not found", fact)
    device = case.get(RootDevice)
    if device is not None and device.error is not None:
        meaning = _MEANINGS.get(device.error)
        words = f": {meaning}" if meaning else ""
        yield consistent(
            f'opening "{device.device}" failed with {errno_words(device.error)}{words}', device
        )
    via = next((d for d in case.all(Detail) if d.name == "root" and " via " in d.value), None)
    if via is not None:
        yield consistent("mounting over the network failed first", via)
    line = case.get(CommandLine)
    root = re.search(_ROOT, line.text) if line is not None else None
    if line is not None and root is not None:
        yield consistent(f"the command line says {root[1]}", line)
    yield NextStep(
        text="check root=, that the driver of that disk or network card is built in or in the initramfs, "
        "and that it probed"
    )
