"""`whypanic lab toolchains`."""

import click

from whypanic.cli.output import is_coloured, width, write


@click.command("toolchains", short_help="List the compilers here that build an arm64 kernel.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(form: str) -> None:
    """List GCC and clang on PATH and in unpacked folders, with linker, kinds of LTO and make's variables.

    Folders of unpacked toolchains are named in WHYPANIC_TOOLCHAINS, separated by colons.
    """
    from whypanic.app.lab_toolchains import list_toolchains
    from whypanic.report.document import encode
    from whypanic.report.lab_text import render_toolchains
    from whypanic.report.text import Style

    document = list_toolchains()
    if form == "json":
        write(encode(document))
        return
    text = render_toolchains(document, Style(width=width(), colour=is_coloured()))
    write(text.encode("utf-8", "backslashreplace"))
