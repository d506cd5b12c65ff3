"""A section or an object of the nVHE hyp code ends up where EL2 maps nothing.

In objects (`kvm_nvhe.o` and what it is linked from) sections that occupy memory and that the hyp linker script does
not gather; in linked images functions and objects with the prefix `__kvm_nvhe_` outside of all hyp sections.

Why it breaks: hyp.lds gathers .text, .rodata, .bss, .data..ro_after_init and .data..percpu of the hyp objects, from
5.12 on, and .data from 6.16 on, into sections whose names begin with .hyp; the kernel's linker script places and maps
those. Any other section keeps its name, is linked without a word, and lies in kernel memory that is not mapped at
EL2: the first access is a translation fault with a low hyp VA in FAR. An initialised static variable is enough, and
so is a function that the compiler puts into a section of its own. Read-only data that the linker puts among the
kernel's own, between __start_rodata and __end_rodata, EL2 maps all the same, until protected KVM is finalised from
6.2 on. gen-hyprel passes it over, so that an address kept there stays one of EL1: a warning, and a note where it holds
no address. The kernel's .bss is mapped read-only: the first store to an orphan there is a permission fault.

Example:
    .section .data, "aw"                  // in an object of arch/arm64/kvm/hyp/nvhe, before 6.16
    .globl __kvm_nvhe_retries
    __kvm_nvhe_retries:
      .quad 3

False positives: Empty sections (compilers write .data and .bss always) and tables that the kernel at EL1 reads:
.altinstructions, .altinstr_replacement, __bug_table, __jump_table, __kvm_ex_table, .hyp.reloc, notes, .eh_frame, and
what the module tools discard. Objects of 5.9 to 5.11, whose script gathers .text and .data..percpu only, have legal
.rodata and .bss: the kernel's, which are mapped. In a single object a .data is a warning: it is gathered from 6.16
on, and an object does not tell its version. In a linked image a name that some symbol without the prefix has at the
same address is an alias that the kernel declares (KVM_NVHE_ALIAS), and boundary symbols have no size.

Sources: Linux 6.1.192 arch/arm64/kvm/hyp/nvhe/hyp.lds as built and mainline hyp.lds.S; the list of commits of Linux
6.16 for KVM, with 74b13d5816c9 "KVM: arm64: Add .hyp.data section".

From memory: the linker scripts of 5.9 to 5.11.
"""

from collections.abc import Iterator

from whypanic.audit.absolute_slots import slots_of
from whypanic.audit.api import rule
from whypanic.audit.naming import GATHERED, NVHE_OBJECTS, NVHE_PREFIX
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.formats.kernel_image import Section
from whypanic.formats.symbol_table import Symbol
from whypanic.model.audit import Evidence, Finding, Level, PredictedFault
from whypanic.model.regions import Region

_ID = "orphan-hyp-section"
_READ_AT_EL1 = frozenset(
    (
        *(".altinstructions", ".altinstr_replacement", "__bug_table", "__jump_table"),
        *("__kvm_ex_table", "__ex_table", "__patchable_function_entries", "__mcount_loc"),
        *(".hyp.reloc", ".eh_frame", ".modinfo", ".printk_index", "___kcfi_traps", ".kcfi_traps"),
    )
)
_READ_STARTS = (".note", ".discard", ".init.altinstr", "__tracepoints", "___ksymtab", "__ksymtab")
_OLD_GATHERED = (".text", ".data..percpu", ".rodata", ".bss")
_ACCESS = 0x25
_FETCH = 0x21
_MAX_SYMBOLS = 20_000
_PASSED_OVER = "gen-hyprel looks into .hyp sections alone"
_CONVERTED = "make it const or __ro_after_init, so that it lies where .hyp.reloc covers it"
_REMEDY = "make it zero-initialised, const or __ro_after_init, or gather its section in hyp.lds.S and map it"


@rule(
    number="R30",
    id=_ID,
    title="a section of the nVHE hyp code is not one of those that EL2 maps",
    domains=("hyp", "hyp-idmap"),
)
def orphan_hyp_section(view: AuditView) -> Iterator[Finding]:
    """Yield sections of objects, or objects of linked images, that EL2 does not map."""
    domains = view.named(orphan_hyp_section.domains)
    domain = domains[-1]
    if view.is_object:
        yield from _sections(view, domain)
    else:
        yield from _symbols(view, domains)


def _sections(view: AuditView, domain: Domain) -> Iterator[Finding]:
    single = domain.era.startswith(NVHE_OBJECTS)
    linked = not single and _is_linked(view)
    if not single and not linked:
        return
    is_old = linked and not any(s.name in (".hyp.rodata", ".hyp.bss") for s in view.image.sections)
    for section in view.image.sections:
        if section.size and not _is_gathered(section.name, single=single, is_old=is_old):
            yield _section_finding(view, domain, section, single=single)


def _is_linked(view: AuditView) -> bool:
    """Tell whether an object is the hyp code linked together: it has the prefix, or its linker script's symbols."""
    starts = (NVHE_PREFIX, "__hyp_section_")
    return bool(view.image.symbols.find_starting(starts))


def _is_gathered(name: str, *, single: bool, is_old: bool) -> bool:
    if name in _READ_AT_EL1 or name.startswith((*_READ_STARTS, ".hyp")):
        return True
    if not single and not is_old:
        return False
    wanted = GATHERED if single else _OLD_GATHERED
    return any(name == each or name.startswith(f"{each}.") for each in wanted)


def _section_finding(view: AuditView, domain: Domain, section: Section, *, single: bool) -> Finding:
    maybe = single and (section.name == ".data" or section.name.startswith(".data."))
    is_newer = maybe and not section.name.startswith((".data..", ".data.rel"))
    names = [s.name for s in view.image.symbols.between(section.address, section.end) if s.size][:4]
    evidence = [
        Evidence(text=f"{section.name} has {section.size} bytes", address=section.address),
    ]
    if names:
        evidence.append(Evidence(text=f"in it: {', '.join(names)}", address=section.address))
    if is_newer:
        evidence.append(Evidence(text="hyp.lds gathers .data from 6.16 on"))
    return Finding(
        rule=_ID,
        level=Level.WARNING if is_newer else Level.ERROR,
        title=f"section {section.name} of the hyp code is not gathered by hyp.lds",
        domain=domain.name,
        place=section.address,
        evidence=tuple(evidence),
        fault=_fault(is_code=section.executable),
        cause="call-left-hyp-text" if section.executable else "data-left-hyp-mappings",
        remedy=_REMEDY,
    )


def _fault(*, is_code: bool) -> PredictedFault:
    return PredictedFault(ec=_FETCH if is_code else _ACCESS, fsc=None, far_region=Region.HYP)


def _symbols(view: AuditView, domains: tuple[Domain, ...]) -> Iterator[Finding]:
    """Yield what has the prefix and lies in no hyp section; the hyp code of one kernel has a few hundred names."""
    found = view.image.symbols.find_starting((NVHE_PREFIX,)).get(NVHE_PREFIX, ())
    seen: set[int] = set()
    for symbol in found[:_MAX_SYMBOLS]:
        if symbol.address not in seen and _is_orphan(view, domains, symbol):
            seen.add(symbol.address)
            yield _symbol_finding(view, domains[-1], symbol)


def _is_orphan(view: AuditView, domains: tuple[Domain, ...], symbol: Symbol) -> bool:
    if not symbol.size or symbol.kind == "other" or not view.image.contains(symbol.address):
        return False
    for domain in domains:
        if domain.holds(symbol.address) or domain.holds_data(symbol.address):
            return False
    if view.image.section_at(symbol.address) is None:
        return False
    owner = view.owner(symbol.address)
    if owner is not None and owner.name in ("hyp-stub", "alternatives"):
        return False
    if domains[-1].era.startswith("5.9") and _in(domains[-1].reaches, symbol.address):
        return False  # the kernel's .rodata and .bss hold the hyp code's
    plain = symbol.name.removeprefix(NVHE_PREFIX)
    same = view.image.symbols.all_at(symbol.address)
    return not any(other.name == plain for other in same)


def _in(ranges: tuple[tuple[int, int], ...], address: int) -> bool:
    return any(first <= address < end for first, end in ranges)


def _symbol_finding(view: AuditView, domain: Domain, symbol: Symbol) -> Finding:
    section = view.image.section_at(symbol.address)
    is_code = symbol.kind == "function"
    where = section.name if section is not None else "no section"
    if section is not None and not is_code:
        mapped = _mapped(domain, symbol.address)
        if mapped and section.has_bytes:
            return _mapped_finding(view, domain, symbol, section, mapped)
        text = "which EL2 maps read-only" if mapped else "which is not mapped at EL2"
    else:
        text = "which is not mapped at EL2"
    return Finding(
        rule=_ID,
        level=Level.ERROR,
        title=f"{symbol.name} of the hyp code lies in {where}",
        domain=domain.name,
        place=symbol.address,
        evidence=(
            Evidence(text=f"{symbol.size} bytes in {where}, {text}", address=symbol.address),
        ),
        fault=_fault(is_code=is_code),
        cause="call-left-hyp-text" if is_code else "data-left-hyp-mappings",
        remedy=_REMEDY,
    )


def _mapped(domain: Domain, address: int) -> str:
    """Return until when EL2 maps an address among the kernel's data; empty where it does not."""
    if _in(domain.reaches_warn, address):
        return ", until protected KVM is finalised"
    return (
        "; from 6.2 on only until protected KVM is finalised"
        if _in(domain.reaches, address)
        else ""
    )


def _mapped_finding(
    view: AuditView, domain: Domain, symbol: Symbol, section: Section, mapped: str
) -> Finding:
    """Return what is wrong with data that EL2 can read: an address in it is not converted."""
    n = len(slots_of(view).all.within(symbol.address, symbol.address + symbol.size).places)
    text = f"{symbol.size} bytes in {section.name}, which EL2 maps as the kernel's own data{mapped}"
    holds = "it holds an address, which stays" if n == 1 else f"it holds {n} addresses, which stay"
    return Finding(
        rule=_ID,
        level=Level.WARNING if n else Level.NOTE,
        title=f"{symbol.name} of the hyp code lies in {section.name}",
        domain=domain.name,
        place=symbol.address,
        evidence=(
            Evidence(text=text, address=symbol.address),
            Evidence(text=f"{holds} the kernel's: {_PASSED_OVER}" if n else "it holds no address"),
        ),
        fault=None,
        cause="absolute-pointer-at-el2" if n else "data-left-hyp-mappings",
        remedy=_CONVERTED,
    )
