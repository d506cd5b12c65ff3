"""What an audit's findings say about what was planted: found, missed, and false."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from builders.planter import RULES, Plant
from builders.planting.compiled import Compiled
from builders.planting.small import SmallPlant
from whypanic.audit.engine import Broken, find
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.audit import Finding, Level

_CERTAIN = ("hyp",)
"""Where nothing but an error will do; elsewhere some of it depends on when the code runs."""
NUMBERS = {name: number for number, name in RULES.items()}
Spans = tuple[tuple[int, int], ...]


class Missed(NamedTuple):
    rule: str
    text: str


class Score(NamedTuple):
    """Of one image."""

    found: tuple[str, ...]
    """Rules of the defects that a finding names."""
    missed: tuple[Missed, ...]
    false: tuple[Finding, ...]
    """Errors and warnings that nothing planted asks for or explains."""
    broken: tuple[Broken, ...]
    n_decoys: int = 0

    def describe_missed(self) -> Iterator[str]:
        yield from (f"{m.rule} {m.text}" for m in self.missed)


def findings_of(path: Path) -> tuple[tuple[Finding, ...], tuple[Broken, ...]]:
    return find(AuditView(open_image(path)))


def score(
    path: Path, plants: Sequence[Plant | SmallPlant], known: Iterable[tuple[str, int]] = ()
) -> Score:
    """Return how the findings of an image agree with what is in it.

    :param known: rule and place of what the clean image has as well.
    """
    image = open_image(path)
    findings, broken = find(AuditView(image))
    passed = set(known)
    found: list[str] = []
    missed: list[Missed] = []
    explained: set[int] = set()
    for plant in plants:
        own = {plant.rule, *plant.instead}
        spans = _spans(plant, image)
        about = [n for n, f in enumerate(findings) if _about(f, spans)]
        explained.update(n for n in about if NUMBERS.get(findings[n].rule) in own | plant.also)
        if isinstance(plant, Plant):
            explained.update(n for n, f in enumerate(findings) if _inside(plant.fallout, f.place))
        if plant.rule is None:
            continue
        named = [findings[n] for n in about if NUMBERS.get(findings[n].rule) in own]
        if any(f.level is Level.ERROR or f.domain not in _CERTAIN for f in named):
            found.append(plant.rule)
        else:
            missed.append(Missed(plant.rule, _described(plant)))
    false = [
        f
        for n, f in enumerate(findings)
        if n not in explained and f.level is not Level.NOTE and (f.rule, f.place) not in passed
    ]
    n_decoys = sum(p.rule is None for p in plants)
    return Score(tuple(found), tuple(missed), tuple(false), broken, n_decoys)


def score_object(path: Path, section: str, *, orphan: bool) -> Score:
    """Return whether a section more than hyp code may have is found, and no other."""
    findings, broken = findings_of(path)
    named = [f for f in findings if NUMBERS.get(f.rule) == "R30" and section in f.title]
    false = tuple(f for f in findings if f not in named or not orphan)
    if not orphan:
        return Score((), (), false, broken, 1)
    missed = () if named else (Missed("R30", f"section {section}"),)
    return Score(("R30",) if named else (), missed, false, broken)


def score_compiled(compiled: Compiled) -> Score:
    """Return how the findings of compiled C agree with objdump, function by function."""
    image = open_image(compiled.path)
    findings, broken = find(AuditView(image))
    places: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        symbol = image.symbol_at(finding.place)
        key = (symbol.name if symbol else "", NUMBERS.get(finding.rule, finding.rule))
        places.setdefault(key, []).append(finding)
    found, missed, explained = [], [], set(compiled.also)
    for function, rule in sorted(compiled.expected):
        keys = {(function, r) for r in (rule, *_INSTEAD.get(rule, ()))}
        explained |= keys
        if any(key in places for key in keys):
            found.append(rule)
        else:
            missed.append(Missed(rule, f"in {function}"))
    false = tuple(
        f
        for key, those in places.items()
        if key not in explained
        for f in those
        if f.level is not Level.NOTE
    )
    return Score(tuple(found), tuple(missed), false, broken)


_INSTEAD = {"R01": ("R06", "R07"), "R02": ("R01", "R06", "R07")}
"""With -mcmodel=large the table is not reached: its own address is absolute."""


def _described(plant: Plant | SmallPlant) -> str:
    where = plant.function if isinstance(plant, Plant) else plant.symbols[0]
    return f"{plant.kind} ({plant.detail}) in {where}: {'; '.join(plant.text)}"


def _inside(spans: Spans, address: int) -> bool:
    return any(first <= address < end for first, end in spans)


def _about(finding: Finding, spans: Spans) -> bool:
    """Tell whether a finding, the way to it or what it names as evidence, is at a plant."""
    named = (e.address for e in finding.evidence if e.address is not None)
    return any(_inside(spans, a) for a in (finding.place, *finding.slice, *named))


def _spans(plant: Plant | SmallPlant, image: KernelImage) -> Spans:
    if isinstance(plant, Plant):
        return plant.spans
    symbols = [s for name in plant.symbols for s in image.symbols.find(name)]
    return tuple((s.address, s.address + s.size) for s in symbols)


class Tally:
    """Sums of scores, by rule."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.false: Counter[str] = Counter()
        self.n_decoys = 0

    def add(self, score: Score) -> None:
        self.found.update(score.found)
        self.missed.update(m.rule for m in score.missed)
        self.false.update(NUMBERS.get(f.rule, f.rule) for f in score.false)
        self.n_decoys += score.n_decoys

    @property
    def n_planted(self) -> int:
        return self.found.total() + self.missed.total()

    def lines(self) -> Iterator[str]:
        """Yield one line a rule: planted, found, recall, false findings, precision."""
        yield f"{'rule':36} {'planted':>8} {'found':>6} {'recall':>8} {'false':>6} {'precision':>10}"
        for rule in sorted({*self.found, *self.missed, *self.false}):
            found, missed, false = self.found[rule], self.missed[rule], self.false[rule]
            recall = f"{found / (found + missed):8.1%}" if found + missed else f"{'-':>8}"
            precision = f"{found / (found + false):10.1%}" if found + false else f"{'-':>10}"
            name = f"{rule} {RULES.get(rule, '')}"
            yield f"{name:36} {found + missed:8} {found:6} {recall} {false:6} {precision}"
