"""Whether an image is that of the crashed kernel.

A build id decides, both ways. Without one the version string, the sizes behind printed symbols and the words of `Code:`
lines are compared. Logs get damaged: one symbol that does not fit among many that do is said, and condemns nothing.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from whypanic.crashlog.sections.boot import compiler_of
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.formats.symbol_table import Symbol
from whypanic.model.code import CodeLine
from whypanic.model.context import BuildId, KernelVersion
from whypanic.model.image import CodeComparison, IdentityCheck, ImageIdentity, Match, WordState
from whypanic.model.provenance import Fact, Origin, Source
from whypanic.symbolize.kernel_sizes import agrees, printed_sizes
from whypanic.symbolize.printed_refs import PrintedRef, printed_refs
from whypanic.symbolize.symbol_names import find_printed, is_of_image, names_no_image

BUILD_ID, VERSION, SIZE, SYMBOL, CODE = "build-id", "version", "symbol-size", "symbol", "code"
_MAX_NAMED = 5
"""Symbols that do not fit are named up to this many."""
_MOST_FIT = 3
"""Of a kernel's own image at least three symbols fit for one that a damaged log spoils."""
_SHOWN_DIGITS = 12
_MAX_INFO = 1 << 16
_EXPLAINED = (WordState.BUILT, WordState.PATCHED, WordState.UNPATCHED, WordState.WRONGLY_PATCHED)


class _Judged(NamedTuple):
    """What one kind of comparison found."""

    checks: tuple[IdentityCheck, ...] = ()
    agrees: bool | None = None
    """None: nothing to compare, or it tells nothing apart."""
    exact: bool = False
    """Everything compared is equal."""
    facts: tuple[Fact, ...] = ()
    whole: bool = False
    """The whole `Linux version` line of the boot was compared, its build number and date too."""


def identify(
    image: KernelImage,
    facts: Sequence[Fact],
    *,
    allow_mismatch: bool = False,
    code: CodeComparison | None = None,
) -> ImageIdentity:
    """Return whether an image is that of the kernel that printed a report.

    :param code: the words of the report's `Code:` line held against this image, where that was done.
    :param allow_mismatch: claims may rest on the image although it does not match.
    """
    build_id = _build_id(image, facts)
    version = _version(image, facts)
    sizes = _sizes(image, facts)
    words = _code(code, build_id)
    judged = (build_id, version, sizes, words)
    checks = tuple(check for part in judged for check in part.checks)
    match = _match(build_id, version, sizes, words)
    because = tuple(dict.fromkeys(fact for part in judged for fact in part.facts))
    compiler, linker = tools_of(image.banner)
    return ImageIdentity(
        source=because[0].source if because else Source(origin=Origin.IMAGE, text=image.name),
        because=because,
        name=image.name,
        kind=image.kind,
        build_id=image.build_id,
        banner=image.banner,
        compiler=compiler,
        linker=linker,
        match=match,
        certain=match is Match.MATCHES
        and all(check.agrees for check in checks)
        and (build_id.exact or _reads_equal(image, version, sizes, words, facts)),
        checks=checks,
        allowed=allow_mismatch and match is Match.MISMATCH,
    )


def _reads_equal(
    image: KernelImage,
    version: _Judged,
    sizes: _Judged,
    words: _Judged,
    facts: Sequence[Fact],
) -> bool:
    """Tell whether version string, sizes and words are all equal; a `Code:` line nobody compared is not.

    Where the text prints no symbol at all the whole line of the boot must be that of the image.
    A module has no version string of its own: without its words it may be any build for that kernel.
    """
    has_code = any(isinstance(f, CodeLine) and f.words and not f.bad_pc for f in facts)
    needs_words = has_code or image.kind is ImageKind.MODULE
    no_symbols = not sizes.checks and version.whole
    return version.exact and (sizes.exact or no_symbols) and (words.exact or not needs_words)


def _match(build_id: _Judged, version: _Judged, sizes: _Judged, words: _Judged) -> Match:
    if build_id.agrees is not None:
        return Match.MATCHES if build_id.agrees else Match.MISMATCH
    if version.agrees is False or sizes.agrees is False:
        return Match.MISMATCH
    if words.agrees is False and not sizes.agrees:
        return Match.MISMATCH
    if version.agrees or sizes.agrees or words.agrees:
        return Match.MATCHES
    return Match.UNKNOWN


# Build id ----------------------------------------------------------------------------------------


def _build_id(image: KernelImage, facts: Sequence[Fact]) -> _Judged:
    """Compare build ids; `%20phN` prints twenty bytes, with zeros behind a shorter id."""
    if image.build_id is None:
        return _Judged()
    printed = _printed_build_id(image, facts)
    if printed is None:
        return _Judged()
    digits, fact = printed
    ours = image.build_id.lower()
    equal = digits == ours or (digits.startswith(ours) and not digits[len(ours) :].strip("0"))
    text = (
        f"build id `{_short(ours)}` in the file and in the log"
        if equal
        else f"build id `{_short(ours)}` in the file, `{_short(digits)}` in the log"
    )
    return _Judged((_check(BUILD_ID, text, agrees=equal),), equal, equal, (fact,))


def _printed_build_id(image: KernelImage, facts: Sequence[Fact]) -> tuple[str, Fact] | None:
    if image.kind is not ImageKind.MODULE:
        found = next((f for f in facts if isinstance(f, BuildId)), None)
        return (found.hex.lower(), found) if found else None
    for ref, fact in printed_refs(facts):
        if ref.build_id and is_of_image(ref.module, image):
            return ref.build_id.lower(), fact
    return None


def _short(digits: str) -> str:
    return digits if len(digits) <= _SHOWN_DIGITS else f"{digits[:_SHOWN_DIGITS]}.."


# Version -----------------------------------------------------------------------------------------


class Banner(NamedTuple):
    """The parts of `Linux version ...`."""

    release: str
    compiler: str | None
    build: str | None


@cache
def _banner_pattern() -> re.Pattern[str]:
    return re.compile(r"Linux version (\S{1,100})(?: \([^()\s]{1,100}@[^()\s]{1,100}\))?(?: (.*))?")


def read_banner(text: str | None) -> Banner | None:
    """Return the parts of a kernel's banner."""
    found = _banner_pattern().match(text) if text else None
    if found is None:
        return None
    compiler, build = compiler_of((found[2] or "").strip())
    return Banner(found[1], compiler, build)


def _version(image: KernelImage, facts: Sequence[Fact]) -> _Judged:
    """Compare the version string: the banner of the boot, or release and build number of the `CPU:` line."""
    if image.kind is ImageKind.MODULE:
        return _vermagic(image, facts)
    banner = read_banner(image.banner)
    versions = [f for f in facts if isinstance(f, KernelVersion)]
    if banner is None or not versions:
        return _Judged()
    printed = [v for v in versions if not v.banner]
    releases = {v.release for v in printed}
    booted = [v for v in versions if v.banner and (not releases or v.release in releases)]
    checks = []
    seen: set[str] = set()
    numbered = False
    for version in (*booted[-1:], *printed):
        words, equal, has_number = _compare_version(banner, version)
        numbered = numbered or has_number
        if words not in seen:
            seen.add(words)
            checks.append(_check(VERSION, words, agrees=equal))
    used = (*booted[-1:], *printed[:1])
    all_equal = bool(checks) and all(c.agrees for c in checks)
    # A release alone is shared by all builds of a tree.
    agreed = numbered or None if all_equal else False
    whole = any(
        banner.build and v.build and _squeezed(banner.build) == _squeezed(v.build)
        for v in booted[-1:]
    )
    return _Judged(
        tuple(checks[:_MAX_NAMED]), agreed, all_equal and numbered, used, all_equal and whole
    )


def _compare_version(banner: Banner, version: KernelVersion) -> tuple[str, bool, bool]:
    """Return a sentence, whether the versions agree, and whether more than the release was compared."""
    ours, theirs = banner.release, version.release
    if ours != theirs and not _is_cut(theirs, ours):
        return f"version {ours} in the file, {theirs} in the log", False, False
    if version.banner:
        for mine, other, what in (
            (banner.build, version.build, "build"),
            (banner.compiler, version.compiler, "compiler"),
        ):
            if mine and other and not _same_words(mine, other):
                return f"{what} `{mine}` in the file, `{other}` in the log", False, True
        if banner.build and version.build:
            return f"version {ours} {version.build} in the file and in the log", True, True
    number, other_number = _number(banner.build), _number(version.build)
    if number and other_number and number != other_number:
        return f"build {number} of {ours} in the file, build {other_number} in the log", False, True
    package, other_package = _package(banner.build), _package(version.build)
    if package and other_package and package != other_package:
        return f"package {package} in the file, {other_package} in the log", False, True
    both = bool(number and other_number)
    return (
        f"version {ours}{f' {number}' if both else ''} in the file and in the log",
        True,
        both and ours == theirs,
    )


def _is_cut(text: str, whole: str) -> bool:
    """Tell whether a mailer broke a release off behind a hyphen."""
    return text.endswith("-") and whole.startswith(text)


def _same_words(mine: str, other: str) -> bool:
    """Compare without blanks; a line may be cut off at its end."""
    a, b = _squeezed(mine), _squeezed(other)
    return a == b or (len(b) >= len(a) // 2 and a.startswith(b))


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _number(build: str | None) -> str | None:
    """`#3` of `#3 SMP PREEMPT ...`: the `CPU:` line prints the version up to its first blank."""
    first = (build or "").split(maxsplit=1)[:1]
    return first[0] if first and first[0].startswith("#") else None


def _package(build: str | None) -> str | None:
    """`6.1.55-1` of `Debian 6.1.55-1`, which Debian's kernels print on the `CPU:` line too."""
    words = (build or "").split()
    if "Debian" not in words[:-1]:
        return None
    return f"Debian {words[words.index('Debian') + 1]}"


def _vermagic(image: KernelImage, facts: Sequence[Fact]) -> _Judged:
    """Compare the release that a module was built for."""
    section = image.section(".modinfo")
    data = image.read(section.address, min(section.size, _MAX_INFO)) if section else None
    release = None
    for entry in (data or b"").split(b"\0"):
        name, _, value = entry.partition(b"=")
        if name == b"vermagic":
            release = value.decode("utf-8", "backslashreplace").split(" ")[0]
    versions = [f for f in facts if isinstance(f, KernelVersion)]
    if not release or not versions:
        return _Judged()
    version = versions[-1]
    equal = release == version.release or _is_cut(version.release, release)
    text = (
        f"made for version {release}, which is that of the log"
        if equal
        else f"made for version {release}, {version.release} in the log"
    )
    agreed = None if equal else False
    return _Judged((_check(VERSION, text, agrees=equal),), agreed, equal, (version,))


def tools_of(banner: str | None) -> tuple[str | None, str | None]:
    """Return compiler and linker as the banner words them."""
    parts = read_banner(banner)
    if parts is None or parts.compiler is None:
        return None, None
    compiler, comma, linker = parts.compiler.rpartition(", ")
    if comma and re.match(r"GNU (?:ld|gold)|(?:\w+ )?LLD|ld\.", linker):
        return compiler, linker
    return parts.compiler, None


# Symbols and sizes -------------------------------------------------------------------------------


def _sizes(image: KernelImage, facts: Sequence[Fact]) -> _Judged:
    refs = [
        printed
        for printed in printed_refs(facts)
        if is_of_image(printed.ref.module, image)
        and not names_no_image(printed.ref.symbol, printed.ref.module)
    ]
    if not refs or not len(image.symbols):
        return _Judged()
    found = find_printed(image, (printed.ref.symbol for printed in refs))
    fits: list[PrintedRef] = []
    n_sized = 0
    wrong: list[IdentityCheck] = []
    for printed in refs:
        symbols = found.get(printed.ref.symbol, ())
        verdicts = [agrees(image, symbol, printed.ref) for symbol in symbols]
        if any(verdicts):
            n_sized += 1
            fits.append(printed)
        elif None in verdicts:
            fits.append(printed)
        else:
            wrong.append(_misfit(image, printed, symbols))
    total = len(refs)
    good = len(fits)
    checks: list[IdentityCheck] = []
    is_wrong = len(wrong) * _MOST_FIT > good
    if n_sized:
        text = f"{n_sized} of {total} printed symbols are in the file with their sizes"
        checks.append(_check(SIZE, text, agrees=not is_wrong))
    elif fits:
        text = f"{good} of {total} printed symbols are in the file"
        checks.append(_check(SYMBOL, text, agrees=not is_wrong))
    named = wrong[:_MAX_NAMED]
    # What is worst comes first where the image is another's, what agrees where it is not.
    checks = [*named, *checks] if is_wrong else [*checks, *named]
    agreed = False if is_wrong else True if n_sized else None
    exact = not wrong and n_sized > 0
    return _Judged(tuple(checks), agreed, exact, tuple(p.fact for p in refs))


def _misfit(image: KernelImage, printed: PrintedRef, symbols: Sequence[Symbol]) -> IdentityCheck:
    ref = printed.ref
    if not symbols:
        return _check(SYMBOL, f"`{ref.symbol}` is not in the file", agrees=False)
    if ref.size is not None and ref.offset is not None and ref.offset > ref.size:
        text = (
            f"`{ref.symbol}` is printed with offset {ref.offset:#x} behind its size {ref.size:#x}"
        )
        return _check(SIZE, text, agrees=False)
    sizes = sorted({size for symbol in symbols for size in printed_sizes(image, symbol)[:1]})
    ours = " or ".join(f"{size:#x}" for size in sizes[:4])
    text = f"`{ref.symbol}` is {ours} bytes in the file, {ref.size or 0:#x} in the log"
    return _check(SIZE, text, agrees=False)


# Code --------------------------------------------------------------------------------------------


def _code(code: CodeComparison | None, build_id: _Judged) -> _Judged:
    """Judge the words of a `Code:` line; where the build id agrees, one flipped bit is damage in memory."""
    if code is None or not code.words:
        return _Judged()
    total = len(code.words)
    good = sum(word.state in _EXPLAINED for word in code.words)
    flips = sum(word.state is WordState.BIT_FLIP for word in code.words)
    equal = all(word.state in (WordState.BUILT, WordState.PATCHED) for word in code.words)
    is_whole = good == total or (bool(build_id.agrees) and good + flips == total and flips == 1)
    text = f"{good} of {total} words of the `Code:` line are those of the file"
    if flips:
        text += f", {flips} {'differs' if flips == 1 else 'differ'} in one bit"
    check = _check(CODE, text, agrees=is_whole)
    agreed = True if is_whole else False if good * 2 < total else None
    return _Judged((check,), agreed, equal, (code,))


def _check(name: str, text: str, *, agrees: bool) -> IdentityCheck:
    return IdentityCheck(name=name, agrees=agrees, text=text)
