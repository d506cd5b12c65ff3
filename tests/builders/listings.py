"""Listings built from literal words, as a reader of the text would get them."""

from collections.abc import Sequence

from whypanic.model.code import Listing, ListingLine
from whypanic.model.provenance import Origin, Source

PARANGE_SWITCH = (
    # mrs x3, id_aa64mmfr0_el1; and w4, w3, #15; cmp w4, #4; b.hi +0x4c
    *(0xD5380703, 0x12000C64, 0x7100109F, 0x54000208),
    # adrp x5; and x6, x3, #15; add x5, x5; ldr x7, [x5, x6, lsl #3]; br x7
    *(0x90000005, 0x92400C66, 0x910000A5, 0xF86678A7, 0xD61F00E0),
    # +0x24 mov w0, #44; b +0x50
    *(0x52800580, 0x1400000A),
    # +0x2c mov w0, #32; b +0x50
    *(0x52800400, 0x14000008),
    # +0x34 mov w0, #42; b +0x50
    *(0x52800540, 0x14000006),
    # +0x3c mov w0, #40; b +0x50
    *(0x52800500, 0x14000004),
    # +0x44 mov w0, #36; b +0x50
    *(0x52800480, 0x14000002),
    # +0x4c mov w0, #48; +0x50 mov w1, #64; sub w1, w1, w0; orr x1, x1, #1<<31; msr vtcr_el2, x1; ret
    *(0x52800600, 0x52800801, 0x4B000021, 0xB2610021, 0xD51C2141, 0xD65F03C0),
)
"""A switch on PARange through a table of addresses: our own code, assembled with GNU as."""

REFERENCE_SWITCH = (
    *(0xD5380709, 0x12000928, 0x7100111F, 0xD3700928, 0x54000188, 0x9000000A, 0x92400929),
    *(0x9100014A, 0xF869794B, 0x52800509, 0x321B03E0, 0x321B03EA, 0xD61F0160, 0x52800480),
    *(0x321E0BEA, 0x14000008, 0x321C07E9, 0x14000004, 0x52800549, 0x14000002, 0x52800589),
    *(0x321D07EA, 0x2A0903E0, 0xAA080148, 0x929957EA, 0xD5380729, 0xF2B0000A, 0xD538072B),
    *(0x9148014C, 0xF2400D3F, 0x927C0D69, 0x9A8C014A, 0xF100813F, 0xAA0A0108, 0x1A9F17E9),
    *(0xAA094D08, 0xD51C2148, 0xD65F03C0),
)
"""The 38 words of the 2017 mail."""

OFFSET_SWITCH = (
    # mov w3, w0; cmp w0, #5; b.hi +0x34; adrp x4; add x4; adr x5, +0x24
    *(0x2A0003E3, 0x7100141F, 0x54000168, 0x90000004, 0x91000084, 0x10000085),
    # ldrsw x6, [x4, w3, uxtw #2]; add x5, x5, x6; br x5
    *(0xB8A35886, 0x8B0600A5, 0xD61F00A0),
    # mov w0, #1; ret; mov w0, #2; ret; mov w0, #0; ret
    *(0x52800020, 0xD65F03C0, 0x52800040, 0xD65F03C0, 0x52800000, 0xD65F03C0),
)
"""A switch through a table of 4-byte offsets from a label of the function."""

BYTE_SWITCH = (
    # cmp w0, #12; b.ls +0x10; mov w0, #0; ret
    *(0x7100301F, 0x54000069, 0x52800000, 0xD65F03C0),
    # adrp x1; add x1; ldrb w1, [x1, w2, uxtw]; adr x2, .+12; add x1, x2, w1, sxtb #2; br x1
    *(0x90000001, 0x91000021, 0x38624821, 0x10000062, 0x8B218841, 0xD61F0020),
)
"""GCC's form with 1-byte offsets; the default case returns before the table is read."""

COMPUTED_GOTO = (0x90000002, 0x91000042, 0xF860D840, 0xD61F0000)
"""adrp x2; add x2; ldr x0, [x2, w0, sxtw #3]; br x0"""

POINTER_ARRAY_TAIL_CALL = (0x2A0003E3, 0x90000002, 0x91000042, 0xF863D841, 0xAA0103F0, 0xD61F0200)
"""mov w3, w0; adrp x2; add x2; ldr x1, [x2, w3, sxtw #3]; mov x16, x1; br x16"""

MEMBER_CALL = (0xAA0003E2, 0xF9400041, 0xD63F0020, 0xD65F03C0)
"""mov x2, x0; ldr x1, [x2]; blr x1; ret"""


def listing(words: Sequence[int | None], *, function: str = "f", base: int = 0) -> Listing:
    """Return a listing of consecutive words."""
    lines = tuple(
        ListingLine(
            source=Source(origin=Origin.LISTING, line=n + 1, address=base + 4 * n),
            address=base + 4 * n,
            word=word,
            text=f"word {n}",
            function=function,
        )
        for n, word in enumerate(words)
    )
    return Listing(source=Source(origin=Origin.LISTING, line=1), function=function, lines=lines)
