"""CPU capabilities: the bitmap at the end of a panic, its names, and the cores that a set bit betrays.

`CPU features: 0x002,25006082` is printed by the panic notifier of arch/arm64/kernel/setup.c with `%*pb` and a width of
ARM64_NCAPS bits. lib/vsprintf.c bitmap_string(): 32-bit groups, most significant first, the first group as many hex
digits as its bits need. So the number of digits bounds ARM64_NCAPS to four values, which tells whether a list of names
can be that kernel's.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from whypanic.arch.release import Release, parse_release

_MAX_BITS = 1024
_HEX = frozenset("0123456789abcdefABCDEF")
_ALIASES: tuple[frozenset[str], ...] = (
    frozenset({"HAS_32BIT_EL0", "HAS_32BIT_EL0_DO_NOT_USE"}),
    frozenset({"HAS_SYSREG_GIC_CPUIF", "HAS_GIC_CPUIF_SYSREGS", "HAS_GICV3_CPUIF"}),
    frozenset({"HAS_IRQ_PRIO_MASKING", "HAS_GIC_PRIO_MASKING"}),
    frozenset({"WORKAROUND_1188873", "WORKAROUND_1418040"}),
    frozenset({"HARDEN_BRANCH_PREDICTOR", "SPECTRE_V2"}),
    frozenset({"HARDEN_EL2_VECTORS", "SPECTRE_V3A"}),
    frozenset({"SSBD", "SPECTRE_V4"}),
    frozenset({"HAS_ADDRESS_AUTH_ARCH", "HAS_ADDRESS_AUTH_ARCH_QARMA5"}),
    frozenset({"HAS_GENERIC_AUTH_ARCH", "HAS_GENERIC_AUTH_ARCH_QARMA5"}),
    frozenset({"WORKAROUND_2966298", "WORKAROUND_SPECULATIVE_UNPRIV_LOAD"}),
)
"""Names that one and the same capability had in different versions."""


class FeatureSet(NamedTuple):
    """A decoded bitmap."""

    bitmap: int
    width: tuple[int, int]
    """Least and greatest ARM64_NCAPS that prints that many digits; (0, 0) for text that is no bitmap."""
    names: tuple[tuple[int, str | None], ...]
    """(bit, name) of every set bit, ascending; None where the name is not known for certain enough to say."""
    table: str | None
    """Version of the list that was used, e.g. `4.14`; None: no list."""
    exact: bool
    """The list is that of this very major.minor, and the bitmap's width agrees with it."""
    note: str
    known: tuple[str | None, ...] = ()
    """Names by bit number, as far as they are trusted."""

    def has(self, name: str) -> bool | None:
        """Return whether the capability is set; None where its number is not known for this kernel.

        :param name: with or without ARM64_; any of the names it had over time.
        """
        wanted = _spellings(name)
        for bit, known in enumerate(self.known):
            if known in wanted:
                return bool(self.bitmap >> bit & 1)
        return None

    @property
    def set_names(self) -> tuple[str, ...]:
        """The names of the set bits, without those that are not known."""
        return tuple(name for _, name in self.names if name)


def _spellings(name: str) -> frozenset[str]:
    plain = name.removeprefix("ARM64_")
    return next((group for group in _ALIASES if plain in group), frozenset({plain}))


def spellings(name: str) -> frozenset[str]:
    """Return every name that a capability had over time, without ARM64_."""
    return _spellings(name)


def parse_bitmap(raw: str) -> tuple[int, int, int] | None:
    """Return (bitmap, least, greatest ARM64_NCAPS) of printed groups, or None if it is no bitmap."""
    text = raw.strip().removeprefix("0x").removeprefix("0X")
    groups = text.split(",")
    if len(text) > _MAX_BITS or not all(group and _HEX.issuperset(group) for group in groups):
        return None
    if len(groups[0]) > 8 or any(len(group) != 8 for group in groups[1:]):
        return None
    top = 32 * (len(groups) - 1) + 4 * len(groups[0])
    return int("".join(groups), 16), top - 3, top


def decode_features(raw: str, version: str | None) -> FeatureSet:
    """Return the names of the set bits of a `CPU features:` bitmap.

    :param raw: as printed, with or without 0x.
    :param version: kernel release as printed, e.g. 4.14.0-rc7-dirty; None if unknown.

    Where a release lies between two known lists of its series, bits are named up to their first difference. Build a
    claim only on a result that is `exact`. Source: `cpucaps_table`, which cites every list.
    """
    parsed = parse_bitmap(raw)
    if parsed is None:
        return FeatureSet(0, (0, 0), (), None, False, "not a capability bitmap")
    bitmap, least, most = parsed
    release = parse_release(version)
    if release is None:
        note = "kernel version unknown: the numbers have no names"
        return _feature_set(bitmap, (least, most), (), None, False, note)
    return _decode_for(bitmap, (least, most), release)


def _feature_set(
    bitmap: int,
    width: tuple[int, int],
    known: tuple[str | None, ...],
    table: str | None,
    exact: bool,
    note: str,
) -> FeatureSet:
    names = tuple(
        (bit, known[bit] if bit < len(known) else None)
        for bit in range(bitmap.bit_length())
        if bitmap >> bit & 1
    )
    return FeatureSet(bitmap, width, names, table, exact, note, known)


def _decode_for(bitmap: int, width: tuple[int, int], release: Release) -> FeatureSet:
    from whypanic.arch.cpucaps_table import FIRST_SORTED, STABLE_TIP, TABLES, expand

    rows = {row.key: row for row in TABLES}
    same = sorted(key for key in rows if key[:2] == release.pair)
    lower = [key for key in sorted(rows) if key[:2] < release.pair and key[2] == 0]
    if not same and not lower:
        note = f"no list as old as {release.major}.{release.minor}: the numbers have no names"
        return _feature_set(bitmap, width, (), None, False, note)
    keys = _bracket(same, release.patch) if same else [lower[-1]]
    is_sorted = keys[0] >= FIRST_SORTED
    table = " and ".join(_title(key, STABLE_TIP) for key in keys)
    if is_sorted and release.is_next:
        note = "linux-next carries capabilities of a later version: the numbers are not named"
        return _feature_set(bitmap, width, (), None, False, note)
    if is_sorted and not any(width[0] <= rows[key].n <= width[1] for key in keys):
        sizes = " and ".join(str(rows[key].n) for key in keys)
        note = (
            f"the bitmap is that of a list of {width[0]}..{width[1]} capabilities, the list of"
            f" {table} has {sizes}: this kernel's numbers differ and are not named"
        )
        return _feature_set(bitmap, width, (), None, False, note)
    lists = [expand(key) for key in keys]
    known = _agreed(lists)[: width[1]]
    notes = _doubts(keys, release, is_sorted)
    if any(rows[key].source.startswith("derived") for key in keys):
        notes.append("this list was derived from its neighbours")
    if not is_sorted and not width[0] <= len(lists[0]) <= width[1]:
        notes.append(
            f"the bitmap is that of {width[0]}..{width[1]} capabilities, the list has"
            f" {len(lists[0])}: numbers were appended, or not all of the list was there yet"
        )
    return _feature_set(bitmap, width, known, table, not notes, "; ".join(notes))


def _doubts(keys: list[tuple[int, int, int]], release: Release, is_sorted: bool) -> list[str]:
    """Return why the chosen lists may not be this very kernel's."""
    doubts: list[str] = []
    if keys[0][:2] != release.pair:
        doubts.append(f"no list for {release.major}.{release.minor}: the nearest lower one is used")
    elif is_sorted and release.patch != keys[0][2]:
        doubts.append("a stable or distribution tree may have renumbered the list")
    if release.is_next:
        doubts.append("linux-next carries capabilities of a later version")
    if len(keys) > 1:
        doubts.append("bits are named up to the first difference of the lists")
    return doubts


def _agreed(lists: list[tuple[str | None, ...]]) -> tuple[str | None, ...]:
    """Return the names up to the first place where the lists differ by more than a renamed capability.

    Behind that place a state between them may have any number: additions and removals cancel out.
    """
    agreed: list[str | None] = []
    for column in zip(*lists, strict=False):
        if len({_spellings(name or "") for name in column}) > 1:
            break
        agreed.append(column[0])
    return tuple(agreed)


def _bracket(same: list[tuple[int, int, int]], patch: int | None) -> list[tuple[int, int, int]]:
    """Return the lists of one series between which a patch level lies (all of them if it is unknown)."""
    if patch is None:
        return same
    exactly = [key for key in same if key[2] == patch]
    if exactly:
        return exactly
    below = [key for key in same if key[2] < patch]
    above = [key for key in same if key[2] > patch]
    return below[-1:] + above[:1]


def _title(key: tuple[int, int, int], tip: int) -> str:
    major, minor, patch = key
    if patch == tip:
        return f"{major}.{minor}.y"
    return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}"


class ErratumCore(NamedTuple):
    """One row: a capability is set when a CPU of this core type (and revision) is present."""

    capability: str
    core: str
    erratum: str
    revisions: str
    since: tuple[int, int] = (0, 0)
    """First version whose list of affected cores holds this row; stable trees may have it earlier."""


# arch/arm64/kernel/cpu_errata.c and Documentation/arm64/silicon-errata.rst of Debian linux-source-6.1 6.1.192-2, read;
# the versions in the last column are from memory. A bit is set if at least one CPU of the system matches.
# fmt: off
ERRATUM_CORES: tuple[ErratumCore, ...] = (
    ErratumCore("WORKAROUND_CLEAN_CACHE",         "Cortex-A53",      "826319, 827319, 824069 or 819472", "r0p0..r0p2"),
    ErratumCore("WORKAROUND_DEVICE_LOAD_ACQUIRE", "Cortex-A57",      "832075",           "r0p0..r1p2"),
    ErratumCore("WORKAROUND_834220",              "Cortex-A57",      "834220",           "r0p0..r1p2"),
    ErratumCore("WORKAROUND_843419",              "Cortex-A53",      "843419",           "r0p0..r0p4"),
    ErratumCore("WORKAROUND_843419",              "Brahma-B53",      "843419",           "r0p0", (5, 5)),
    ErratumCore("WORKAROUND_845719",              "Cortex-A53",      "845719",           "r0p0..r0p4"),
    ErratumCore("WORKAROUND_845719",              "Brahma-B53",      "845719",           "r0p0", (5, 5)),
    ErratumCore("WORKAROUND_845719",              "Kryo-2xx-Silver", "845719",           "r10p4", (5, 11)),
    ErratumCore("WORKAROUND_858921",              "Cortex-A73",      "858921",           "all"),
    ErratumCore("WORKAROUND_1418040",             "Cortex-A76",      "1188873, 1418040", "r0p0..r3p1"),
    ErratumCore("WORKAROUND_1418040",             "Neoverse-N1",     "1188873, 1418040", "r0p0..r3p1"),
    ErratumCore("WORKAROUND_1418040",             "Kryo-4xx-Gold",   "1418040",          "r12p14..r15p15", (5, 8)),
    ErratumCore("WORKAROUND_1188873",             "Cortex-A76",      "1188873",          "r0p0..r2p0"),
    ErratumCore("WORKAROUND_1188873",             "Neoverse-N1",     "1188873",          "r0p0..r2p0", (5, 1)),
    ErratumCore("WORKAROUND_1165522",             "Cortex-A76",      "1165522",          "r0p0..r2p0"),
    ErratumCore("WORKAROUND_1319367",             "Cortex-A57",      "1319537",          "all"),
    ErratumCore("WORKAROUND_1319367",             "Cortex-A72",      "1319367",          "all"),
    ErratumCore("WORKAROUND_SPECULATIVE_AT_VHE",  "Cortex-A76",      "1165522",          "r0p0..r2p0"),
    ErratumCore("WORKAROUND_SPECULATIVE_AT_VHE",  "Cortex-A55",      "1530923",          "r0p0..r2p0"),
    ErratumCore("WORKAROUND_SPECULATIVE_AT_NVHE", "Cortex-A57",      "1319537",          "all"),
    ErratumCore("WORKAROUND_SPECULATIVE_AT_NVHE", "Cortex-A72",      "1319367",          "all"),
    ErratumCore("WORKAROUND_SPECULATIVE_AT",      "Cortex-A76",      "1165522",          "r0p0..r2p0"),
    ErratumCore("WORKAROUND_SPECULATIVE_AT",      "Cortex-A57",      "1319537",          "all"),
    ErratumCore("WORKAROUND_SPECULATIVE_AT",      "Cortex-A72",      "1319367",          "all"),
    ErratumCore("WORKAROUND_SPECULATIVE_AT",      "Cortex-A55",      "1530923",          "r0p0..r2p0"),
    ErratumCore("WORKAROUND_SPECULATIVE_AT",      "Kryo-4xx-Silver", "1530923",          "r13p14"),
    ErratumCore("WORKAROUND_1463225",             "Cortex-A76",      "1463225",          "r0p0..r3p1"),
    ErratumCore("WORKAROUND_1463225",             "Kryo-4xx-Gold",   "1463225",          "r12p14..r15p15", (5, 8)),
    ErratumCore("WORKAROUND_1542419",             "Neoverse-N1",     "1542419",          "with CTR_EL0.DIC"),
    ErratumCore("WORKAROUND_1508412",             "Cortex-A77",      "1508412",          "r0p0..r1p0"),
    ErratumCore("WORKAROUND_1742098",             "Cortex-A57",      "1742098",          "from r0p1"),
    ErratumCore("WORKAROUND_1742098",             "Cortex-A72",      "1655431",          "all"),
    ErratumCore("WORKAROUND_1902691",             "Cortex-A510",     "1902691",          "r0p0..r0p1"),
    ErratumCore("WORKAROUND_2038923",             "Cortex-A510",     "2038923",          "r0p0..r0p2"),
    ErratumCore("WORKAROUND_2064142",             "Cortex-A510",     "2064142",          "r0p0..r0p2"),
    ErratumCore("WORKAROUND_2077057",             "Cortex-A510",     "2077057",          "r0p0..r0p2"),
    ErratumCore("WORKAROUND_2457168",             "Cortex-A510",     "2457168",          "r0p0..r1p1"),
    ErratumCore("WORKAROUND_2658417",             "Cortex-A510",     "2658417",          "r0p0..r1p1"),
    ErratumCore("WORKAROUND_2966298",             "Cortex-A520",     "2966298",          "r0p0..r0p1"),
    ErratumCore("WORKAROUND_AMPERE_AC03_CPU_38",  "Ampere-1",        "AC03_CPU_38",      "all"),
    ErratumCore("WORKAROUND_CAVIUM_23154",        "ThunderX",        "23154",            "all"),
    ErratumCore("WORKAROUND_CAVIUM_23154",        "OcteonTX2",       "38545",            "all", (5, 18)),
    ErratumCore("WORKAROUND_CAVIUM_27456",        "ThunderX",        "27456",            "r0p0..r1p1"),
    ErratumCore("WORKAROUND_CAVIUM_30115",        "ThunderX",        "30115",            "r0p0..r1p2"),
    ErratumCore("WORKAROUND_CAVIUM_TX2_219_TVM",  "ThunderX2",       "219",              "all"),
    ErratumCore("WORKAROUND_CAVIUM_TX2_219_PRFM", "ThunderX2",       "219",              "all"),
    ErratumCore("WORKAROUND_NVIDIA_CARMEL_CNP",   "Carmel",          "Carmel CNP",       "all"),
    ErratumCore("WORKAROUND_QCOM_FALKOR_E1003",   "Falkor",          "1003",             "r0p0"),
    ErratumCore("WORKAROUND_QCOM_FALKOR_E1003",   "Kryo",            "1003",             "all"),
)
# fmt: on


class CoreEvidence(NamedTuple):
    """A core that a set capability speaks for."""

    core: str
    capability: str
    erratum: str
    revisions: str
    sole: bool
    """No other core sets this capability in that version: at least one CPU of the system is of this type."""


@cache
def _rows_by_capability() -> dict[str, tuple[ErratumCore, ...]]:
    table: dict[str, tuple[ErratumCore, ...]] = {}
    for row in ERRATUM_CORES:
        table[row.capability] = (*table.get(row.capability, ()), row)
    return table


def cores_named_by(names: Iterable[str], version: str | None = None) -> tuple[CoreEvidence, ...]:
    """Return the cores that set capabilities name, in the order of the names.

    :param names: capability names, with or without ARM64_; names that are no erratum are skipped.
    :param version: kernel release; leaves out cores whose entry came later. None: all entries.

    Worth no more than the names: take them from a `FeatureSet` that is exact. Source: comment above `ERRATUM_CORES`.
    """
    release = parse_release(version)
    found: list[CoreEvidence] = []
    for name in names:
        plain = name.removeprefix("ARM64_")
        rows = [
            row
            for row in _rows_by_capability().get(plain, ())
            if release is None or row.since <= release.pair
        ]
        found.extend(
            CoreEvidence(row.core, plain, row.erratum, row.revisions, len(rows) == 1)
            for row in rows
        )
    return tuple(found)
