"""Bytes of a file to what an image holds: ELF, raw Image, kallsyms, System.map, modules."""
