"""Names of CPU capabilities in one image, and which of them a CPU has.

The numbers differ between versions and between states of one stable series, so the image is asked first: arrays
arm64_features and arm64_errata of struct arm64_cpu_capabilities { const char *desc; u16 capability; u16 type; bool
(*matches)(); ... } pair a number with words, and `cpucap_ptrs` (`cpu_hwcaps_ptrs` until 6.2) has ARM64_NCAPS pointers.
The version's list is taken where nothing the image says contradicts it.

Source: Debian linux-source-6.1 6.1.192-2 and 6.12.117-1, arch/arm64/include/asm/cpufeature.h, kernel/cpufeature.c.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from whypanic.arch.cpucap_descriptions import CAPABILITY_BY_DESCRIPTION
from whypanic.arch.cpucaps import decode_features, parse_bitmap, spellings
from whypanic.arch.cpucaps_table import TABLES, Key, expand
from whypanic.arch.release import Release, parse_release
from whypanic.code.core_capabilities import ALWAYS, capabilities_of, find_core
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.context import CpuFeatures, DetectedFeature
from whypanic.model.errors import InputError

_ARRAYS = ("arm64_features", "arm64_errata")
_POINTERS = ("cpucap_ptrs", "cpu_hwcaps_ptrs")
_STRIDES = range(32, 257, 8)
_MAX_ROWS = 512
_MAX_CAPABILITIES = 1024
_CAPABILITY_AT, _TYPE_AT, _MATCHES_AT = 8, 10, 16
_BANNER = "Linux version "


class CapabilityRow(NamedTuple):
    """One element of the arrays."""

    number: int
    description: str | None


class CapabilityNames(NamedTuple):
    """What the numbers of one image's capabilities mean."""

    names: tuple[str | None, ...]
    """By number, without ARM64_; None: not known."""
    origin: str
    """image: nothing the image says contradicts, and it decides; version: the list of the release; none."""
    title: str
    """Which list, e.g. `6.1.192`; empty where there is none."""
    n_capabilities: int | None
    """ARM64_NCAPS, where the image tells it."""
    rows: tuple[CapabilityRow, ...] = ()
    has_all_rows: bool = False
    """Both arrays were read."""

    def name(self, number: int) -> str | None:
        """Return the name of a number."""
        return self.names[number] if 0 <= number < len(self.names) else None

    def number(self, name: str) -> int | None:
        """Return the number of a name; any of the names a capability had over time will do."""
        wanted = spellings(name)
        return next((i for i, known in enumerate(self.names) if known in wanted), None)

    @property
    def listed(self) -> frozenset[int]:
        """Numbers that this kernel looks for at all; the rest are not built in. Empty: not known."""
        return frozenset(row.number for row in self.rows if self.has_all_rows)


NO_NAMES = CapabilityNames((), "none", "", None)


class Features:
    """Which capabilities a CPU has."""

    def __init__(
        self,
        names: CapabilityNames,
        *,
        present: Iterable[int] = (),
        absent: Iterable[int] = (),
        default: bool | None = None,
        origin: str = "",
        notes: Sequence[str] = (),
    ) -> None:
        """Keep two sets of numbers; `default` is said of all others."""
        self.names = names
        self.present = frozenset(present)
        self.absent = frozenset(absent) - self.present
        self.default = default
        self.origin = origin
        """Where they come from: `the bitmap 0x...`, `Cortex-A57`."""
        self.notes = tuple(notes)

    def has(self, number: int) -> bool | None:
        """Tell whether the CPU has a capability; None: not known."""
        if number in self.present:
            return True
        return False if number in self.absent else self.default

    def describe(self) -> str:
        """Return one line: where they come from and what is present."""
        known = [self.names.name(n) or f"capability {n}" for n in sorted(self.present)]
        text = f"{self.origin or 'features'}: {', '.join(known) or 'none'}"
        unknown = self.default is None and bool(self.names.names)
        left = sum(self.has(n) is None for n in range(len(self.names.names))) if unknown else 0
        return text + (f" ({left} not known)" if left else "")


def read_capability_rows(image: KernelImage) -> tuple[tuple[CapabilityRow, ...], bool]:
    """Return what the image's arrays of capabilities say, and whether all of them could be read."""
    found = image.symbols.find_each(_ARRAYS)
    arrays = []
    for name in _ARRAYS:
        for symbol in found.get(name, ())[:1]:
            size = symbol.size or _until_next(image, symbol.address)
            data = image.read(symbol.address, size) if 0 < size <= _MAX_ROWS * 256 else None
            if data is not None:
                arrays.append(data)
    stride = next(filter(None, map(_stride, arrays)), None)
    if stride is None:
        return (), False
    read = [_rows(image, data, stride) for data in arrays]
    rows = tuple(row for part in read for row in part or ())
    return rows, len(arrays) == len(_ARRAYS) and None not in read


def _until_next(image: KernelImage, address: int) -> int:
    following = next(iter(image.symbols.between(address + 1, address + _MAX_ROWS * 256)), None)
    return following.address - address & ~7 if following else 0


def _stride(data: bytes) -> int | None:
    """Return the size of an element: what makes good ones of all but the empty one at the end."""
    for stride in _STRIDES:
        used = _elements(data, stride)
        if used is not None and len(used) > 1:
            return stride
    return None


def _elements(data: bytes, stride: int) -> list[bytes] | None:
    """Return the elements before the empty one; None where this cannot be the size of one.

    Every element has a function, a small number and a type.
    """
    elements = [data[i : i + stride] for i in range(0, len(data) - stride + 1, stride)]
    used = [e for e in elements if any(e)]
    good = (
        elements[: len(used)] == used
        and (len(data) % stride == 0 or len(used) < len(elements))
        and all(any(e[_MATCHES_AT : _MATCHES_AT + 8]) for e in used)
        and all(_number(e) < _MAX_CAPABILITIES and _type(e) for e in used)
    )
    return used if good else None


def _number(element: bytes) -> int:
    return int.from_bytes(element[_CAPABILITY_AT:_TYPE_AT], "little")


def _type(element: bytes) -> int:
    return int.from_bytes(element[_TYPE_AT : _TYPE_AT + 2], "little")


def _rows(image: KernelImage, data: bytes, stride: int) -> list[CapabilityRow] | None:
    elements = _elements(data, stride)
    if elements is None:
        return None
    rows = []
    for element in elements:
        pointer = int.from_bytes(element[:8], "little")
        description = image.string_at(pointer) if pointer else None
        rows.append(CapabilityRow(_number(element), description))
    return rows


def capability_names(
    image: KernelImage, *, release: str | None = None, count: int | None = None
) -> CapabilityNames:
    """Return the names of an image's capabilities.

    :param release: kernel release, where the image has no banner.
    :param count: ARM64_NCAPS, where something else tells it (`AlternativeTable.n_capabilities`).
    """
    rows, complete = read_capability_rows(image)
    count = _count(image) or count
    own = _release(image.banner or "", release)
    keys = _fitting_lists(rows, count, own)
    if keys:
        lists = {expand(key) for key in keys}
        origin = "image" if rows else "version"
        title = " or ".join(".".join(str(n) for n in key) for key in keys[:2])
        if len(lists) == 1:
            return CapabilityNames(lists.pop(), origin, title, count, rows, complete)
        columns = zip(*lists, strict=False)
        agreed = tuple(c[0] if len(set(c)) == 1 else None for c in columns)
        return CapabilityNames(_described(agreed, rows), origin, title, count, rows, complete)
    if rows:
        size = count or max(row.number for row in rows) + 1
        return CapabilityNames(_described((None,) * size, rows), "image", "", count, rows, complete)
    return NO_NAMES._replace(n_capabilities=count)


def _release(banner: str, release: str | None) -> Release | None:
    """Return the release of a banner; Debian names the stable version behind its own."""
    own = parse_release(banner.removeprefix(_BANNER) or release)
    upstream = parse_release(banner.rpartition(" Debian ")[2]) if " Debian " in banner else None
    return upstream if own and upstream and own.pair == upstream.pair else own


def _count(image: KernelImage) -> int | None:
    found = image.symbols.find_each(_POINTERS)
    sizes = [s.size // 8 for symbols in found.values() for s in symbols if s.size]
    return sizes[0] if sizes and sizes[0] <= _MAX_CAPABILITIES else None


def _fitting_lists(
    rows: tuple[CapabilityRow, ...], count: int | None, release: Release | None
) -> list[Key]:
    """Return the lists that nothing in the image contradicts: those of its series, else all."""
    if not rows and release is None:
        return []
    if not rows and count is None and release is not None:
        exact = (*release.pair, release.patch)
        return [table.key for table in TABLES if table.key == exact]
    fitting = []
    for table in TABLES:
        if count is not None and table.n != count:
            continue
        names = expand(table.key)
        if all(_agrees(row, names) for row in rows):
            fitting.append(table.key)
    same = [key for key in fitting if release is not None and key[:2] == release.pair]
    if same or not rows:
        return same
    return fitting if count is not None else []


def _agrees(row: CapabilityRow, names: tuple[str | None, ...]) -> bool:
    if row.number >= len(names):
        return False
    said = CAPABILITY_BY_DESCRIPTION.get(row.description or "")
    name = names[row.number]
    return said is None or name is None or name in spellings(said)


def _described(
    names: tuple[str | None, ...], rows: tuple[CapabilityRow, ...]
) -> tuple[str | None, ...]:
    """Fill in the names that the image's own words give."""
    known = list(names)
    for row in rows:
        said = CAPABILITY_BY_DESCRIPTION.get(row.description or "")
        if said is not None and row.number < len(known) and known[row.number] is None:
            known[row.number] = said
    return tuple(known)


def features_from(text: str, names: CapabilityNames) -> Features:
    """Return the features of `--features`: a core, a printed bitmap, or names with commas between them.

    Names and bitmaps are complete: what is not in them the CPU lacks. Of a core what its registers leave open is not
    known.

    :raises InputError: for a word that is no capability of this kernel, and a bitmap of another width.
    """
    text = text.strip()
    core = find_core(text)
    if core is not None:
        return _of_core(capabilities_of(core), core.text, names)
    if text[:2].lower() == "0x" or (parse_bitmap(text) and "," in text):
        parsed = parse_bitmap(text)
        if parsed is None:
            message = (
                f"{text} is not a capability bitmap: groups of eight hexadecimal digits with commas"
            )
            raise InputError(message)
        problem = _wrong_width(parsed[1], parsed[2], names)
        if problem is not None:
            message = f"{text} {problem}"
            raise InputError(message)
        return _of_bitmap(parsed[0], text, names)
    return _of_list(text, names)


def _of_core(known: Mapping[str, bool], text: str, names: CapabilityNames) -> Features:
    present, absent = set[int](), set[int]()
    listed = names.listed
    for number, name in enumerate(names.names):
        has = known.get(name) if name else None
        if listed and number not in listed:
            has = False
        if has is not None:
            (present if has else absent).add(number)
    return Features(names, present=present, absent=absent, origin=text)


def _of_bitmap(bitmap: int, raw: str, names: CapabilityNames) -> Features:
    bits = [n for n in range(bitmap.bit_length()) if bitmap >> n & 1]
    return Features(names, present=bits, default=False, origin=f"CPU features {raw}")


def _of_list(text: str, names: CapabilityNames) -> Features:
    present = {n for n in map(names.number, ALWAYS) if n is not None}
    for word in filter(None, (part.strip() for part in text.split(","))):
        present.add(_number_of(word, names))
    return Features(names, present=present, default=False, origin="the features given")


def _number_of(word: str, names: CapabilityNames) -> int:
    plain = word.upper().removeprefix("ARM64_")
    by_upper = {name.upper(): name for name in names.names if name}
    for spelt in (plain, f"HAS_{plain}", f"WORKAROUND_{plain}", f"WORKAROUND_CAVIUM_{plain}"):
        for any_time in (by_upper.get(spelt, spelt), spelt):
            number = names.number(any_time)
            if number is not None:
                return number
    short = {name.removeprefix("HAS_").removeprefix("WORKAROUND_"): name for name in by_upper}
    near = get_close_matches(plain.removeprefix("HAS_"), short, 3)
    hints = (f"near: {', '.join(by_upper[short[name]] for name in near)}",) if near else ()
    if not names.names:
        hints = ("this image does not tell its capabilities: give --kernel VERSION or a bitmap",)
    message = f"{word} is neither a core nor a capability of this kernel"
    raise InputError(message, hints=hints)


def _wrong_width(least: int, most: int, names: CapabilityNames) -> str | None:
    count = names.n_capabilities or len(names.names) or None
    if count is None or least <= count <= most:
        return None
    return f"is a bitmap of {least}..{most} capabilities, this kernel has {count}"


def features_of_log(
    features: CpuFeatures | None,
    names: CapabilityNames,
    *,
    detected: Iterable[DetectedFeature] = (),
    release: str | None = None,
) -> Features | None:
    """Return the features of a log's bitmap, else those it says were detected; None where it says nothing.

    A bitmap that cannot be of this kernel gives features of which nothing is known, with a note that says so.

    :param release: of the crashed kernel, for names where the image has none.
    """
    if features is None:
        present = {
            number for line in detected if (number := _detected(line.name, names)) is not None
        }
        return Features(names, present=present, origin="boot lines") if present else None
    if not names.names and release is not None:
        known = decode_features(features.raw, release)
        if known.exact:
            names = names._replace(names=known.known, origin="version", title=known.table or "")
    parsed = parse_bitmap(features.raw)
    problem = "is not a bitmap" if parsed is None else _wrong_width(parsed[1], parsed[2], names)
    if parsed is None or problem is not None:
        note = f"CPU features {features.raw} {problem}"
        return Features(names, origin="the log", notes=(note,))
    return _of_bitmap(parsed[0], features.raw, names)


def _detected(words: str, names: CapabilityNames) -> int | None:
    own = next((row.number for row in names.rows if row.description == words), None)
    if own is not None:
        return own
    name = CAPABILITY_BY_DESCRIPTION.get(words)
    return names.number(name) if name else None
