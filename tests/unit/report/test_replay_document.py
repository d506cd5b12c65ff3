"""The schema of the replay document."""

from whypanic.report.replay_document import replay_schema


def test_every_key_is_required_and_no_other_is_allowed() -> None:
    for name, definition in replay_schema()["$defs"].items():
        assert set(definition["required"]) == set(definition["properties"]), name
        assert definition["additionalProperties"] is False
