"""The region of one address under each layout era that a kernel may have."""

from typing import NamedTuple

from whypanic.arch.layout_tables import ERAS
from whypanic.arch.layouts import Classified, build_layout, classify


class EraRegion(NamedTuple):
    """What some kernels have at an address."""

    kernels: str
    """e.g. `3.7..4.5, 5.4..5.9`, `every era`, or the release that was asked for."""
    region: str
    note: str
    certain: bool
    alternatives: tuple[str, ...]


def regions_of(
    value: int,
    version: tuple[int, int] | None,
    *,
    va_bits: int | None = None,
    page_kib: int | None = None,
) -> tuple[EraRegion, ...]:
    """Return the regions of an address, one row for all eras that agree.

    :param version: the one kernel to ask about; None for every era.
    """
    if version is not None:
        asked = {f"{version[0]}.{version[1]}": version}
    else:
        asked = {_name(era.since, era.last): era.since for era in ERAS}
    groups: dict[tuple[str, str], list[tuple[str, Classified]]] = {}
    for name, release in asked.items():
        layout = build_layout(version=release, va_bits=va_bits, page_kib=page_kib)
        found = classify(value, layout)
        groups.setdefault((found.region.value, found.note), []).append((name, found))
    return tuple(
        EraRegion(
            "every era" if len(rows) == len(ERAS) else ", ".join(name for name, _ in rows),
            region,
            note,
            all(found.certain for _, found in rows),
            tuple(dict.fromkeys(o.value for _, found in rows for o in found.alternatives)),
        )
        for (region, note), rows in groups.items()
    )


def _name(since: tuple[int, int], last: tuple[int, int]) -> str:
    first = f"{since[0]}.{since[1]}"
    if last[0] == 99:
        return f"{first} and later"
    return first if since == last else f"{first}..{last[0]}.{last[1]}"
