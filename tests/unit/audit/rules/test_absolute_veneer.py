import pytest

from builders.moved_code import FORMS, findings, function
from whypanic.audit.rules.absolute_veneer import absolute_veneer as rule
from whypanic.audit.rules.call_leaves_hyp_text import call_leaves_hyp_text
from whypanic.model.audit import Level

KERNEL = function("helper", "  ret", ".text")


def thunk(section: str, register: str = "x16", name: str = "thunk", pad: str = "") -> str:
    body = f"  {pad}\n  ldr {register}, .+8\n  br {register}\n  .quad helper"
    return function(name, body, section) + KERNEL


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("section", [".hyp.text", ".text"])
@pytest.mark.parametrize("register", ["x16", "x17"])
@pytest.mark.parametrize("pad", ["", "bti c"])
def test_long_thunk(form: str, section: str, register: str, pad: str) -> None:
    source = function("f", "  nop\n  bl thunk\n  ret") + thunk(section, register, pad=pad)
    (finding,) = findings(source, form, rule)
    assert (finding.level, finding.cause) == (Level.ERROR, "absolute-pointer-at-el2")
    assert any("helper" in e.text for e in finding.evidence)
    assert finding.fault is not None
    assert (finding.fault.ec, finding.fault.far_region) == (0x21, "image")
    # What goes through a veneer is said once.
    assert findings(source, form, call_leaves_hyp_text) == []


def test_thunk_by_its_name_alone() -> None:
    name = "__AArch64AbsLongThunk_helper"
    source = function("f", f"  b {name}") + function(name, "  movz x16, #1\n  br x16", ".hyp.text")
    (finding,) = findings(source, "6.1", rule)
    assert name in finding.title


@pytest.mark.parametrize(
    "name", ["__CortexA53843419_FFFF0000089E2000", "__AArch64ADRPThunk_helper"]
)
def test_relative_veneer_outside(name: str) -> None:
    source = function("f", f"  b {name}") + function(name, "  ldr x0, [x1]\n  b f", ".text")
    (finding,) = findings(source, "6.1", rule)
    assert "outside the nVHE hyp code" in finding.title
    assert findings(source, "6.1", call_leaves_hyp_text) == []
    inside = function("f", f"  b {name}") + function(name, "  ldr x0, [x1]\n  b f", ".hyp.text")
    assert findings(inside, "6.1", rule) == []


def test_head_and_identity_map_too() -> None:
    source = function("primary_entry", "  b thunk", ".head.text") + thunk(".text")
    source += function("cpu_resume", "  b thunk", ".idmap.text")
    assert {f.domain for f in findings(source, "6.1", rule)} == {"early", "idmap"}


LOOK_ALIKES = {
    "another register": "  ldr x8, .+8\n  br x8\n  .quad helper",
    "another place": "  ldr x16, .+12\n  br x16\n  nop\n  .quad helper",
    "not branched to": "  ldr x16, .+8\n  ret\n  .quad helper",
    "relative": "  adrp x16, g\n  add x16, x16, :lo12:g\n  br x16",
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_look_alikes(name: str) -> None:
    source = function("f", "  bl g\n  ret") + function("g", LOOK_ALIKES[name]) + KERNEL
    assert findings(source, "6.1", rule) == []


def test_slot_that_hyp_reloc_lists_is_right() -> None:
    body = "  ldr x16, .+8\n  br x16\nslot: .quad f"
    source = function("f", "  b thunk") + function("thunk", body)
    listed = source + '.section .hyp.reloc, "a"\n.word slot - .\n'
    assert len(findings(source, "6.1", rule)) == 1
    assert findings(listed, "6.1", rule) == []


def test_kernel_text_may_use_them() -> None:
    assert findings(function("g", "  b thunk", ".text") + thunk(".text"), "6.1", rule) == []
