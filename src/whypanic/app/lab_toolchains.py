"""The use case `lab toolchains`."""

from whypanic.app.explain_document import tool
from whypanic.lab.toolchains import find_toolchains
from whypanic.model.lab import Toolchain
from whypanic.report.lab_document import TOOLCHAINS_SCHEMA, DocToolchain, ToolchainsDocument


def list_toolchains() -> ToolchainsDocument:
    """Return every toolchain of this machine, those that lack something too."""
    return ToolchainsDocument(
        schema=TOOLCHAINS_SCHEMA,
        tool=tool(),
        toolchains=[toolchain_of(found) for found in find_toolchains()],
    )


def toolchain_of(found: Toolchain) -> DocToolchain:
    """Return a toolchain in the form of the document."""
    return DocToolchain(
        id=found.id,
        family=found.family,
        version=found.version,
        compiler=found.compiler,
        compiler_text=found.compiler_text,
        linker=found.linker,
        linker_text=found.linker_text,
        lto=list(found.lto),
        make_variables=[[name, value] for name, value in found.make_variables],
        notes=list(found.notes),
        missing=list(found.missing),
    )
