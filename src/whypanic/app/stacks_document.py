"""Stacks beside that of the fault, for the document: who allocated, freed or queued, other tasks and CPUs."""

from itertools import groupby

from whypanic.app.frames_document import frame_of, is_reporting, locations_of
from whypanic.causes.case import CaseView
from whypanic.model.trace import Frame, TraceRole
from whypanic.report.document import DocStack
from whypanic.symbolize.lookups import lookups

MAX_STACKS = 64


def stacks_of(case: CaseView) -> list[DocStack]:
    """Return the stacks that have a line above them which says whose they are, in order of appearance."""
    others = [f for f in case.all(Frame) if f.role is TraceRole.OTHER and f.label]
    stacks = []
    places = locations_of(case)
    for _, group in groupby(others, key=lambda frame: frame.trace):
        frames = list(group)
        ways = lookups(
            frames,
            release=case.kernel.release if case.kernel else None,
            hyp_panic=case.at_el2,
        )
        stacks.append(
            DocStack(
                label=frames[0].label,
                frames=[
                    frame_of(f, _role(f), way, places.get(id(f)))
                    for f, way in zip(frames, ways, strict=True)
                ],
            )
        )
    return stacks[:MAX_STACKS]


def _role(frame: Frame) -> str:
    if frame.unreliable or "U" in frame.suffix:
        return "unreliable"
    return "reporting" if is_reporting(frame) else "call"
