"""`whypanic audit`."""

from typing import TYPE_CHECKING

import click

from whypanic.cli.output import input_words, is_coloured, say, width, write
from whypanic.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from whypanic.app.audit import Options
    from whypanic.model.errors import InputError
    from whypanic.report.text import Style

_EXIT_FINDING, _EXIT_INPUT, _EXIT_BUG = 1, 2, 70
_NEVER = "never"


@click.command("audit", short_help="Find code of an image that would crash where it runs.")
@click.argument("files", nargs=-1, metavar="[FILE|DIR]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="sarif: 2.1.0, for code scanning.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", _NEVER]),
    default="error",
    show_default=True,
    help="Exit 1 when a finding that is not suppressed is of this level or a graver one.",
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="ID",
    help="Only this rule, by id or number. May repeat.",
)
@click.option("--list-rules", is_flag=True, help="List the rules, and read no image.")
@click.option(
    "--domains",
    "show_domains",
    is_flag=True,
    help="Show where which code of FILE runs; without FILE the table of domains by era.",
)
@click.option(
    "--domain-file",
    metavar="TOML",
    help="Domains of your own: a hypervisor, a boot loader. docs/domains.md has an example.",
)
@click.option(
    "--suppress",
    metavar="FILE",
    help="Findings that are accepted, one a line: `rule function[+0xOFFSET] # reason`.",
)
def command(
    files: tuple[str, ...],
    form: str,
    fail_on: str,
    rules: tuple[str, ...],
    list_rules: bool,
    show_domains: bool,
    domain_file: str | None,
    suppress: str | None,
) -> None:
    """Find code in FILE that breaks because it runs elsewhere than it was linked, or where something is forbidden.

    FILE is a vmlinux, Image, vmlinuz, a module or an object; a folder stands for the vmlinux that was built in it, else
    for the objects that have such code.

    \b
    Exit codes: 0 nothing reaches --fail-on; 1 a finding does; 2 an input could not be read, the others were audited;
    70 nothing was found, but a rule broke and its findings are missing.
    """
    from whypanic.app.audit import Options
    from whypanic.report.text import Style

    if list_rules and show_domains:
        message = "--list-rules and --domains are two lists: ask for one"
        raise click.UsageError(message)
    if (list_rules or show_domains) and form == "sarif":
        message = "a list has no sarif form: use text or json"
        raise click.UsageError(message)
    style = Style(width=width(), colour=is_coloured())
    if list_rules:
        _list_rules(rules, form, style)
        return
    if show_domains:
        click.get_current_context().exit(_show_domains(files, domain_file, form, style))
    if not files:
        message = "no FILE given"
        raise click.UsageError(message)
    options = Options(rules=rules, domain_file=domain_file, suppress=suppress)
    click.get_current_context().exit(_audit(files, options, form, fail_on, style))


def _list_rules(rules: tuple[str, ...], form: str, style: "Style") -> None:
    from whypanic.app.audit import list_rules
    from whypanic.report.audit_text import render_rules
    from whypanic.report.document import encode

    document = list_rules(rules)
    write(encode(document) if form == "json" else _bytes(render_rules(document, style)))


def _show_domains(
    files: tuple[str, ...], domain_file: str | None, form: str, style: "Style"
) -> int:
    from whypanic.app.audit import list_domains
    from whypanic.report.audit_text import render_domains
    from whypanic.report.document import encode

    progress = Progress()
    document, errors = list_domains(files, domain_file, say=_saying(progress), progress=progress)
    progress.clear()
    _say_errors(errors)
    if not files or document.images or form == "json":
        write(encode(document) if form == "json" else _bytes(render_domains(document, style)))
    return _EXIT_INPUT if errors else 0


def _audit(
    files: tuple[str, ...], options: "Options", form: str, fail_on: str, style: "Style"
) -> int:
    from whypanic.app.audit import audit, reached
    from whypanic.report.audit_text import render_audit
    from whypanic.report.document import encode
    from whypanic.report.sarif import render_sarif

    progress = Progress()
    run = audit(files, options, say=_saying(progress), progress=progress)
    progress.clear()
    _say_errors(run.errors)
    for each in run.broken:
        say(f"error: rule {each.rule} broke, its findings are missing: {each.reason}")
        say("hint: this is a bug in whypanic; please report it to the project's issue tracker")
    if form == "json":
        write(encode(run.document))
    elif form == "sarif":
        complete = not (run.errors or run.broken)
        write(render_sarif(run.document, run.rules, complete=complete))
    elif run.document.images:
        write(_bytes(render_audit(run.document, run.rules, style)))
    if run.errors:
        return _EXIT_INPUT
    if fail_on != _NEVER and reached(run.document.findings, fail_on):
        return _EXIT_FINDING
    return _EXIT_BUG if run.broken else 0


def _saying(progress: Progress) -> "Callable[[str], None]":
    """Return what says a line on standard error, after the line of progress is gone."""

    def tell(line: str) -> None:
        progress.clear()
        say(line)

    return tell


def _say_errors(errors: "Sequence[InputError]") -> None:
    for error in errors:
        say(f"error: {input_words(error)}")
        for hint in error.hints:
            say(f"hint: {hint}")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
