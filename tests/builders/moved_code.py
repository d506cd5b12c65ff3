"""Assembler text of code that runs elsewhere, put into an object or a small image and audited by one rule."""

import re
from collections.abc import Callable
from pathlib import Path

from builders.hyp_images import link_4_14, link_6_1
from builders.images import assemble
from whypanic.audit.api import Rule
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.model.audit import Finding, Level

FORMS: dict[str, Callable[[str], Path]] = {
    "object": assemble,
    "4.14": link_4_14,
    "6.1": link_6_1,
}
"""How an image is made of text; 4.14 is not relocatable, 6.1 has R_AARCH64_RELATIVE in empty slots."""


def function(name: str, body: str, section: str = ".hyp.text") -> str:
    """Return one function of a section."""
    return (
        f'.section {section}, "ax"\n.globl {name}\n.type {name}, %function\n{name}:\n{body}\n'
        f".size {name}, . - {name}\n"
    )


def in_hyp_text(source: str) -> str:
    """Return a compiler's output with its code in .hyp.text."""
    return re.sub(r"^\t\.text\b.*$", '\t.section .hyp.text,"ax",%progbits', source, flags=re.M)


def findings(source: str, form: str, rule: Rule) -> list[Finding]:
    """Return what a rule finds in text built in some form."""
    return list(rule.check(AuditView(open_image(FORMS[form](source)))))


def errors(source: str, form: str, rule: Rule) -> list[Finding]:
    return [f for f in findings(source, form, rule) if f.level is Level.ERROR]


def functions_found(source: str, form: str, rule: Rule) -> set[str]:
    """Return the functions that a rule's findings lie in."""
    image = open_image(FORMS[form](source))
    found = (image.symbol_at(f.place) for f in rule.check(AuditView(image)))
    return {symbol.name for symbol in found if symbol is not None}
