"""Mangling v0, by its grammar; whole names are in test_rust_names.py."""

import pytest

from whypanic.symbolize.rust_v0 import read_v0


@pytest.mark.parametrize(
    ("mangled", "expected"),
    [
        ("NvC6_123foo3bar", "123foo::bar"),
        ("NvNtNtCs1_6kernel4sync3arc3new", "kernel::sync::arc::new"),
        (
            "NvMs_NtNtCs1_6kernel4sync4lockINtB4_4LockmNtB4_4SpinE4lock",
            "<kernel::sync::lock::Lock<u32, kernel::sync::lock::Spin>>::lock",
        ),
        ("NvXCs1_1aNtB2_1SNtB2_1T1f", "<a::S as a::T>::f"),
        ("NvYhNtC1a1T1f", "<u8 as a::T>::f"),
        ("INvC1a1fmE", "a::f::<u32>"),
        ("NCNvC1a1f0", "a::f::{closure#0}"),
        ("NCNvC1a1fs_0", "a::f::{closure#1}"),
        ("NCNCNvC1a1f00", "a::f::{closure#0}::{closure#0}"),
        ("NSNvC1a1f6vtable", "a::f::{shim:vtable#0}"),
        ("INvC1a1fTEE", "a::f::<()>"),
        ("INvC1a1fThEE", "a::f::<(u8,)>"),
        ("INvC1a1fThjEE", "a::f::<(u8, usize)>"),
        ("INvC1a1fAhj4_E", "a::f::<[u8; 4]>"),
        ("INvC1a1fSReE", "a::f::<[&str]>"),
        ("INvC1a1fRL_QhE", "a::f::<&&mut u8>"),
        ("INvC1a1fPhOcE", "a::f::<*const u8, *mut char>"),
        ("INvC1a1fFhEuE", "a::f::<fn(u8)>"),
        ("INvC1a1fFUKCPuEzE", 'a::f::<unsafe extern "C" fn(*const ()) -> !>'),
        ("INvC1a1fFG_RL0_eEB9_E", None),
        ("INvC1a1fFG_RL0_eERL0_eE", "a::f::<for<'a> fn(&'a str) -> &'a str>"),
        ("INvC1a1fDNtC1b1TEL_E", "a::f::<dyn b::T>"),
        ("INvC1a1fDNtC1b1TNtBa_1SEL_E", "a::f::<dyn b::T + b::S>"),
        ("INvC1a1fDINtC1b1TjEp1QhEL_E", "a::f::<dyn b::T<usize, Q = u8>>"),
        ("INvC1a1fDNtC1b1Tp1QhEL_E", "a::f::<dyn b::T<Q = u8>>"),
        ("INvC1a1fKjff_E", "a::f::<255>"),
        ("INvC1a1fKan5_E", "a::f::<-5>"),
        ("INvC1a1fKb1_E", "a::f::<true>"),
        ("INvC1a1fKc41_E", "a::f::<'A'>"),
        ("INvC1a1fKca_E", r"a::f::<'\n'>"),
        ("INvC1a1fKpE", "a::f::<_>"),
        ("NvC1au10gre_6ka8i", None),
        ("NvC1au9gre_6ka8i", "a::größe"),
    ],
)
def test_names(mangled: str, expected: str | None) -> None:
    assert read_v0(mangled) == expected


def test_names_that_unfold_without_end_stay() -> None:
    doubling = "".join(f"TB{letter}_B{letter}_E" for letter in "abcdefghijklmnopqrstuvwxyz")
    for name in (
        "INvC1a1f" + "S" * 5000 + "hE",
        "Nv" * 2000,
        "N" * 8000,
        f"INvC1a1f{doubling * 20}E",
    ):
        assert read_v0(name) is None


def test_references_back_that_double_are_bounded() -> None:
    name, at = "INvC1a1fTeeE", 8
    for _ in range(40):
        back = "" if at == 1 else _base62(at - 1)
        at = len(name)
        name += f"TB{back}_B{back}_E"
    name += "E"
    assert read_v0(name) is None


def _base62(value: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    text = ""
    while True:
        value, digit = divmod(value, 62)
        text = digits[digit] + text
        if not value:
            return text
