"""The kernel branched into code that is gone: an unloaded module, or init text after boot.

Supported by: a translation fault at an address of the module area with no symbol, after a module was unloaded.
Refuted by: a permission fault: something is mapped there.
Sources: Linux kernel/module/main.c (free_module, last_unloaded_module), arch/arm64/mm/init.c (free_initmem).
"""

from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.api import cause
from whypanic.causes.branches import bad_fetch, empty_entry, raw_frames, unloaded
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.model.claims import Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind
from whypanic.model.regions import Region

_AREAS = frozenset({Region.MODULE, Region.IMAGE})


@cause(
    id="freed-code",
    title="a branch reached code that was unloaded",
    kinds=FAULT_KINDS - {Kind.HYP_PANIC},
    specificity=7,
)
def freed_code(case: CaseView) -> Statements:
    """Yield what PC, the module list and the frames say."""
    fetch = bad_fetch(case)
    if fetch is None or fetch.nature not in (Nature.MAPPING, Nature.IMAGE):
        return
    modules = unloaded(case)
    if fetch.permission:
        if modules is not None:
            yield refutes("a permission fault: something is mapped at PC", *fetch.facts)
        return
    place = case.classify(fetch.target)
    in_area = place.region in _AREAS or not place.certain
    if modules is not None and in_area:
        yield supports(
            f"{fetch.claim}, and {modules.last_unloaded} was unloaded", *fetch.facts, modules
        )
    elif in_area:
        yield consistent(f"{fetch.claim}, which has no symbol any more", *fetch.facts)
    else:
        return
    if fetch.caller is not None:
        yield consistent(f"the way there led from {fetch.caller_name}", fetch.caller)
    walk = empty_entry(case)
    if walk is not None:
        yield consistent("the walk ends at an empty entry", walk)
    for frame in raw_frames(case)[:2]:
        yield consistent("a frame has no symbol either", frame)
