import pytest

from builders.el2 import HOME, RET, run
from whypanic.arch.insn import decode
from whypanic.replay.pointer_authentication import SignedPointers, key_of, modifier_of
from whypanic.replay.protocol import Outcome

PACIASP, AUTIASP, AUTIBSP, RETAA = 0xD503233F, 0xD50323BF, 0xD50323FF, 0xD65F0BFF
PUSH, POP = 0xA9BF7BFD, 0xA8C17BFD


def test_a_signed_return_address_comes_back() -> None:
    seen = run([PACIASP, PUSH, POP, AUTIASP, RET], cpu="Neoverse-V1")
    assert (seen.outcome, seen.pc) == (Outcome.RETURNED, HOME)
    assert seen.trace[0].writes == (("x30", None),)
    assert seen.trace[3].writes == (("x30", HOME),)
    assert run([PACIASP, PUSH, POP, RETAA], cpu="Neoverse-V1").outcome is Outcome.RETURNED


@pytest.mark.parametrize(
    "words",
    [
        [AUTIASP, RET],  # never signed
        [PACIASP, AUTIBSP, RET],  # another key
        [PACIASP, PUSH, AUTIASP, RET],  # another sp
        [PACIASP, RET],  # not authenticated
        [RETAA],
    ],
)
def test_another_authentication_is_unknown(words: list[int]) -> None:
    assert run(words, cpu="Neoverse-V1").outcome is Outcome.UNKNOWN


def test_a_core_without_keys_keeps_the_pointer() -> None:
    seen = run([PACIASP, RET])
    assert seen.outcome is Outcome.RETURNED
    assert seen.trace[0].writes == (("x30", HOME),)


def test_a_stripped_pointer_is_the_pointer_signed() -> None:
    words = [0xDAC10020, 0xDAC143E0, RET]  # pacia x0, x1; xpaci x0
    assert run(words, {"x0": 0x1234, "x1": 5}, cpu="Neoverse-V1").registers["x0"] == 0x1234
    assert run(words, {"x0": 0x1234}, cpu="Neoverse-V1").registers["x0"] is None


@pytest.mark.parametrize(
    ("word", "modifier", "key"),
    [
        (PACIASP, "sp", "ia"),
        (0xD503231F, "xzr", "ia"),  # paciaz
        (0xD503219F, "x16", "ia"),  # autia1716
        (0xDAC10020, "x1", "ia"),  # pacia x0, x1
        (0xDAC107E0, "sp", "ib"),  # pacib x0, sp
        (0xDAC13FE0, "xzr", "db"),  # autdzb x0
        (0xDAC12BE0, "xzr", "da"),  # pacdza x0
        (RETAA, "sp", "ia"),
        (0xD65F0FFF, "sp", "ib"),  # retab
        (0xD61F083F, "xzr", "ia"),  # braaz x1
        (0xD63F0C3F, "xzr", "ib"),  # blrabz x1
        (0xD71F0822, "x2", "ia"),  # braa x1, x2
    ],
)
def test_modifiers_and_keys(word: int, modifier: str, key: str) -> None:
    assert (modifier_of(decode(word)), key_of(decode(word))) == (modifier, key)


def test_what_was_not_signed_is_not_found() -> None:
    pointers = SignedPointers()
    pointers.sign(7, 0x1000, 5, "ia")
    assert pointers.authenticate(7, 5, "ia") == pointers.strip(7) == 0x1000
    assert pointers.authenticate(7, 5, "ib") is None
    assert pointers.authenticate(8, 5, "ia") is None
    assert pointers.strip(8) is None
