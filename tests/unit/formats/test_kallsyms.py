import struct

import numpy as np
import pytest

from builders.kallsyms import Encoded, Entry, Era, encode
from whypanic.formats.kallsyms import (
    AddressForm,
    Kallsyms,
    find_kallsyms,
    kinds_of_letters,
    sizes_to_next,
    symbols_from_image,
)
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage, RelativeRelocations
from whypanic.formats.symbol_table import FUNCTION, OBJECT, OTHER, symbol_table

BASE = 0xFFFF_8000_1000_0000
AT = 0x4200
"""Where the tables lie in the image."""
SMALL = (
    Entry(BASE, "T", "_text"),
    Entry(BASE + 0x800, "t", "sched_tick"),
    Entry(BASE + 0x800, "T", "sched_alias"),
    Entry(BASE + 0x840, "t", "__kvm_nvhe_$x"),
    Entry(BASE + 0x900, "t", "__kvm_nvhe_enter"),
    Entry(BASE + 0x9000, "d", "irq_table"),
    Entry(BASE + 0x9100, "W", "weak_one"),
)
FORMS = {
    Era.ABSOLUTE: AddressForm.ABSOLUTE,
    Era.WIDE: AddressForm.BASE,
    Era.BEFORE: AddressForm.BASE,
    Era.SORTED: AddressForm.BASE,
    Era.BEHIND: AddressForm.BASE,
    Era.PLACE: AddressForm.PLACE,
}


def many(n: int) -> list[Entry]:
    return [
        Entry(BASE + 0x40 * i, "tTdDbW"[i % 6], f"sched_fn{i:x}_irq{'_x' * (i % 5)}")
        for i in range(n)
    ]


def in_image(encoded: Encoded) -> memoryview:
    filler = np.random.default_rng(7).bytes(AT)
    return memoryview(filler + encoded.data + np.random.default_rng(8).bytes(0x1000))


def read(symbols: list[Entry] | tuple[Entry, ...], era: Era, **options: object) -> Kallsyms | None:
    encoded = encode(symbols, era, start=AT, place=BASE, **options)  # type: ignore[arg-type]
    return find_kallsyms(in_image(encoded), BASE)


@pytest.mark.parametrize("era", list(Era))
@pytest.mark.parametrize("n", [2, 7, 255, 256, 257, 1500])
def test_every_era(era: Era, n: int) -> None:
    symbols = many(n)
    found = read(symbols, era)
    assert found is not None
    assert found.form is FORMS[era]
    table = found.table()
    assert [(s.address, s.name) for s in table] == [(s.address, s.name) for s in symbols]
    assert table.is_global.tolist() == [s.letter.isupper() for s in symbols]


@pytest.mark.parametrize("era", list(Era))
def test_sizes_kinds_and_mapping_symbols(era: Era) -> None:
    found = read(SMALL, era)
    assert found is not None
    table = found.table(end=BASE + 0x9180)
    assert [(s.name, s.size, s.kind) for s in table] == [
        ("_text", 0x800, "function"),
        ("sched_tick", 0x40, "function"),
        ("sched_alias", 0x40, "function"),
        ("__kvm_nvhe_enter", 0x8700, "function"),
        ("irq_table", 0x100, "object"),
        ("weak_one", 0x80, "function"),
    ]
    assert table.mapping_addresses.tolist() == [BASE + 0x840]


@pytest.mark.parametrize("era", [Era.WIDE, Era.BEFORE, Era.SORTED, Era.BEHIND])
def test_base_is_a_relocation(era: Era) -> None:
    encoded = encode(SMALL, era, start=AT, write_base=False)
    assert encoded.base_at is not None
    assert find_kallsyms(in_image(encoded), BASE) is None
    slot = BASE + AT + encoded.base_at
    relative = RelativeRelocations(np.array([slot], np.uint64), np.array([BASE], np.uint64))
    found = find_kallsyms(in_image(encoded), BASE, relative)
    assert found is not None
    assert found.addresses.tolist() == [s.address for s in SMALL]


def test_every_address_is_a_relocation() -> None:
    encoded = encode(SMALL, Era.ABSOLUTE, start=AT, write_base=False)
    first = BASE + AT + encoded.addresses_at
    relative = RelativeRelocations(
        np.arange(first, first + 8 * len(SMALL), 8, dtype=np.uint64),
        np.array([s.address for s in SMALL], np.uint64),
    )
    found = find_kallsyms(in_image(encoded), BASE, relative)
    assert found is not None
    assert found.addresses.tolist() == [s.address for s in SMALL]


@pytest.mark.parametrize("era", [Era.BEFORE, Era.BEHIND])
def test_absolute_percpu(era: Era) -> None:
    symbols = [Entry(0, "D", "__per_cpu_start"), Entry(0x40, "d", "runqueues"), *SMALL]
    found = read(symbols, era, percpu=True)
    assert found is not None
    assert found.form is AddressForm.BASE_PERCPU
    assert found.addresses.tolist() == [s.address for s in symbols]


def test_offsets_from_themselves_without_a_base() -> None:
    encoded = encode(SMALL, Era.PLACE, start=AT, place=BASE)
    found = find_kallsyms(in_image(encoded))
    assert found is not None
    assert found.addresses.tolist() == [s.address - BASE for s in SMALL]


def test_offsets_from_themselves_to_code_before_the_section() -> None:
    section = BASE + 0x4000
    encoded = encode(SMALL, Era.PLACE, place=section)
    found = find_kallsyms(memoryview(encoded.data), section)
    assert found is not None
    assert found.addresses.tolist() == [s.address for s in SMALL]
    assert find_kallsyms(memoryview(encoded.data)) is None


def test_names_longer_than_127_codes() -> None:
    symbols = [*SMALL, Entry(BASE + 0xA000, "t", "_R" + "qz" * 200), Entry(BASE + 0xB000, "t", "z")]
    found = read(symbols, Era.BEHIND)
    assert found is not None
    assert [s.name for s in found.table()][-2:] == ["_R" + "qz" * 200, "z"]


def test_names_of_128_codes_before_long_names() -> None:
    symbols = [*SMALL, Entry(BASE + 0xA000, "t", "q" * 150), Entry(BASE + 0xB000, "t", "z")]
    found = read(symbols, Era.BEFORE, long_names=False)
    assert found is not None
    assert [s.name for s in found.table()][-2:] == ["q" * 150, "z"]


@pytest.mark.parametrize("era", list(Era))
def test_one_wrong_byte_in_count_or_addresses_is_no_table(era: Era) -> None:
    encoded = encode(many(700), era, start=AT, place=BASE)
    found = find_kallsyms(in_image(encoded), BASE)
    assert found is not None
    damaged = bytearray(in_image(encoded))
    width = 8 if era is Era.ABSOLUTE else 4
    at = AT + encoded.addresses_at + 300 * width
    damaged[at : at + 4] = struct.pack("<I", 0x7FFFFFFF)
    assert find_kallsyms(memoryview(damaged), BASE) is None


def test_no_table() -> None:
    assert find_kallsyms(memoryview(b"")) is None
    assert find_kallsyms(memoryview(bytes(70000))) is None
    assert (
        find_kallsyms(memoryview(b"0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00" * 50))
        is None
    )


def test_symbols_of_a_stripped_kernel() -> None:
    encoded = encode(SMALL, Era.BEHIND)
    image = KernelImage(
        name="vmlinux",
        kind=ImageKind.VMLINUX,
        symbols=symbol_table(()),
        extents=(
            Extent(BASE, memoryview(bytes(64))),
            Extent(BASE + 0x9000, memoryview(encoded.data)),
        ),
    )
    table = symbols_from_image(image)
    assert table is not None
    assert table.find("irq_table")[0].address == BASE + 0x9000
    image.extents = image.extents[:1]
    assert symbols_from_image(image) is None


def test_sizes_to_next() -> None:
    addresses = np.array([0x30, 0x10, 0x10, 0x20], np.uint64)
    assert sizes_to_next(addresses, 0x38).tolist() == [8, 0x10, 0x10, 0x10]
    assert sizes_to_next(addresses, None).tolist() == [0, 0x10, 0x10, 0x10]
    assert sizes_to_next(addresses, 0x8).tolist()[0] == 0
    assert sizes_to_next(np.empty(0, np.uint64), 1).tolist() == []


def test_kinds_of_letters() -> None:
    letters = np.frombuffer(b"tTwWdDbBrRvVaA?", np.uint8)
    assert kinds_of_letters(letters).tolist() == [FUNCTION] * 4 + [OBJECT] * 8 + [OTHER] * 3
