"""What tools run by hand said of addresses, and the compilers that the writer names.

Forms: binutils addr2line (`-f` function line, `-i` inlined callers, `-p` one line each, `-a`
address line), Linux scripts/faddr2line, gdb `list *ADDRESS` and `info line`.
"""

import functools
import re
from typing import TYPE_CHECKING

from whypanic.model.code import SourceLocation
from whypanic.model.context import Compiler
from whypanic.model.registers import SymbolRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from whypanic.crashlog.lines import Line
    from whypanic.model.provenance import Fact

_OUTPUT = 64
"""Lines of output read behind one command at most."""
_FILE = r"(?P<file>\?\?|[\w./+~@-]{1,300}):(?P<line>\d{1,7}|\?)(?: \(discriminator \d+\))?"
_FUNCTION = r"(?:\?\?|[\w.$~:<>@]{1,500})"
_PRETTY = rf"(?:(?P<address>0x[0-9a-f]{{1,16}}): )?(?:\(?inlined by\)? )?(?P<function>{_FUNCTION}) at {_FILE}"
_REF = (
    r"(?P<symbol>[\w.$]{1,500})\+(?P<offset>0x[0-9a-f]{1,16}|\d{1,9})"
    r"(?:/(?P<size>0x[0-9a-f]{1,16}))?"
)
_GDB = rf"(?P<address>0x[0-9a-f]{{1,16}}) is in (?P<function>{_FUNCTION}) \({_FILE}\)\.?"
_INFO_LINE = (
    r'Line (?P<line>\d{1,7}) of "(?P<file>[^"]{1,300})" starts at address (?P<address>0x[0-9a-f]{1,16})'
    rf"(?: <(?P<function>{_FUNCTION})(?:\+\d+)?>)?.*"
)
_VERSION = r"v?\d{1,3}(?:\.\d{1,6}){0,3}[\w.~+-]{0,40}"
_COMPILER = (
    r"(?:\b(?:Linaro|Arm|ARM|Android|AOSP|Apple|Ubuntu|Debian|upstream|mainline|ToT|trunk) "
    rf"(?:{_VERSION} )?)?"
    r"\b(?:clang|gcc|llvm|lld)(?:(?:[ -]|[ -]?version )"
    rf"(?:r\d{{5,7}}[a-z]?|{_VERSION})(?: toolchain)?| (?:ToT|trunk)\b)"
)
_BUILT = (
    r"\b(?:built|build|compiled|compile|building|compiling) "
    r"(?:\w{1,20} ){0,4}?(?:with|using|by) (?P<words>clang|gcc|llvm|LTO clang)\b"
)


def read_commands(lines: "Sequence[Line]", input: int = 0) -> "tuple[tuple[Fact, ...], set[int]]":
    """Return what tools and writer said, in order of appearance, and the indexes of those lines.

    Every compiler named is a fact of its own: which one built the crashed kernel is not decided.
    """
    facts: list[tuple[int, Fact]] = []
    used: set[int] = set()
    for index, line in enumerate(lines):
        text = line.text
        if index in used or not text or line.prefixed or len(text) > 2000:
            continue
        if "addr2line" in text:
            found = list(_addr2line(lines, index, input))
        elif text.endswith(":") and "+0x" in text:
            found = list(_faddr2line(lines, index, input))
        elif " is in " in text or text.startswith("Line "):
            found = list(_gdb(line, index, input))
        else:
            found = []
        if found:
            used.update(range(index, found[-1][0] + 1))
            facts.extend(found)
        facts.extend((index, fact) for fact in _compilers(line, input))
    facts.sort(key=lambda item: item[0])
    used.update(index for index, fact in facts if isinstance(fact, Compiler))
    return tuple(fact for _, fact in facts), used


def _addr2line(
    lines: "Sequence[Line]", index: int, input: int
) -> "Iterator[tuple[int, SourceLocation]]":
    """Yield what stands behind an addr2line command: pairs, pretty lines or places alone."""
    asked = _asked(lines[index].text)
    answers: list[tuple[int, int | None, str | None, re.Match[str], bool]] = []
    told: int | None = None
    function: str | None = None
    for place in range(index + 1, min(index + 1 + _OUTPUT, len(lines))):
        line = lines[place]
        text = line.text
        if not text or line.quote != lines[index].quote or line.prefixed:
            break
        if match := _whole(_PRETTY, text):
            if match["address"]:
                told = int(match["address"], 16)
            answers.append((place, told, match["function"], match, "inlined by" not in text))
        elif _whole(r"0x[0-9a-f]{16}", text):
            told, function = int(text, 16), None
        elif match := _whole(_FILE, text):
            answers.append((place, told, function, match, True))
            function = None
        elif function is None and _whole(_FUNCTION, text):
            function = text
        else:
            break
    n_first = sum(first for *_, first in answers)
    for ordinal, (place, printed, name, match, _) in enumerate(answers):
        address = printed
        if printed is None and len(asked) == 1:
            address = asked[0]
        elif printed is None and len(asked) == len(answers) == n_first:
            address = asked[ordinal]
        yield place, _location(lines[place], input, address, name, match)


def _asked(command: str) -> list[int]:
    """Return the addresses on an addr2line command line."""
    before, _, after = command.partition("addr2line")
    asked: list[int] = []
    skip = False
    for word in after.split():
        if skip:
            skip = False
        elif word.startswith("-") and not word.startswith("--"):
            skip = word[-1] in "ebj"
        elif _whole(r"0x[0-9a-f]{1,16}|[0-9a-f]{4,16}", word):
            asked.append(int(word, 16))
    if not asked:
        found = _compiled(r"\b(?:0x)?[0-9a-f]{8,16}\b").findall(before)
        asked = [int(word, 16) for word in found[:_OUTPUT]]
    return asked


def _faddr2line(
    lines: "Sequence[Line]", index: int, input: int
) -> "Iterator[tuple[int, SourceLocation]]":
    """Yield the places below `symbol+0x12/0x34:`."""
    head = _whole(_REF + ":", lines[index].text)
    if head is None:
        return
    ref = SymbolRef(
        symbol=head["symbol"],
        offset=int(head["offset"], 0),
        size=int(head["size"], 16) if head["size"] else None,
    )
    for place in range(index + 1, min(index + 1 + _OUTPUT, len(lines))):
        match = _whole(_PRETTY, lines[place].text)
        if match is None or lines[place].quote != lines[index].quote:
            return
        yield place, _location(lines[place], input, None, match["function"], match, ref)


def _gdb(line: "Line", index: int, input: int) -> "Iterator[tuple[int, SourceLocation]]":
    """Yield the answer of gdb's `list *ADDRESS` or `info line *ADDRESS`."""
    match = _whole(_GDB, line.text) or _whole(_INFO_LINE, line.text)
    if match is not None:
        address = int(match["address"], 16)
        yield index, _location(line, input, address, match["function"], match)


def _location(
    line: "Line",
    input: int,
    address: int | None,
    function: str | None,
    match: re.Match[str],
    ref: SymbolRef | None = None,
) -> SourceLocation:
    number = int(match["line"]) if match["line"].isdecimal() else 0
    return SourceLocation(
        source=line.source(input),
        address=address,
        function=None if function == "??" else function,
        file=None if match["file"] == "??" else match["file"],
        line=number or None,
        ref=ref,
    )


def _compilers(line: "Line", input: int) -> "Iterator[Compiler]":
    """Yield each toolchain named, in the writer's words."""
    lowered = line.text.lower()
    if "linux version" in lowered or not any(
        word in lowered for word in ("clang", "gcc", "llvm", "lld")
    ):
        return
    end = 0
    for match in _compiled("(?i:" + _COMPILER + ")").finditer(line.text):
        words = match[0].rstrip(".,;:-")
        yield Compiler(source=line.source(input), words=words)
        end = match.end()
    if not end:
        for match in _compiled(r"(?i)" + _BUILT).finditer(line.text):
            yield Compiler(source=line.source(input), words=match["words"])


def _whole(pattern: str, text: str) -> re.Match[str] | None:
    return _compiled(pattern).fullmatch(text)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
