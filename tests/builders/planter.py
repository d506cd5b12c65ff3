"""Defects planted in a clean real vmlinux, one of a rule at a time, and legal code that looks like them.

It imports nothing of the code that audits: instructions are assembled and linked by the cross binutils, records,
entries and symbols are read and written here.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from builders.planting import absolute, decoys, edits, escapes, forbidden
from builders.planting.ground import BOUNDS, HYP, NONE, RELATIVE, SYMBOL, Function, Ground
from builders.planting.linking import Made, Piece, link_pieces
from builders.planting.writing import Writer
from builders.planting.yards import Area, Draft, RealYard, Yard, code_piece

RULES = {
    "R01": "absolute-jump-table",
    "R02": "absolute-pointer-table",
    "R03": "uncovered-hyp-relocation",
    "R04": "call-leaves-hyp-text",
    "R05": "reference-leaves-hyp-mapping",
    "R06": "absolute-literal",
    "R07": "absolute-movw",
    "R08": "got-reference",
    "R09": "absolute-veneer",
    "R11": "shadow-call-stack-in-domain",
    "R12": "stack-protector-in-domain",
    "R15": "fp-in-domain",
    "R30": "orphan-hyp-section",
}
"""Number and id of the rules that are planted."""

_OBJECT = 1
Recipe = Callable[[Writer, Yard], Draft]


class Kind(NamedTuple):
    """One way to break a rule."""

    name: str
    rule: str
    recipe: Recipe | None = None
    """A function written anew,"""
    edit: edits.Maker | None = None
    """or words, records or entries that are changed."""
    instead: frozenset[str] = frozenset()
    """Rules of which any one may name it as well as its own."""
    domains: tuple[str, ...] = ()
    """Where else it breaks; the hyp code is always one."""


_COPIED = ("kexec", "hibernate")
_UNMAPPED = ("hyp-idmap", "hyp-stub", *_COPIED)
_LOADED = ("early", "efi-stub")
_ANYWHERE = ("hyp-idmap", "hyp-stub", "idmap", "early", "trampoline")

KINDS = (
    Kind("jump table", "R01", absolute.jump_table, domains=_LOADED),
    Kind("pointer table", "R02", absolute.pointer_table, domains=_LOADED),
    Kind(
        "function table",
        "R02",
        absolute.function_table,
        instead=frozenset({"R01"}),
        domains=_LOADED,
    ),
    Kind("pointer", "R02", absolute.pointer_slot, domains=_LOADED),
    Kind(
        "function pointer",
        "R02",
        absolute.function_slot,
        instead=frozenset({"R01"}),
        domains=_LOADED,
    ),
    Kind("dropped entry", "R03", edit=edits.dropped_entry),
    Kind("unlisted slot", "R03", edit=edits.unlisted_slot),
    Kind("aim outside", "R03", edit=edits.aim_outside),
    Kind("call", "R04", escapes.call, domains=("trampoline", *_COPIED)),
    Kind("call through register", "R04", escapes.call_through_register, instead=frozenset({"R05"})),
    Kind("call led elsewhere", "R04", edit=edits.retargeted_call),
    Kind("conditional branch", "R04", edit=edits.conditional_escape),
    Kind("call in alternative", "R04", edit=edits.call_in_alternative),
    Kind("reference", "R05", escapes.reference),
    Kind("near reference", "R05", escapes.near_reference),
    Kind("reference led elsewhere", "R05", edit=edits.retargeted_reference),
    Kind("literal", "R06", absolute.literal, domains=(*_UNMAPPED, *_LOADED)),
    Kind("immediates", "R07", absolute.moved, domains=(*_UNMAPPED, *_LOADED)),
    Kind("GOT", "R08", absolute.got, domains=(*_UNMAPPED, *_LOADED)),
    Kind("veneer", "R09", absolute.veneer, domains=_LOADED),
    Kind("push and pop", "R11", forbidden.shadow_call_stack, domains=(*_ANYWHERE, "efi-stub")),
    Kind("push for paciasp", "R11", edit=edits.push_in_place),
    Kind("canary", "R12", forbidden.stack_protector, domains=(*_ANYWHERE, *_COPIED, "efi-stub")),
    Kind("FP", "R15", forbidden.floating_point, domains=(*_ANYWHERE, *_COPIED)),
    Kind("FP in place", "R15", edit=edits.fp_in_place),
    Kind("FP in alternative", "R15", edit=edits.fp_in_alternative),
    Kind("misplaced variable", "R30", edit=edits.misplaced_object),
)


class Plant(NamedTuple):
    """What was planted, and where findings about it may stand."""

    number: int
    kind: str
    rule: str | None
    """None: a decoy."""
    instead: frozenset[str]
    also: frozenset[str]
    """Rules that it breaks besides."""
    spans: tuple[tuple[int, int], ...]
    function: str
    detail: str
    text: tuple[str, ...]
    fallout: tuple[tuple[int, int], ...] = ()
    """Code that lost instructions to it: what is found there besides says nothing."""

    def holds(self, address: int) -> bool:
        return any(first <= address < end for first, end in self.spans)


class Planting:
    """Defects and decoys that go into one image together, each in a function of its own."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self.ground = ground
        self.random = Random(seed)
        self.yard = RealYard(ground, self.random)
        self.plants: list[Plant] = []
        self._pieces: list[Piece] = []
        self._edits: list[edits.Edit] = []
        self._taken: set[int] = set()
        self._written: dict[int, Function] = {}

    def add(self, kind: Kind, domain: str = HYP) -> bool:
        """Plant a defect in a function of a domain; tell whether there was room."""
        if kind.recipe is not None:
            recipe = kind.recipe
            return self._add_function(
                kind.name, kind.rule, kind.instead, lambda writer: recipe(writer, self.yard), domain
            )
        assert kind.edit is not None
        edit = kind.edit(self.ground, self.yard, self._taken)
        if edit is None:
            return False
        self._edits.append(edit)
        self._pieces += edit.pieces
        self._taken.update(edit.places, (s for s, _ in edit.slots))
        spans = tuple((p & ~3, p + 4) for p in edit.places)
        spans += tuple((p.address, p.address + p.room_bytes) for p in edit.pieces)
        spans += tuple((s, s + 8) for s, _ in edit.slots)
        text = tuple(line for p in edit.pieces for line in p.lines)
        self._keep(
            kind.name,
            kind.rule,
            kind.instead,
            edit.also,
            spans,
            self._around(spans),
            edit.detail,
            text,
        )
        return True

    def add_decoy(self, decoy: decoys.Decoy) -> bool:
        """Plant legal code."""
        return self._add_function(
            decoy.__name__, None, frozenset(), lambda writer: decoy(writer, self.yard, self.ground)
        )

    def _add_function(
        self,
        name: str,
        rule: str | None,
        instead: frozenset[str],
        write: Callable[[Writer], Draft],
        domain: str = HYP,
    ) -> bool:
        n_tables = len(self.yard.pieces)
        callee = self.yard.target(Area.HYP_TEXT) if domain == HYP else None
        writer = Writer(self.random, f"p{len(self.plants)}", callee)
        if rule is None:
            writer.used.update(range(6))  # arguments, which decoys access memory through
        draft = write(writer)
        tables = self.yard.pieces[n_tables:]
        size = size_of(draft.lines)
        site = self._site(domain, size)
        if site is None:
            del self.yard.pieces[n_tables:]
            return False
        self._taken.update(range(site.address, site.end, 4))
        self._written[site.address] = site
        self._pieces.append(code_piece(site, draft.lines))
        spans = ((site.address, site.end), *((t.address, t.address + t.room_bytes) for t in tables))
        text = (*draft.lines, *(line for t in tables for line in t.lines))
        self._keep(name, rule, instead, draft.also, spans, site.name, draft.detail, text)
        if site not in self.ground.whole_functions:
            self.plants[-1] = self.plants[-1]._replace(fallout=(self.ground.bounds(domain),))
        return True

    def _site(self, domain: str, size: int) -> Function | None:
        """Return a function of a domain for so many bytes, or a part of code that has no functions."""
        fit = [f for f in self.ground.whole_functions if f.domain == domain and f.size >= size]
        if not fit and domain in BOUNDS:
            fit = self.ground.runs(domain, size // 4)
        self.random.shuffle(fit)
        free = (f for f in fit if self._taken.isdisjoint(range(f.address, f.end, 4)))
        return next(free, None)

    def _keep(
        self,
        kind: str,
        rule: str | None,
        instead: frozenset[str],
        also: frozenset[str],
        spans: tuple[tuple[int, int], ...],
        function: str,
        detail: str,
        text: tuple[str, ...],
    ) -> None:
        self.plants.append(
            Plant(len(self.plants), kind, rule, instead, also, spans, function, detail, text)
        )

    def _around(self, spans: Sequence[tuple[int, int]]) -> str:
        at = spans[0][0]
        return next((f.name for f in self.ground.functions if f.address <= at < f.end), hex(at))

    def write(self, path: Path) -> tuple[Plant, ...]:
        """Write the image and return what is in it."""
        ground = self.ground
        data = bytearray(ground.data)
        made = link_pieces([*self._pieces, *self.yard.pieces], self.yard.outside)
        for piece in (*self._pieces, *self.yard.pieces):
            content = made.bytes_at[piece.address]
            if piece.address in self._written:
                content += b"\x1f\x20\x03\xd5" * ((piece.room_bytes - len(content)) // 4)
            at = ground.offset(piece.address)
            data[at : at + len(content)] = content
        slots = dict(made.slots)
        for edit in self._edits:
            slots.update(edit.slots)
            for entry, slot in edit.entries:
                at = ground.offset(entry)
                data[at : at + 4] = edits.encoded_entry(entry, slot)
        _write_records(ground, data, slots)
        moved = [symbol for edit in self._edits for symbol in edit.symbols]
        _write_symbols(ground, data, made, self._written, moved)
        path.write_bytes(data)
        return tuple(self.plants)


def size_of(lines: Sequence[str]) -> int:
    """Return how many bytes the lines become at most."""
    size = 0
    for line in lines:
        if line.endswith(":"):
            continue
        size += 8 if line.startswith((".quad", ".p2align 3")) else 4
    return size


def _write_records(ground: Ground, data: bytearray, slots: Mapping[int, int]) -> None:
    """Make RELATIVE records for slots, of those there are and of spare ones, in the order in which ld writes them."""
    records = ground.records.copy()
    relative = records[:, 1] == RELATIVE
    places = {int(a): n for n, a in enumerate(records[:, 0].tolist()) if relative[n] and a in slots}
    spare = iter(np.flatnonzero(records[:, 1] == NONE).tolist())
    for slot, value in slots.items():
        records[places[slot] if slot in places else next(spare)] = (slot, RELATIVE, value)
    relative = records[:, 1] == RELATIVE
    chosen = records[relative]
    ordered = np.concatenate([chosen[np.argsort(chosen[:, 0], kind="stable")], records[~relative]])
    data[ground.rela.offset : ground.rela.offset + ordered.nbytes] = ordered.tobytes()


def _write_symbols(
    ground: Ground,
    data: bytearray,
    made: Made,
    written: Mapping[int, Function],
    moved: Sequence[tuple[str, int]],
) -> None:
    """Give the pieces their mapping symbols, in place of symbols that nothing needs, and take the old ones away."""
    symbols = ground.symbols.copy()
    names = {"$x": "__kvm_nvhe_$x", "$d": "__kvm_nvhe_$d"}
    offsets = {
        mark: next(
            int(s["name"])
            for s in symbols[symbols["info"] == 0]
            if ground.name_of(int(s["name"])) == name
        )
        for mark, name in names.items()
    }
    spare = iter(ground.spare_symbols)
    marks = [m for m in made.marks if any(f.address <= m[0] < f.end for f in written.values())]
    # Behind the literals of a function the code goes on.
    marks += [(f.address + len(made.bytes_at[f.address]), "$x") for f in written.values()]
    for at, name in marks:
        symbols[next(spare)] = (offsets[name], 0, 0, ground.index_at(at), at, 0)
    for name, at in moved:
        known = next(s for s in ground.symbols if ground.name_of(int(s["name"])) == name)
        symbols[next(spare)] = (known["name"], _OBJECT, 0, ground.index_at(at), at, 8)
    changed = symbols.astype(SYMBOL).tobytes()
    data[ground.symbols_offset : ground.symbols_offset + len(changed)] = changed


def planted_image(
    ground: Ground,
    seed: int,
    path: Path,
    *,
    kinds: Sequence[Kind] = KINDS,
    looks: Sequence[decoys.Decoy] = decoys.DECOYS,
    elsewhere: bool = True,
) -> tuple[Plant, ...]:
    """Write an image with a defect of every kind in hyp code, and legal code that looks like it.

    :param elsewhere: one more of each kind in another domain where it breaks.
    """
    planting = Planting(ground, seed)
    for kind in kinds:
        planting.add(kind)
        if elsewhere and kind.domains:
            planting.add(kind, planting.random.choice(kind.domains))
    for decoy in looks:
        planting.add_decoy(decoy)
    return planting.write(path)
