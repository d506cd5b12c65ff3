"""Decoding is total: any value, any text, one answer; and no bit is lost or shown twice."""

import json

from hypothesis import given
from hypothesis import strategies as st

from whypanic.app.decode import DECODERS, DecodeOptions, decode_value, document
from whypanic.arch.brk import brk_meaning
from whypanic.arch.esr import decode_esr
from whypanic.arch.far import far_validity
from whypanic.arch.fields import Field
from whypanic.arch.hpfar import decode_hpfar
from whypanic.arch.midr import decode_midr
from whypanic.arch.par import decode_par
from whypanic.arch.pstate import decode_pstate
from whypanic.arch.pte import LEVEL_NAMES, decode_descriptor
from whypanic.model.errors import UsageError

WORDS = st.integers(0, (1 << 64) - 1)


def put_together(fields: tuple[Field, ...]) -> int:
    """Return the value that the fields came from; assert that they tile 64 bits from the top."""
    value, top = 0, 64
    for field in fields:
        assert field.lo + field.width == top, field
        assert field.width >= 1
        assert 0 <= field.value < 1 << field.width
        value |= field.value << field.lo
        top = field.lo
    assert top == 0
    return value


@given(WORDS, st.sampled_from([None, 1, 2, 3]))
def test_esr(value: int, el: int | None) -> None:
    view = decode_esr(value, el=el)
    assert put_together(view.fields) == value
    valid, reason = far_validity(view)
    assert valid is view.far_valid
    assert reason
    assert view.hpfar_valid in (True, False)
    assert (view.fault_kind is None) is not view.is_abort
    if view.fault_level is not None:
        assert -2 <= view.fault_level <= 3
    hpfar = decode_hpfar(value, view)
    assert put_together(hpfar.fields) == value
    assert hpfar.note


@given(st.integers(0, 63), st.integers(0, (1 << 25) - 1))
def test_every_class_of_esr(ec: int, iss: int) -> None:
    value = ec << 26 | 1 << 25 | iss
    assert put_together(decode_esr(value).fields) == value


@given(WORDS)
def test_other_registers(value: int) -> None:
    assert put_together(decode_pstate(value).fields) == value
    assert put_together(decode_par(value).fields) == value
    assert put_together(decode_midr(value).fields) == value
    assert brk_meaning(value).text


@given(
    WORDS,
    st.sampled_from([*LEVEL_NAMES, -1, 0, 1, 2, 3]),
    st.sampled_from([4, 16, 64, 0, 8]),
    st.one_of(st.sampled_from([36, 39, 42, 47, 48, 52]), st.integers(-5, 10**6)),
    st.sampled_from([None, (4, 14), (5, 10), (6, 12), (0, 0)]),
)
def test_descriptors(
    value: int, level: str | int, page_kib: int, va_bits: int, version: tuple[int, int] | None
) -> None:
    view = decode_descriptor(value, level, page_kib=page_kib, va_bits=va_bits, version=version)
    assert put_together(view.fields) == value
    assert (view.output_address is None) is not view.valid
    if view.output_address is not None:
        assert view.output_address < 1 << 52


@given(
    st.sampled_from(sorted(DECODERS)),
    st.one_of(
        st.text(max_size=60),
        st.text("0123456789abcdefx_,=[]* pgdmteu4", max_size=60),
        WORDS.map(lambda n: f"{n:x}"),
    ),
    st.sampled_from([None, "4.14", "6.1.0-rc1", "7.0"]),
)
def test_any_text_is_decoded_or_refused(what: str, text: str, kernel: str | None) -> None:
    try:
        decoded = decode_value(what, text, DecodeOptions(kernel=kernel))
    except UsageError as error:
        assert error.message
        return
    found = json.loads(json.dumps(document(decoded)))
    assert found["what"] == what
    assert int(found["value"], 16) >= 0
