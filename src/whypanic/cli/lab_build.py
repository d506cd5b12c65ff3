"""`whypanic lab build`."""

import sys
from typing import TYPE_CHECKING

import click

from whypanic.cli.output import is_coloured, say, width, write
from whypanic.cli.progress import StatusLine

if TYPE_CHECKING:
    from whypanic.lab.kbuild import BuildProgress

_EXIT_FAILED = 1


@click.command("build", short_help="Build a kernel, or find it built before.")
@click.argument("tree", metavar="TREE")
@click.option(
    "--toolchain",
    required=True,
    metavar="ID",
    help="As `lab toolchains` names it: clang-19, gcc-12, a folder, or a prefix of programs.",
)
@click.option(
    "--lto", type=click.Choice(["none", "thin", "full"]), default="none", show_default=True
)
@click.option(
    "--config",
    default="virt-min",
    show_default=True,
    metavar="virt-min|defconfig|FILE",
    help="virt-min is ours and builds in minutes. Another target of make, or a .config, does as well.",
)
@click.option(
    "--fragment",
    "fragments",
    multiple=True,
    metavar="FILE|CONFIG_X=y",
    help="Options on top of it. May repeat; the last one wins.",
)
@click.option("--jobs", type=click.IntRange(1, 1024), help="How many programs at once.")
@click.option(
    "--deadline",
    type=click.FloatRange(1.0),
    default=7200.0,
    show_default=True,
    metavar="SECONDS",
    help="When make is ended.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "--fail-on",
    type=click.Choice(["fail", "never"]),
    default="fail",
    show_default=True,
    help="Exit 1 when the build failed.",
)
def command(
    tree: str,
    toolchain: str,
    lto: str,
    config: str,
    fragments: tuple[str, ...],
    jobs: int | None,
    deadline: float,
    form: str,
    fail_on: str,
) -> None:
    """Build the kernel of TREE out of its folder, and keep Image, vmlinux and modules by content.

    Every option that was asked for is held against the final .config; what was built before is not built again.

    \b
    Exit codes: 0 built; 1 the build failed; 2 TREE, config or fragment are none; 3 a program is missing, or the disk
    is full.
    """
    from whypanic.app.lab_build import build_kernel
    from whypanic.model.lab import BuildSpec
    from whypanic.report.document import encode
    from whypanic.report.lab_text import render_build
    from whypanic.report.text import Style

    status = StatusLine()

    def tell(line: str) -> None:
        status.clear()
        say(line)

    spec = BuildSpec(tree=tree, toolchain=toolchain, lto=lto, config=config, fragments=fragments)
    try:
        built = build_kernel(
            spec,
            jobs=jobs,
            deadline_s=deadline,
            say=tell,
            progress=lambda progress: status.show(progress_words(progress)),
            command=sys.argv[1:],
        )
    finally:
        status.clear()
    if form == "json":
        write(encode(built.document))
    else:
        style = Style(width=width(), colour=is_coloured())
        text = render_build(built.document, built.failure, style)
        write(text.encode("utf-8", "backslashreplace"))
    failed = built.document.verdict != "ok" and fail_on == "fail"
    click.get_current_context().exit(_EXIT_FAILED if failed else 0)


def progress_words(progress: "BuildProgress") -> str:
    """Return the one line that says how far a build is."""
    words = [progress.phase]
    if progress.n_expected:
        # More objects than were expected are no more than all.
        share = min(progress.n_objects / progress.n_expected, 0.99)
        about = "about " if progress.estimated else ""
        words.append(f"{progress.n_objects} of {about}{progress.n_expected} ({share:.0%})")
    elif progress.n_objects:
        words.append(f"{progress.n_objects} objects")
    words.append(f"{progress.seconds:.0f} s")
    return ", ".join([*words, progress.current] if progress.current else words)
