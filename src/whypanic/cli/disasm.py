"""`whypanic disasm`."""

import click

from whypanic.cli.output import say, write


@click.command("disasm", short_help="Show a function of an image as the CPU of a crash ran it.")
@click.argument("file", metavar="FILE")
@click.argument("place", metavar="SYMBOL|ADDRESS")
@click.option(
    "--features",
    metavar="LIST|BITMAP|CPU",
    help="Render alternatives for these capabilities: names, the bitmap of a `CPU features:` line, or a core.",
)
@click.option("--source", metavar="DIR", help="The kernel's source tree, to show lines of it.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(file: str, place: str, features: str | None, source: str | None, form: str) -> None:
    """Disassemble one function of FILE: a vmlinux, a module, an object or a raw Image.

    Tables are read and their targets named, alternatives, ftrace sites and jump labels marked, literal pools shown as
    data, absolute addresses flagged. The text has objdump's form: `replay` reads it.
    """
    from whypanic.app.disasm import disassemble
    from whypanic.report.disasm_text import render_disasm
    from whypanic.report.document import encode

    document = disassemble(file, place, features=features, source=source, say=say)
    if form == "json":
        write(encode(document))
    else:
        write(render_disasm(document).encode("utf-8", "backslashreplace"))
