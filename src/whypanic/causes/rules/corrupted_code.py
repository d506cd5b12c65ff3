"""The code in memory is not the code of the image: overwritten, not loaded, or a bit flipped.

Supported by: words around PC that no compiler emits (all the same filler, or text); another word at PC than a listing
of the image shows, or one a bit away from the image's; ftrace finding a word that is no instruction where it expects
its own.
Refuted by: the listing showing the very word; ftrace finding another valid instruction.
Sources: Linux kernel/trace/ftrace.c (ftrace_bug, print_ip_ins: bytes in memory order), arch/arm64/kernel/ftrace.c.
From memory: Arm ARM DDI 0487 L, UDF.
"""

from whypanic.arch.insn import decode
from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.image_code import corrupted_words
from whypanic.causes.undefined import (
    Undefined,
    feature_of,
    is_code,
    is_undefined,
    listed_word,
    undefined_word,
)
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.fault import Detail
from whypanic.model.kinds import Kind

_FTRACE = "ftrace_bug"
_ENOUGH = 3
"""Equal words in a row that make a filler: code does not repeat like that, NOPs excepted."""
_NOP = 0xD503201F


@cause(
    id="corrupted-code",
    title="the code in memory is not the code of the image",
    kinds=FAULT_KINDS | {Kind.UNDEFINED_INSTRUCTION, Kind.BRK, Kind.BTI, Kind.FPAC},
    specificity=6,
)
def corrupted_code(case: CaseView) -> Statements:
    """Yield what the words in memory are."""
    yield from corrupted_words(case)
    if is_undefined(case):
        found = undefined_word(case)
        if found is not None:
            yield from _at_pc(case, found)
        return
    headline = case.headline
    place = (headline.ref if headline else None) or case.pc_ref
    if place is not None and place.symbol == _FTRACE:
        yield from _seen_by_ftrace(case)


def _at_pc(case: CaseView, found: Undefined) -> Statements:
    word = found.insn.word
    listed = listed_word(case)
    if listed is not None and listed.word is not None and listed is not found.fact:
        if listed.word == word:
            yield refutes(f"the listing has {word:08x} there too", listed, found.fact)
            return
        if is_code(decode(listed.word)):
            flipped = bin(word ^ listed.word).count("1")
            how = "one bit differs" if flipped == 1 else f"{flipped} bits differ"
            yield supports(
                f"memory holds {word:08x} at PC, the listing {listed.word:08x}: {how}",
                found.fact,
                listed,
            )
    filler = _filler(found.words)
    if filler is not None:
        say = supports if _inside_function(case) else consistent
        yield say(f"the words at PC are all {filler}: no code", found.fact)
    elif is_code(found.insn) and feature_of(found.insn) is None:
        yield consistent(
            f"{word:08x} is defined on every CPU: what was fetched may not be what memory shows now",
            found.fact,
        )
    elif not is_code(found.insn):
        yield consistent(f"{word:08x} is no instruction", found.fact)
    yield NextStep("compare the words of the `Code:` line with the image at the same place")


def _inside_function(case: CaseView) -> bool:
    """True where PC lies before the end of the function it is named after: behind it there may be padding."""
    ref = case.pc_ref
    return ref is not None and (ref.offset or 0) < (ref.size or 0)


def _filler(words: tuple[int, ...]) -> str | None:
    """Return what words that are no code have in common: one value, or printable characters."""
    if len(words) < _ENOUGH:
        return None
    if len(set(words)) == 1 and words[0] != _NOP:
        return f"{words[0]:08x}"
    data = b"".join(word.to_bytes(4, "little") for word in words)
    return "text" if data.isascii() and data.decode("ascii").isprintable() else None


def _seen_by_ftrace(case: CaseView) -> Statements:
    for detail in case.all(Detail):
        if detail.name != "ftrace-actual" or detail.number is None:
            continue
        insn = decode(detail.number)
        if is_code(insn):
            yield refutes(
                f"ftrace found {detail.number:08x}, a valid instruction: not what it expected, but code",
                detail,
            )
        else:
            yield supports(
                f"ftrace found {detail.number:08x} where its own call or NOP should stand: no instruction",
                detail,
            )
            yield NextStep("compare the image in memory with the file: who wrote over it?")
        return
