"""The text of an HTML mail."""

from hypothesis import given
from hypothesis import strategies as st

from whypanic.crashlog.html import strip_tags
from whypanic.crashlog.places import rows_of


def shown(data: bytes) -> list[tuple[bytes, int]]:
    return [(row.data, row.first) for row in strip_tags(rows_of(data))]


def test_breaks_and_entities() -> None:
    data = b"<html><head><title>no</title></head><body>\n<p>pc : f&#43;0x1/0x2<br>lr&nbsp;: &lt;g&gt;</p>\n</body>"
    assert shown(data) == [(b"pc : f+0x1/0x2", 2), ("lr\u00a0: <g>".encode(), 2)]


def test_line_ends_count_inside_pre_only() -> None:
    assert shown(b"a\nb<pre>c\n d\n</pre>") == [(b"a b", 1), (b"c", 2), (b" d", 3)]


def test_scripts_styles_and_comments_are_no_text() -> None:
    assert shown(b"<style>\nx{}</style><script>if (a<b) c</script><!-- no\n -->yes") == [
        (b"yes", 3)
    ]


def test_a_lone_bracket_is_a_character() -> None:
    assert shown(b"if a < b") == [(b"if a < b", 1)]


@given(st.text(alphabet="<>/!- \npredivbr&;a", max_size=200))
def test_total(text: str) -> None:
    rows = rows_of(text.encode())
    for row in strip_tags(rows):
        assert 1 <= row.first <= row.last <= len(rows)
        assert b"\n" not in row.data
