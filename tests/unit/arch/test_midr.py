from whypanic.arch.midr import IMPLEMENTERS, decode_midr


def test_arm_core() -> None:
    view = decode_midr(0x410FD034)
    assert view.implementer_name == "Arm"
    assert (view.part, view.variant, view.revision) == (0xD03, 0, 4)
    assert view.revision_text == "r0p4"


def test_unknown_implementer_is_shown() -> None:
    view = decode_midr(0x990F0000)
    assert view.implementer_name == "unknown implementer 0x99"
    assert view.fields[1].meaning == "unknown implementer 0x99"


def test_implementers_are_sorted() -> None:
    assert list(IMPLEMENTERS) == sorted(IMPLEMENTERS)


def test_fields_cover_64_bits() -> None:
    assert sum(f.width for f in decode_midr(0).fields) == 64
