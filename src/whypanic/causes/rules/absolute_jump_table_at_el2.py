"""A switch at EL2 branched through a table of absolute EL1 addresses.

Supported by: instruction abort with PC == FAR, a TTBR1 address, on a CPU whose EL2 translates with TTBR0_EL2 only;
and in the function of PC a BR whose target is an 8-byte table entry, used unchanged, with flags at the branch that
the code leaves for some index.
Refuted by: PC a hyp VA; VHE; a function without such a branch; flags that no index leaves.
Sources: Linux arch/arm64/kvm/hyp (nVHE code runs at another address than it is linked to).
From memory: Arm ARM DDI 0487 L, TTBR1_EL2 (used only with HCR_EL2.E2H = 1).
"""

from whypanic.arch.kvm_eras import llvm_absolute_tables, parse_compiler
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import (
    El2,
    branches_of,
    fit_of,
    line_against_opening,
    link_address,
    listing_of_pc,
    read_el2,
    solution_of,
    survey_of,
    table_branches,
    upper_fault_contradicted,
    upper_fetch_finding,
)
from whypanic.causes.image_el2 import table_in_image
from whypanic.code.hyp_idmap import IdmapDistance
from whypanic.code.indirect_branch import IndirectBranch, TargetOrigin, instruction_text, is_whole
from whypanic.code.switch_values import CoreChoice, SwitchSolution, SwitchSurvey
from whypanic.model.claims import NextStep, Remedy, Statements, consistent, refutes, supports
from whypanic.model.code import Listing, ListingLine
from whypanic.model.context import Compiler, KernelVersion
from whypanic.model.hyp import HypPanic
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact


@cause(
    id="absolute-jump-table-at-el2",
    title="a switch at EL2 branched through a table of absolute EL1 addresses",
    kinds=frozenset({Kind.HYP_PANIC}),
    needs=(HypPanic,),
    specificity=8,
)
def absolute_jump_table_at_el2(case: CaseView) -> Statements:
    """Yield what PC, the flags and a listing say for and against a table of addresses."""
    el2 = read_el2(case)
    if not el2.fetch or el2.pc is None:
        return
    if not el2.pc_is_upper:
        yield refutes(
            f"PC {el2.pc:#018x} is {'an EL2' if el2.pc_is_lower else 'no kernel'} address: "
            "the branch did not follow an absolute EL1 address",
            el2.panic,
        )
        return
    if not el2.nvhe and el2.mode is not None:
        yield refutes(
            "with VHE, EL2 translates kernel addresses: they are no error there", el2.mode
        )
        return
    contradiction = upper_fault_contradicted(el2)
    if contradiction is not None:
        yield refutes(contradiction, el2.panic)
        return
    yield from _address(case, el2)
    yield from table_in_image(case, el2)
    yield from _table(case, el2)
    yield from _remedies(case)


def _address(case: CaseView, el2: El2) -> Statements:
    facts: list[Fact] = [upper_fetch_finding(case, el2)]
    if el2.mode is not None:
        facts.append(el2.mode)
    yield consistent(
        "the fetch failed at a kernel (EL1) address; EL2 without VHE translates with TTBR0_EL2 only, "
        "so an absolute EL1 address was followed at EL2",
        facts[0],
        *facts[1:],
    )
    distance = case.get(IdmapDistance)
    if distance is not None:
        yield consistent(
            f"PC is {distance.distance:#x} past the hyp idmap text, where .hyp.text follows: "
            "it is the EL1 alias of hyp code",
            distance,
        )


def _table(case: CaseView, el2: El2) -> Statements:
    listing = listing_of_pc(case)
    opening = line_against_opening(case)
    if opening is not None and opening.at_start is True:
        yield consistent(f"{opening.text}: a table seldom leads there", *opening.because)
    if listing is None or not _tells(case, listing):
        if opening is not None and opening.at_start is False:
            # A whole listing shows every branch: one that makes its target in another way is no table seen.
            say = consistent if listing is not None and is_whole(listing) else supports
            yield say(
                f"{opening.text}: only a table of the function's own labels leads into its middle",
                *opening.because,
            )
        link = link_address(case, el2.pc or 0)
        yield NextStep(
            "look for `br` behind an 8-byte table load in the function of PC",
            f"objdump -d --start-address={link - 0x200:#x} --stop-address={link + 0x80:#x} vmlinux",
        )
        return
    tables = table_branches(case, TargetOrigin.ABSOLUTE_TABLE)
    if not tables:
        relative = table_branches(case, TargetOrigin.RELATIVE_TABLE)
        if relative:
            yield refutes(
                f"the table of {listing.function or 'the function'} holds {relative[0].entry_bytes}-byte offsets "
                "that are added to a PC-relative base: its targets follow the code",
                relative[0],
                *relative[0].slice,
            )
        else:
            yield refutes(
                f"{listing.function or 'the function'} has no branch through a table", listing
            )
        return
    fits = [branch for branch in tables if _flags_allow(case, branch)]
    if not fits:
        fit = fit_of(case, tables[0])
        yield refutes(
            f"no index of the table leads to PC and leaves NZCV {el2.nzcv:04b} at the branch"
            if el2.nzcv is not None
            else "no index of the table leaves these flags",
            tables[0],
            *((fit,) if fit else ()),
        )
        return
    for branch in fits[:1]:
        yield from _branch(case, el2, branch)


def _tells(case: CaseView, listing: Listing) -> bool:
    """Return whether a listing decides that there is a table or none: a table is seen, or no branch is hidden."""
    origins = {branch.origin for branch in branches_of(case, listing) if not branch.call}
    if origins & {TargetOrigin.ABSOLUTE_TABLE, TargetOrigin.RELATIVE_TABLE}:
        return True
    return is_whole(listing) and TargetOrigin.UNKNOWN not in origins


def _flags_allow(case: CaseView, branch: IndirectBranch) -> bool:
    fit = fit_of(case, branch)
    return fit is None or bool(fit.paths)


def _branch(case: CaseView, el2: El2, branch: IndirectBranch) -> Statements:
    opening = line_against_opening(case)
    if opening is None or opening.at_start is not True:
        yield supports(
            f"the branch at +{branch.offset:#x} takes its target from a table of {branch.entry_bytes}-byte entries and "
            "uses it unchanged: the entries are absolute addresses, only the table's own address is PC-relative",
            branch,
            *branch.slice,
        )
    else:
        yield consistent(
            f"the function has a branch through a table of absolute addresses at +{branch.offset:#x}",
            branch,
            *branch.slice,
        )
    survey = survey_of(case, branch)
    if survey is None:
        return
    targets = [p for p in survey.paths if p.target is not None and p.reached]
    if targets:
        listed = ", ".join(f"[{p.picked}] +{p.target:#x}" for p in targets)
        yield consistent(
            f"the table is indexed by {survey.field}; its targets, solved from what each block computes: {listed}",
            survey,
            *_blocks(case, survey),
        )
    fit = fit_of(case, branch)
    if fit is not None and fit.paths and survey.flag_line is not None:
        values = ", ".join(str(p.value) for p in fit.paths)
        yield supports(
            f"PS holds NZCV {fit.nzcv:04b}: what `{instruction_text(survey.flag_line)}` leaves at the branch for "
            f"{survey.field} = {values}",
            fit,
            survey.flag_line,
            el2.panic,
        )
    choice = case.get(CoreChoice)
    if choice is not None:
        yield consistent(f"{choice.statement} in {survey.field}", choice, *choice.because)
    solution = solution_of(case)
    if solution is not None and solution.survey is survey:
        on = f" on a {solution.core}" if solution.core else ""
        yield consistent(
            f"index {solution.path.picked}{on} leads to +{solution.path.target or 0:#x}: "
            f"the function was linked at {solution.link_address:#018x}"
            f"{_moved(solution)}",
            solution,
            fit if fit is not None else survey,
        )


def _blocks(case: CaseView, survey: SwitchSurvey) -> tuple[ListingLine, ...]:
    """Return the first line of every block that the table leads to."""
    listing = listing_of_pc(case)
    targets = {survey.base + p.target for p in survey.paths if p.target is not None}
    return () if listing is None else tuple(x for x in listing.lines if x.address in targets)


def _moved(solution: SwitchSolution) -> str:
    """Return where it ran, with KASLR."""
    if solution.load_address == solution.link_address:
        return ""
    return f" and lay at {solution.load_address:#018x} in the kernel that ran (KASLR)"


def _remedies(case: CaseView) -> Statements:
    tables = table_branches(case, TargetOrigin.ABSOLUTE_TABLE)
    switch = not tables or any(branch.bounded for branch in tables)
    if switch and _producer_may_be_old_llvm(case):
        yield Remedy(
            "build the hyp objects with -fno-jump-tables (LLVM 7 and older put absolute addresses into a "
            "switch's table when code is not position independent)",
            "ccflags-y += -fno-jump-tables   # arch/arm64/kvm/hyp/Makefile",
        )
    yield Remedy(
        "for any other table of addresses (computed goto, array of labels or functions): place it where .hyp.reloc "
        "covers it (.hyp.rodata, 5.12 and later), or store offsets instead of addresses"
    )
    yield NextStep(
        "see whether the table holds absolute relocations",
        "objdump -r arch/arm64/kvm/hyp/*.o | grep -A8 'RELOCATION RECORDS FOR .*rodata' # R_AARCH64_ABS64",
    )


def _producer_may_be_old_llvm(case: CaseView) -> bool:
    """Return whether the compiler is LLVM 7 or older, or not known."""
    banner = [v.compiler for v in case.all(KernelVersion) if v.compiler]
    words = banner or [c.words for c in case.all(Compiler)]
    known = [identity for text in words if (identity := parse_compiler(text)) is not None]
    clang = [i for i in known if i.family == "clang"]
    if banner and known and not clang:
        return False
    majors = [i.major for i in clang if i.major is not None]
    return not majors or any(llvm_absolute_tables(major) for major in majors)
