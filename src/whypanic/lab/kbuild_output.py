"""What make and its programs print while a kernel is built: what is done, and every complaint with its place.

Sources: Linux scripts/Kbuild.include (`  CC      file.o`), GCC and Clang (`file:line:column: error: text`), GNU as
(`file:line: Error: text`), GNU ld and ld.lld, scripts/mod/modpost.c, scripts/kconfig, GNU make (`make[1]: *** [...]`).
"""

import os
import re
from functools import cache
from pathlib import PurePosixPath
from typing import NamedTuple

from whypanic.model.lab import Diagnostic

_MAX_DIAGNOSTICS = 400
_MAX_CHARS = 2000
_MAX_CHAIN = 40
_SOURCES = (".c", ".S", ".rs", ".cpp", ".l", ".y")
# What these make is an object of the build; AR, GEN and the rest take no time.
_LINK_STEPS = frozenset(("LD", "LTO", "MODPOST", "HYPREL"))
_OBJECT_STEPS = frozenset(("CC", "AS", "LD", "HOSTCC", "HOSTCXX", "RUSTC", "LTO", "HYPCOPY"))


class Step(NamedTuple):
    """One line that says what make does now."""

    verb: str
    """CC, AS, LD, MODPOST, ..."""
    target: str


class _Rule(NamedTuple):
    starts: tuple[str, ...]
    """One of these is in the line, or the pattern is not tried."""
    pattern: str
    level: str | None = None
    """None: the pattern's group of that name tells."""
    linking: bool = False
    """It comes from a link: the object is what is linked, not what its file was compiled to."""


_FILE = r"(?P<file>(?:[^\s:][^:\n]{0,500}|<[\w ]+>))"
# What GNU ld puts before its message: itself, the file, and a line or a place in a section.
_LD = r"(?:\S*ld(?:\.bfd)?: )?(?P<file>[^\s:]+):(?:(?P<line>\d+):|\([^)]*\):)? ?"
_LEVEL = r"(?P<level>(?i:fatal error|error|warning|note))"
_MAKE = r"make(?:\[\d+\])?: "
_PROGRAM = r"[\w./+-]+"
# The first that fits a line is taken.
# fmt: off
_RULES: tuple[_Rule, ...] = (
    # gcc, clang, as, kconfig
    _Rule((": ",), _FILE + r":(?P<line>\d+):(?:(?P<column>\d+):)? ?" + _LEVEL + ": (?P<text>.*)"),
    # kconfig
    _Rule(("Kconfig",), _FILE + r":(?P<line>\d+): (?P<text>(?:syntax|lexer|unknown|invalid|missing).*)", "error"),
    # GNU ld
    _Rule(("undefined reference to",), _LD + r"(?P<text>undefined reference to .*)", "error", linking=True),
    _Rule(("multiple definition of",), _LD + r"(?P<text>multiple definition of .*)", "error", linking=True),
    _Rule((" relocation ",), _LD + r"(?P<text>(?:relocation truncated|dangerous relocation).*)", "error", linking=True),
    # modpost
    _Rule(("modpost",), r"(?P<level>ERROR|WARNING|FATAL): modpost: (?P<text>.*)", linking=True),
    # ld.lld; clang, gcc, llvm-objcopy: no file
    _Rule(("ld.lld",), r"(?:/[\w./+-]+/)?ld\.lld[\w.-]*: " + _LEVEL + ": (?P<text>.*)", linking=True),
    _Rule((" error: ", " warning: "), _PROGRAM + r": (?P<level>fatal error|error|warning): (?P<text>.*)"),
    _Rule(("ld: ", "ld.bfd: "), _PROGRAM + r": (?P<text>(?!.*(?:: in function |warning: )).*)", "error", linking=True),
    # make
    _Rule(("No rule to make target",), _MAKE + r"\*\*\* (?P<text>No rule to make target .*)", "error"),
    _Rule(("*** ",), r"(?P<file>[^\s:]+):(?P<line>\d+): \*\*\* (?P<text>.*?) *(?:Stop\.)?", "error"),
    # shell
    _Rule(("not found",), r"(?:/bin/)?\w*sh: (?:line )?(?:\d+: )?(?P<text>\S+: (?:command )?not found)", "error"),
    _Rule(("not found", "No such file"), _MAKE + r"(?P<text>\S+: (?:[Cc]ommand not found|No such file .*))", "error"),
    # the kernel's own scripts, and what they say of the toolchain
    _Rule(("rror: ", "ERROR: ", "FATAL: ", "FAILED"), r"(?:ERROR|FATAL|[Ee]rror|FAILED):? (?P<text>.*)", "error"),
    _Rule(("*** ",), r"\*\*\* (?P<text>[A-Z].*)", "error"),
)
# fmt: on


@cache
def _compiled() -> tuple[tuple[_Rule, re.Pattern[str]], ...]:
    return tuple((rule, re.compile(rule.pattern, re.ASCII)) for rule in _RULES)


@cache
def _step_pattern() -> re.Pattern[str]:
    return re.compile(r"  ([A-Z][A-Z0-9_]{0,11})(?: \[[MU]\])? +(\S.*)", re.ASCII)


@cache
def _included_pattern() -> re.Pattern[str]:
    return re.compile(r"(?:In file included|                {1,4}) from ([^:]+):\d+", re.ASCII)


@cache
def _failed_pattern() -> re.Pattern[str]:
    return re.compile(
        r"make(?:\[\d+\])?: \*\*\* \[(?:[^\]]*: )?([^\]\s]+)\] (?:Error (\d+)|(.*))", re.ASCII
    )


class KbuildOutput:
    """Reads the lines of one build as they come."""

    def __init__(self, *, tree: str, out: str) -> None:
        self._roots = tuple(os.path.normpath(root) + "/" for root in (out, tree))
        self._out = out
        self.n_objects = 0
        self.current: Step | None = None
        self.n_dropped = 0
        """Messages beyond those that are kept."""
        self._announced: dict[str, str] = {}
        self._crossed: set[str] = set()
        """Those of them that are the kernel's own code, not a program of this machine."""
        self._failed: list[str] = []
        self._last: list[str] = []
        self._included: list[str] = []
        self._found: list[Diagnostic] = []
        self._chains: list[tuple[str, ...]] = []
        """Of each message, the files by which its own was included, and that one."""
        self._linked: list[str | None] = []
        """Of each message from a link, what was linked."""

    def feed(self, line: str) -> None:
        """Take one line, without its newline."""
        line = line[:_MAX_CHARS].rstrip()
        if line.startswith("  ") and (match := _step_pattern().fullmatch(line)):
            self._step(Step(match[1], match[2]))
        elif line.startswith(("In file included from", "                 from ")):
            if match := _included_pattern().match(line):
                self._included = [*self._included, self._relative(match[1])][-_MAX_CHAIN:]
        elif line.startswith(">>> ") and self._found:
            self._continue(line)
        elif match := _failed_pattern().match(line):
            self._failed.append(match[1])
        else:
            self._complaint(line)

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return the complaints in order, each with the object that make was on where that can be told."""
        # A folder fails because of a file: the first that failed says which.
        failed = next(iter(self._failed), None)
        return tuple(
            self._with_target(diagnostic, linked or self._object_of(chain), failed)
            for diagnostic, chain, linked in zip(
                self._found, self._chains, self._linked, strict=True
            )
        )

    def of_this_machine(self) -> tuple[Diagnostic, ...]:
        """Return the complaints that are not about a file of the kernel's own code."""
        both = zip(self._found, self._chains, strict=True)
        return tuple(d for d, chain in both if not self._crossed.intersection(map(_stem, chain)))

    def failed_targets(self) -> tuple[str, ...]:
        """Return what make could not make, the first cause first."""
        return tuple(dict.fromkeys(self._failed))

    def last_words(self) -> tuple[str, ...]:
        """Return the last lines that were neither steps nor complaints."""
        return tuple(self._last)

    def _step(self, step: Step) -> None:
        self.current = step
        self._included = []
        if step.verb in _OBJECT_STEPS:
            self.n_objects += 1
            self._announced[_stem(step.target)] = step.target
            if step.verb in ("CC", "AS"):
                self._crossed.add(_stem(step.target))

    def _continue(self, line: str) -> None:
        """Take a line of ld.lld that says more of its message: `>>> referenced by file.c:12 (path/file.c:12)`."""
        last = self._found[-1]
        said = line.removeprefix(">>> ").strip()
        place = re.search(r"([^\s()]+):(\d+)\)?$", said, re.ASCII)
        self._found[-1] = Diagnostic(
            level=last.level,
            text=f"{last.text}; {said}"[:_MAX_CHARS] if last.text.count("; ") < 4 else last.text,
            file=last.file or (self._relative(place[1]) if place else None),
            line=last.line or (int(place[2]) if place else None),
            column=last.column,
        )

    def _complaint(self, line: str) -> None:
        for rule, pattern in _compiled():
            if not any(text in line for text in rule.starts):
                continue
            if match := pattern.fullmatch(line):
                self._add(rule, match.groupdict())
                return
        if line and not line.startswith(("make", " ")):
            self._last = [*self._last, line][-8:]

    def _add(self, rule: _Rule, found: dict[str, str | None]) -> None:
        chain, self._included = tuple(self._included), []
        if len(self._found) >= _MAX_DIAGNOSTICS:
            self.n_dropped += 1
            return
        name = found.get("file")
        file = self._relative(name) if name else None
        line, column = found.get("line"), found.get("column")
        level = (rule.level or found.get("level") or "error").lower()
        if level == "note" and self._chains:
            chain = self._chains[-1]
        elif file:
            chain = (*chain, file)
        step = self.current if rule.linking else None
        self._linked.append(step.target if step and step.verb in _LINK_STEPS else None)
        self._chains.append(() if rule.linking else chain)
        self._found.append(
            Diagnostic(
                level="error" if level in ("fatal error", "fatal") else level,
                text=(found["text"] or "").strip(),
                file=file,
                line=int(line) if line else None,
                column=int(column) if column else None,
            )
        )

    def _object_of(self, chain: tuple[str, ...]) -> str | None:
        stems = (_stem(name) for name in chain if name.endswith(_SOURCES))
        return next((self._announced[stem] for stem in stems if stem in self._announced), None)

    def _with_target(
        self, diagnostic: Diagnostic, target: str | None, failed: str | None
    ) -> Diagnostic:
        return Diagnostic(
            level=diagnostic.level,
            text=diagnostic.text,
            file=diagnostic.file,
            line=diagnostic.line,
            column=diagnostic.column,
            target=target or (failed if diagnostic.level == "error" else None),
        )

    def _relative(self, name: str) -> str:
        """Return a path as it is below the tree or the folder of objects."""
        if name.startswith("<"):
            return name
        path = os.path.normpath(PurePosixPath(self._out, name))
        for root in self._roots:
            if path.startswith(root):
                return path.removeprefix(root)
        return os.path.normpath(name)


def _stem(name: str) -> str:
    """Return a path up to the first dot of its last part: `a/switch.nvhe.o` is made from `a/switch.c`."""
    path = PurePosixPath(name)
    return str(path.with_name(path.name.split(".", 1)[0] or path.name))


def first_error(
    diagnostics: tuple[Diagnostic, ...], failed: tuple[str, ...], last_words: tuple[str, ...]
) -> str:
    """Return in one line why a build failed."""
    error = next((d for d in diagnostics if d.level == "error"), None)
    if error is not None:
        place = place_of(error)
        on = f" (making {error.target})" if error.target and error.target != error.file else ""
        return f"{place}{error.text}{on}"
    said = f": {last_words[-1]}" if last_words else ""
    return f"make could not make {failed[0]}{said}" if failed else f"make failed{said}"


def place_of(diagnostic: Diagnostic) -> str:
    """Return `file:line:column: `, as far as it is known."""
    parts = (diagnostic.file, diagnostic.line, diagnostic.column)
    known = [str(part) for part in parts if part is not None]
    return f"{':'.join(known)}: " if known else ""
