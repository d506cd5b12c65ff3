import struct
from contextlib import suppress
from pathlib import Path

import pytest

from builders.stopped_kernel import RAM_PA, GuestRam
from whypanic.lab.ram import Ram, Segment, mend_dump, open_ram, read_segments
from whypanic.model.errors import InputError


def _dump(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "vmcore"
    path.write_bytes(data)
    return path


def test_a_dump_is_read_by_physical_address(tmp_path: Path) -> None:
    guest = GuestRam()
    guest.put(RAM_PA + 0x1234, b"words")
    ram = open_ram(_dump(tmp_path, guest.core()))
    assert [(s.pa, s.size) for s in ram.segments] == [(RAM_PA, len(guest.data))]
    assert ram.read(RAM_PA + 0x1234, 5) == b"words"
    assert ram.read(RAM_PA - 1, 4) is None
    assert ram.read(RAM_PA + len(guest.data) - 2, 4) is None
    assert list(ram.find(b"words")) == [RAM_PA + 0x1234]
    ram.close()


@pytest.mark.parametrize("off", [-8, 8, 40])
def test_a_dump_whose_notes_have_another_length_is_mended(tmp_path: Path, off: int) -> None:
    guest = GuestRam()
    guest.put(RAM_PA + 0x1234, b"words")
    path = _dump(tmp_path, guest.core(off=off))
    assert mend_dump(path) == off
    assert mend_dump(path) == 0
    ram = open_ram(path)
    assert ram.read(RAM_PA + 0x1234, 5) == b"words"
    ram.close()


def test_a_whole_dump_is_left_alone(tmp_path: Path) -> None:
    data = GuestRam().core()
    path = _dump(tmp_path, data)
    assert mend_dump(path) == 0
    assert path.read_bytes() == data


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF\x02\x01", b"\x7fELF\x02\x01" + bytes(80)])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match="dump"):
        open_ram(_dump(tmp_path, data))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot mend"):
        mend_dump(tmp_path / "none")


def test_a_segment_behind_the_end_of_the_file_is_cut() -> None:
    core = GuestRam().core()
    cut = core[: len(core) - (1 << 20)]
    (segment,) = read_segments(cut, "vmcore")
    assert segment.file_offset + segment.size == len(cut)


def test_headers_that_lie_give_no_exception() -> None:
    core = bytearray(GuestRam().core()[:2000])
    for at in (32, 40, 54, 56, 58, 60, 192 + 56 + 8, 192 + 56 + 32):
        for value in (0, 0xFF, 0xFFFF):
            lying = bytearray(core)
            struct.pack_into("<H", lying, at, value)
            with suppress(InputError):
                read_segments(bytes(lying), "vmcore")


def test_only_so_many_places_are_told() -> None:
    ram = Ram(b"ab" * 5000, (Segment(0, 10000, 0),))
    assert len(list(ram.find(b"ab"))) == 256
