"""PID 1 exited or was killed.

Stated by: `Attempted to kill init!`.
Refuted by: a boot that did not get as far as init.
Sources: Linux 6.12.117 kernel/exit.c (do_exit(): the exit code is a wait status).
"""

import re

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.endings import Ending, ending_of, exit_code_words, panic_words
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated
from whypanic.model.kinds import Kind

_CODE = r"exit ?code ?=? ?0x([0-9a-f]{1,8})"


@cause(
    id="init-died",
    title="PID 1 ended",
    kinds=frozenset({Kind.PANIC}),
    specificity=6,
)
def init_died(case: CaseView) -> Statements:
    """Yield the words of do_exit() and what the exit code says."""
    said = panic_words(case)
    if said is None:
        return
    message, fact = said
    ending = ending_of(message)
    if ending in (Ending.NO_ROOT, Ending.NO_INIT):
        yield refutes("PID 1 never ran a program", fact)
    if ending is not Ending.INIT_DIED:
        return
    yield stated("the kernel says that PID 1 ended", fact)
    match = re.search(_CODE, message)
    if match is not None:
        code = int(match[1], 16)
        yield consistent(f"exit code {code:#x}: {exit_code_words(code)}", fact)
    yield NextStep(
        text="look above for what init said or for an oops in it; try another init= or a known good root file system"
    )
