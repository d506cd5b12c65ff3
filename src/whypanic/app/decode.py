"""`decode`: one register value taken apart. Standard library only, modules loaded per value kind."""

from collections.abc import Callable
from typing import NamedTuple

from whypanic import __version__
from whypanic.arch.fields import Field, FieldSpec, bits, split_fields
from whypanic.model.errors import UsageError

SCHEMA = "whypanic.decode/1"
PAGE_SIZES = {"4k": 4, "16k": 16, "64k": 64}

_MAX_DIGITS = 16
_MAX_TEXT = 1000
_HEX = frozenset("0123456789abcdefABCDEF")
_TELLING = {0x0D: "BTYPE", 0x18: "Direction", 0x1D: "SMTC", 0x2D: "ExType", 0x2F: "AET"}
"""Field of each exception class that belongs into the summary."""


class DecodeOptions(NamedTuple):
    """What else the user said."""

    el: int | None = None
    """Exception level that took the exception."""
    kernel: str | None = None
    """Release, e.g. `6.1` or `5.10.12-foo`."""
    page_kib: int | None = None
    """None: not said; 4 for `pte`, any for `far`."""
    va_bits: int | None = None
    """None: not said; 48 for `pte`, any for `far`."""


class Decoded(NamedTuple):
    """One answer: what both forms of output show."""

    what: str
    value: str
    """`0x...`"""
    summary: str
    """One line."""
    fields: tuple[Field, ...]
    """Most significant first."""
    notes: tuple[str, ...]
    details: dict[str, object]
    """What is particular to this kind of value, ready for JSON."""


def parse_hex(text: str, *, what: str, n_digits: int = _MAX_DIGITS) -> int:
    """Return the number in a hexadecimal word, with or without `0x`; underscores are skipped.

    :raises UsageError: on anything else, or on more than `n_digits` digits (leading zeros aside).
    """
    digits = text.strip().replace("_", "")
    if digits[:2] in ("0x", "0X"):
        digits = digits[2:]
    if not digits or not _HEX.issuperset(digits):
        message = f"`{text[:40]}` is not a hexadecimal {what} value"
        hint = "values are always hexadecimal, as logs print them: `86000004` is 0x86000004"
        raise UsageError(message, hints=(hint,))
    if len(digits.lstrip("0")) > n_digits:
        message = f"`{text[:40]}` is longer than the {n_digits * 4} bits of {what}"
        raise UsageError(message)
    return int(digits, 16)


def kernel_number(release: str | None) -> tuple[int, int] | None:
    """Return (major, minor) of a release; None where none was given.

    :raises UsageError: where the text does not begin with `MAJOR.MINOR`.
    """
    if release is None:
        return None
    major, _, rest = release.lstrip("v").partition(".")
    minor = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    if not (major.isascii() and major.isdigit() and minor.isascii() and minor.isdigit()):
        message = (
            f"`{release[:40]}` is not a kernel version: expected such as `6.1` or `4.14.0-rc7`"
        )
        raise UsageError(message)
    return int(major[:6]), int(minor[:6])


def decode_value(what: str, text: str, options: DecodeOptions) -> Decoded:
    """Return what a value of this kind says.

    :raises UsageError: if the kind is unknown or the text is no such value.
    """
    decoder = DECODERS.get(what)
    if decoder is None:
        message = f"`{what[:40]}` cannot be decoded: expected one of {', '.join(DECODERS)}"
        raise UsageError(message)
    if len(text) > _MAX_TEXT:
        message = f"the value has {len(text)} characters, {_MAX_TEXT} are the most"
        raise UsageError(message)
    return decoder(text, options)


def document(decoded: Decoded) -> dict[str, object]:
    """Return the JSON document `whypanic.decode/1`."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "whypanic", "version": __version__},
        "what": decoded.what,
        "value": decoded.value,
        "summary": decoded.summary,
        "fields": field_rows(decoded.fields),
        "notes": list(decoded.notes),
        **decoded.details,
    }


def field_rows(fields: tuple[Field, ...]) -> list[dict[str, object]]:
    """Return fields in the form of the documents."""
    return [
        {
            "name": field.name,
            "lo": field.lo,
            "width": field.width,
            "value": f"{field.value:#x}",
            "meaning": field.meaning,
        }
        for field in fields
    ]


def _reserved_names(fields: tuple[Field, ...]) -> list[str]:
    return [
        f"[{f.lo + f.width - 1}:{f.lo}]" if f.width > 1 else f"[{f.lo}]"
        for f in fields
        if f.name == "RES0" and f.value
    ]


def _esr(text: str, options: DecodeOptions) -> Decoded:
    from whypanic.arch.brk import brk_meaning
    from whypanic.arch.esr import decode_esr
    from whypanic.arch.far import far_validity

    view = decode_esr(parse_hex(text, what="esr"), el=options.el)
    valid, reason = far_validity(view)
    words = [view.ec_name]
    if view.fsc_name:
        words.append(view.fsc_name)
    if view.is_data_abort:
        words.append("write" if view.wnr else "read")
    words += [f.meaning for f in view.fields if f.name == _TELLING.get(view.ec)]
    if view.brk_immediate is not None:
        words.append(brk_meaning(view.brk_immediate).text)
    reserved = _reserved_names(view.fields)
    notes = [reason] if view.is_abort or valid else []
    if reserved:
        notes.append(f"reserved bits are set: {', '.join(reserved)}")
    details: dict[str, object] = {
        "ec": f"{view.ec:#x}",
        "ec_name": view.ec_name,
        "ec_short": view.ec_short,
        "fsc": None if view.fsc is None else f"{view.fsc:#x}",
        "fsc_name": view.fsc_name,
        "fault_kind": None if view.fault_kind is None else view.fault_kind.value,
        "fault_level": view.fault_level,
        "far_valid": valid,
        "hpfar_valid": view.hpfar_valid,
        "res0_set": reserved,
    }
    return Decoded("esr", f"{view.esr:#x}", ", ".join(words), view.fields, tuple(notes), details)


def _pstate(text: str, _options: DecodeOptions) -> Decoded:
    from whypanic.arch.pstate import decode_pstate

    view = decode_pstate(parse_hex(text, what="pstate"))
    words = [view.mode_name, view.nzcv_text, view.daif_text]
    if not view.aarch32:
        words.append(f"BTYPE={view.btype_text}")
    reserved = _reserved_names(view.fields)
    notes = (f"reserved bits are set: {', '.join(reserved)}",) if reserved else ()
    details: dict[str, object] = {
        "el": view.el,
        "mode": view.mode_name,
        "nzcv": view.nzcv_text,
        "daif": view.daif_text,
        "btype": view.btype_text,
        "aarch32": view.aarch32,
        "res0_set": reserved,
    }
    return Decoded("pstate", f"{view.value:#x}", " ".join(words), view.fields, notes, details)


def _far(text: str, options: DecodeOptions) -> Decoded:
    from whypanic.app.far_regions import regions_of

    value = parse_hex(text, what="far")
    kernel = kernel_number(options.kernel)
    regions = regions_of(value, kernel, va_bits=options.va_bits, page_kib=options.page_kib)
    fields = split_fields(
        value,
        (
            FieldSpec("TAG", 56, 8, "copies of bit 55, or a tag or PAC bits"),
            FieldSpec("VA[55]", 55, 1, {0: "TTBR0 range", 1: "TTBR1 range"}),
            FieldSpec("VA", 0, 55, f"offset in its 4 KiB page: {value & 0xFFF:#x}"),
        ),
    )
    summary = " or ".join(dict.fromkeys(row.region for row in regions))
    told = [f"{row.region} in {row.kernels}: {row.note}" for row in regions]
    notes = (*told, "whether FAR means anything depends on the ESR: see `whypanic decode esr`")
    rows = [row._asdict() | {"alternatives": list(row.alternatives)} for row in regions]
    return Decoded("far", f"{value:#x}", summary, fields, notes, {"regions": rows})


def _hpfar(text: str, _options: DecodeOptions) -> Decoded:
    from whypanic.arch.hpfar import decode_hpfar

    value = parse_hex(text, what="hpfar")
    view = decode_hpfar(value)
    note = (
        "means something only for a stage 2 fault taken to EL2 (ESR EC 0x20 or 0x24); "
        "for any other exception it is a reset value or left over from an earlier guest fault"
    )
    details: dict[str, object] = {"ipa": f"{view.ipa:#x}", "valid": view.valid}
    return Decoded("hpfar", f"{value:#x}", f"IPA {view.ipa:#x}", view.fields, (note,), details)


def _par(text: str, _options: DecodeOptions) -> Decoded:
    from whypanic.arch.par import decode_par

    value = parse_hex(text, what="par")
    view = decode_par(value)
    details: dict[str, object] = {"failed": view.failed, "kvm_poison": view.poison}
    note = "means something only after an address translation instruction (AT)"
    return Decoded("par", f"{value:#x}", view.note, view.fields, (note,), details)


def _midr(text: str, _options: DecodeOptions) -> Decoded:
    from whypanic.arch.cores import core_of_midr
    from whypanic.arch.midr import decode_midr

    view = decode_midr(parse_hex(text, what="midr"))
    core = core_of_midr(view.value)
    part = core or f"part {view.part:#05x}"
    summary = f"{view.implementer_name} {part} {view.revision_text}"
    details: dict[str, object] = {
        "implementer": view.implementer_name,
        "core": core,
        "revision": view.revision_text,
    }
    return Decoded("midr", f"{view.value:#x}", summary, view.fields, (), details)


def _pte(text: str, options: DecodeOptions) -> Decoded:
    from whypanic.arch.pte import DescriptorView, decode_descriptor, memory_type

    version = kernel_number(options.kernel)
    views: list[tuple[str, DescriptorView]] = [
        (
            name,
            decode_descriptor(
                value,
                name,
                page_kib=options.page_kib or 4,
                va_bits=options.va_bits or 48,
                version=version,
            ),
        )
        for name, value in parse_walk(text)
    ]
    rows: list[dict[str, object]] = [
        {
            "name": name,
            "value": f"{view.value:#x}",
            "level": view.level,
            "kind": view.kind,
            "output_address": _hex_or_none(view.output_address),
            "memory_type": None
            if view.attr_index is None
            else memory_type(view.attr_index, version),
            "note": view.note,
            "fields": field_rows(view.fields),
        }
        for name, view in views
    ]
    last_name, last = views[-1]
    where = "" if last.output_address is None else f" at {last.output_address:#x}"
    summary = f"{last_name}: {last.kind}{where}, {last.note}"
    notes = tuple(f"{name}={view.value:#x}: {view.kind}, {view.note}" for name, view in views[:-1])
    return Decoded("pte", f"{last.value:#x}", summary, last.fields, notes, {"descriptors": rows})


def parse_walk(text: str) -> list[tuple[str, int]]:
    """Return the descriptors of a page-table line by level, in order; a bare value is a `pte`.

    Understood: `pmd=HEX`, several of them, and whole printed lines with `[address]` and `*pgd=`.

    :raises UsageError: where a part is no descriptor, or there is none.
    """
    from whypanic.arch.pte import LEVEL_NAMES

    head, bracket, rest = text.partition("]")
    parts = (rest if bracket and head.lstrip().startswith("[") else text).replace(",", " ").split()
    found: list[tuple[str, int]] = []
    for part in parts:
        name, equals, digits = part.lstrip("*").partition("=")
        if not equals:
            name, digits = "pte", part
        if name not in LEVEL_NAMES:
            message = f"`{name[:40]}` is no table level: expected one of {', '.join(LEVEL_NAMES)}"
            raise UsageError(message)
        found.append((name, parse_hex(digits, what=name)))
    if not found:
        message = "no descriptor: expected such as `pte=00e8000812345f03`"
        raise UsageError(message)
    return found


def _hex_or_none(value: int | None) -> str | None:
    return None if value is None else f"{value:#x}"


def _features(text: str, options: DecodeOptions) -> Decoded:
    from whypanic.arch.cpucaps import decode_features, parse_bitmap

    text = _in_groups(text.strip())
    if parse_bitmap(text) is None:
        message = f"`{text[:40]}` is not a capability bitmap"
        hint = "expected as printed: hexadecimal groups with commas, such as `0x2,25006082`"
        raise UsageError(message, hints=(hint,))
    kernel_number(options.kernel)
    found = decode_features(text, options.kernel)
    fields = tuple(
        Field(name or f"bit {bit}", bit, 1, 1, "" if name else "not named in this kernel's table")
        for bit, name in reversed(found.names)
    )
    count = f"{len(fields)} capabilit{'y' if len(fields) == 1 else 'ies'}"
    table = found.table or "no table fits this kernel"
    details: dict[str, object] = {
        "raw": text,
        "table": found.table,
        "exact": found.exact,
        "names": [name or f"bit {bit}" for bit, name in found.names],
    }
    notes = (found.note,) if found.note else ()
    return Decoded("features", f"{found.bitmap:#x}", f"{count} ({table})", fields, notes, details)


def _in_groups(text: str) -> str:
    """Return a long bitmap without commas, as documents have it, in the kernel's groups of 32 bits."""
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    if len(digits) <= 8 or not _HEX.issuperset(digits):
        return text
    head = len(digits) % 8 or 8
    groups = [digits[:head], *(digits[i : i + 8] for i in range(head, len(digits), 8))]
    return f"0x{','.join(groups)}"


def _brk(text: str, _options: DecodeOptions) -> Decoded:
    from whypanic.arch.brk import brk_meaning

    value = parse_hex(text, what="brk")
    immediate, where = _immediate(value)
    meaning = brk_meaning(immediate)
    fields = (Field("imm16", 0, 16, immediate, meaning.text),)
    details: dict[str, object] = {
        "immediate": f"{immediate:#x}",
        "name": meaning.name,
        "kind": meaning.kind,
        "check": meaning.check,
        "cfi_target": None if meaning.cfi_target is None else f"x{meaning.cfi_target}",
        "cfi_type": None if meaning.cfi_type is None else f"w{meaning.cfi_type}",
    }
    summary = f"BRK #{immediate:#x}: {meaning.text}"
    return Decoded("brk", f"{value:#x}", summary, fields, (where,) if where else (), details)


def _immediate(value: int) -> tuple[int, str]:
    """Return the immediate in a bare number, an instruction word or a syndrome, and which it was."""
    if value <= 0xFFFF:
        return value, ""
    if value & 0xFFFFFFFF_FFE0001F == 0xD4200000:
        return bits(value, 5, 16), "read from an instruction word"
    if bits(value, 26, 6) == 0x3C:
        return value & 0xFFFF, "read from an ESR"
    message = f"`{value:#x}` is neither a BRK immediate, a BRK instruction nor the ESR of one"
    raise UsageError(message, hints=("an immediate has 16 bits, e.g. `800`",))


DECODERS: dict[str, Callable[[str, DecodeOptions], Decoded]] = {
    "esr": _esr,
    "pstate": _pstate,
    "far": _far,
    "hpfar": _hpfar,
    "par": _par,
    "midr": _midr,
    "pte": _pte,
    "features": _features,
    "brk": _brk,
}
