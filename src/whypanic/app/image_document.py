"""What an image said of a report, for the document."""

from whypanic.causes.case import CaseView
from whypanic.model.image import (
    AccessReading,
    DebugEngine,
    HypSlide,
    ImageIdentity,
    JumpTable,
    NamedValue,
    Slide,
)
from whypanic.report.document import (
    DocAccess,
    DocIdentityCheck,
    DocImage,
    DocNamed,
    DocTable,
    hexadecimal,
)

_MAX_TARGETS = 256


def image_of(case: CaseView) -> DocImage | None:
    """Return the image that was held against the report; None where none was given."""
    identity = case.get(ImageIdentity)
    if identity is None:
        return None
    slide = next((s for s in case.all(Slide) if s.module is None), None)
    hyp = case.get(HypSlide)
    engine = case.get(DebugEngine)
    return DocImage(
        name=identity.name,
        kind=identity.kind,
        build_id=identity.build_id,
        version=identity.banner,
        match=identity.match.value,
        certain=identity.certain,
        used=identity.is_used,
        checks=[
            DocIdentityCheck(name=c.name, agrees=c.agrees, text=c.text) for c in identity.checks
        ],
        engine=engine.name if engine else None,
        missing=[*identity.missing, *([engine.caution] if engine and engine.caution else [])],
        kaslr_offset=hexadecimal(slide.value) if slide else None,
        kaslr_printed=slide.printed if slide else None,
        hyp_offset=hexadecimal(hyp.value) if hyp else None,
        hyp_printed=hyp.printed if hyp else None,
    )


def named_of(case: CaseView) -> list[DocNamed]:
    """Return the registers that hold addresses of the image."""
    return [
        DocNamed(
            register=n.register,
            value=hexadecimal(n.value),
            symbol=n.ref.symbol,
            offset=n.ref.offset or 0,
            size=n.ref.size,
            module=n.ref.module,
            section=n.section,
        )
        for n in case.all(NamedValue)
    ]


def access_of(case: CaseView) -> list[DocAccess]:
    """Return the readings of the faulting access, best first."""
    return [
        DocAccess(
            text=a.sentence,
            function=a.function,
            variable=a.variable,
            type=a.type,
            register=a.register,
            pointer=hexadecimal(a.pointer),
            struct=a.struct,
            member=a.member,
            member_type=a.member_type,
            offset=a.offset,
        )
        for a in case.all(AccessReading)
    ]


def tables_of(case: CaseView) -> list[DocTable]:
    """Return the tables that the function of PC branches through."""
    return [table_of(t) for t in case.all(JumpTable)]


def table_of(table: JumpTable) -> DocTable:
    """Return one table in the form of the document."""
    return DocTable(
        function=table.function,
        branch=hexadecimal(table.branch),
        call=table.call,
        table=hexadecimal(table.table),
        section=table.section,
        entry_bytes=table.entry_bytes,
        entry_kind=table.entry_kind.value,
        base=None if table.base is None else hexadecimal(table.base),
        targets=[hexadecimal(target) for target in table.targets[:_MAX_TARGETS]],
        bound=table.bound,
        idiom=table.idiom,
        in_function=table.in_function,
        fixed_up=table.fixed_up,
    )
