import pytest

from whypanic.arch.values import (
    ascii_text,
    error_pointer,
    find_poison,
    nature,
    near_error_pointer,
    pointer_tag,
    strip_pac,
    strip_tag,
    text_plus_offset,
)


@pytest.mark.parametrize(
    ("value", "name", "offset"),
    [
        (0xDEAD000000000100, "LIST_POISON1", 0),
        (0xDEAD000000000108, "LIST_POISON1", 8),
        (0xDEAD0000000000C8, "LIST_POISON1", -0x38),
        (0xDEACFFFFFFFFFFE0, "LIST_POISON1", -0x120),
        (0xDEAD000000000122, "LIST_POISON2", 0),
        (0xDEAD00000000012A, "LIST_POISON2", 8),
        (0xDEAD000000000112, "LIST_POISON2", -0x10),
        (0xDEAD000000000200, "LIST_POISON2", 0),
        (0xDEAD000000000208, "LIST_POISON2", 8),
        (0xDEAD000000000300, "TIMER_ENTRY_STATIC", 0),
        (0xDEAD000000000400, "TAIL_MAPPING", 0),
        (0xDEAD000000000500, "MUTEX_POISON_WW_CTX", 0),
        (0xDEAD000000100100, "LIST_POISON1", 0),
        (0xDEAD000000200208, "LIST_POISON2", 8),
        (0x6B6B6B6B6B6B6B6B, "POISON_FREE", 0),
        (0x6B6B6B6B6B6B6BC3, "POISON_FREE", 0x58),
        (0x6B6B6B6B6B6B6B23, "POISON_FREE", -0x48),
        (0x5A5A5A5A5A5A5A5A, "POISON_INUSE", 0),
        (0xA56B6B6B6B6B6B6B, "POISON_FREE", 0),
        (0xAAAAAAAAAAAAAAB2, "PAGE_POISON", 8),
        (0xCCCCCCCCCCCCCCCC, "POISON_FREE_INITMEM", 0),
        (0x6B6B6B6B, "POISON_FREE", 0),
        (0xDEADBEEF, "0xdeadbeef", 0),
        (0xFFFFFFFFFFFF4111, "STACKLEAK_POISON", 0),
        (0x1DE7EC7EDBADC0DE, "KVM reset poison", 0),
        (0x1D00007EDBADC0DE, "KVM reset poison", 0),
    ],
)
def test_poison(value: int, name: str, offset: int) -> None:
    found = find_poison(value)
    assert found is not None
    assert (found.name, found.offset) == (name, offset)
    if name != "KVM reset poison":
        assert (found.base + found.offset) % (1 << 64) == value


def test_poison_with_the_top_byte_replaced_by_bit_55() -> None:
    cleared = find_poison(0x006B6B6B6B6B6B73)
    assert cleared is not None
    assert (cleared.name, cleared.base, cleared.offset) == ("POISON_FREE", 0x6B6B6B6B6B6B6B6B, 8)
    extended = find_poison(0xFFAD000000000100)
    assert extended is not None
    assert extended.name == "LIST_POISON1"


@pytest.mark.parametrize(
    "value",
    [
        0,
        0x100,
        0xDEAE000000000100,
        0x12AD000000000100,
        0xDEAD000000005000,
        0x6B6B6B6B6B6C6B6B,
        0x126B6B6B6B6B6B6B,
        0xFFFF800012345678,
        0xFFFFFFFFFFFF4110,
        0x1DE7EC7EDBADC0DF,
    ],
)
def test_no_poison(value: int) -> None:
    assert find_poison(value) is None


def test_error_pointers() -> None:
    enodev = error_pointer(0xFFFFFFFFFFFFFFED)
    assert enodev is not None
    assert (enodev.errno, enodev.name) == (19, "ENODEV")
    last = error_pointer(0xFFFFFFFFFFFFF001)
    assert last is not None
    assert (last.errno, last.name) == (4095, "errno 4095")
    assert error_pointer(0xFFFFFFFFFFFFF000) is None
    assert error_pointer(0) is None
    assert error_pointer(0xFFFFFFED) is None


def test_error_pointer_plus_member_offset() -> None:
    readings = near_error_pointer(0x3CD, 0x1000)
    assert readings[0] == (19, "ENODEV", 0x3E0)
    assert all((0x3CD + r.errno) == r.offset for r in readings)
    assert near_error_pointer(0x3CD, 0x3D0) == ((11, "EAGAIN", 0x3D8),)[:0]
    below_zero = near_error_pointer(0xFFFFFFFFFFFFFFFC, 0x40)
    assert (12, "ENOMEM", 8) in below_zero


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0x6161616161616161, "aaaaaaaa"),
        (0x0061722D6F697067, "gpio-ra"),
        (0x0000312E6F006573, r"se\0o.1"),
        (0x0000006D656D2F76, None),
        (0x00006D656D2F7664, "dv/mem"),
        (0xFFFF6D656D2F7664, None),
        (0x6161616161616100, None),
        (0x6100610061006100, None),
        (0x0000AAAAD2345678, None),
        (0, None),
    ],
)
def test_text(value: int, text: str | None) -> None:
    assert ascii_text(value) == text


def test_text_of_fewer_characters_on_request() -> None:
    assert ascii_text(0x6D656D, min_chars=3) == "mem"


def test_text_with_an_offset_added() -> None:
    assert text_plus_offset(0x006E6F69746361A8) == "action"
    assert text_plus_offset(0x006E6F6974636161) is None
    assert text_plus_offset(0x00006E6F697463A8) is None
    assert text_plus_offset(0xFFFF800012345678) is None


def test_tags_and_authentication_codes() -> None:
    assert pointer_tag(0xF4FF800012345678) == 0xF4
    assert pointer_tag(0xFFFF800012345678) is None
    assert pointer_tag(0x3400AAAA12345678) == 0x34
    assert strip_tag(0xF4FF800012345678) == 0xFFFF800012345678
    assert strip_tag(0x3400AAAA12345678) == 0x0000AAAA12345678
    assert strip_pac(0x9AD3800012345678, 48) == 0xFFFF800012345678
    assert strip_pac(0x0012345612345678, 39) == 0x0000005612345678


def test_nature_of_registers() -> None:
    assert nature(0) == ("NULL",)
    assert nature(0x10) == ("ZERO_SIZE_PTR: what kmalloc(0) returns",)
    assert nature(300) == ("small integer 300",)
    assert nature(0xFFFFFFFF) == ("32-bit -1",)
    assert nature(0xFFFFFFFFFFFFFFFF) == ("all ones: -1", "error pointer -EPERM (-1)")
    assert nature(0xFFFFFFFFFFFFFFF4) == ("error pointer -ENOMEM (-12)",)
    assert nature(0x6161616161616161) == ('text "aaaaaaaa"',)
    assert nature(0x6B6B6B6B6B6B6B73) == ("POISON_FREE + 0x8: slab memory that was freed",)
    assert nature(0xFFFF800012345678) == ()
