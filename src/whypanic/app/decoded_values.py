"""Decoded registers of one case, in the words of the document."""

from collections.abc import Iterable

from whypanic.arch.cpucaps import decode_features
from whypanic.arch.esr import EsrView, decode_esr
from whypanic.arch.far import far_validity
from whypanic.arch.fields import Field
from whypanic.arch.hpfar import decode_hpfar
from whypanic.arch.par import decode_par
from whypanic.arch.pstate import decode_pstate
from whypanic.arch.pte import decode_descriptor
from whypanic.causes.case import CaseView
from whypanic.model.context import CpuFeatures
from whypanic.model.fault import PageTable, PageWalk
from whypanic.model.regions import Region
from whypanic.report.document import (
    DocFar,
    DocFeatures,
    DocField,
    DocHpfar,
    DocPageTable,
    DocPar,
    DocPstate,
    DocSyndrome,
    DocWalkEntry,
    hexadecimal,
)

_ALWAYS_TOLD = ("AttrIndx", "AP[2:1]")
"""Fields of a page or block entry whose zero says something: the memory type, and who may do what."""
REGISTER_NAMES = ("pc", "lr", "sp", *(f"x{n}" for n in range(31)))


def fields_of(fields: Iterable[Field]) -> list[DocField]:
    """Return decoded fields in the document's form."""
    return [
        DocField(
            name=field.name,
            lo=field.lo,
            width=field.width,
            value=hexadecimal(field.value),
            meaning=field.meaning,
        )
        for field in fields
    ]


def registers_of(case: CaseView) -> dict[str, str | None]:
    """Return every general register by name; null where the text has no value."""
    values = dict(case.values)
    if case.hyp is not None and case.hyp.pc is not None:
        values["pc"] = case.hyp.pc
    names = (*REGISTER_NAMES, *sorted(set(values) - {*REGISTER_NAMES, "pstate", "vcpu"}))
    return {name: None if name not in values else hexadecimal(values[name]) for name in names}


def pstate_value(case: CaseView) -> int | None:
    """Return PSTATE of the code that faulted."""
    if case.hyp is not None:
        return case.hyp.ps
    return case.value("pstate")


def pstate_of(case: CaseView) -> DocPstate | None:
    """Return PSTATE with its fields."""
    value = pstate_value(case)
    if value is None:
        return None
    return DocPstate(raw=hexadecimal(value), fields=fields_of(decode_pstate(value).fields))


def syndrome_view(case: CaseView) -> EsrView | None:
    """Return the decoded ESR: at EL2 that of the panic lines."""
    if case.hyp is not None and case.hyp.esr is not None:
        return decode_esr(case.hyp.esr, el=2)
    return case.esr


def syndrome_of(case: CaseView) -> DocSyndrome | None:
    """Return ESR with its fields."""
    view = syndrome_view(case)
    if view is None:
        return None
    complete = case.hyp is not None or case.syndrome is None or case.syndrome.complete
    return DocSyndrome(
        esr=hexadecimal(view.esr),
        ec=hexadecimal(view.ec),
        ec_name=view.ec_name,
        fields=fields_of(view.fields),
        complete=complete,
    )


def far_of(case: CaseView) -> DocFar | None:
    """Return the fault address with its region, and whether this kind of exception writes FAR at all."""
    value = case.hyp.far if case.hyp is not None else (case.far.va if case.far else None)
    if value is None:
        return None
    view = syndrome_view(case)
    valid, note = (None, "no ESR in the text") if view is None else far_validity(view)
    place = case.classify(value)
    region = place.region
    if case.hyp is not None and value >> 55 & 1 == 0 and region is Region.USER:
        region = Region.HYP
        place = place._replace(note="a TTBR0 address at EL2: a hyp VA")
    words = [note, place.note]
    return DocFar(
        value=hexadecimal(value),
        valid=valid,
        region=region.value,
        note="; ".join(word for word in words if word),
    )


def hpfar_of(case: CaseView) -> DocHpfar | None:
    """Return HPFAR_EL2 of a hyp panic; the IPA only where it means something."""
    if case.hyp is None or case.hyp.hpfar is None:
        return None
    view = decode_hpfar(case.hyp.hpfar, syndrome_view(case))
    return DocHpfar(
        value=hexadecimal(case.hyp.hpfar),
        valid=view.valid,
        region=None,
        note=view.note,
        ipa=hexadecimal(view.ipa) if view.valid else None,
    )


def par_of(case: CaseView) -> DocPar | None:
    """Return PAR_EL1 of a hyp panic."""
    if case.hyp is None or case.hyp.par is None:
        return None
    view = decode_par(case.hyp.par)
    return DocPar(
        value=hexadecimal(case.hyp.par),
        valid=None,
        region=None,
        note=view.note,
        fields=fields_of(view.fields),
    )


def page_table_of(case: CaseView) -> DocPageTable | None:
    """Return the page-table lines, each descriptor decoded."""
    table, walk = case.get(PageTable), case.get(PageWalk)
    if table is None and walk is None:
        return None
    page_kib = table.page_kib if table else None
    va_bits = table.va_bits if table else None
    entries = []
    for entry in walk.entries if walk else ():
        view = decode_descriptor(
            entry.value,
            entry.name,
            page_kib=page_kib or 4,
            va_bits=va_bits or 48,
            version=case.kernel.number if case.kernel else None,
        )
        told = [
            f"{f.name}={f.value:#x} {f.meaning}".strip()
            for f in view.fields
            if f.value or f.name in _ALWAYS_TOLD
        ]
        entries.append(
            DocWalkEntry(
                name=entry.name,
                value=hexadecimal(entry.value),
                kind=view.kind,
                meaning="; ".join(told),
            )
        )
    return DocPageTable(
        owner=table.owner if table else None,
        page_kib=page_kib,
        va_bits=va_bits,
        address=None if walk is None or walk.va is None else hexadecimal(walk.va),
        entries=entries,
        note=walk.note if walk else "",
    )


def features_of(case: CaseView) -> DocFeatures | None:
    """Return the capability bitmap with the names of its bits."""
    features = case.get(CpuFeatures)
    if features is None:
        return None
    kernel = case.kernel
    table = decode_features(features.raw, kernel.release if kernel else None)
    return DocFeatures(
        raw=features.raw,
        bitmap=hexadecimal(features.bitmap),
        table=table.table,
        exact=table.exact,
        names=[name or f"bit {bit}" for bit, name in table.names],
        note=table.note,
    )


def exception_level_of(case: CaseView) -> int | None:
    """Return the EL of the code that faulted: 2 for a hyp panic, else what PSTATE says."""
    if case.at_el2:
        return 2
    value = pstate_value(case)
    return None if value is None else decode_pstate(value).el
