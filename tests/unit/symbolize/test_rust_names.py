import pytest

from whypanic.symbolize.rust_names import demangle


@pytest.mark.parametrize(
    ("mangled", "expected"),
    [
        ("_RNvNtNtCs1_6kernel4sync3arc3new", "kernel::sync::arc::new"),
        ("_RNvC1au10gre_6ka8i", None),
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


def test_names_that_are_too_long_stay() -> None:
    name = "_RNvC1a1f" * 5000
    assert demangle(name) == name
