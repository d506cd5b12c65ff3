"""The kernel's words for capabilities."""

from whypanic.arch.cpucap_descriptions import CAPABILITY_BY_DESCRIPTION
from whypanic.arch.cpucaps import spellings
from whypanic.arch.cpucaps_table import TABLES, expand


def test_every_name_is_one_of_some_list() -> None:
    known = {name for table in TABLES for name in expand(table.key) if name}
    for description, name in CAPABILITY_BY_DESCRIPTION.items():
        assert spellings(name) & known, description


def test_renamed_capabilities_have_all_their_names() -> None:
    assert "SSBD" in spellings("ARM64_SPECTRE_V4")
    assert spellings("HAS_PAN") == {"HAS_PAN"}
