"""RAM and registers of a machine that went wrong may hold anything: there is an answer, and it comes soon."""

import random
import struct
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.fake_qemu import KVM, LINUX, raw_image
from builders.stopped_kernel import IMAGE_PA, RAM_PA, RUN, TCR, GuestRam, Words, put_ring
from whypanic.lab.frame_chain import Frame
from whypanic.lab.gdb_registers import SYSTEM, CpuRegisters
from whypanic.lab.kernel_memory import memory_of
from whypanic.lab.last_words import last_words
from whypanic.lab.loaded_image import LoadedImage
from whypanic.lab.ram import Ram, Segment
from whypanic.lab.ring_places import recover_records
from whypanic.lab.stack import calls_of
from whypanic.lab.vmcoreinfo import find_vmcoreinfo

PRB, RING, STACK = 0x8000, 0x9000, 0x1C000
NOTE = f"OSRELEASE=1\nSYMBOL(prb)={RUN + PRB:x}\n" + "SIZE(printk_info)=88\nNUMBER(x)=7\n" * 5


@cache
def _image() -> LoadedImage:
    folder = Path(mkdtemp(prefix="whypanic-images-"))
    (folder / "Image").write_bytes(raw_image(LINUX, KVM))
    lines = (f"{0xFFFF800008000000 + at:x} d {name}" for at, name in ((0, "_text"), (PRB, "prb")))
    (folder / "System.map").write_text("\n".join((*lines, "")), encoding="ascii")
    return LoadedImage(folder / "Image", folder / "System.map")


@cache
def _guest() -> GuestRam:
    guest = GuestRam(3 << 20)
    guest.map(RUN, IMAGE_PA, 1 << 17)
    guest.put(IMAGE_PA + RING, put_ring(guest, [Words(f"toy: {i}") for i in range(12)]))
    guest.put(IMAGE_PA + PRB, struct.pack("<Q", RUN + RING))
    guest.put(IMAGE_PA + STACK, struct.pack("<QQQQ", RUN + STACK + 16, RUN + 0xC120, 0, RUN))
    guest.put(IMAGE_PA + 0x40000, NOTE.encode())
    return guest


PLACES = ((1 << 20, 0x5000), (0x200000 + PRB, 0x1100), (0x210000, 0x1300), (0x240000, 200))
"""Page tables, the ring's head, its arrays, VMCOREINFO."""
VALUES = st.one_of(
    st.integers(0, (1 << 64) - 1),
    st.sampled_from(
        [0, RUN, RUN + STACK, RAM_PA + (1 << 20), IMAGE_PA, TCR, 1 << 34, 0x3C9, 0x3C5]
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    n_hits=st.integers(0, 40),
    registers=st.dictionaries(st.sampled_from([*SYSTEM, "pc", "x29", "x30", "cpsr"]), VALUES),
)
def test_whatever_lies_in_ram_there_is_an_answer(
    seed: int, n_hits: int, registers: dict[str, int]
) -> None:
    guest, numbers = _guest(), random.Random(seed)
    data = bytearray(guest.data)
    for _ in range(n_hits):
        start, length = numbers.choice(PLACES)
        data[start + numbers.randrange(length)] = numbers.choice((0, 1, 0x7F, 0xFF, seed & 0xFF))
    ram = Ram(bytes(data), (Segment(RAM_PA, len(data), 0),))
    general = {"pc": RUN + 0xC008, "x29": RUN + STACK, "x30": RUN, "cpsr": 0x3C5}
    system = {"SCTLR_EL1": 1, "TTBR1_EL1": guest.root, "TCR_EL1": TCR}
    merged = {**general, **system, **registers}
    cpu = CpuRegisters(
        0,
        {name: value for name, value in merged.items() if name in general},
        {name: value for name, value in merged.items() if name not in general},
    )
    info = find_vmcoreinfo(ram)
    memory = memory_of(ram, cpu, swapper_pa=guest.root, info=info, page="4k")
    found = recover_records(ram, memory.kernel, _image(), info)
    assert found is None or isinstance(last_words(found.records, "toy: 3\n"), tuple)
    assert all(isinstance(frame, Frame) for frame in calls_of(cpu, memory, _image().name))
