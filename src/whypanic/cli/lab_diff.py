"""`whypanic lab diff`."""

import click

from whypanic.cli.output import is_coloured, width, write

_EXIT_DIFFERENT = 1


@click.command("diff", short_help="Show the first line where two boots part.")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--ignore-times", is_flag=True, help="Do not compare printk's stamps.")
@click.option(
    "--ignore-addresses",
    is_flag=True,
    help="Do not compare hexadecimal numbers of eight digits and more.",
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="TEXT",
    help="Take lines with this in them as alike, e.g. `Linux version`. May repeat.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "--fail-on",
    type=click.Choice(["difference", "never"]),
    default="never",
    show_default=True,
    help="Exit 1 when two logs part.",
)
def command(
    a: str,
    b: str,
    ignore_times: bool,
    ignore_addresses: bool,
    ignored: tuple[str, ...],
    form: str,
    fail_on: str,
) -> None:
    """Compare two serial logs, or the consoles of two runs of `lab boot` mode by mode.

    Boots with --deterministic print the same every time: the first difference is where two toolchains part, once
    their banners are left out with --ignore 'Linux version'.
    """
    from whypanic.app.lab_diff import diff_boots
    from whypanic.report.document import encode
    from whypanic.report.lab_text import render_diff
    from whypanic.report.text import Style

    document = diff_boots(
        a, b, times=not ignore_times, addresses=not ignore_addresses, ignored=ignored
    )
    if form == "json":
        write(encode(document))
    else:
        text = render_diff(document, Style(width=width(), colour=is_coloured()))
        write(text.encode("utf-8", "backslashreplace"))
    differ = any(not each.equal for each in document.comparisons)
    failed = differ and fail_on == "difference"
    click.get_current_context().exit(_EXIT_DIFFERENT if failed else 0)
