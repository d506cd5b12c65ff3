"""Where a stopped kernel's ring buffer is: three ways, of which VMCOREINFO is the first and symbols are the second."""

from typing import NamedTuple

from whypanic.lab.loaded_image import LoadedImage
from whypanic.lab.page_tables import VirtualMemory
from whypanic.lab.printk_ring import (
    HEAD_BYTES,
    Record,
    RingLayout,
    initial_ring_offset,
    layout_from,
    read_log_buf,
    read_ring,
)
from whypanic.lab.ram import Ram
from whypanic.lab.vmcoreinfo import VmcoreInfo

_OLD_NAMES = {"log_buf": 8, "log_buf_len": 4, "log_first_idx": 4, "log_next_idx": 4}
"""Variables of a kernel before 5.10, and their bytes."""


class Recovered(NamedTuple):
    """Records, and how they were found."""

    records: tuple[Record, ...]
    how: str


def recover_records(
    ram: Ram, memory: VirtualMemory, image: LoadedImage, info: VmcoreInfo | None
) -> Recovered | None:
    """Return the records of the ring buffer; None where it cannot be found or read.

    :param memory: by the kernel's own page tables.
    """
    layout = None
    if info is not None:
        records = _by_vmcoreinfo(memory, info)
        if records is not None:
            return Recovered(records, "VMCOREINFO")
        layout = layout_from(info)
    records = _read_at(memory, _word(ram, image.pa_of("prb")), layout)
    if records is not None:
        return Recovered(records, "the symbol `prb`")
    records = _old_by_symbols(ram, memory, image)
    if records is not None:
        return Recovered(records, "the symbol `log_buf`")
    offset = initial_ring_offset(image.data)
    head = None if offset is None else ram.read(image.pa + offset, HEAD_BYTES)
    records = None if head is None else read_ring(memory, head, layout)
    return None if records is None else Recovered(records, "the form of its first ids")


def _word(ram: Ram, pa: int | None) -> int | None:
    data = None if pa is None else ram.read(pa, 8)
    return None if data is None else int.from_bytes(data, "little")


def _read_at(
    memory: VirtualMemory, ring: int | None, layout: RingLayout | None
) -> tuple[Record, ...] | None:
    head = None if ring is None else memory.read(ring, HEAD_BYTES)
    return None if head is None else read_ring(memory, head, layout)


def _by_vmcoreinfo(memory: VirtualMemory, info: VmcoreInfo) -> tuple[Record, ...] | None:
    prb = info.symbol("prb")
    if prb is not None:
        return _read_at(memory, memory.read_u64(prb), layout_from(info))
    places = {name: info.symbol(name) for name in _OLD_NAMES}
    values = {
        name: int.from_bytes(data, "little")
        for name, va in places.items()
        if va is not None and (data := memory.read(va, _OLD_NAMES[name])) is not None
    }
    return read_log_buf(memory, values, info.size("printk_log") or 16)


def _old_by_symbols(
    ram: Ram, memory: VirtualMemory, image: LoadedImage
) -> tuple[Record, ...] | None:
    values = {}
    for name, n_bytes in _OLD_NAMES.items():
        pa = image.pa_of(name)
        data = None if pa is None else ram.read(pa, n_bytes)
        if data is None:
            return None
        values[name] = int.from_bytes(data, "little")
    return read_log_buf(memory, values)
