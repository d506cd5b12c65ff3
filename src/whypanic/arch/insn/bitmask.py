"""Immediates of the logical and bitfield instructions."""

from functools import lru_cache


@lru_cache(maxsize=8192)
def decode_bit_mask(n: int, immr: int, imms: int, width: int) -> int | None:
    """Return the value of a logical immediate in `width` (32 or 64) bits; None when reserved.

    Source: Arm ARM DDI 0487, pseudocode DecodeBitMasks (immediate = TRUE).
    """
    length = (n << 6 | (~imms & 0x3F)).bit_length() - 1
    if length < 1 or (width == 32 and n):
        return None
    size = 1 << length
    levels = size - 1
    n_ones, rotation = (imms & levels) + 1, immr & levels
    if n_ones == size:
        return None
    ones = (1 << n_ones) - 1
    element = (ones >> rotation | ones << (size - rotation)) & ((1 << size) - 1)
    mask = 0
    for shift in range(0, width, size):
        mask |= element << shift
    return mask


def bitfield(source: int, immr: int, imms: int, width: int) -> tuple[int, int, int]:
    """Return (bits moved into place, mask of the places, index of the sign bit) of a bitfield move.

    `imms >= immr` extracts bits [imms:immr] to the bottom; otherwise bits [imms:0] go to
    position width - immr. Source: Arm ARM DDI 0487, SBFM, BFM, UBFM.
    """
    if imms >= immr:
        mask = (1 << (imms - immr + 1)) - 1
        return (source >> immr) & mask, mask, imms - immr
    position = width - immr
    mask = ((1 << (imms + 1)) - 1) << position
    return (source << position) & mask, mask, position + imms
