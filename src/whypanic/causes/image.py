"""What the rules share of an image: whether it may be believed, and how far what is read off it carries."""

from whypanic.causes.case import CaseView
from whypanic.model.claims import Claim, Sense, Strength
from whypanic.model.image import (
    AccessReading,
    CodeComparison,
    ExecutionDomain,
    ImageIdentity,
    Match,
    PcLocation,
    WordState,
)
from whypanic.model.provenance import Derived, Fact, Origin


def used_image(case: CaseView) -> ImageIdentity | None:
    """Return the image whose words count; None where there is none or it is another kernel's."""
    identity = next((i for i in case.all(ImageIdentity) if i.holds_pc), None)
    return identity if identity is not None and identity.is_used else None


def from_image(case: CaseView, text: str, *facts: Fact, proves: bool = False) -> Claim:
    """Return a claim for a cause that was read off the image.

    :param proves: it explains every value of the report: proven if the image is certainly the crashed kernel's.
    """
    identity = used_image(case)
    strength = Strength.CONSISTENT
    if identity is not None and identity.match is not Match.MISMATCH:
        strength = Strength.READ if proves and identity.certain else Strength.DISCRIMINATING
    known = facts if identity is None else (*facts, identity)
    return Claim(sense=Sense.SUPPORTS, text=text, facts=known, strength=strength)


def against_by_image(case: CaseView, text: str, *facts: Fact) -> Claim | None:
    """Return a refutation that was read off the image; None where the image is not known to be the crashed kernel's."""
    identity = used_image(case)
    if identity is None or not image_matches(case):
        return None
    return Claim(sense=Sense.REFUTES, text=text, facts=(*facts, identity))


def image_matches(case: CaseView) -> bool:
    """Tell whether the image of PC is the crashed kernel's, as far as was compared."""
    identity = used_image(case)
    return identity is not None and identity.match is Match.MATCHES


def rests_on_unknown_image(case: CaseView, claim: Claim) -> bool:
    """Tell whether a claim refutes by an image that is not known to be the crashed kernel's: it refutes nothing."""
    if claim.sense is not Sense.REFUTES or case.get(ImageIdentity) is None:
        return False
    return not image_matches(case) and any(_is_of_image(fact) for fact in claim.facts)


def _is_of_image(fact: Fact, depth: int = 4) -> bool:
    if fact.source.origin is Origin.IMAGE:
        return True
    because = fact.because if isinstance(fact, Derived) and depth else ()
    return any(_is_of_image(other, depth - 1) for other in because)


def pc_location(case: CaseView) -> PcLocation | None:
    """Return where the image says that PC is."""
    return next((p for p in case.all(PcLocation) if p.register == "pc"), None)


def pc_domain(case: CaseView) -> ExecutionDomain | None:
    """Return the domain of the code at PC."""
    return case.get(ExecutionDomain)


def code_is_as_built(case: CaseView) -> bool | None:
    """Tell whether the words of the `Code:` line are those that the image calls for; None: not compared."""
    compared = case.get(CodeComparison)
    if compared is None or not compared.words:
        return None
    return all(w.state in (WordState.BUILT, WordState.PATCHED) for w in compared.words)


def reading_of(case: CaseView, register: str) -> AccessReading | None:
    """Return the best reading of the faulting access through a base register."""
    return next((r for r in case.all(AccessReading) if r.register == register), None)
