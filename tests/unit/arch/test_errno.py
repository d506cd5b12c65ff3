from whypanic.arch.errno import COMMON_ERRNOS, ERRNO_NAMES, MAX_ERRNO


def test_names_are_unique_sorted_and_in_range() -> None:
    assert list(ERRNO_NAMES) == sorted(ERRNO_NAMES)
    assert len(set(ERRNO_NAMES.values())) == len(ERRNO_NAMES)
    assert all(1 <= number <= MAX_ERRNO for number in ERRNO_NAMES)


def test_some_numbers_of_the_manual() -> None:
    assert ERRNO_NAMES[1] == "EPERM"
    assert ERRNO_NAMES[19] == "ENODEV"
    assert ERRNO_NAMES[110] == "ETIMEDOUT"
    assert ERRNO_NAMES[133] == "EHWPOISON"
    assert ERRNO_NAMES[517] == "EPROBE_DEFER"
    assert ERRNO_NAMES[524] == "ENOTSUPP"


def test_numbers_without_a_name() -> None:
    # 41 and 58 are only aliases in errno.h, 520 is free.
    for number in (0, 41, 58, 134, 511, 520, 532, -1):
        assert number not in ERRNO_NAMES


def test_common_errnos_have_names() -> None:
    assert all(number in ERRNO_NAMES for number in COMMON_ERRNOS)
    assert len(set(COMMON_ERRNOS)) == len(COMMON_ERRNOS)
