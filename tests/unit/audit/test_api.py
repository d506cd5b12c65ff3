from collections.abc import Iterator

from whypanic.audit.api import Rule, rule
from whypanic.audit.view import AuditView
from whypanic.model.audit import Finding


@rule(number="R99", id="made-up", title="nothing breaks", domains=("hyp", "own"))
def made_up(_view: AuditView) -> Iterator[Finding]:
    return iter(())


def test_declared_function_is_a_rule() -> None:
    assert isinstance(made_up, Rule)
    assert made_up[:4] == ("R99", "made-up", "nothing breaks", ("hyp", "own"))
    assert made_up.module == __name__
