"""The address that one load or store accesses, where the code around it alone makes it."""

from whypanic.arch.values import MASK64
from whypanic.code.flow import Flow
from whypanic.code.image_code import data_mask, linked_words
from whypanic.code.register_values import RegisterValues
from whypanic.code.sweep import ends_of
from whypanic.formats.kernel_image import KernelImage


def formed_access(image: KernelImage, first: int, end: int, place: int) -> int | None:
    """Return the link VA that the instruction at `place` accesses; None where it depends on more than its own address.

    On every way through the function [first, end) the base register then holds an address that ADR or ADRP made.
    """
    words = linked_words(image, first, end)
    if words is None or not first <= place < first + 4 * len(words) or (place - first) % 4:
        return None
    data = data_mask(image, first, words)
    number = (place - first) // 4
    if data[number]:
        return None
    flow = Flow(words, first, data, ends_of(image, words, first, data))
    memory = flow.insn(number).memory
    if memory is None or memory.index is not None or memory.base == "pc":
        return None
    base = RegisterValues(flow, lambda _: None).before(memory.base, number)
    if base.terms:
        return None
    return (base.constant + (0 if memory.writeback == "post" else memory.offset)) & MASK64
