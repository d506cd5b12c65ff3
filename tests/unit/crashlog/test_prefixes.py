import pytest

from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.prefixes import second_stamp, strip_prefix

# fmt: off
FORMS = [
    # line, usec, caller, cpu, level
    ("[    7.250000] Mem abort info:",                                   7250000, None, None, None),
    ("[ 7.250000] Mem abort info:",                                      7250000, None, None, None),
    ("[7.250000] Mem abort info:",                                       7250000, None, None, None),
    ("[    7.250000][    T1] Mem abort info:",                           7250000, "T1", None, None),
    ("[ 7.250000][ T12345] Mem abort info:",                             7250000, "T12345", None, None),
    ("[    C3] Mem abort info:",                                         None, "C3", None, None),
    ("<1>[    7.250000] Mem abort info:",                                7250000, None, None, 1),
    ("[    7.250000@2] Mem abort info:",                                 7250000, None, 2, None),
    ("[4:     frobload:  771] Mem abort info:",                          None, None, 4, None),
    ("[7:   frobber:436_2: 4998] Mem abort info:",                       None, None, 7, None),
    ("Mar  4 05:06:07 kernel: Mem abort info:",                          None, None, None, None),
    ("<1>Mem abort info:",                                               None, None, None, 1),
    ("[    7.250000] 003: Mem abort info:",                              7250000, None, 3, None),
    ("[  107.250000]I[2:frob-worker:  719] Mem abort info:",             107250000, None, 2, None),
    ("<0>[    7.250000]  [5:      swapper/5:    0] Mem abort info:",     7250000, None, 5, 0),
    ("[    7.250000] [4:     frobload:  771] Mem abort info:",           7250000, None, 4, None),
    ("[    7.250000] [4:    kworker/4:1:   71] Mem abort info:",         7250000, None, 4, None),
    ("[    7.250000]c6  Mem abort info:",                                7250000, None, 6, None),
    ("[    7.250000] mem_abort_decode: Mem abort info:",                 7250000, None, None, None),
    ("2021-03-04T05:06:07.123456  kern  :alert : Mem abort info:",       None, None, None, 1),
    ("2021-03-04 05:06:07.120000+00:00  kern :err : Mem abort info:",    None, None, None, 3),
    ("05:06:07.123456  [    7.250000] Mem abort info:",                  7250000, None, None, None),
    ("  7 [    7.250000] Mem abort info:",                               7250000, None, None, 7),
    ("Mar  4 05:06:07 board kernel: [    7.250000] Mem abort info:",     7250000, None, None, None),
    ("Mar 04 05:06:07 board kernel: Mem abort info:",                    None, None, None, None),
    ("Mar  4 05:06:07 board kern.alert kernel: Mem abort info:",         None, None, None, None),
    ("2021-03-04T05:06:07+0100 board kernel: Mem abort info:",           None, None, None, None),
    ("[    7.250000] board kernel: Mem abort info:",                     7250000, None, None, None),
    ("kern  :emerg : [    7.250000] Mem abort info:",                    7250000, None, None, 0),
    ("[    7.250000]-(3)[2345:binder]Mem abort info:",                   7250000, None, 3, None),
    ("<5>.(2)[1234:comm]Mem abort info:",                                None, None, 2, 5),
    ("[Mon Mar  4 05:06:07 2019] Mem abort info:",                       None, None, None, None),
    ("[Mar 4 05:06] Mem abort info:",                                    None, None, None, None),
    ("[  +0.000007] Mem abort info:",                                    None, None, None, None),
    ("[ 107.250000s][2016:03:04 05:06:07][pid:24,cpu2,frobd]Mem abort info:", 107250000, None, 2, None),
    ("[2021-03-04 05:06:07.120] [    7.250000] Mem abort info:",         7250000, None, None, None),
    ("1,1234,7250000,-;Mem abort info:",                                 7250000, None, None, 1),
    ("03-04 05:06:07.120     0     0 E KERNEL  : [    7.250000] Mem abort info:", 7250000, None, None, None),
    ("[?? 7.250000] Mem abort info:",                                    7250000, None, None, None),
    (" * [    7.250000] Mem abort info:",                                7250000, None, None, None),
    ("    [    7.250000] Mem abort info:",                               7250000, None, None, None),
    ("\t[    7.250000] Mem abort info:",                                 7250000, None, None, None),
    ("> | >> [    7.250000] Mem abort info:",                            7250000, None, None, None),
    ("7.250000] Mem abort info:",                                        None, None, None, None),
    ("50000][    T9] Mem abort info:",                                   None, "T9", None, None),
]
# fmt: on


@pytest.mark.parametrize(("text", "usec", "caller", "cpu", "level"), FORMS)
def test_forms(
    text: str, usec: int | None, caller: str | None, cpu: int | None, level: int | None
) -> None:
    (line,) = read_lines(text.encode()).lines
    assert line.text == "Mem abort info:"
    assert (line.usec, line.caller, line.cpu, line.level) == (usec, caller, cpu, level)
    assert line.prefixed


@pytest.mark.parametrize(
    "text",
    [
        "kvm [1]: Hyp mode initialized successfully",
        "[<ffff000008123450>] frob+0x10/0x20",
        "[ffff800012345678] pgd=0000000000000000",
        "[frob]",
        "[0:1] not a stamp",
        "x0 : 0000000000000000",
        "  14: d503201f  nop",
        "watchdog: BUG: soft lockup - CPU#2 stuck for 23s!",
        "12] see below",
        "- a list",
    ],
)
def test_kernel_words_are_no_prefix(text: str) -> None:
    prefix = strip_prefix(text)
    assert (prefix.end, prefix.stamped) == (0, False)


@pytest.mark.parametrize(
    ("text", "indent"),
    [
        ("[    1.000000] frob", 0),
        ("[    1.000000]  frob", 1),
        ("[    1.000000][    T1]  frob", 1),
        ("[    1.000000]   ESR = 0x1", 2),
        (" frob", 1),
        ("> frob", 0),
        (">  frob", 1),
        ("<4> frob", 1),
    ],
)
def test_indentation(text: str, indent: int) -> None:
    (line,) = read_lines(text.encode()).lines
    assert line.indent == indent


def test_function_name_alone_is_no_stamp() -> None:
    prefix = strip_prefix("mem_abort_decode: Mem abort info:")
    assert (prefix.end, prefix.stamped) == (18, False)


def test_innermost_stamp_wins() -> None:
    assert strip_prefix("[    1.000000] [    2.000000] frob").usec == 2_000_000


def test_second_stamp() -> None:
    assert second_stamp("word [    1.000000] next") == 5
    assert second_stamp("word <4>[    1.000000] next") == 5
    assert second_stamp("version [1.000000]x") is None
    assert second_stamp("no bracket") is None


def test_arrow_of_an_author_before_a_headline() -> None:
    header = "Unhandled fault: alignment fault (0x96000061) at 0xffffff8009a40000"
    assert [strip_prefix(mark + header).end for mark in ("=>", "--> ")] == [2, 4]
    assert strip_prefix("--> frob->wrap()").end == 0


def test_rt_cpu_number_before_an_empty_line() -> None:
    prefix = strip_prefix("[  198.344203] 002:")
    assert (prefix.end, prefix.cpu) == (19, 2)


@pytest.mark.parametrize(
    ("text", "usec", "cpu"),
    [
        ("[   26.328023 / 09-26 13:22:37.707][2][662][ndroid.systemui] words", 26_328_023, 2),
        ("2022-05-16 17:18:09 --> [   95.893317]  words", 95_893_317, None),
    ],
)
def test_two_clocks_before_the_words(text: str, usec: int, cpu: int | None) -> None:
    prefix = strip_prefix(text)
    assert (text[prefix.end :].strip(), prefix.usec, prefix.cpu) == ("words", usec, cpu)
