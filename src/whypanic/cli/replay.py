"""`whypanic replay`."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from whypanic.cli.output import say, write

if TYPE_CHECKING:
    from whypanic.app.images import Images

_NAME_VALUE = re.compile(r"([A-Za-z][A-Za-z0-9_]*)=((?:0x)?0*[0-9a-fA-F]{1,16})")
_WORDS = ("hyp", "link", "pa")


@click.command("replay", short_help="Run the listed code as the machine ran it, and compare.")
@click.argument("log", metavar="LOG")
@click.option(
    "--function", metavar="SYMBOL", help="The listed function to run, where there are several."
)
@click.option(
    "--engine",
    type=click.Choice(["unicorn", "qemu"]),
    default="unicorn",
    show_default=True,
    help="unicorn is embedded and models ESR and SPSR; qemu runs at a true EL2.",
)
@click.option(
    "--cpu", metavar="MODEL", help="The core, e.g. Cortex-A53; else those that the text tells."
)
@click.option(
    "--at",
    default="hyp",
    show_default=True,
    metavar="hyp|link|pa|ADDRESS",
    help="Where the code runs.",
)
@click.option(
    "--id-reg",
    "id_registers",
    multiple=True,
    metavar="NAME=VALUE",
    help="Answer an identification register with this hexadecimal value.",
)
@click.option(
    "--reg",
    "registers",
    multiple=True,
    metavar="xN=VALUE",
    help="A register at the function's entry.",
)
@click.option(
    "--vmlinux",
    "images",
    multiple=True,
    metavar="FILE",
    help="An image of the crashed kernel to take the code from. May repeat.",
)
@click.option(
    "--features",
    metavar="LIST|BITMAP|CPU",
    help="With --function of an image: render its alternatives for these capabilities.",
)
@click.option(
    "--sweep", type=click.Choice(["cpus"]), help="Run the first hypothesis on every core."
)
@click.option("--all", "everything", is_flag=True, help="Show every trace, whole.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(
    log: str,
    function: str | None,
    engine: str,
    cpu: str | None,
    at: str,
    id_registers: tuple[str, ...],
    registers: tuple[str, ...],
    images: tuple[str, ...],
    features: str | None,
    sweep: str | None,
    everything: bool,
    form: str,
) -> None:
    """Take the code out of the listing in LOG, run it where it ran, and hold every value against the log.

    LOG is a text as for `explain`; - is standard input. Where it has no listing, --vmlinux gives the code. With
    --function it may be an image itself: then there is no log to compare with.
    """
    from whypanic.app.inputs import read_input
    from whypanic.app.replay import replay, replay_image
    from whypanic.replay.hypotheses import Options

    options = Options(
        at=_place(at),
        cpu=_core(cpu),
        registers=_values(registers, "--reg", _is_argument),
        system=_values(id_registers, "--id-reg", _is_system_register),
    )
    if _is_image(log):
        if function is None:
            message = f"{log} is an image: name the function to run with --function"
            raise click.UsageError(message)
        document = replay_image(
            log,
            function=function,
            options=options,
            engine=engine,
            sweep=sweep is not None,
            features=features,
            say=say,
        )
    else:
        document = replay(
            read_input(log),
            function=function,
            options=options,
            engine=engine,
            sweep=sweep is not None,
            images=_images(images),
            features=features,
        )
    if form == "json":
        from whypanic.report.document import encode

        write(encode(document))
    else:
        from whypanic.report.replay_text import render_replay

        text = render_replay(document, everything=everything)
        write(text.encode("utf-8", "backslashreplace"))


def _is_image(name: str) -> bool:
    """Tell whether a named file is an image; what cannot be read is left to who reads it."""
    from whypanic.app.image_start import IMAGE_START_BYTES, is_image

    path = Path(name)
    try:
        if name == "-" or not path.is_file():
            return False
        with path.open("rb") as stream:
            return is_image(stream.read(IMAGE_START_BYTES))
    except OSError:
        return False


def _images(paths: tuple[str, ...]) -> "Images | None":
    if not paths:
        return None
    from whypanic.app.images import Images

    images = Images(paths, say=say)
    errors = images.open_all()
    if errors:
        raise errors[0]
    return images


def _place(word: str) -> str:
    if word in _WORDS:
        return word
    try:
        value = int(word, 16)
    except ValueError:
        value = -1
    if not 0 <= value < 1 << 64:
        message = f"`{word}` is neither hyp, link, pa nor a hexadecimal address"
        raise click.BadParameter(message, param_hint="--at")
    return hex(value)


def _core(name: str | None) -> str | None:
    from whypanic.arch.identification import replay_cores

    if name is None:
        return None
    known = {core.lower(): core for core in replay_cores()}
    found = known.get(name.lower())
    if found is None:
        message = f"`{name}` is no core of the table: {', '.join(known.values())}"
        raise click.BadParameter(message, param_hint="--cpu")
    return found


def _values(words: tuple[str, ...], option: str, is_name: Callable[[str], bool]) -> dict[str, int]:
    values = {}
    for word in words:
        match = _NAME_VALUE.fullmatch(word)
        if match is None:
            message = f"`{word}` is not NAME=VALUE with a hexadecimal value of 64 bits"
            raise click.BadParameter(message, param_hint=option)
        name = match[1].lower()
        if not is_name(name):
            message = f"`{match[1]}` is no register that can be given"
            raise click.BadParameter(message, param_hint=option)
        values[name] = int(match[2], 16)
    return values


def _is_argument(name: str) -> bool:
    """Return whether a register is x0..x29: x30 and sp are where the run returns to and its stack."""
    return name in {f"x{n}" for n in range(30)}


def _is_system_register(name: str) -> bool:
    from whypanic.arch.insn.system_registers import is_register_name

    return is_register_name(name)
