"""`whypanic decode`: one register value, field by field."""

import click

from whypanic.app.decode import (
    DECODERS,
    PAGE_SIZES,
    Decoded,
    DecodeOptions,
    decode_value,
    document,
)
from whypanic.cli.output import write


@click.command(
    "decode",
    short_help="Take one register value apart.",
    epilog="VALUE is always hexadecimal, with or without 0x, as logs print it.",
)
@click.argument("what", type=click.Choice(tuple(DECODERS)), metavar="WHAT")
@click.argument("value", nargs=-1, required=True, metavar="VALUE")
@click.option(
    "--el", type=click.IntRange(0, 3), help="Exception level that took the exception (esr)."
)
@click.option(
    "--kernel", metavar="VERSION", help="Kernel version, e.g. 6.1: for far, pte and features."
)
@click.option(
    "--page-size", type=click.Choice(tuple(PAGE_SIZES)), help="Page size: for pte (4k) and far."
)
@click.option(
    "--va-bits", type=click.IntRange(36, 52), help="Virtual address bits: for pte (48) and far."
)
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", help="Output form."
)
def command(
    what: str,
    value: tuple[str, ...],
    el: int | None,
    kernel: str | None,
    page_size: str | None,
    va_bits: int | None,
    form: str,
) -> None:
    """Take one register value apart: every field, and what it means.

    \b
    WHAT is one of
      esr       ESR_ELx, the syndrome
      pstate    PSTATE, SPSR_ELx, `PS:` of a HYP panic
      far       FAR_ELx, or any address: the region it lies in
      hpfar     HPFAR_EL2: the intermediate physical address
      par       PAR_EL1, the result of an address translation
      midr      MIDR_EL1: which core
      pte       descriptors: pmd=HEX pte=HEX, or a whole printed line
      features  the bitmap of `CPU features:`
      brk       immediate of a BRK, the instruction word or its ESR
    """
    options = DecodeOptions(
        el=el,
        kernel=kernel,
        page_kib=None if page_size is None else PAGE_SIZES[page_size],
        va_bits=va_bits,
    )
    decoded = decode_value(what, " ".join(value), options)
    text = render_json(decoded) if form == "json" else render_text(decoded)
    write(text.encode("utf-8", "backslashreplace") + b"\n")


def render_json(decoded: Decoded) -> str:
    """Return the JSON document as text."""
    import json

    return json.dumps(document(decoded), indent=2, ensure_ascii=False)


def render_text(decoded: Decoded) -> str:
    """Return the summary, one line a field (most significant first), and the notes."""
    rows = [
        (_span(field.lo, field.width), field.name, f"{field.value:#x}", field.meaning)
        for field in decoded.fields
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = [f"{decoded.what} {decoded.value}: {decoded.summary}"]
    for span, name, value, meaning in rows:
        cells = f"  {span:>{widths[0]}}  {name:<{widths[1]}}  {value:>{widths[2]}}  {meaning}"
        lines.append(cells.rstrip())
    lines.extend(f"note: {note}" for note in decoded.notes)
    return "\n".join(lines)


def _span(lo: int, width: int) -> str:
    return f"[{lo}]" if width == 1 else f"[{lo + width - 1}:{lo}]"
