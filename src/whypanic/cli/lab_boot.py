"""`whypanic lab boot`."""

import sys

import click

from whypanic.cli.output import is_coloured, say, width, write
from whypanic.cli.progress import StatusLine

_EXIT_FINDING, _EXIT_HOST = 1, 3
_NEVER, _FAIL = "never", "fail"
_FINE = ("ok", "not-applicable")


@click.command("boot", short_help="Boot a kernel in every mode, and diagnose each failure.")
@click.argument("image", metavar="IMAGE|FOLDER")
@click.option(
    "--modes",
    default="all",
    show_default=True,
    metavar="all|LIST",
    help="el1, nvhe, vhe, nvhe-on-vhe, hvhe, protected, kvm-off, separated by commas.",
)
@click.option(
    "--vmlinux",
    metavar="FILE",
    help="For the diagnosis; without it the one where IMAGE was built is taken.",
)
@click.option(
    "--kaslr",
    default="on",
    show_default=True,
    metavar="on|off|SEED",
    help="With a seed the kernel is put in the same place every time.",
)
@click.option("--cpus", "n_cpus", type=click.IntRange(1, 8), default=1, show_default=True)
@click.option("--deterministic", is_flag=True, help="The same serial log, bit for bit, every time.")
@click.option(
    "--deadline",
    type=click.FloatRange(1.0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Of each boot; a panic or a silent machine is found long before.",
)
@click.option("--append", default="", metavar="WORDS", help="More of the kernel's command line.")
@click.option(
    "--keep", metavar="DIR", help="Where run.jsonl and the consoles go; else the cache has them."
)
@click.option("--initramfs", metavar="FILE", help="Another one than ours, with an init of its own.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("--all", "everything", is_flag=True, help="Show every diagnosis whole.")
@click.option(
    "--fail-on",
    default=_NEVER,
    show_default=True,
    metavar="fail|VERDICT|never",
    help="Exit 1 when a boot has this verdict; fail: any but ok and not-applicable.",
)
def command(
    image: str,
    modes: str,
    vmlinux: str | None,
    kaslr: str,
    n_cpus: int,
    deterministic: bool,
    deadline: float,
    append: str,
    keep: str | None,
    initramfs: str | None,
    form: str,
    everything: bool,
    fail_on: str,
) -> None:
    """Boot IMAGE, or the kernel in FOLDER, under QEMU in every mode that it supports, and prove the mode each time.

    A KVM guest is run in it. What fails is explained with the image, as `whypanic explain` does it; where the console
    has nothing, from what the stopped machine shows.

    \b
    Exit codes: 0; 1 a verdict reaches --fail-on; 2 IMAGE cannot be read; 3 QEMU is missing, or died.
    """
    from whypanic.app.lab_boot import BootOptions, boot_kernel
    from whypanic.report.document import encode
    from whypanic.report.lab_text import render_boot
    from whypanic.report.text import Style

    threshold = _threshold(fail_on)
    options = BootOptions(
        modes=modes,
        vmlinux=vmlinux,
        kaslr=kaslr,
        n_cpus=n_cpus,
        deterministic=deterministic,
        deadline_s=deadline,
        append=append,
        keep=keep,
        initramfs=initramfs,
    )
    status = StatusLine()

    def tell(line: str) -> None:
        status.clear()
        say(line)

    try:
        document = boot_kernel(image, options, say=tell, progress=status.show, command=sys.argv[1:])
    finally:
        status.clear()
    if form == "json":
        write(encode(document))
    else:
        style = Style(width=width(), colour=is_coloured(), everything=everything)
        write(render_boot(document, style).encode("utf-8", "backslashreplace"))
    verdicts = {cell.verdict for cell in document.cells}
    click.get_current_context().exit(_exit_code(verdicts, threshold))


def _threshold(word: str) -> str:
    from whypanic.model.lab import LabVerdict

    if word in (_NEVER, _FAIL) or word in set(map(str, LabVerdict)):
        return word
    message = f"`{word}` is no verdict, and neither `{_FAIL}` nor `{_NEVER}`"
    raise click.BadParameter(message, param_hint="--fail-on")


def _exit_code(verdicts: set[str], threshold: str) -> int:
    if "infrastructure" in verdicts and threshold != "infrastructure":
        return _EXIT_HOST
    reached = bool(verdicts - {*_FINE}) if threshold == _FAIL else threshold in verdicts
    return _EXIT_FINDING if reached else 0
