import pytest

from whypanic.symbolize.rust_names import demangle


@pytest.mark.parametrize(
    ("mangled", "expected"),
    [
        ("_RNvC6_123foo3bar", "123foo::bar"),
        ("_RNvNtNtCs1_6kernel4sync3arc3new", "kernel::sync::arc::new"),
        (
            "_RNvMs_NtNtCs1_6kernel4sync4lockINtB4_4LockmNtB4_4SpinE4lock",
            "<kernel::sync::lock::Lock<u32, kernel::sync::lock::Spin>>::lock",
        ),
        ("_RNvXCs1_1aNtB2_1SNtB2_1T1f", "<a::S as a::T>::f"),
        ("_RNvYhNtC1a1T1f", "<u8 as a::T>::f"),
        ("_RINvC1a1fmE", "a::f::<u32>"),
        ("_RNCNvC1a1f0", "a::f::{closure#0}"),
        ("_RNCNvC1a1fs_0", "a::f::{closure#1}"),
        ("_RNCNCNvC1a1f00", "a::f::{closure#0}::{closure#0}"),
        ("_RNSNvC1a1f6vtable", "a::f::{shim:vtable#0}"),
        ("_RINvC1a1fTEE", "a::f::<()>"),
        ("_RINvC1a1fThEE", "a::f::<(u8,)>"),
        ("_RINvC1a1fThjEE", "a::f::<(u8, usize)>"),
        ("_RINvC1a1fAhj4_E", "a::f::<[u8; 4]>"),
        ("_RINvC1a1fSReE", "a::f::<[&str]>"),
        ("_RINvC1a1fRL_QhE", "a::f::<&&mut u8>"),
        ("_RINvC1a1fPhOcE", "a::f::<*const u8, *mut char>"),
        ("_RINvC1a1fFhEuE", "a::f::<fn(u8)>"),
        ("_RINvC1a1fFUKCPuEzE", 'a::f::<unsafe extern "C" fn(*const ()) -> !>'),
        ("_RINvC1a1fFG_RL0_eEB9_E", None),
        ("_RINvC1a1fFG_RL0_eERL0_eE", "a::f::<for<'a> fn(&'a str) -> &'a str>"),
        ("_RINvC1a1fDNtC1b1TEL_E", "a::f::<dyn b::T>"),
        ("_RINvC1a1fDNtC1b1TNtBa_1SEL_E", "a::f::<dyn b::T + b::S>"),
        ("_RINvC1a1fDINtC1b1TjEp1QhEL_E", "a::f::<dyn b::T<usize, Q = u8>>"),
        ("_RINvC1a1fDNtC1b1Tp1QhEL_E", "a::f::<dyn b::T<Q = u8>>"),
        ("_RINvC1a1fKjff_E", "a::f::<255>"),
        ("_RINvC1a1fKan5_E", "a::f::<-5>"),
        ("_RINvC1a1fKb1_E", "a::f::<true>"),
        ("_RINvC1a1fKc41_E", "a::f::<'A'>"),
        ("_RINvC1a1fKca_E", r"a::f::<'\n'>"),
        ("_RINvC1a1fKpE", "a::f::<_>"),
        ("_RNvC1au10gre_6ka8i", None),
        ("_RNvC1au9gre_6ka8i", "a::größe"),
        ("_RNvC1a1f.llvm.1234", "a::f"),
        ("_RNvC1a1f.cold", "a::f.cold"),
        ("_ZN4core9panicking5panic17h0123456789abcdefE", "core::panicking::panic"),
        (
            "_ZN59_$LT$core..fmt..Arguments$u20$as$u20$core..fmt..Display$GT$3fmt17h00112233445566ffE",
            "<core::fmt::Arguments as core::fmt::Display>::fmt",
        ),
        ("_ZN1a28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "a::{{closure}}"),
        ("_ZN1a1f17h0123456789abcdefE.llvm.99", "a::f"),
    ],
)
def test_names(mangled: str, expected: str | None) -> None:
    assert demangle(mangled) == (mangled if expected is None else expected)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "panic",
        "_R",
        "_Rx",
        "_RN",
        "_RNvC",
        "_RNvC1a",
        "_RNvC1a9f",
        "_RNvC1a1f?",
        "_RNvB_1f",
        "_RNvB9_1f",
        "_RINvC1a1fB_E",
        "_RINvC1a1fKb7_E",
        "_RINvC1a1fKcffffff_E",
        "_RINvC1a1fRL5_hE",
        "_ZN",
        "_ZN4core5panicE",
        "_ZN4core9panicking5panic17h0123456789abcdef",
        "_ZN4core9panicking5panic17h0123456789abcdegE",
        "_ZNSt6vectorIiE9push_backERKi",
        "_ZN99999core17h0123456789abcdefE",
        "__kvm_nvhe___kvm_vcpu_run",
        "_RNvC1a1é",
    ],
)
def test_other_names_stay(name: str) -> None:
    assert demangle(name) == name


def test_names_that_unfold_without_end_stay() -> None:
    doubling = "".join(f"TB{letter}_B{letter}_E" for letter in "abcdefghijklmnopqrstuvwxyz")
    for name in (
        "_RINvC1a1f" + "S" * 5000 + "hE",
        "_RNv" * 2000,
        "_R" + "N" * 8000,
        f"_RINvC1a1f{doubling * 20}E",
        "_RNvC1a1f" * 5000,
    ):
        assert demangle(name) == name


def test_references_back_that_double_are_bounded() -> None:
    name, at = "_RINvC1a1fTeeE", 8
    for _ in range(40):
        back = "" if at == 1 else _base62(at - 1)
        at = len(name) - 2
        name += f"TB{back}_B{back}_E"
    name += "E"
    assert demangle(name) == name


def _base62(value: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    text = ""
    while True:
        value, digit = divmod(value, 62)
        text = digits[digit] + text
        if not value:
            return text
