"""Facts of a log as the tests of images need them, and images of listed symbols."""

from collections.abc import Sequence

from whypanic.formats.kernel_image import ImageKind, KernelImage, Section
from whypanic.formats.symbol_table import Symbol, symbol_table
from whypanic.model.provenance import Source
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.trace import Frame, TraceRole

BASE = 0xFFFF_8000_0800_0000
TEXT_BYTES = 0x200000
SOURCE = Source(line=1, text="a line")


def frame(
    symbol: str | None,
    offset: int | None = None,
    size: int | None = None,
    *,
    address: int | None = None,
    module: str | None = None,
    build_id: str | None = None,
    role: TraceRole = TraceRole.FAULT,
    trace: int = 0,
    inlined: bool = False,
) -> Frame:
    ref = (
        None
        if symbol is None
        else SymbolRef(symbol=symbol, offset=offset, size=size, module=module, build_id=build_id)
    )
    return Frame(ref=ref, address=address, role=role, trace=trace, inlined=inlined, source=SOURCE)


def register(name: str, value: int | None, ref: SymbolRef | None = None) -> Register:
    return Register(name=name, value=value, ref=ref, source=SOURCE)


def function(name: str, offset: int, size: int = 0) -> Symbol:
    """Return a function at an offset of the image."""
    return Symbol(name, BASE + offset, size, "function")


def listed_image(
    *symbols: Symbol,
    kind: ImageKind = ImageKind.VMLINUX,
    build_id: str | None = None,
    banner: str | None = None,
    module: str | None = None,
    sections: Sequence[Section] = (Section(".text", BASE, TEXT_BYTES, True, False),),
) -> KernelImage:
    """Return an image without bytes."""
    return KernelImage(
        name="vmlinux",
        kind=kind,
        symbols=symbol_table(symbols),
        sections=sections,
        build_id=build_id,
        banner=banner,
        module=module,
    )
