"""Boot found no program to run as init.

Stated by: `No working init found.`, `Requested init ... failed`.
Refuted by: a boot that got less far, or further.
Sources: Linux 6.12.117 init/main.c (kernel_init()).
"""

import re

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.endings import Ending, ending_of, errno_words, panic_words
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated
from whypanic.model.fault import Detail
from whypanic.model.kinds import Kind

_ERROR = r"\(error (-?\d{1,5})\)"
_NOEXEC = -8


@cause(
    id="no-init",
    title="boot found no init to run",
    kinds=frozenset({Kind.PANIC}),
    specificity=6,
)
def no_init(case: CaseView) -> Statements:
    """Yield the words of kernel_init(), and the errors of what it tried."""
    said = panic_words(case)
    if said is None:
        return
    message, fact = said
    ending = ending_of(message)
    if ending is Ending.NO_ROOT:
        yield refutes("boot did not get as far as init", fact)
    elif ending is Ending.INIT_DIED:
        yield refutes("a program ran as PID 1", fact)
    if ending is not Ending.NO_INIT:
        return
    yield stated(f"the kernel says so: {message}", fact)
    tried = (d for d in case.all(Detail) if d.name == "root" and "error" in d.value)
    for place in (fact, *tried):
        match = re.search(_ERROR, place.statement)
        if match is not None:
            error = int(match[1])
            why = ": a program of another architecture" if error == _NOEXEC else ""
            yield consistent(f"running it failed with {errno_words(error)}{why}", place)
    yield NextStep(
        text="check that the root file system has /sbin/init for this architecture, with its interpreter and libraries"
    )
