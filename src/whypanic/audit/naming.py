"""How findings name addresses and code."""

from whypanic.code.masks import MASKS
from whypanic.formats.kernel_image import ImageKind, KernelImage

_NEAR = 0x10000
NVHE_PREFIX = "__kvm_nvhe_"
NVHE_OBJECTS = "nVHE objects"
"""How the era of a single object of the nVHE code begins: it is not linked with the others yet."""
GATHERED = (".text", ".rodata", ".bss", ".data..ro_after_init", ".data..percpu", ".idmap.text")
"""By name, or followed by a dot: what hyp.lds takes from each object."""
_PREFIXES = (NVHE_PREFIX, "__efistub_", "__pi_")


def place_name(image: KernelImage, address: int) -> str:
    """Return `symbol+0x8 (.text)`; without a symbol the address in its place, without a section no parenthesis."""
    section = image.section_at(address)
    symbol = image.symbol_at(address)
    name = f"{address:#x}"
    if symbol is not None and symbol.address <= address:
        offset = address - symbol.address
        sized = symbol.size and image.kind not in (ImageKind.RAW, ImageKind.SYSTEM_MAP)
        same = image.section_at(symbol.address) == section and (section is not None or not offset)
        if same and offset < (symbol.size if sized else _NEAR):
            name = f"{_plainest(image, symbol.address, symbol.name)}{f'+{offset:#x}' if offset else ''}"
    return f"{name} ({section.name})" if section is not None else name


def _plainest(image: KernelImage, address: int, name: str) -> str:
    """Return the kernel's own name where aliases with a prefix share the address."""
    if not name.startswith(_PREFIXES):
        return name
    others = [s.name for s in image.symbols.all_at(address)]
    return next((n for n in others if not n.startswith(_PREFIXES) and name.endswith(n)), name)


def function_name(image: KernelImage, address: int) -> str:
    """Return the name of the function at an address without its prefix and the compiler's suffixes, or nothing."""
    symbol = image.symbol_at(address)
    if symbol is None:
        return ""
    return bare_name(symbol.name)


def bare_name(name: str) -> str:
    """Return a name without the prefix of its domain and what a compiler put behind it."""
    prefix = next((p for p in _PREFIXES if name.startswith(p)), "")
    return name[len(prefix) :].partition(".")[0]


def branch_word(word: int) -> str:
    """Return `call` or `branch`."""
    return "call" if MASKS["bl"].fits(word) else "branch"
