"""What a request for a kernel asks of its .config: base, fragments, LTO, and which of it is held against the result."""

import re
from pathlib import Path
from typing import NamedTuple

from whypanic.lab.kconfig import (
    LTO_LINES,
    LTO_WANTED,
    merged,
    named_fragment,
    read_config_file,
    read_fragment,
    read_options,
)
from whypanic.model.errors import InputError
from whypanic.model.lab import BuildSpec

FRAGMENTS = Path(__file__).with_name("fragments")
OWN_CONFIG = "virt-min"
LTO_KINDS = tuple(LTO_LINES)
_CONFIGURE_TARGET = r"[a-z0-9][a-z0-9_.-]*config"


class BuildRequest(NamedTuple):
    """The options that a request comes to."""

    target: str | None
    """Target of make that makes the base; None: `base` is whole."""
    base: dict[str, str]
    """Options of a file or of virt-min."""
    added: dict[str, str]
    """Those of fragments and LTO."""
    checked: dict[str, str]
    """Held against the final .config."""
    required: frozenset[str]
    """Without these it would be another kernel than the one that was asked for: LTO, and what was given by name."""


def read_build_request(spec: BuildSpec) -> BuildRequest:
    """Return what a request asks for.

    :raises InputError: if its config or a fragment is none.
    """
    target: str | None = None
    base: dict[str, str] = {}
    if spec.config == OWN_CONFIG:
        target = "allnoconfig"
        base = read_fragment(
            (FRAGMENTS / f"{OWN_CONFIG}.config").read_text(), what=f"`{OWN_CONFIG}`"
        )
    elif Path(spec.config).expanduser().is_file():
        base = read_options(read_config_file(Path(spec.config)))
        if not base:
            message = f"`{spec.config}` is no .config: it has no option"
            raise InputError(message, path=spec.config)
    elif re.fullmatch(_CONFIGURE_TARGET, spec.config, re.ASCII):
        target = spec.config
    else:
        message = f"`{spec.config}` is no config: no file, and no target of make"
        raise InputError(
            message, hints=(f"name {OWN_CONFIG}, defconfig, another target or a file",)
        )
    given = [(word, named_fragment(word)) for word in spec.fragments]
    by_name = [options for word, options in given if not Path(word).expanduser().is_file()]
    fragments = [options for _, options in given]
    lto = read_options("\n".join(LTO_LINES[spec.lto]))
    wanted = LTO_WANTED[spec.lto]
    own = base if spec.config == OWN_CONFIG else {}
    return BuildRequest(
        target=target,
        base=base,
        added=merged([*fragments, lto]),
        checked=merged([own, *fragments, wanted]),
        required=frozenset(merged([*by_name, wanted])),
    )
