"""The use case `audit`: the code of images that would crash where it runs, found before it boots."""

import difflib
import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from whypanic.app.audit_document import finding_of, image_of, rule_of, table_of, tool
from whypanic.app.audit_places import Places
from whypanic.app.build_tree import Target, targets
from whypanic.app.images import Images
from whypanic.app.inputs import display_name
from whypanic.audit.api import Rule
from whypanic.audit.engine import Broken, declared_rules, find
from whypanic.audit.suppressions import Suppressions, read_suppressions
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import (
    ALTERNATIVES,
    PLAIN_DOMAINS,
    DomainRow,
    known_domains,
    read_domain_table,
)
from whypanic.formats.images import is_bitcode, open_image
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.model.errors import InputError, UsageError
from whypanic.report.audit_document import (
    AUDIT_SCHEMA,
    DOMAINS_SCHEMA,
    RULES_SCHEMA,
    AuditDocument,
    DocAuditImage,
    DocFinding,
    DocRule,
    DomainsDocument,
    RulesDocument,
)
from whypanic.report.document import Input

Say = Callable[[str], None]
Progress = Callable[[str, int], None]

MAX_TEXT_BYTES = 1 << 20
"""Of a table of domains and of a file of suppressions."""
_BITCODE = (
    "LLVM bitcode of an LTO build: there is no machine code yet, the linker makes it; "
    "audit vmlinux or kvm_nvhe.o"
)
_UNLINKED = (
    "objects and modules are not linked: addresses in them are those of `whypanic disasm`; "
    "section and section_offset are the file's"
)


class Audited(NamedTuple):
    """One run."""

    document: AuditDocument
    rules: list[DocRule]
    """Those that ran."""
    errors: list[InputError]
    """Inputs that could not be read; the others were audited."""
    broken: list[Broken]
    """Rules that raised an exception: their findings are missing."""


class Options(NamedTuple):
    rules: tuple[str, ...] = ()
    """Ids or numbers; (): all."""
    domain_file: str | None = None
    suppress: str | None = None


def list_rules(wanted: Sequence[str] = ()) -> RulesDocument:
    """Return the rules and their documentation.

    :raises UsageError: for a rule that is not known.
    """
    chosen = chosen_rules(wanted)
    return RulesDocument(schema=RULES_SCHEMA, tool=tool(), rules=[rule_of(r) for r in chosen])


def chosen_rules(wanted: Sequence[str]) -> tuple[Rule, ...]:
    """Return the declared rules of these ids or numbers; all for ().

    :raises UsageError: for one that is not known.
    """
    declared = declared_rules()
    names = _rule_names(declared)
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hints = (f"there is `{near[0]}`",) if near else ()
            message = f"no rule `{name}`"
            raise UsageError(
                message, hints=(*hints, "`whypanic audit --list-rules` lists the rules")
            )
    ids = {names[name] for name in wanted}
    return tuple(rule for rule in declared if not ids or rule.id in ids)


def _rule_names(rules: Sequence[Rule]) -> dict[str, str]:
    return {name: rule.id for rule in rules for name in (rule.id, rule.number)}


def own_domains(file: str | None) -> tuple[DomainRow, ...]:
    """Return the rows of a user's table of domains.

    :raises InputError: if it cannot be read, or uses a name that is taken.
    """
    if file is None:
        return ()
    shown = display_name(file)
    rows = read_domain_table(_text(file), shown)
    taken = {row.name for row in known_domains()} | {"*", "own"}
    for row in rows:
        if row.name in taken or not row.name:
            message = f"domain `{row.name}` has a name that is taken"
            raise InputError(message, path=shown, hints=("give it one of its own",))
        taken.add(row.name)
    return rows


def _text(file: str) -> str:
    path, shown = Path(file), display_name(file)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_TEXT_BYTES + 1)
        if len(data) > MAX_TEXT_BYTES:
            message = f"larger than {MAX_TEXT_BYTES >> 10} KiB"
            raise InputError(message, path=shown)
        return data.decode()
    except UnicodeDecodeError as error:
        message = f"is no UTF-8 text: {error.reason} at byte {error.start}"
        raise InputError(message, path=shown) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot read: {reason.lower()}"
        raise InputError(message, path=shown) from error


def audit(files: Sequence[str], options: Options, *, say: Say, progress: Progress) -> Audited:
    """Return what the rules find in images, objects and build trees.

    :param progress: called with an input's name and size before each step.
    :raises InputError: if the table of domains or the suppressions cannot be read.
    :raises UsageError: for a rule that is not known.
    """
    rules = chosen_rules(options.rules)
    more = own_domains(options.domain_file)
    accepted = Suppressions()
    if options.suppress is not None:
        text = _text(options.suppress)
        shown = display_name(options.suppress)
        accepted = Suppressions(read_suppressions(text, shown, _rule_names(declared_rules())))
    run = _Run(rules, more, accepted, say, progress)
    for opened in run.images(files):
        run.audit(opened)
    for entry in accepted.unused({rule.id for rule in rules}):
        run.note(f"{options.suppress}, line {entry.line}: nothing to suppress: {entry.words}")
    return run.result()


def list_domains(
    files: Sequence[str], domain_file: str | None, *, say: Say, progress: Progress
) -> tuple[DomainsDocument, list[InputError]]:
    """Return the domains that images have, the table they come from, and what could not be read.

    :raises InputError: if the user's table cannot be read.
    """
    more = own_domains(domain_file)
    run = _Run((), more, Suppressions(), say, progress)
    for opened in run.images(files, names_do=True):
        run.describe(opened)
    result = run.result()
    document = DomainsDocument(
        schema=DOMAINS_SCHEMA,
        tool=tool(),
        inputs=result.document.inputs,
        images=result.document.images,
        table=table_of((*more, *known_domains())),
        notes=result.document.notes,
    )
    return document, result.errors


class _Opened(NamedTuple):
    image: KernelImage
    number: int
    size: int


class _Run:
    """One run over several inputs."""

    def __init__(
        self,
        rules: tuple[Rule, ...],
        more: tuple[DomainRow, ...],
        accepted: Suppressions,
        say: Say,
        progress: Progress,
    ) -> None:
        self._rules, self._more, self._accepted = rules, more, accepted
        self._say, self._progress = say, progress
        self._inputs: list[tuple[str, int, Future[str]]] = []
        self._images: list[DocAuditImage] = []
        self._findings: list[DocFinding] = []
        self._notes: dict[str, None] = {}
        self._errors: list[InputError] = []
        self._broken: list[Broken] = []
        self._bitcode: list[str] = []
        self._unseen = {row.name for row in more}
        # Hashing a large image takes as long as reading its code, and needs no interpreter.
        self._hashing = ThreadPoolExecutor(max_workers=1)

    def note(self, text: str) -> None:
        """Keep a line for the document and say it."""
        if text not in self._notes:
            self._notes[text] = None
            self._say(f"note: {text}")

    def images(self, files: Sequence[str], *, names_do: bool = False) -> Iterator[_Opened]:
        """Yield the images that can be opened, one at a time; what cannot is kept as an error.

        :param names_do: a file that holds names only is one too.
        """
        for target in targets(files):
            try:
                opened = self._open(target, names_do=names_do)
            except InputError as error:
                opened = None
                self._errors.append(error)
                self._notes[f"not audited: {words_of(error)}"] = None
            if opened is not None:
                yield opened

    def _open(self, target: Target | InputError, *, names_do: bool) -> _Opened | None:
        if isinstance(target, InputError):
            raise target
        name = display_name(target.name)
        if is_bitcode(target.path):
            self._bitcode.append(name)
            if not target.is_member:
                self._input(target.path, name)
            return None
        image = open_image(target.path, name=name)
        if not image.has_code and not (names_do and image.kind is ImageKind.SYSTEM_MAP):
            if target.is_member:
                return None
            message = f"holds no code to audit{_because(image.damage)}"
            raise InputError(
                message, path=name, hints=("give vmlinux, Image, vmlinuz, a module or an object",)
            )
        size = self._input(target.path, name)
        if image.damage:
            message = f"is not whole{_because(image.damage)}; what can be read was audited"
            self._errors.append(InputError(message, path=name))
            self._notes[f"{name} {message}"] = None
        self._progress(name, size)
        return _Opened(image, len(self._inputs) - 1, size)

    def _input(self, path: Path, name: str) -> int:
        try:
            size = path.stat().st_size
        except OSError as error:
            message = f"cannot read: {(error.strerror or str(error)).lower()}"
            raise InputError(message, path=name) from error
        self._inputs.append((name, size, self._hashing.submit(_digest, path, name)))
        return size

    def describe(self, opened: _Opened) -> AuditView:
        """Add the image to the document and return the rules' view of it."""
        view = AuditView(opened.image, self._more)
        self._images.append(image_of(opened.image, view.domains, opened.number))
        self._unseen.difference_update(domain.name for domain in view.domains)
        if view.is_object:
            self._notes[_UNLINKED] = None
        elif not any(d.name not in (*PLAIN_DOMAINS, ALTERNATIVES) for d in view.domains):
            lacks = [clause for clause in opened.image.missing if clause.startswith("no ")]
            words = "has no code that runs elsewhere than at its link address"
            self.note(f"{opened.image.name} {words}{_because(lacks)}")
        for clause in opened.image.missing:
            self._notes[f"{opened.image.name}: {clause}"] = None
        return view

    def audit(self, opened: _Opened) -> None:
        """Run the rules on an image and add what they find."""
        image = opened.image
        view = self.describe(opened)
        wanted = [rule.id for rule in self._rules]
        if not wanted:
            return
        found, broken = find(view, wanted, lambda _: self._progress(image.name, opened.size))
        self._broken.extend(broken)
        for each in broken:
            self._notes[f"rule {each.rule} broke on {image.name}: {each.reason}"] = None
        if not found:
            return
        debug = Images((), say=self._say).debug_info(image)
        places = Places(view, found, debug)
        if places.n_left_out:
            self.note(f"{image.name}: {places.n_left_out} source lines were not looked up")
        for finding in found:
            place = places.of(finding)
            accepted = self._accepted.match(finding.rule, place.names, place.offset)
            self._findings.append(finding_of(finding, place, opened.number, accepted))

    def result(self) -> Audited:
        """Return the document of the run, and what did not go into it."""
        if self._bitcode:
            first, more = self._bitcode[0], len(self._bitcode) - 1
            self.note(f"{first}{f' and {more} others are' if more else ' is'} {_BITCODE}")
        if self._images:
            for name in sorted(self._unseen):
                self.note(f"domain {name} is in none of the images")
        self._hashing.shutdown()
        document = AuditDocument(
            schema=AUDIT_SCHEMA,
            tool=tool(),
            inputs=[Input(name=n, bytes=b, sha256=h.result()) for n, b, h in self._inputs],
            images=self._images,
            findings=self._findings,
            notes=list(self._notes),
        )
        rules = [rule_of(rule) for rule in self._rules]
        return Audited(document, rules, self._errors, self._broken)


def _because(clauses: Sequence[str]) -> str:
    return f": {'; '.join(clauses)}" if clauses else ""


def _digest(path: Path, name: str) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        message = f"cannot read: {(error.strerror or str(error)).lower()}"
        raise InputError(message, path=name) from error


def words_of(error: InputError) -> str:
    """Return one line that says which input and what of it; some messages name the input themselves."""
    if error.path is None or error.path in error.message:
        return error.message
    return f"{error.path}: {error.message}"


def reached(findings: Collection[DocFinding], level: str) -> bool:
    """Tell whether a finding that is not suppressed is of this level or a graver one."""
    graver = {"error": ("error",), "warning": ("error", "warning")}.get(level, ())
    return any(each.level in graver and each.suppressed is None for each in findings)
