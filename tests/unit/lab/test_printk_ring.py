import random
import struct
from dataclasses import dataclass, field

import pytest

from builders.stopped_kernel import (
    COMMITTED,
    FINALIZED,
    IMAGE_PA,
    RESERVED,
    REUSABLE,
    RUN,
    SIZE_BITS,
    TCR,
    GuestRam,
    Words,
    put_ring,
)
from whypanic.lab.page_tables import VirtualMemory, tables_of_kernel
from whypanic.lab.printk_ring import (
    Record,
    RingLayout,
    initial_ring_offset,
    layout_from,
    read_log_buf,
    read_ring,
)

WORDS = (
    Words("Booting toy kernel", 0, 5),
    Words("toy: first device\ntoy: second device", 1_500_000_000),
    Words("toy: the device does not answer", 2_000_123_456, 3),
)
KEYS = {
    "printk_ringbuffer": 88,
    "prb_desc": 24,
    "printk_info": 88,
    "printk_ringbuffer.desc_ring": 0,
    "printk_ringbuffer.text_data_ring": 48,
    "prb_desc_ring.count_bits": 0,
    "prb_desc_ring.descs": 8,
    "prb_desc_ring.infos": 16,
    "prb_desc_ring.head_id": 24,
    "prb_desc_ring.tail_id": 32,
    "prb_data_ring.size_bits": 0,
    "prb_data_ring.data": 8,
    "prb_desc.state_var": 0,
    "prb_desc.text_blk_lpos": 8,
    "prb_data_blk_lpos.next": 8,
    "printk_info.seq": 0,
    "printk_info.ts_nsec": 8,
    "printk_info.text_len": 16,
}


@dataclass
class Offsets:
    values: dict[str, int] = field(default_factory=lambda: dict(KEYS))

    def size(self, structure: str) -> int | None:
        return self.values.get(structure)

    def offset(self, member: str) -> int | None:
        return self.values.get(member)


def _memory() -> tuple[GuestRam, VirtualMemory]:
    ram = GuestRam()
    ram.map(RUN, IMAGE_PA, 1 << 20)
    return ram, VirtualMemory(ram, tables_of_kernel(ram, {"TTBR1_EL1": ram.root, "TCR_EL1": TCR}))


def _texts(records: tuple[Record, ...] | None) -> list[str]:
    assert records is not None
    return [record.text for record in records]


@pytest.mark.parametrize(("old", "info_bytes"), [(False, 88), (True, 88), (False, 112)])
def test_records_are_read_in_order_with_time_and_level(old: bool, info_bytes: int) -> None:
    ram, memory = _memory()
    head = put_ring(ram, WORDS, old=old, info_bytes=info_bytes)
    records = read_ring(memory, head)
    assert _texts(records) == [words.text for words in WORDS]
    assert records is not None
    assert [(r.seq, r.ts_ns, r.level) for r in records] == [
        (0, 0, 5),
        (1, 1_500_000_000, 6),
        (2, 2_000_123_456, 3),
    ]


def test_every_line_of_a_record_gets_its_time() -> None:
    record = Record(7, 62_000_123_999, 6, "one\ntwo")
    assert list(record.lines()) == ["[   62.000123] one", "[   62.000123] two"]


def test_a_layout_told_by_vmcoreinfo_is_taken() -> None:
    ram, memory = _memory()
    head = put_ring(ram, WORDS, info_bytes=96)
    assert layout_from(Offsets()) == RingLayout()
    layout = layout_from(Offsets({**KEYS, "printk_info": 96}))
    assert _texts(read_ring(memory, head, layout)) == [words.text for words in WORDS]


@pytest.mark.parametrize("change", [{"printk_info": None}, {"prb_desc": 1 << 20}])
def test_a_layout_that_lacks_a_part_or_is_absurd_is_none(change: dict[str, int | None]) -> None:
    values = {key: value for key, value in {**KEYS, **change}.items() if value is not None}
    assert layout_from(Offsets(values)) is None


def test_a_ring_that_was_written_over_several_times() -> None:
    words = [Words(f"line {i} of the toy") for i in range(1000, 1032)]
    ram, memory = _memory()
    head = put_ring(ram, words, first_seq=1000)
    texts = _texts(read_ring(memory, head))
    # 32 bytes each in a ring of 1024: all are there.
    assert texts == [w.text for w in words]
    head = put_ring(ram, [Words("x" * 60)] * 32, first_seq=1000)
    # Of 72 bytes each only the last 14 are; those before have other ids in their place.
    assert 13 <= len(_texts(read_ring(memory, head))) <= 14


def test_a_text_that_does_not_fit_before_the_end_begins_at_0() -> None:
    ram, memory = _memory()
    begin = -(1 << SIZE_BITS) - 16
    head = put_ring(ram, WORDS, begin=begin)
    assert _texts(read_ring(memory, head)) == [words.text for words in WORDS]


def test_a_text_that_ends_where_the_ring_does_is_no_wrapped_one() -> None:
    ram, memory = _memory()
    head = put_ring(ram, [Words("exactly!"), Words("then")], begin=-(1 << SIZE_BITS) - 16)
    assert _texts(read_ring(memory, head)) == ["exactly!", "then"]


@pytest.mark.parametrize(
    ("state", "kept"), [(COMMITTED, True), (FINALIZED, True), (RESERVED, False), (REUSABLE, False)]
)
def test_records_that_are_being_written_or_were_given_back_are_left_out(
    state: int, kept: bool
) -> None:
    ram, memory = _memory()
    head = put_ring(ram, [WORDS[0], Words("half", state=state), WORDS[2]])
    assert ("half" in _texts(read_ring(memory, head))) is kept


def test_a_record_whose_text_was_written_over_is_left_out() -> None:
    ram, memory = _memory()
    head = put_ring(ram, WORDS)
    text = IMAGE_PA + 0x10000 + 24 * 32 + 88 * 32
    ram.put(text, struct.pack("<Q", 77))
    assert _texts(read_ring(memory, head)) == [words.text for words in WORDS[1:]]


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    ram, memory = _memory()
    head = put_ring(ram, [Words("bus?")])
    text = IMAGE_PA + 0x10000 + 24 * 32 + 88 * 32
    ram.put(text + 8 + 3, b"\xe9")
    assert _texts(read_ring(memory, head)) == ["bus\\xe9"]


@pytest.mark.parametrize("head", [b"", bytes(128), b"\xff" * 128])
def test_what_is_no_ring_gives_none(head: bytes) -> None:
    assert read_ring(_memory()[1], head) is None


def test_arrays_that_are_not_mapped_give_none() -> None:
    ram, memory = _memory()
    head = put_ring(ram, WORDS, va=RUN + (1 << 30))
    assert read_ring(memory, head) is None


def test_garbled_rings_give_some_answer() -> None:
    numbers = random.Random(5)
    for _ in range(300):
        ram, memory = _memory()
        head = bytearray(put_ring(ram, WORDS).ljust(128, b"\0"))
        for _ in range(numbers.randrange(1, 4)):
            head[numbers.randrange(len(head))] = numbers.randrange(256)
        for _ in range(20):
            ram.put(IMAGE_PA + 0x10000 + numbers.randrange(4096), bytes([numbers.randrange(256)]))
        records = read_ring(memory, bytes(head))
        assert records is None or len(records) <= 1 << 18


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("old", [False, True])
def test_the_first_ring_of_an_image_is_found_by_its_form(wide: bool, old: bool) -> None:
    count_bits, size_bits = 12, 17
    width = (1 << 62) - 1 if wide else (1 << 32) - 1
    first = (-(1 << count_bits) - 1) & width
    lpos = -(1 << size_bits) & (1 << 64) - 1
    ring = struct.pack("<IIQQQQ", count_bits, 0, 0, 0, first, first)
    ring += b"" if old else struct.pack("<Q", first)
    ring += struct.pack("<IIQQQ", size_bits, 0, 0, lpos, lpos)
    decoy = struct.pack("<QQ", first, first)
    image = bytes(0x2010) + decoy + bytes(0x1008) + ring + bytes(0x1000)
    assert initial_ring_offset(memoryview(image)) == 0x2010 + 16 + 0x1008


def test_an_image_without_one_has_none() -> None:
    first = ((-(1 << 12) - 1) & (1 << 32) - 1).to_bytes(8, "little")
    assert initial_ring_offset(bytes(4096)) is None
    assert initial_ring_offset(first * 4096) is None


def _old_record(text: str, ts_ns: int, *, head_bytes: int = 16, level: int = 6) -> bytes:
    data = text.encode()
    n_bytes = (head_bytes + len(data) + 7) // 8 * 8
    head = struct.pack("<QHHHBB", ts_ns, n_bytes, len(data), 0, 0, level << 5)
    return (head.ljust(head_bytes, b"\0") + data).ljust(n_bytes, b"\0")


def _old_buffer(ram: GuestRam, data: bytes, first: int, end: int) -> dict[str, int]:
    ram.put(IMAGE_PA, data.ljust(4096, b"\0"))
    return {"log_buf": RUN, "log_buf_len": 4096, "log_first_idx": first, "log_next_idx": end}


@pytest.mark.parametrize("head_bytes", [16, 20])
def test_kernels_before_5_10_have_records_one_behind_the_other(head_bytes: int) -> None:
    ram, memory = _memory()
    data = _old_record("first", 5, head_bytes=head_bytes, level=4)
    data += _old_record("second", 6, head_bytes=head_bytes)
    values = _old_buffer(ram, data, 0, len(data))
    records = read_log_buf(memory, values, head_bytes)
    assert records == (Record(0, 5, 4, "first"), Record(1, 6, 6, "second"))


def test_they_go_on_at_the_beginning_behind_an_empty_one() -> None:
    ram, memory = _memory()
    late, early = _old_record("late", 9), _old_record("early", 8)
    data = late.ljust(4000, b"\0") + early
    records = read_log_buf(memory, _old_buffer(ram, data, 4000, len(late)))
    assert _texts(records) == ["early", "late"]


@pytest.mark.parametrize(
    "change",
    [{"log_buf_len": 1 << 40}, {"log_buf_len": 0}, {"log_first_idx": 5000}, {"log_buf": 0x1000}],
)
def test_old_buffers_that_make_no_sense(change: dict[str, int]) -> None:
    ram, memory = _memory()
    values = {**_old_buffer(ram, _old_record("first", 5), 0, 24), **change}
    assert read_log_buf(memory, values) is None
    assert read_log_buf(memory, {}) is None


def test_garbled_old_buffers_come_to_an_end() -> None:
    numbers = random.Random(6)
    ram, memory = _memory()
    for _ in range(100):
        data = bytes(numbers.choice((0, 16, 24, 255)) for _ in range(4096))
        values = _old_buffer(ram, data, numbers.randrange(4096), numbers.randrange(4096))
        records = read_log_buf(memory, values)
        assert records is not None
        assert len(records) <= 4096 // 16 + 1
