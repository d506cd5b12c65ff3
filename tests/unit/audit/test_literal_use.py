from whypanic.audit.literal_use import is_followed, is_meant_for_el1
from whypanic.audit.value_uses import Use, Used
from whypanic.code.execution_domains import Domain

HYP = Domain("hyp", "", "", (), (), (), "")
IDMAP = HYP._replace(name="idmap")


def uses(*kinds: Use) -> list[Used]:
    return [Used(kind, n) for n, kind in enumerate(kinds)]


def test_value_for_eret_or_made_into_another() -> None:
    assert is_meant_for_el1(HYP, uses(Use.ERET), ())
    assert is_meant_for_el1(HYP, uses(Use.CONVERTED, Use.ERET), ())
    assert not is_meant_for_el1(HYP, uses(Use.ERET, Use.STORED), ())
    assert not is_meant_for_el1(HYP, (), ())
    assert not is_meant_for_el1(IDMAP, uses(Use.ERET), ())


def test_names_count_only_where_the_value_is_not_followed() -> None:
    assert is_meant_for_el1(HYP, uses(Use.PASSED), ("other", "__kvm_nvhe___hyp_panic_string"))
    assert not is_meant_for_el1(HYP, uses(Use.PASSED, Use.BRANCHED), ("panic",))
    assert not is_meant_for_el1(HYP, uses(Use.PASSED), ("printk",))


def test_vectors_are_followed() -> None:
    assert is_followed(Used(Use.SYSTEM, 0, "vbar_el2"), HYP)
    assert not is_followed(Used(Use.SYSTEM, 0, "tpidr_el2"), HYP)
    assert not is_followed(Used(Use.STORED, 0), HYP)
    assert is_followed(Used(Use.SYSTEM, 0, "vbar_el1"), IDMAP)


def test_registers_of_el1_take_addresses_of_el1() -> None:
    assert not is_followed(Used(Use.SYSTEM, 0, "vbar_el1"), HYP)
    assert not is_followed(Used(Use.SYSTEM, 0, "elr_el1"), HYP)
