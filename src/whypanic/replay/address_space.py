"""The memory of a job: which pages its regions map, what they hold, and where a table walk ends.

Regime: EL2 without E2H, TTBR0_EL2 alone, granule 4 KB. The pages of regions and stubs are the only mappings there are.
Where regions share a page, a writable or executable one gives it its permission and the first one its name; where they
share a byte, the last one that knows it gives its value. Bytes of a page that no region gives are mapped and unknown.
"""

from collections.abc import Iterator, Sequence

from whypanic.replay.protocol import MAX_MEMORY_BYTES, PAGE_BYTES, Permission, Region, Stub

_IN_PAGE = PAGE_BYTES - 1
_TABLE_SHIFTS = (39, 30, 21)
"""Address bits below the entries of levels 0, 1 and 2."""
_KNOWN, _UNKNOWN = b"\1", b"\0"


class UnfitJobError(ValueError):
    """The job cannot be run as it is; the message is a sentence."""


class Page:
    """4 KB at one virtual address; `known` holds 1 for each byte whose value is known."""

    __slots__ = ("data", "known", "name", "permission")

    def __init__(self, permission: Permission, name: str) -> None:
        self.permission = permission
        self.name = name
        self.data = bytearray(PAGE_BYTES)
        self.known = bytearray(PAGE_BYTES)


class AddressSpace:
    """The pages of a job by address.

    :param va_bits: input address size of TTBR0_EL2, 64 - TCR_EL2.T0SZ.
    :raises UnfitJobError: if a region lies outside it, a page would be writable and executable, a stub is not
        aligned, or all pages together exceed the limit.
    """

    def __init__(
        self, regions: Sequence[Region], stubs: Sequence[Stub] = (), va_bits: int = 48
    ) -> None:
        self.va_bits = va_bits
        self.pages: dict[int, Page] = {}
        """By page number."""
        for region in regions:
            self._map(region.va, len(region.data), region.permission, region.name)
        for stub in stubs:
            self._map_stub(stub)
        for region in regions:
            self._fill(region)
        start = 4 - -(-(va_bits - 12) // 9)
        self._tables = tuple(
            (level, shift, {number >> (shift - 12) for number in self.pages})
            for level, shift in enumerate(_TABLE_SHIFTS)
            if level >= start
        )

    def _map(self, va: int, n_bytes: int, permission: Permission, name: str) -> None:
        if not n_bytes:
            return
        if va < 0 or va + n_bytes > 1 << self.va_bits:
            message = f"`{name}` at {va:#x} is outside what TTBR0_EL2 translates"
            raise UnfitJobError(message)
        numbers = range(va >> 12, -(-(va + n_bytes) // PAGE_BYTES))
        if (len(self.pages) + len(numbers)) * PAGE_BYTES > MAX_MEMORY_BYTES:
            message = f"the regions need more than {MAX_MEMORY_BYTES >> 20} MiB"
            raise UnfitJobError(message)
        for number in numbers:
            page = self.pages.get(number)
            if page is None:
                self.pages[number] = Page(permission, name)
            elif page.permission is Permission.READ:
                page.permission = permission
            elif permission not in (Permission.READ, page.permission):
                message = f"the page at {number << 12:#x} would be writable and executable"
                raise UnfitJobError(message)

    def _map_stub(self, stub: Stub) -> None:
        if stub.va & 3:
            message = f"`{stub.name}` at {stub.va:#x} is not aligned as code is"
            raise UnfitJobError(message)
        self._map(stub.va, 4, Permission.EXECUTE, stub.name)

    def _fill(self, region: Region) -> None:
        size = len(region.data)
        for start, end in ((0, size),) if region.known is None else region.known:
            done, last = max(start, 0), min(end, size)
            for page, at, n_bytes in self._pieces(region.va + done, last - done):
                if page is not None:
                    page.data[at : at + n_bytes] = region.data[done : done + n_bytes]
                    page.known[at : at + n_bytes] = _KNOWN * n_bytes
                done += n_bytes

    def _pieces(self, va: int, n_bytes: int) -> Iterator[tuple[Page | None, int, int]]:
        while n_bytes > 0:
            at = va & _IN_PAGE
            taken = min(n_bytes, PAGE_BYTES - at)
            yield self.pages.get(va >> 12), at, taken
            va, n_bytes = va + taken, n_bytes - taken

    def page_at(self, va: int) -> Page | None:
        """Return the page that maps an address, or None."""
        return self.pages.get(va >> 12)

    def missing_level(self, va: int) -> int | None:
        """Return the level at which the walk for an address ends without a descriptor; None: it is mapped.

        An address above the input address size faults at level 0 (DDI 0487 L, AArch64.TranslationFault).
        """
        if va >> self.va_bits:
            return 0
        for level, shift, entries in self._tables:
            if va >> shift not in entries:
                return level
        return None if va >> 12 in self.pages else 3

    def word_at(self, va: int) -> int | None:
        """Return the instruction word at a mapped, aligned address; None: not all its bytes are known."""
        page, at = self.pages[va >> 12], va & _IN_PAGE
        if 0 in page.known[at : at + 4]:
            return None
        return int.from_bytes(page.data[at : at + 4], "little")

    def is_known(self, va: int, n_bytes: int) -> bool:
        """Return whether every byte of a mapped range is known."""
        return all(
            page is not None and 0 not in page.known[at : at + taken]
            for page, at, taken in self._pieces(va, n_bytes)
        )

    def mark(self, va: int, n_bytes: int, *, known: bool) -> None:
        """Mark the bytes of a mapped range known or unknown, after a store."""
        for page, at, taken in self._pieces(va, n_bytes):
            if page is not None:
                page.known[at : at + taken] = (_KNOWN if known else _UNKNOWN) * taken

    def runs(self) -> Iterator[tuple[int, Permission, bytes]]:
        """Yield (address, permission, contents) of maximal runs of pages of one permission, ascending."""
        numbers = sorted(self.pages)
        first = 0
        for n in range(1, len(numbers) + 1):
            before = self.pages[numbers[n - 1]]
            if n < len(numbers):
                page = self.pages[numbers[n]]
                joined = numbers[n] == numbers[n - 1] + 1
                if joined and page.permission is before.permission:
                    continue
            contents = b"".join(bytes(self.pages[number].data) for number in numbers[first:n])
            yield numbers[first] << 12, before.permission, contents
            first = n
