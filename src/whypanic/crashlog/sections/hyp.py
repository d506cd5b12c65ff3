"""Lines of an EL2 panic: the values, the lines of `nvhe_hyp_panic_handler()`, and KVM's boot lines.

Sources: arch/arm64/kvm/handle_exit.c `nvhe_hyp_panic_handler()`, arch/arm64/kvm/stacktrace.c, arch/arm64/kvm/arm.c
(from memory, after the project's catalogue of formats).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import (
    Facts,
    Part,
    Rule,
    compiled,
    hex_digits,
    number,
    read_ref,
)
from whypanic.model.fault import Detail
from whypanic.model.hyp import (
    HypOffset,
    HypPanic,
    HypPanicAt,
    HypVaRange,
    IdmapPage,
    KvmModeLine,
    VmidBits,
)
from whypanic.model.provenance import Source

_PREFIX = r"(?:kvm(?: \[\d{1,7}\])?: ?)?"
_FIELD = r"\b(PS|PC|ESR|FAR|HPFAR|PAR|VCPU):\s?(?:0x)?([0-9a-fA-F]{1,16})(?![0-9a-fA-F])"


def values(match: re.Match[str], source: Source) -> Facts:
    """Return the part of a HypPanic that one line holds; the assembly joins the parts."""
    found: dict[str, str] = {}
    for field in compiled(_FIELD).finditer(match.string):
        found.setdefault(field[1], field[2])
    read = {name: number(digits) for name, digits in found.items()}
    return (
        HypPanic(
            ps=read.get("PS"),
            pc=read.get("PC"),
            esr=read.get("ESR"),
            far=read.get("FAR"),
            hpfar=read.get("HPFAR"),
            par=read.get("PAR"),
            vcpu=read.get("VCPU"),
            esr_digits=hex_digits(found.get("ESR", "00000000")),
            source=source,
        ),
    )


def _panic_at(match: re.Match[str], source: Source) -> Facts:
    where = match["where"].strip()
    address, file, line = None, None, None
    bracket = compiled(r"\[<(?P<addr>{HEX})>\] ?(?P<rest>.*)").match(where)
    rest = bracket["rest"] if bracket else where
    if bracket:
        address = number(bracket["addr"])
    else:
        place = compiled(r"(?P<file>{FILE}):(?P<line>\d{1,7})").match(where)
        raw = compiled(r"(?P<addr>[0-9a-f]{16})\b").match(where)
        if place:
            file, line, rest = place["file"], int(place["line"]), ""
        elif raw:
            address, rest = number(raw["addr"]), ""
    return (
        HypPanicAt(
            what=match["what"],
            address=address,
            ref=read_ref(rest) if rest else None,
            file=file,
            line=line,
            source=source,
        ),
    )


def _offset(match: re.Match[str], source: Source) -> Facts:
    return (HypOffset(offset=number(match["offset"]), source=source),)


def _detail(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="hyp", value=match.string, source=source),)


def _nothing(_match: re.Match[str], _source: Source) -> Facts:
    return ()


def _va_range(match: re.Match[str], source: Source) -> Facts:
    return (HypVaRange(first=number(match["a"]), last=number(match["b"]), source=source),)


def _idmap(match: re.Match[str], source: Source) -> Facts:
    return (IdmapPage(pa=number(match["pa"]), source=source),)


def _vmid(match: re.Match[str], source: Source) -> Facts:
    return (VmidBits(bits=int(match["bits"]), source=source),)


def mode(match: re.Match[str], source: Source) -> Facts:
    """Return the mode that the line names; `Protected` wins over nVHE, hVHE is beside it."""
    protected, kind = match["protected"], match["kind"]
    host = "vhe" if kind == "VHE" else "nvhe"
    name = "protected" if protected else host
    hvhe = {"h": True, "n": False}.get(kind[0]) if kind else None
    return (KvmModeLine(mode=name, hvhe=hvhe, source=source),)


def _mode_old(_match: re.Match[str], source: Source) -> Facts:
    return (KvmModeLine(mode="nvhe", source=source),)


def _no_hyp(_match: re.Match[str], source: Source) -> Facts:
    return (KvmModeLine(mode=None, available=False, source=source),)


# fmt: off
CRASH: tuple[Rule, ...] = (
    Rule("PS:",             r"(?:.*HYP panic: ?)?PS:{HEX}\b",                          values,   Part.HYP_VALUES),
    Rule("ESR:",            r"(?:PC|ESR):{HEX} ?(?:ESR:|$)",                           values,   Part.HYP_VALUES),
    Rule("PAR:",            r"(?:FAR|HPFAR|PAR):{HEX}\b",                              values,   Part.HYP_VALUES),
    Rule("VCPU:",           r"VCPU:{HEX}\b",                                           values,   Part.HYP_VALUES),
    Rule("nVHE hyp",        _PREFIX + r"nVHE hyp (?P<what>\S.{0,80}?) at: ?(?P<where>.*)", _panic_at, Part.HYP),
    Rule("Hyp Offset",      _PREFIX + r"Hyp Offset: ?(?P<offset>{HEX})",               _offset,   Part.HYP),
    Rule("nVHE",            _PREFIX + r"(?:Protected )?nVHE (?:HYP )?call trace:",     _nothing,  Part.HYP),
    Rule("call trace",      _PREFIX + r"-+\[? ?[Ee]nd (?:of )?(?:Protected )?nVHE (?:HYP )?call trace", _nothing, Part.HYP),
    Rule("nVHE stacktrace", _PREFIX + r"Cannot dump pKVM nVHE stacktrace",             _detail,   Part.HYP),
    Rule("nVHE hyp!",       _PREFIX + r"Invalid host exception to nVHE hyp",           _detail,   Part.HYP),
)
BOOT: tuple[Rule, ...] = (
    Rule("VMID",            _PREFIX + r"(?P<bits>8|16)-bit VMID",                      _vmid,     Part.BOOT),
    Rule("IDMAP page",      _PREFIX + r"IDMAP page: ?(?P<pa>{HEX})",                   _idmap,    Part.BOOT),
    Rule("HYP VA range",    _PREFIX + r"HYP VA range: ?(?P<a>{HEX}):(?P<b>{HEX})",     _va_range, Part.BOOT),
    Rule("VHE mode",        _PREFIX + r"(?:Hyp )?(?P<protected>Protected )?(?P<kind>[nh]?VHE) mode initiali[sz]ed",
                                                                                       mode,     Part.BOOT),
    Rule("Hyp mode init",   _PREFIX + r"Hyp mode initiali[sz]ed successfully",         _mode_old, Part.BOOT),
    Rule("HYP mode not",    _PREFIX + r"HYP mode not available",                       _no_hyp,   Part.BOOT),
    Rule("KVM disabled",    _PREFIX + r"KVM disabled from command line",               _no_hyp,   Part.BOOT),
    Rule("hyp",             r"kvm(?: \[\d{1,7}\])?: (?:Failed to init hyp|.*hyp.*)",   _detail,   Part.BOOT),
    Rule("Hyp",             r"kvm(?: \[\d{1,7}\])?: .*Hyp.*",                          _detail,   Part.BOOT),
    Rule("kvm [",           r"kvm \[\d{1,7}\]: (?:IPA Size Limit|Reserved|GIC|vgic|nv|IDMAP).*", _detail, Part.BOOT),
)
# fmt: on
