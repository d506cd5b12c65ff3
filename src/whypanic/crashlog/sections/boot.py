"""Boot lines that explain a crash: kernel, CPU, memory layout, command line, sanitizers.

Sources: init/main.c, arch/arm64/kernel/{setup,smp,cpufeature}.c, arch/arm64/mm/init.c of 4.14 (from memory).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, compiled, number
from whypanic.model.context import (
    BootCpu,
    CommandLine,
    DetectedFeature,
    Hardware,
    KernelVersion,
    MemoryRange,
    StartedAtEl,
)
from whypanic.model.fault import Detail
from whypanic.model.provenance import Source

_BANNER = r"(?P<release>\S{1,100})(?: \([^()\s]{1,100}@[^()\s]{1,100}\))? (?P<rest>.*)"


def _cpu(match: re.Match[str], source: Source) -> Facts:
    midr = match["midr"]
    return (
        BootCpu(midr=number(midr) if midr else None, mpidr=number(match["mpidr"]), source=source),
    )


def _cpu_old(match: re.Match[str], source: Source) -> Facts:
    return (BootCpu(midr=number(match["midr"]), source=source),)


def compiler_of(rest: str) -> tuple[str | None, str | None]:
    """Return the parenthesised compiler words of a banner's rest, and the build behind them."""
    if not rest.startswith("("):
        return None, rest.strip() or None
    depth = 0
    for index, letter in enumerate(rest):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return rest[1:index], rest[index + 1 :].strip() or None
    return rest[1:], None


def _banner(match: re.Match[str], source: Source) -> Facts:
    compiler, build = compiler_of(match["rest"] or "")
    return (
        KernelVersion(
            release=match["release"], compiler=compiler, build=build, banner=True, source=source
        ),
    )


def _machine(match: re.Match[str], source: Source) -> Facts:
    return (Hardware(name=match["name"].strip(), boot=True, source=source),)


def _level(match: re.Match[str], source: Source) -> Facts:
    return (StartedAtEl(el=int(match["el"]), source=source),)


def _feature(match: re.Match[str], source: Source) -> Facts:
    return (DetectedFeature(name=match["name"].strip(), source=source),)


def _memory_range(match: re.Match[str], source: Source) -> Facts:
    return (
        MemoryRange(
            name=match["name"].strip(),
            first=number(match["first"]),
            last=number(match["last"]),
            source=source,
        ),
    )


def _command_line(match: re.Match[str], source: Source) -> Facts:
    return (CommandLine(text=match["text"], source=source),)


def _detail(match: re.Match[str], source: Source) -> Facts:
    name = compiled(r"[A-Za-z/]+").match(match.string)
    return (Detail(name=name[0].lower() if name else "boot", value=match.string, source=source),)


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("Booting Linux",   r"Booting Linux on physical CPU (?P<mpidr>{HEX})(?: \[(?P<midr>0x[0-9a-f]{1,16})\])?", _cpu,   Part.RESET),
    Rule("Boot CPU",        r"Boot CPU: AArch64 Processor \[(?P<midr>[0-9a-f]{1,16})\]",              _cpu_old,      Part.BOOT),
    Rule("Linux version",   r"Linux version " + _BANNER,                                              _banner,       Part.RESET),
    Rule("Machine model",   r"Machine model: (?P<name>.+)",                                           _machine,      Part.BOOT),
    Rule("started at EL",   r"CPU: All CPU\(s\) started at EL(?P<el>[12])",                           _level,        Part.BOOT),
    Rule("inconsistent mo", r"CPU: CPUs started in inconsistent modes",                               _detail,       Part.BOOT),
    Rule("detected",        r"CPU features: (?:detected(?: feature)?|emulated|forced|forcing on): ?(?P<name>.+)", _feature, Part.BOOT),
    Rule("detected",        r"detected(?: feature)?: (?P<name>.+)",                                   _feature,      Part.BOOT),
    Rule("workaround for",  r"(?:CPU features: |CPU\d{1,5}: )?enabling workaround for (?P<name>.+)",  _feature,      Part.BOOT),
    Rule("CPU features:",   r"CPU features: (?:SANITY CHECK|kernel page table isolation|Unsupported|CPU\d).*", _detail, Part.BOOT),
    Rule(" - 0x",           r"(?P<name>\.?[\w /]{2,12}?) +: (?P<first>0x[0-9a-f]{16}) - (?P<last>0x[0-9a-f]{16})\b", _memory_range, Part.BOOT),
    Rule("ernel command",   r"Kernel command line: ?(?P<text>.*)",                                    _command_line, Part.BOOT),
    Rule("KASLR",           r"KASLR (?:enabled|disabled)",                                            _detail,       Part.BOOT),
    Rule("kernel memory l", r"Virtual kernel memory layout:",                                         _detail,       Part.BOOT),
    Rule("alternatives:",   r"alternatives: (?:patching|applying|applied)",                           _detail,       Part.BOOT),
    Rule("kasan: ",         r"kasan: Kernel(?:AddressSanitizer| address sanitizer)",                  _detail,       Part.BOOT),
    Rule("KernelAddress",   r"KernelAddressSanitizer initialized",                                    _detail,       Part.BOOT),
    Rule("psci: ",          r"psci: \S",                                                              _detail,       Part.BOOT),
    Rule("efi: ",           r"efi: (?:EFI v|UEFI not|Getting EFI)",                                   _detail,       Part.BOOT),
    Rule("GICv",            r"GICv[234]: \S",                                                         _detail,       Part.BOOT),
    Rule("W+X",             r"(?:arm64/mm: )?(?:Found insecure W\+X mapping at address|Checked W\+X mappings:).*", _detail, Part.BOOT),
    Rule("mismatched Exc",  r"CPU\d{1,5}: mismatched Exception Level",                                _detail,       Part.BOOT),
)
# fmt: on
