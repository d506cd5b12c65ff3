"""A kernel built from a request: tree, toolchain, LTO, config, fragments; or found where it was built before."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from whypanic.host.cache import cannot_write, locked
from whypanic.host.clock import Deadline
from whypanic.host.long_program import usable_cpus
from whypanic.lab import build_cache
from whypanic.lab.build_cache import Record, Request, key_of
from whypanic.lab.build_request import LTO_KINDS, OWN_CONFIG, BuildRequest, read_build_request
from whypanic.lab.kbuild import (
    BuildProgress,
    Made,
    make_environment,
    make_words,
    require_host_programs,
    run_make,
)
from whypanic.lab.kbuild_output import place_of
from whypanic.lab.kconfig import check_options, merged, read_options, write_options
from whypanic.lab.kconfig_tree import NO_SUCH_OPTION, KconfigTree, chosen_instead
from whypanic.lab.kernel_tree import KernelTree, hash_tree, open_tree
from whypanic.lab.toolchains import find_toolchain
from whypanic.model.errors import HostError, UsageError
from whypanic.model.lab import BuildResult, BuildSpec, OptionCheck, Toolchain

DEADLINE_S = 7200.0
_BANNER = rb"Linux version ([^\n\0]{1,1000}) #\d"
_MAX_IMAGE_BYTES = 512 << 20
# Objects by options that are on, through virt-min (500, 740) and arm64's defconfig (4,800 options); a guess for the
# first build of a config.
_OBJECTS_PER_OPTION, _OBJECTS_LESS, _FEWEST_OBJECTS = 2.4, 400, 400
_SHOWN_ERRORS = 5
_SHOWN_REFUSED = 5


class _Job(NamedTuple):
    """What all steps of one build share."""

    spec: BuildSpec
    tree: KernelTree
    toolchain: Toolchain
    wanted: BuildRequest
    tree_hash: str
    request_key: str
    out: Path
    deadline: Deadline
    deadline_s: float
    jobs: int
    progress: Callable[[BuildProgress], None]

    @property
    def log(self) -> Path:
        return self.out / "make.log"

    def seconds(self) -> float:
        return self.deadline_s - self.deadline.left_s()

    def tell(
        self, phase: str, n_objects: int, current: str, expected: int | None, guess: bool
    ) -> None:
        self.progress(BuildProgress(phase, n_objects, expected, guess, current, self.seconds()))


def _ignore(_: object) -> None:
    """Take what nobody wants to know."""


def build(
    spec: BuildSpec,
    *,
    progress: Callable[[BuildProgress], None] = _ignore,
    say: Callable[[str], None] = _ignore,
    jobs: int | None = None,
    deadline_s: float = DEADLINE_S,
) -> BuildResult:
    """Return the kernel of a request, built now or before; a build that fails is a result too.

    :param progress: called at each step and at least once a second while make runs.
    :param say: called with a line for what takes long or should be known.
    :param jobs: how many programs make runs at once; None: one a CPU.
    :raises InputError: if the tree, the config or a fragment is none.
    :raises HostError: if a program is missing, the disk is full, or something cannot be written.
    """
    deadline = Deadline(deadline_s)
    tree = open_tree(Path(spec.tree))
    toolchain = find_toolchain(spec.toolchain)
    _check_lto(spec, toolchain)
    require_host_programs()
    wanted = read_build_request(spec)
    lab = build_cache.lab_folder()
    tree_hash = hash_tree(tree.folder, lab / "trees" / key_of(str(tree.folder)), say=say)
    request_key = key_of(
        tree_hash,
        _tool_texts(tree, toolchain),
        wanted.target or "",
        write_options(wanted.base),
        write_options(wanted.added),
        spec.targets,
        sorted(wanted.required),
    )
    if (kept := _kept(request_key, spec)) is not None:
        return kept
    # Objects are reused only by the same tool, tree and config; other fragments share them.
    work = key_of(str(tree.folder), toolchain.id, spec.lto, spec.config)[:16]
    lock = lab / "work" / f"{work}.lock"
    with locked(lock, waits=lambda: say("waiting for another build with these objects")) as waited:
        # Whoever held the lock may have built it.
        if waited and (kept := _kept(request_key, spec)) is not None:
            return kept
        out = build_cache.work_folder(work)
        job = _Job(
            spec,
            tree,
            toolchain,
            wanted,
            tree_hash,
            request_key,
            out,
            deadline,
            deadline_s,
            jobs or usable_cpus(),
            progress,
        )
        return _build(job, say)


def failure_lines(result: BuildResult) -> list[str]:
    """Return what a screen holds of a build that failed: the reason, the first errors, refused options, the log."""
    lines = [result.reason]
    errors = [d for d in result.diagnostics if d.level == "error"]
    # The first is the reason.
    shown, target = errors[1:_SHOWN_ERRORS], errors[0].target if errors else None
    for error in shown:
        lines.append(f"  {place_of(error)}{error.text}")
        if error.target and error.target not in (error.file, target):
            target = error.target
            lines.append(f"    making {target}")
    if len(errors) > _SHOWN_ERRORS:
        lines.append(f"  and {len(errors) - _SHOWN_ERRORS} more errors")
    refused = [check for check in result.options if not check.kept]
    for check in refused[:_SHOWN_REFUSED]:
        because = f": {check.because}" if check.because else ""
        lines.append(f"  {check.name}={check.wanted} became {check.got}{because}")
    if result.log:
        lines.append(f"  all that make said: {result.log}")
    return lines


def read_banner(image: Path) -> tuple[str | None, str | None]:
    """Return compiler and linker as an Image's own banner names them; None for what it does not tell."""
    with image.open("rb") as file:
        match = re.search(_BANNER, file.read(_MAX_IMAGE_BYTES))
    if match is None:
        return None, None
    text = match[1].decode(errors="backslashreplace")
    # RELEASE (user@host) (compiler, linker): the last group is closed by the last parenthesis.
    _, _, tools = text.partition(") (")
    compiler, comma, linker = tools.removesuffix(")").rpartition(", ")
    return (compiler, linker) if comma else (tools.removesuffix(")") or None, None)


def _is_of(compiler: str, toolchain: Toolchain) -> bool:
    # Before 5.8 the banner had the last line of `gcc -v`, and never has characters like `#`: no equal texts.
    family = "clang" if "clang version" in compiler else "gcc"
    return toolchain.version in compiler and toolchain.family == family


def _kept(request_key: str, spec: BuildSpec) -> BuildResult | None:
    known = build_cache.read_request(request_key)
    return None if known is None else build_cache.find_build(known.key, spec, known.options)


def _check_lto(spec: BuildSpec, toolchain: Toolchain) -> None:
    if spec.lto not in LTO_KINDS:
        message = f"`{spec.lto}` is no kind of LTO: {', '.join(LTO_KINDS)}"
        raise UsageError(message)
    if spec.lto not in toolchain.lto:
        message = f"`{toolchain.id}` with `{toolchain.linker}` builds no kernel with LTO {spec.lto}"
        if not toolchain.notes:
            raise UsageError(
                message, hints=("the kernel has LTO for clang-N with lld-N and llvm-N",)
            )
        raise HostError(message, hints=toolchain.notes)


def _tool_texts(tree: KernelTree, toolchain: Toolchain) -> list[str]:
    # The words of make without folders: paths are mapped away and make no other Image.
    words = make_words(tree, toolchain, Path("out"))
    told = [word for word in words if not word.startswith(("KCPPFLAGS=", "O=", "/", "-C", "CC="))]
    return [toolchain.compiler_text, toolchain.linker_text, *told]


def _build(job: _Job, say: Callable[[str], None]) -> BuildResult:
    warm = (job.out / "vmlinux").exists()
    job.log.unlink(missing_ok=True)
    made = _configure(job)
    if not made.ok:
        return _failure(job, made, ())
    final = read_options((job.out / ".config").read_text(errors="replace"))
    options = _check_options(job, final)
    refused = [check for check in options if not check.kept]
    for check in refused:
        if check.name in job.wanted.required:
            because = f": {check.because}" if check.because else ""
            reason = f"{check.name}={check.wanted} was refused, it is {check.got}{because}"
            return _failure(job, made._replace(reason=reason), options)
    # Comments and order of a .config change nothing.
    whole = sorted(final.items())
    key = key_of(
        job.tree_hash,
        _tool_texts(job.tree, job.toolchain),
        write_options(dict(whole)),
        job.spec.targets,
    )
    build_cache.write_request(job.request_key, Request(key=key, options=options))
    if (kept := build_cache.find_build(key, job.spec, options)) is not None:
        return kept
    config_key = key_of([name for name, value in final.items() if value in ("y", "m")])
    expected = build_cache.read_count(config_key)
    guess = expected is None
    if expected is None:
        n_on = sum(value in ("y", "m") for value in final.values())
        expected = max(_FEWEST_OBJECTS, int(n_on * _OBJECTS_PER_OPTION) - _OBJECTS_LESS)
    say(f"building {job.tree.version} with {job.toolchain.compiler_text}, LTO {job.spec.lto}")
    made = _make(
        job,
        (f"-j{job.jobs}", *job.spec.targets),
        lambda n, current: job.tell("compile", n, current, None if warm else expected, guess),
    )
    if not made.ok:
        return _failure(job, made, options)
    if not warm:
        build_cache.write_count(config_key, made.n_objects)
    return _keep(job, key, made, options)


def _configure(job: _Job) -> Made:
    """Make the final .config."""
    wanted = job.wanted
    config, requested = job.out / ".config", job.out / "requested.config"
    try:
        if wanted.target == "allnoconfig" and job.spec.config == OWN_CONFIG:
            requested.write_text(write_options(merged([wanted.base, wanted.added])))
            return _make(job, ("allnoconfig",), _nothing, {"KCONFIG_ALLCONFIG": str(requested)})
        if wanted.target is not None:
            config.unlink(missing_ok=True)
            made = _make(job, (wanted.target,), _nothing)
            if not made.ok or not wanted.added:
                return made
            base: Mapping[str, str] = read_options(config.read_text(errors="replace"))
        else:
            base = wanted.base
        config.write_text(write_options(merged([base, wanted.added])))
    except OSError as error:
        raise cannot_write(job.out, error) from error
    return _make(job, ("olddefconfig",), _nothing)


def _nothing(_: int, __: str) -> None:
    """Tell nobody: configuring takes seconds."""


def _make(
    job: _Job,
    targets: tuple[str, ...],
    tell: Callable[[int, str], None],
    more: Mapping[str, str] | None = None,
) -> Made:
    words = (*make_words(job.tree, job.toolchain, job.out), *targets)
    made = run_make(
        words,
        {**make_environment(job.out), **(more or {})},
        tree=job.tree,
        out=job.out,
        log=job.log,
        deadline=job.deadline,
        tell=tell,
    )
    if made.out_of_time:
        return made._replace(reason=f"it took longer than {job.deadline_s:g} s")
    return made


def _check_options(job: _Job, final: Mapping[str, str]) -> tuple[OptionCheck, ...]:
    tree: list[KconfigTree] = []

    def why(name: str, wanted: str, got: str) -> str:
        # Reading 1500 files takes a second: only when something was refused.
        if not tree:
            tree.append(KconfigTree(job.tree.folder, final))
        return tree[0].why(name, wanted, got)

    checks = check_options(job.wanted.checked, final, why)
    return tuple(check for check in checks if check.kept or not _gave_way(check, job.wanted))


def _gave_way(check: OptionCheck, wanted: BuildRequest) -> bool:
    """Return whether a line of our own config is not for this tree, or was replaced by what was asked."""
    if check.name in wanted.added or check.name in wanted.required:
        return False
    return check.because == NO_SUCH_OPTION or any(
        check.because == chosen_instead(name.removeprefix("CONFIG_"))
        for name, value in wanted.added.items()
        if value == "y"
    )


def _failure(job: _Job, made: Made, options: tuple[OptionCheck, ...]) -> BuildResult:
    folder = build_cache.keep_failure(job.request_key[:16], job.log)
    return BuildResult(
        spec=job.spec,
        ok=False,
        reason=made.reason,
        folder=str(folder),
        options=options,
        diagnostics=made.diagnostics,
        seconds=job.seconds(),
        log=str(folder / "make.log"),
    )


def _keep(job: _Job, key: str, made: Made, options: tuple[OptionCheck, ...]) -> BuildResult:
    image = job.out / "arch" / "arm64" / "boot" / "Image"
    if not image.is_file():
        return _failure(job, made._replace(reason="make ended well and made no Image"), options)
    compiler, linker = read_banner(image)
    if compiler is not None and not _is_of(compiler, job.toolchain):
        reason = f"the Image says that `{compiler}` built it, not `{job.toolchain.compiler_text}`"
        return _failure(job, made._replace(reason=reason), options)
    job.tell("keep", made.n_objects, "", made.n_objects, guess=False)
    result = BuildResult(
        spec=job.spec,
        ok=True,
        folder="",
        compiler=compiler,
        linker=linker,
        options=options,
        diagnostics=made.diagnostics,
        seconds=job.seconds(),
    )
    record = Record(
        result=result,
        toolchain=job.toolchain,
        version=job.tree.version,
        tree_hash=job.tree_hash,
        n_objects=made.n_objects,
    )
    kept = build_cache.keep_build(key, record, job.out)
    return msgspec.structs.replace(kept, seconds=job.seconds())
