"""Records of pstore that hold the parts of one dump: read as one input."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import TypeVar

from whypanic.app.inputs import RawInput
from whypanic.crashlog.pstore import dump_and_part

MAX_HELD = 4096
"""Records looked at together; a folder of pstore holds a few dozen."""
MAX_HELD_BYTES = 16 << 20


Other = TypeVar("Other")


def gather_records(items: Iterable[RawInput | Other]) -> Iterator[RawInput | Other]:
    """Yield the inputs, the records `dmesg-BACKEND-ID` of one dump put together.

    EFI variables and ERST hold a kibibyte or so each, and the kernel spreads one dump over many. The input made of
    them is named `FOLDER/{FIRST,SECOND,...}`, in the words of a shell, and lines are counted in their concatenation.
    """
    held: list[RawInput] = []
    size = 0
    for item in items:
        if isinstance(item, RawInput) and _key(item) is not None:
            if len(held) >= MAX_HELD or size >= MAX_HELD_BYTES:
                yield from _together(held)
                held, size = [], 0
            held.append(item)
            size += len(item.data)
            continue
        yield from _together(held)
        held, size = [], 0
        yield item
    yield from _together(held)


def _key(item: RawInput) -> tuple[str, str, str, str, int] | None:
    """Return folder, backend, time, dump and part of a record; None: the file is none.

    Source: Linux fs/pstore/inode.c names the file after type, backend and id; drivers/firmware/efi/efi-pstore.c,
    `generic_id()`: the id of an EFI record is (time * 100 + part) * 1000 + count.
    """
    path = PurePath(item.name)
    match = re.fullmatch(r"dmesg-([a-z_]{1,24})-(\d{1,24})", path.name)
    found = dump_and_part(item.data) if match is not None else None
    if match is None or found is None:
        return None
    time = match[2][:-5] if match[1].startswith("efi") else ""
    return str(path.parent), match[1], time, *found


def _together(records: list[RawInput]) -> Iterator[RawInput]:
    """Yield one input for each dump; a part number that comes again begins another."""
    groups: list[list[RawInput]] = []
    latest: dict[tuple[str, str, str, str], tuple[int, set[int]]] = {}
    for record in records:
        key = _key(record)
        if key is None:
            continue
        dump, part = key[:4], key[4]
        place, parts = latest.get(dump, (-1, {part}))
        if part in parts:
            place, parts = len(groups), set()
            groups.append([])
            latest[dump] = place, parts
        parts.add(part)
        groups[place].append(record)
    for group in groups:
        yield group[0] if len(group) == 1 else _joined(group)


def _joined(records: list[RawInput]) -> RawInput:
    folder = PurePath(records[0].name).parent
    names = ",".join(PurePath(record.name).name for record in records)
    data = b"".join(
        record.data if record.data.endswith(b"\n") else record.data + b"\n" for record in records
    )
    return RawInput(str(folder / f"{{{names}}}"), data)
