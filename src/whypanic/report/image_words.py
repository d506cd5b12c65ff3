"""What an image said of a report, as rows of the text: name, value, words."""

from collections.abc import Iterator

from whypanic.report.document import DocImage, DocReport

_MAX_READINGS = 3
_MAX_NAMED = 8
_TOLD = ("symbol", "no names", "debug", "no code", "cut")
"""What an image lacks is said where its names, lines or code are concerned; the rest is for `--all`."""


def image_rows(report: DocReport, *, everything: bool) -> Iterator[tuple[str, str, str]]:
    """Yield what the image says: whether it is the right one, what was accessed, what registers point at."""
    image = report.image
    if image is not None:
        yield "image", "", _image_words(image)
        for word in image.missing:
            if everything or any(part in word for part in _TOLD):
                yield "image", "", word
    accesses = report.access if everything else report.access[:_MAX_READINGS]
    for access in accesses:
        yield "access", "", access.text
    named = report.named if everything else report.named[:_MAX_NAMED]
    if named:
        words = (
            f"{n.register} {n.symbol}+{n.offset:#x}{f' [{n.module}]' if n.module else ''}"
            for n in named
        )
        more = len(report.named) - len(named)
        rest = f" and {more} more with --all" if more else ""
        yield "points at", "", ", ".join(words) + rest
    for table in report.tables if everything else report.tables[:1]:
        kind = "addresses" if table.entry_kind == "absolute" else "offsets"
        yield (
            "table",
            "",
            f"{table.function} branches at {table.branch} through {len(table.targets)} {kind} of {table.entry_bytes} "
            f"bytes at {table.table}{f' in {table.section}' if table.section else ''} ({table.idiom})",
        )


def _image_words(image: DocImage) -> str:
    verdict = {
        "matches": "is the crashed kernel's"
        if image.certain
        else "agrees with the crashed kernel as far as was compared",
        "mismatch": "is NOT the crashed kernel's",
        "unknown": "cannot be told from another kernel's by this text",
    }[image.match]
    agreeing = image.match != "mismatch"
    reasons = [c.text for c in image.checks if c.agrees is agreeing]
    words = f"{image.name} {verdict}"
    if reasons:
        words += f": {'; '.join(reasons[:3])}"
    if not image.used:
        words += "; what it says is withheld (--allow-mismatch uses it all the same)"
    if image.kaslr_offset is not None:
        words += f"; KASLR offset {image.kaslr_offset} ({'printed' if image.kaslr_printed else 'solved'})"
    if image.hyp_offset is not None:
        words += f"; hyp offset {image.hyp_offset} ({'printed' if image.hyp_printed else 'solved'})"
    return words
