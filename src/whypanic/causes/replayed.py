"""What runs of the suspect code add to the causes.

A mechanism is proven when a CPU model showed the log's values at EL2 and every rival that the text leaves open was
run too and did not. Values that we model ourselves support a cause and never prove it.
"""

from collections.abc import Sequence

from whypanic.causes.case import CaseView
from whypanic.causes.el2 import function_of_pc, line_against_opening, link_address, location_of_pc
from whypanic.causes.engine import Assessment, rank_key, verdict_of
from whypanic.causes.image import used_image
from whypanic.code.hyp_idmap import IdmapDistance
from whypanic.code.hyp_mode import HypMode, has_virt_host_extension
from whypanic.model.claims import Claim, Sense, Strength, Verdict
from whypanic.model.code import Listing
from whypanic.model.context import CpuFeatures
from whypanic.model.experiments import ReplayResult
from whypanic.model.hyp import HypPanic, IdmapPage
from whypanic.model.provenance import Origin

_PREFIX = "__kvm_nvhe_"
_HYP_TEXT_BYTES = 1 << 18
"""The hyp text follows its idmap page; nothing that far behind it is hyp text (a generous bound, from memory)."""
_OPEN = (Verdict.PROVEN, Verdict.SUPPORTED, Verdict.POSSIBLE)


def add_replays(assessments: Sequence[Assessment], case: CaseView) -> tuple[Assessment, ...]:
    """Return the assessments with what the case's replays show, ranked anew."""
    results = case.all(ReplayResult)
    if not results:
        return tuple(assessments)
    found = [_with_results(a, case, assessments) for a in assessments]
    return tuple(sorted(found, key=rank_key))


def _with_results(own: Assessment, case: CaseView, assessments: Sequence[Assessment]) -> Assessment:
    results = case.all(ReplayResult)
    mine = [r for r in results if r.cause == own.id]
    if not mine:
        return own
    claims = list(own.claims)
    best = next((r for r in mine if r.reproduced and not r.modelled), None)
    best = best or next((r for r in mine if r.reproduced), None)
    if own.verdict is Verdict.REFUTED:
        claims.extend(
            Claim(sense=Sense.REFUTES, text=r.sentence, facts=(r,)) for r in mine if r.differs
        )
        return own._replace(claims=tuple(claims))
    if best is None:
        return own
    others = tuple(r for r in results if r is not best and not r.reproduced and r.cause)
    claims.append(
        Claim(
            sense=Sense.SUPPORTS,
            text=best.sentence,
            facts=(best, *others),
            strength=_strength(own, best, case, assessments),
        )
    )
    return own._replace(claims=tuple(claims), verdict=verdict_of(claims))


def _strength(
    own: Assessment, best: ReplayResult, case: CaseView, assessments: Sequence[Assessment]
) -> Strength:
    """Return how far a reproduction carries.

    The load address is solved from PC: unless the text itself names the function of PC, any function with a branch of
    this kind would fit as well.
    """
    results = case.all(ReplayResult)
    rivals = {a.id for a in assessments if a.id not in (own.id, "unknown") and a.verdict in _OPEN}
    settled = rivals <= {r.cause for r in results if r.differs and not r.modelled}
    alone = not any(r.reproduced for r in results if r.cause not in (own.id, ""))
    if best.modelled or not settled or not alone or not _is_nvhe(case):
        return Strength.DISCRIMINATING
    if not _is_the_code(best.function, case) or not _is_where_hyp_text_lies(case):
        return Strength.DISCRIMINATING
    return Strength.EXECUTED


def _is_nvhe(case: CaseView) -> bool:
    """Return whether the text says that EL2 ran without VHE, as in every replay, and nothing in it denies that."""
    mode, features = case.get(HypMode), case.get(CpuFeatures)
    release = case.kernel.release if case.kernel else None
    if features is not None and has_virt_host_extension(features, release):
        return False
    return mode is not None and mode.mode != "vhe"


def _is_where_hyp_text_lies(case: CaseView) -> bool:
    """Return whether nothing in the text puts PC elsewhere than behind the start of a function of the hyp text."""
    line = line_against_opening(case)
    if line is not None and line.at_start is True:
        return False
    distance = case.get(IdmapDistance)
    if case.get(IdmapPage) is None:
        return True
    return distance is not None and distance.distance < _HYP_TEXT_BYTES


def _is_the_code(function: str, case: CaseView) -> bool:
    """Return whether the text says that PC lies in a function, and shows one version of its code.

    With KASLR an image knows PC by its link address only; asked for the address that ran it names another function.
    """
    bare = function.removeprefix(_PREFIX)
    if (function_of_pc(case) or "").removeprefix(_PREFIX) != bare:
        return False
    panic, location = case.get(HypPanic), location_of_pc(case)
    asked = None if location is None else location.address
    if (
        panic is not None
        and panic.pc is not None
        and asked not in (None, link_address(case, panic.pc))
    ):
        return False
    own = [x for x in case.all(Listing) if (x.function or "").removeprefix(_PREFIX) == bare]
    if any(x is not None and x.source.origin is Origin.IMAGE for x in (location, *own)):
        identity = used_image(case)
        if identity is None or not identity.certain:
            return False
    shown: dict[int, int] = {}
    words = [(line.address, line.word) for x in own for line in x.lines if line.word is not None]
    return all(shown.setdefault(address, word) == word for address, word in words)
