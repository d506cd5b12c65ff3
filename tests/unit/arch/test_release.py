import pytest

from whypanic.arch.release import parse_release


@pytest.mark.parametrize(
    ("text", "pair", "patch"),
    [
        ("4.14.0-rc7-dirty", (4, 14), 0),
        ("5.4.40-rt24", (5, 4), 40),
        ("6.1.0-18-arm64", (6, 1), None),
        ("5.15.0-1035-vendor", (5, 15), None),
        ("v6.12", (6, 12), 0),
        ("6.0.0-rc4-00133-gabcdef012345", (6, 0), 0),
    ],
)
def test_numbers_of_a_release(text: str, pair: tuple[int, int], patch: int | None) -> None:
    release = parse_release(text)
    assert release is not None
    assert (release.pair, release.patch) == (pair, patch)


@pytest.mark.parametrize("text", [None, "", "next", "six.one", "\x00\xff", "٤.١٤"])
def test_no_release(text: str | None) -> None:
    assert parse_release(text) is None


def test_linux_next_is_marked() -> None:
    release = parse_release("6.18.0-rc7-next-20251125")
    assert release is not None
    assert release.is_next
