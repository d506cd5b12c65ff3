"""The regions an address may lie in, as the JSON document names them."""

from enum import StrEnum


class Region(StrEnum):
    NULL = "null"
    USER = "user"
    LINEAR = "linear"
    IMAGE = "image"
    MODULE = "module"
    VMALLOC = "vmalloc"
    FIXMAP = "fixmap"
    PCI_IO = "pci-io"
    VMEMMAP = "vmemmap"
    KASAN_SHADOW = "kasan-shadow"
    HYP = "hyp"
    IDMAP = "idmap"
    NON_CANONICAL = "non-canonical"
    ERROR_POINTER = "error-pointer"
    POISON = "poison"
    TEXT = "text"
    UNKNOWN = "unknown"
