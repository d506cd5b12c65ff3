"""The audit as SARIF 2.1.0, which code scanning shows beside the source.

Source: OASIS Static Analysis Results Interchange Format 2.1.0 plus Errata 01, by its JSON Schema; what code scanning
makes of it, GitHub Docs, "SARIF support for code scanning", from memory.
"""

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from whypanic.report.audit_document import AuditDocument, DocFinding, DocRule, DocSliceLine
from whypanic.report.document import Input

SCHEMA_URI = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
SOURCE_ROOT = "SRCROOT"
FINGERPRINT = "whypanicFinding/v1"
_ADDRESS = re.compile(r"0x[0-9a-f]+")
_SUFFIX = re.compile(r"\.(?:isra|constprop|part|llvm|cold|lto_priv|__uniq)[.\d]*(?=\.|$)")

Json = dict[str, Any]


def render_sarif(
    document: AuditDocument, rules: Sequence[DocRule], *, complete: bool = True
) -> bytes:
    """Return the audit as a SARIF log, indented, with a final newline.

    :param rules: those that ran; findings of other rules are kept, without an index.
    :param complete: every input was read and no rule broke.
    """
    run = _run(document, rules, complete=complete)
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n"


def _run(document: AuditDocument, rules: Sequence[DocRule], *, complete: bool) -> Json:
    index = {rule.id: n for n, rule in enumerate(rules)}
    prints = fingerprints(document.findings)
    images = {image.input: image for image in document.images}
    return {
        "tool": {
            "driver": {
                "name": document.tool.name,
                "semanticVersion": document.tool.version,
                "shortDescription": {
                    "text": "Finds arm64 kernel code that would crash where it runs."
                },
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            SOURCE_ROOT: {"description": {"text": "The top of the kernel's source tree."}}
        },
        "invocations": [
            {
                "executionSuccessful": complete,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": note}} for note in document.notes
                ],
            }
        ],
        "artifacts": [_artifact(each) for each in document.inputs],
        "properties": {
            "schema": document.schema,
            "images": [msgspec.to_builtins(image) for image in images.values()],
        },
        "results": [
            _result(finding, document.inputs, index, prints[n])
            for n, finding in enumerate(document.findings)
        ],
    }


def _rule(rule: DocRule) -> Json:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": _sentence(rule.title)},
        "fullDescription": {"text": rule.finds or _sentence(rule.title)},
        "defaultConfiguration": {"level": "error"},
        "help": {"text": _help(rule, markdown=False), "markdown": _help(rule, markdown=True)},
        "properties": {
            "number": rule.number,
            "domains": rule.domains,
            "tags": ["arm64", "linux-kernel"],
        },
    }


def _help(rule: DocRule, *, markdown: bool) -> str:
    parts = [
        ("Finds", rule.finds),
        ("Why it breaks", rule.why),
        ("Example", _code(rule.example, markdown=markdown)),
        ("False positives", rule.false_positives),
        ("Sources", "; ".join((*rule.sources, *(f"{s} (from memory)" for s in rule.from_memory)))),
    ]
    mark = "**" if markdown else ""
    between = "\n\n" if markdown else "\n"
    written = [f"{mark}{name}{mark}{between}{text}" for name, text in parts if text]
    return "\n\n".join(written) or _sentence(rule.title)


def _code(text: str, *, markdown: bool) -> str:
    return f"```asm\n{text}\n```" if markdown and text else text


def _artifact(given: Input) -> Json:
    return {
        "location": {"uri": uri_of(given.name)},
        "length": given.bytes,
        "roles": ["analysisTarget"],
        "hashes": {"sha-256": given.sha256},
    }


def _result(
    finding: DocFinding, inputs: Sequence[Input], index: dict[str, int], fingerprint: str
) -> Json:
    image = inputs[finding.input]
    location = {
        "physicalLocation": _physical(finding.file, finding.line, finding, image),
        "logicalLocations": [_logical(finding)],
    }
    result: Json = {
        "ruleId": finding.rule,
        "level": finding.level,
        "kind": "fail",
        "message": {"text": _message(finding)},
        "analysisTarget": {"uri": uri_of(image.name), "index": finding.input},
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: fingerprint},
        "suppressions": []
        if finding.suppressed is None
        else [
            {
                "kind": "external",
                "status": "accepted",
                "justification": finding.suppressed.reason,
            }
        ],
        "properties": _properties(finding),
    }
    if finding.rule in index:
        result["ruleIndex"] = index[finding.rule]
    if len(finding.slice) > 1:
        steps = [_step(line, finding, image) for line in finding.slice]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    return result


def _physical(
    file: str | None, line: int | None, finding: DocFinding, image: Input, step: str | None = None
) -> Json:
    """Return the source line, or where there is none the image itself: code scanning wants a file.

    :param step: link VA of an instruction that leads to the finding; None: the finding itself.
    """
    if file is None:
        where = step or finding.link_address or finding.place
        return {
            "artifactLocation": {"uri": uri_of(image.name), "index": finding.input},
            "address": {
                "kind": "instruction" if finding.slice else "data",
                "name": finding.section or where,
                "fullyQualifiedName": step or f"{_symbol(finding)} at {where}",
            },
        }
    name = posixpath.normpath(file)
    at = {"uri": uri_of(name)}
    if not posixpath.isabs(name):
        at["uriBaseId"] = SOURCE_ROOT
    found: Json = {"artifactLocation": at}
    if line:
        found["region"] = {"startLine": line}
    return found


def _logical(finding: DocFinding) -> Json:
    name = finding.function or finding.section or finding.place
    return {
        "name": name,
        "fullyQualifiedName": _symbol(finding),
        "kind": "function" if finding.slice else "variable",
    }


def _symbol(finding: DocFinding) -> str:
    if finding.function is not None:
        return f"{finding.function}+{finding.offset or 0:#x}"
    if finding.section is not None:
        return f"{finding.section}+{finding.section_offset or 0:#x}"
    return finding.place


def _step(line: DocSliceLine, finding: DocFinding, image: Input) -> Json:
    file, _, number = (line.source or "").rpartition(":")
    if not number.isdecimal():
        file, number = line.source or "", "0"
    is_place = line.address == finding.place
    step = None if is_place else line.address
    location: Json = {
        "physicalLocation": _physical(file or None, int(number), finding, image, step),
        "message": {"text": f"{line.address}: {line.text}"},
    }
    if is_place:
        location["logicalLocations"] = [_logical(finding)]
    return {
        "location": location,
        "importance": "essential" if is_place else "important",
    }


def _message(finding: DocFinding) -> str:
    words = f"{_sentence(finding.title)} In {_symbol(finding)}, domain {finding.domain}."
    for each in finding.evidence[:3]:
        words += f" {_sentence(each.text)}"
    return f"{words} Remedy: {_sentence(finding.remedy)}"


def _properties(finding: DocFinding) -> Json:
    told = ("rule", "level", "file", "line", "input", "suppressed")
    rest: Json = msgspec.to_builtins(finding)
    return {name: value for name, value in rest.items() if name not in told}


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def uri_of(name: str) -> str:
    """Return a file name as a URI reference: absolute names get a scheme, others stay relative."""
    escaped = quote(name, safe="/")
    if name.startswith("/"):
        return f"file://{escaped}"
    # The first segment of a relative reference has no colon; quote() writes it as %3A.
    return escaped


def fingerprints(findings: Iterable[DocFinding]) -> list[str]:
    """Return for each finding what stays the same in another build: rule, domain, symbol, words, and which of several.

    Addresses, offsets and compilers' suffixes do not go in.
    """
    seen: Counter[str] = Counter()
    found = []
    for finding in findings:
        name = finding.function or finding.section or ""
        title = _ADDRESS.sub("0x", finding.title)
        key = "\0".join((finding.rule, finding.domain, _SUFFIX.sub("", name), title))
        number = seen[f"{finding.input}\0{key}"]
        seen[f"{finding.input}\0{key}"] += 1
        found.append(hashlib.sha256(f"{key}\0{number}".encode()).hexdigest()[:32])
    return found
