from builders.stopped_kernel import RAM_PA, GuestRam
from whypanic.lab.ram import Ram, Segment
from whypanic.lab.vmcoreinfo import VmcoreInfo, find_vmcoreinfo

NOTE = """\
OSRELEASE=6.9.1-lab
BUILD-ID=0123456789abcdef
PAGESIZE=4096
SYMBOL(prb)=ffffc1230a5f1238
SYMBOL(swapper_pg_dir)=ffffc1230a600000
SIZE(printk_ringbuffer)=88
OFFSET(prb_desc_ring.descs)=8
NUMBER(VA_BITS)=48
NUMBER(kimage_voffset)=0xffffc122c0000000
KERNELOFFSET=412302000000
"""


def _ram(*texts: tuple[int, bytes]) -> Ram:
    guest = GuestRam()
    for at, text in texts:
        guest.put(RAM_PA + at, text)
    return Ram(bytes(guest.data), (Segment(RAM_PA, len(guest.data), 0),))


def test_the_note_is_found_and_read() -> None:
    info = find_vmcoreinfo(_ram((0x5014, NOTE.encode())))
    assert info is not None
    assert info.text == NOTE
    assert info.release == "6.9.1-lab"
    assert info.kernel_offset == 0x412302000000
    assert info.symbol("prb") == 0xFFFFC1230A5F1238
    assert info.size("printk_ringbuffer") == 88
    assert info.offset("prb_desc_ring.descs") == 8
    assert info.number("VA_BITS") == 48
    assert info.number("kimage_voffset") == 0xFFFFC122C0000000
    assert info.symbol("log_buf") is None


def test_of_several_the_longest_is_taken_and_formats_are_none() -> None:
    formats = NOTE.replace("6.9.1-lab", "%s") * 2
    short = NOTE.partition("NUMBER")[0]
    info = find_vmcoreinfo(
        _ram((0x1000, formats.encode()), (0x9000, short.encode() * 2), (0xC000, NOTE.encode()))
    )
    assert info is not None
    assert info.number("VA_BITS") == 48


def test_a_line_that_is_cut_is_left_out() -> None:
    info = find_vmcoreinfo(_ram((0x5000, NOTE.encode() + b"SYMBOL(x)=ff\x01")))
    assert info is not None
    assert "SYMBOL(x)" not in info.values


def test_a_word_alone_is_no_note() -> None:
    assert find_vmcoreinfo(_ram((0x5000, b"OSRELEASE=6.9\n"))) is None


def test_values_that_are_no_numbers_are_none() -> None:
    info = VmcoreInfo.from_text("SYMBOL(prb)=zz\nSIZE(x)=1e\nnothing\n")
    assert info.symbol("prb") is None
    assert info.size("x") is None


def test_a_note_at_the_very_end_of_ram_is_read() -> None:
    at = (4 << 20) - len(NOTE) - 1
    info = find_vmcoreinfo(_ram((at, NOTE.encode())))
    assert info is not None
