"""`whypanic explain`."""

import gc
import sys
from typing import TYPE_CHECKING, Any

import click

from whypanic.cli.output import input_words, is_coloured, say, width, write
from whypanic.model.claims import Verdict
from whypanic.model.errors import InputError
from whypanic.model.kinds import Kind

if TYPE_CHECKING:
    from whypanic.app.analysis import Explained
    from whypanic.app.explain import Refine
    from whypanic.app.images import Images
    from whypanic.report.mail import Quotable

_NEVER = "never"
_THRESHOLDS = (Verdict.PROVEN, Verdict.SUPPORTED, Verdict.POSSIBLE)
_EXIT_FINDING, _EXIT_INPUT = 1, 2


@click.command("explain", short_help="Name the cause of a crash from its text, with the evidence.")
@click.argument("logs", nargs=-1, metavar="[LOG|DIR|-]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mail", "json", "jsonl"]),
    default="text",
    show_default=True,
    help="mail: a reply ready to send. json: one document. jsonl: one line a report, for big inputs.",
)
@click.option(
    "--vmlinux",
    "images",
    multiple=True,
    metavar="FILE",
    help="An image of the crashed kernel: vmlinux, Image, vmlinuz, System.map or a module. May repeat.",
)
@click.option("--modules", metavar="DIR", help="Where the kernel's modules are, at any depth.")
@click.option("--source", metavar="DIR", help="The kernel's source tree, to show lines of it.")
@click.option(
    "--allow-mismatch", is_flag=True, help="Use an image though it is not the crashed kernel's."
)
@click.option(
    "--replay",
    "replayed",
    is_flag=True,
    help="Run the code that a hyp panic's text lists, at EL2 under QEMU, and hold the values against the log. "
    "Without QEMU the values are modelled and prove nothing.",
)
@click.option("--all", "everything", is_flag=True, help="Show every cause, fact, frame and word.")
@click.option("--coverage", is_flag=True, help="Say which lines of the log were not understood.")
@click.option("--show-commands", is_flag=True, help="Print commands that would show the same.")
@click.option(
    "--fail-on",
    default=_NEVER,
    metavar="VERDICT|KIND|never",
    show_default=True,
    help="Exit 1 when a first cause reaches VERDICT (proven, supported, possible) or a report has this KIND.",
)
def command(
    logs: tuple[str, ...],
    form: str,
    images: tuple[str, ...],
    modules: str | None,
    source: str | None,
    allow_mismatch: bool,
    replayed: bool,
    everything: bool,
    coverage: bool,
    show_commands: bool,
    fail_on: str,
) -> None:
    """Explain crashes in LOGs: console output, dmesg, journal, or a mail that quotes them.

    Without LOG, or with -, standard input is read; a folder stands for the files in it.
    """
    threshold = _threshold(fail_on)
    collect_less()
    if not logs:
        if sys.stdin is not None and sys.stdin.isatty():
            message = "no LOG given, and standard input is a terminal"
            raise click.UsageError(message)
        logs = ("-",)
    given = _images(images, modules, source, allow_mismatch)
    refine = _refine(given, replayed)
    if form == "jsonl":
        status = _stream(logs, threshold, refine)
    else:
        status = _document(
            logs,
            form,
            threshold,
            refine,
            {"everything": everything, "coverage": coverage, "commands": show_commands},
        )
    status = max(status, _say_errors(given))
    click.get_current_context().exit(status)


def collect_less() -> None:
    """Let the collector of cycles run seldom: facts hold none, and its rounds take a fifth of a long run."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _threshold(word: str) -> str:
    if word == _NEVER or word in {*map(str, _THRESHOLDS), *map(str, Kind)}:
        return word
    message = (
        f"{word!r} is no verdict (proven, supported, possible), no kind of report, and not 'never'"
    )
    raise click.BadParameter(message, param_hint="--fail-on")


def _reaches(kind: str, verdict: str, threshold: str) -> bool:
    if threshold == _NEVER:
        return False
    if threshold in map(str, _THRESHOLDS):
        order = [str(v) for v in _THRESHOLDS]
        return verdict in order and order.index(verdict) <= order.index(threshold)
    return kind == threshold


def _images(
    paths: tuple[str, ...], modules: str | None, source: str | None, allow_mismatch: bool
) -> "Images | None":
    if not paths and modules is None:
        for option, given in (("--source", source), ("--allow-mismatch", allow_mismatch)):
            if given:
                message = f"{option} says how an image is used: name one with --vmlinux"
                raise click.UsageError(message)
        return None
    from whypanic.app.images import Images

    return Images(paths, modules=modules, source=source, allow_mismatch=allow_mismatch, say=say)


def _refine(images: "Images | None", replayed: bool) -> "Refine | None":
    steps: list[Refine] = []
    if images is not None:
        steps.append(images.refine)
    if replayed:
        from whypanic.app.explain_replay import replayer

        steps.append(replayer(say))
    if not steps:
        return None

    def refine(explained: "Explained") -> "Explained":
        for step in steps:
            explained = step(explained)
        return explained

    return refine


def _say_errors(images: "Images | None") -> int:
    """Say which images could not be read; a log is explained without them."""
    errors = [] if images is None else images.open_all()
    for error in errors:
        say(f"error: {input_words(error)}")
        for hint in error.hints:
            say(f"hint: {hint}")
    return _EXIT_INPUT if errors else 0


def _document(
    logs: tuple[str, ...],
    form: str,
    threshold: str,
    refine: "Refine | None",
    shown: dict[str, bool],
) -> int:
    from whypanic.app.explain import explain_paths, reply_paths
    from whypanic.cli.progress import Progress
    from whypanic.report.document import encode

    quotable: list[Quotable] = []
    if form == "mail":
        document, quotable = reply_paths(logs, refine)
    else:
        progress = Progress()
        document = explain_paths(logs, refine, progress)
        progress.clear()
    for item in document.unreadable:
        say(f"error: {item.name}: {item.reason}")
    if not document.reports and document.inputs:
        say(f"note: no crash report found in {_count(len(document.inputs))}")
    if form == "json":
        write(encode(document))
    elif form == "mail":
        from whypanic.report.mail import render_mail

        write(render_mail(document, quotable).encode("utf-8", "backslashreplace"))
    else:
        from whypanic.report.text import Style, render

        style = Style(width=width(), colour=is_coloured(), **shown)
        write(render(document, style).encode("utf-8", "backslashreplace"))
    if document.unreadable:
        return _EXIT_INPUT
    reached = any(
        _reaches(r.kind, r.causes[0].verdict if r.causes else "", threshold)
        for r in document.reports
    )
    return _EXIT_FINDING if reached else 0


def _stream(logs: tuple[str, ...], threshold: str, refine: "Refine | None") -> int:
    import msgspec

    from whypanic.app.explain import stream_lines
    from whypanic.cli.progress import Progress

    encoder = msgspec.json.Encoder()
    progress = Progress()
    failed, reached, n_reports = False, False, 0
    for item in stream_lines(logs, refine, progress):
        progress.clear()
        if isinstance(item, InputError):
            failed = True
            say(f"error: {item.path}: {item.message}")
            continue
        write(encoder.encode(item) + b"\n")
        causes: Any = item.get("causes")
        if causes:
            n_reports += 1
            reached = reached or _reaches(str(item["kind"]), causes[0]["verdict"], threshold)
    if not n_reports and not failed:
        say("note: no crash report found")
    if failed:
        return _EXIT_INPUT
    return _EXIT_FINDING if reached else 0


def _count(n: int) -> str:
    return "the input" if n == 1 else f"{n} inputs"
