"""The folder of one run of the lab, and its log of events."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from whypanic.app.explain_document import tool
from whypanic.host.cache import cannot_write, new_folder, remove_oldest_folders
from whypanic.host.clock import Stopwatch, now_ns
from whypanic.lab.build_cache import lab_folder
from whypanic.report.lab_events import EVENT_SCHEMA, RUN_LOG, Event, RunStarted, encode_event

_MAX_RUNS = 40
"""Runs that the cache keeps; those in folders of the user's own are theirs."""


class Run:
    """A run that goes on: where its files are, and what has happened in it."""

    def __init__(self, folder: Path, log: BinaryIO) -> None:
        self.folder = folder
        self._log = log
        self._since = Stopwatch()

    @property
    def at_s(self) -> float:
        """Seconds since it began, as events have them."""
        return round(self._since.seconds(), 3)

    def tell(self, event: Event) -> None:
        """Add an event to the log; whoever reads it sees the whole line at once.

        :raises HostError: if it cannot be written.
        """
        try:
            self._log.write(encode_event(event))
            self._log.flush()
        except OSError as error:
            raise cannot_write(self.folder / RUN_LOG, error) from error


@contextmanager
def started_run(keep: str | None, kind: str, command: Sequence[str]) -> Iterator[Run]:
    """Yield a run in a folder of its own; the folder and its log stay.

    :param keep: the folder; None: a new one in the cache, where the oldest give way.
    :param kind: boot, build: what the new folder's name begins with.
    :param command: words of the command line.
    :raises HostError: if nothing can be written there.
    """
    now = datetime.fromtimestamp(now_ns() / 1e9, tz=UTC)
    if keep is None:
        runs = lab_folder() / "runs"
        folder = new_folder(runs, f"{kind}-{now:%Y%m%dT%H%M%S}-")
        remove_oldest_folders(runs, _MAX_RUNS)
    else:
        folder = Path(keep).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = (folder / RUN_LOG).open("wb")
    except OSError as error:
        raise cannot_write(folder, error) from error
    with log:
        run = Run(folder, log)
        run.tell(
            RunStarted(
                at_s=0.0,
                schema=EVENT_SCHEMA,
                tool=tool(),
                time=now.isoformat(timespec="seconds"),
                command=list(command),
            )
        )
        yield run
