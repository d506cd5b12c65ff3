"""Print what an audit of a real vmlinux costs, beside objdump -d of the same file in the same run.

Whole processes, the image in the page cache; then the cost of each rule on an image that is open already. The image is
Debian's, which scripts/fetch-image.sh fetches. Nothing is asserted.
With a number: so many rounds (5). objdump runs once.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.images import Command, Cost, cost_of  # noqa: E402

N_ROUNDS = 5
_PROGRAM = str(Path(sys.executable).with_name("whypanic"))
_CROSS = "aarch64-linux-gnu-"


def fetch() -> Path:
    """Return the folder of the image."""
    script = ["bash", str(ROOT / "scripts" / "fetch-image.sh")]
    done = subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip())


def rules(vmlinux: str) -> None:
    """Print what opening the image, its view and each rule take, each on what those before it left worked out."""
    from whypanic.audit.engine import declared_rules, find
    from whypanic.audit.view import AuditView
    from whypanic.code.execution_domains import PLAIN_DOMAINS
    from whypanic.formats.images import open_image

    start = time.perf_counter()
    image = open_image(vmlinux)
    view = AuditView(image)
    print(f"{'open the image, find its domains':44} {time.perf_counter() - start:7.3f} s")
    shared = time.perf_counter()
    for domain in view.domains:
        if domain.name not in PLAIN_DOMAINS:
            view.instructions(domain)
    print(f"{'instructions of code that runs elsewhere':44} {time.perf_counter() - shared:7.3f} s")
    for rule in declared_rules():
        before = time.perf_counter()
        findings, _ = find(view, [rule.id])
        taken = time.perf_counter() - before
        print(f"{rule.number} {rule.id:40} {taken:7.3f} s  {len(findings)} findings")


def main() -> None:
    """Print one line a command, the ratio to objdump, and one line a rule."""
    if sys.argv[1:2] == ["--rules"]:
        rules(sys.argv[2])
        return
    n_rounds = int(sys.argv[1]) if len(sys.argv) > 1 else N_ROUNDS
    image = fetch()
    vmlinux = str(image / "vmlinux")
    audit = [_PROGRAM, "audit", "--format", "json", "--fail-on", "never"]
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "Image"
        make = [f"{_CROSS}objcopy", "-O", "binary", vmlinux, str(raw)]
        subprocess.run(make, check=True)
        compared = [
            Command("whypanic audit vmlinux", [*audit, vmlinux]),
            Command("whypanic audit Image", [*audit, str(raw)]),
        ]
        costs: dict[str, list[Cost]] = {c.name: [] for c in compared}
        for command in compared:
            cost_of(command)  # puts the image into the page cache
        for _ in range(n_rounds):
            for command in compared:
                costs[command.name].append(cost_of(command))
        objdump = cost_of(Command("objdump -d", [f"{_CROSS}objdump", "-d", vmlinux]))
    size = (image / "vmlinux").stat().st_size / 1e6
    print(f"linux {image.name}, vmlinux of {size:.0f} MB; {n_rounds} rounds")
    for name, known in costs.items():
        seconds = [c.seconds for c in known]
        print(
            f"{name:28} best {min(seconds):6.2f} s  median {statistics.median(seconds):6.2f} s"
            f"  peak {max(c.peak_mib for c in known):5.0f} MiB"
        )
    median = statistics.median(c.seconds for c in costs[compared[0].name])
    print(
        f"{'objdump -d vmlinux':28} once {objdump.seconds:6.2f} s"
        f"  {objdump.seconds / median:.1f} times the audit's median"
    )
    # In a process of its own, as the program's is.
    subprocess.run([sys.executable, __file__, "--rules", vmlinux], check=True)


if __name__ == "__main__":
    main()
