"""Whatever stands in a file, an audit ends: with findings, or with a word on what cannot be read; no rule breaks."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from builders.hyp_images import link_4_14, link_6_1
from builders.images import assemble
from builders.stage2 import stage2
from whypanic.app.audit import Options, audit
from whypanic.report.audit_text import render_audit
from whypanic.report.sarif import render_sarif
from whypanic.report.text import Style

CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8)), max_size=8
)
MAKERS = (
    lambda: link_4_14(stage2()),
    lambda: link_6_1(stage2()),
    lambda: assemble(stage2()),
)


@given(st.sampled_from(MAKERS), CHANGES, st.booleans(), st.floats(0.01, 1))
def test_audit_ends(
    make: object, changes: list[tuple[float, bytes]], in_headers: bool, length: float
) -> None:
    assert callable(make)
    data = bytearray(make().read_bytes())
    # Half of the time the headers, and the tables at the end, which decide what is read at all.
    for where, new in changes:
        at = int(where * 1200) - 600 if in_headers else int(where * len(data))
        for n, byte in enumerate(new):
            data[(at + n) % len(data)] = byte
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image")
        path.write_bytes(data[: max(int(length * len(data)), 1)])
        run = audit(
            [str(path)], Options(), say=lambda _line: None, progress=lambda _name, _size: None
        )
    assert run.broken == []
    assert run.errors or run.document.images
    assert render_audit(run.document, run.rules, Style())
    assert render_sarif(run.document, run.rules)
