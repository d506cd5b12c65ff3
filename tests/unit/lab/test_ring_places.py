import struct
from pathlib import Path

import pytest

from builders.fake_qemu import KVM, LINUX, raw_image
from builders.stopped_kernel import IMAGE_PA, RAM_PA, RUN, TCR, GuestRam, Words, put_ring
from whypanic.lab.loaded_image import LoadedImage
from whypanic.lab.page_tables import VirtualMemory, tables_of_kernel
from whypanic.lab.ram import Ram, Segment
from whypanic.lab.ring_places import Recovered, recover_records
from whypanic.lab.vmcoreinfo import VmcoreInfo

PRB, RING = 0x8000, 0x9000
WORDS = (Words("toy: one"), Words("toy: two"))
BASE = "ffff800008000000 T _text\n"
SYMBOL = BASE + f"{0xFFFF800008000000 + PRB:x} d prb\n"
INFO = f"""\
SYMBOL(prb)={RUN + PRB:x}
SIZE(printk_ringbuffer)=88
OFFSET(printk_ringbuffer.desc_ring)=0
OFFSET(printk_ringbuffer.text_data_ring)=48
OFFSET(prb_desc_ring.count_bits)=0
OFFSET(prb_desc_ring.descs)=8
OFFSET(prb_desc_ring.infos)=16
OFFSET(prb_desc_ring.head_id)=24
OFFSET(prb_desc_ring.tail_id)=32
SIZE(prb_desc)=24
OFFSET(prb_desc.state_var)=0
OFFSET(prb_desc.text_blk_lpos)=8
OFFSET(prb_data_blk_lpos.next)=8
SIZE(printk_info)=88
OFFSET(printk_info.seq)=0
OFFSET(printk_info.ts_nsec)=8
OFFSET(printk_info.text_len)=16
OFFSET(prb_data_ring.size_bits)=0
OFFSET(prb_data_ring.data)=8
"""


def _first_ring() -> bytes:
    first, lpos = -(1 << 5) - 1 & (1 << 32) - 1, -(1 << 10) & (1 << 64) - 1
    ring = struct.pack("<IIQQQQQ", 5, 0, 0, 0, first, first, first)
    return ring + struct.pack("<IIQQQ", 10, 0, 0, lpos, lpos)


def _recover(
    tmp_path: Path, guest: GuestRam, *, symbols: str = BASE, info: str | None = None
) -> Recovered | None:
    image = bytearray(raw_image(LINUX, KVM))
    image[RING : RING + 80] = _first_ring()
    (tmp_path / "Image").write_bytes(image)
    (tmp_path / "System.map").write_text(symbols, encoding="ascii")
    ram = Ram(bytes(guest.data), (Segment(RAM_PA, len(guest.data), 0),))
    tables = tables_of_kernel(ram, {"TTBR1_EL1": guest.root, "TCR_EL1": TCR})
    return recover_records(
        ram,
        VirtualMemory(ram, tables),
        LoadedImage(tmp_path / "Image", tmp_path / "System.map"),
        None if info is None else VmcoreInfo.from_text(info),
    )


def _guest() -> GuestRam:
    guest = GuestRam()
    guest.map(RUN, IMAGE_PA, 1 << 17)
    guest.put(IMAGE_PA + RING, put_ring(guest, WORDS))
    guest.put(IMAGE_PA + PRB, struct.pack("<Q", RUN + RING))
    return guest


@pytest.mark.parametrize(
    ("symbols", "info", "how"),
    [
        (BASE, INFO, "VMCOREINFO"),
        (SYMBOL, None, "the symbol `prb`"),
        (SYMBOL, "SYMBOL(_stext)=ffff800008000000\n", "the symbol `prb`"),
        (SYMBOL, INFO.replace(f"{RUN:x}"[:8], "ffffeeee"), "the symbol `prb`"),
        (BASE, None, "the form of its first ids"),
    ],
)
def test_each_way_finds_the_same(tmp_path: Path, symbols: str, info: str | None, how: str) -> None:
    found = _recover(tmp_path, _guest(), symbols=symbols, info=info)
    assert found is not None
    assert [record.text for record in found.records] == ["toy: one", "toy: two"]
    assert found.how == how


def test_a_larger_ring_that_took_its_place_is_followed(tmp_path: Path) -> None:
    guest = _guest()
    larger = put_ring(
        guest, [Words("toy: later")], pa=IMAGE_PA + 0x18000, va=RUN + 0x18000, first_seq=7
    )
    guest.put(IMAGE_PA + 0x1A000, larger)
    guest.put(IMAGE_PA + PRB, struct.pack("<Q", RUN + 0x1A000))
    found = _recover(tmp_path, guest, symbols=SYMBOL)
    assert found is not None
    assert [record.text for record in found.records] == ["toy: later"]


OLD_NAMES = ("log_buf", "log_buf_len", "log_first_idx", "log_next_idx")


def _old_guest() -> GuestRam:
    guest = _guest()
    guest.put(IMAGE_PA + RING, bytes(128))
    record = struct.pack("<QHHHBB", 5, 32, 8, 0, 0, 6 << 5) + b"toy: old"
    guest.put(IMAGE_PA + 0xA000, record)
    guest.put(IMAGE_PA + PRB, struct.pack("<QIIII", RUN + 0xA000, 1 << 12, 0, 32, 0))
    return guest


def test_kernels_before_5_10_are_read_by_vmcoreinfo(tmp_path: Path) -> None:
    places = zip(OLD_NAMES, (0, 8, 12, 16), strict=True)
    info = "".join(f"SYMBOL({name})={RUN + PRB + at:x}\n" for name, at in places)
    found = _recover(tmp_path, _old_guest(), info=info)
    assert found is not None
    assert [record.text for record in found.records] == ["toy: old"]
    assert found.how == "VMCOREINFO"


def test_kernels_before_5_10_are_read_by_symbols(tmp_path: Path) -> None:
    places = zip(OLD_NAMES, (0, 8, 12, 16), strict=True)
    lines = "".join(f"{0xFFFF800008000000 + PRB + at:x} d {name}\n" for name, at in places)
    found = _recover(tmp_path, _old_guest(), symbols=BASE + lines)
    assert found is not None
    assert [record.text for record in found.records] == ["toy: old"]
    assert found.how == "the symbol `log_buf`"


def test_where_nothing_fits_there_is_none(tmp_path: Path) -> None:
    guest = _guest()
    guest.put(IMAGE_PA + RING, bytes(128))
    assert _recover(tmp_path, guest, symbols=SYMBOL) is None
