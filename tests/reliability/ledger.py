"""What must hold of a batch that is killed again and again: checked at every death and at the end."""

import json
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

FILES = ("journal.sqlite", "journal.sqlite-wal")


class Ledger:
    """Follows a batch of `effect_batch` over its deaths.

    Args:
        folder: Of the batch.
        service: That its calls go to.
    """

    def __init__(self, folder, service):
        self.folder = folder
        self.service = service
        self.uncertain = set()
        self.kills = 0
        self._done = {}
        self._final = {}
        self._arrived = {}

    def note_death(self, pid=None, *, survivors=False):
        """Look at the journal as it lies there; of the plain writes under way, note those that died.

        Args:
            pid: Who died; by default, everybody who worked in the folder.
            survivors: Whether others have it open; they must stand still.
        """
        self.kills += 1
        if not (self.folder / FILES[0]).exists():
            assert not self._done, "the journal is gone"
            return
        self.check(survivors=survivors)
        for row in self._rows:
            if row["status"] == "started" and row["effect"] == "write" and not row["repeatable"]:
                owner = self._owners[row["job"]]
                if pid is None or (owner is not None and owner.split(":")[1] == str(pid)):
                    self.uncertain.add(row["job"])

    def check(self, *, survivors=False):
        """Check that nothing that was finished has changed or was done again."""
        if survivors:
            # What a dead process wrote to the log and did not yet acknowledge is not there for the living,
            # though it would be if all of them were dead: look with their eyes.
            self._read(f"{(self.folder / FILES[0]).as_uri()}?mode=ro")
        else:
            self._read_copy()
        done = {
            (row["job"], row["key"]): (row["result"], row["file"])
            for row in self._rows
            if row["status"] == "done"
        }
        lost = {key for key, value in self._done.items() if done.get(key) != value}
        assert not lost, f"finished calls are gone or changed: {lost}"
        changed = {job for job, value in self._final.items() if self._jobs[job] != value}
        assert not changed, f"finished jobs changed: {changed}"
        again = {
            call: (before, self.service.arrived[call])
            for call, before in self._arrived.items()
            if self.service.arrived[call] != before
        }
        assert not again, f"finished calls were made again: {again}"
        self._done = done
        self._final = {
            job: row for job, row in self._jobs.items() if row[0] in ("done", "failed", "uncertain")
        }
        for row in self._rows:
            if row["kind"] == "tool" and row["status"] == "done":
                call = row["name"], f"n{row['job']}"
                self._arrived.setdefault(call, self.service.arrived[call])

    def check_end(self, jobs):
        """Check that everything was done, as often as it may, and is on record."""
        self.check()
        assert len(self._jobs) == jobs
        found = {row["job"] for row in self._rows if row["status"] == "uncertain"}
        assert found == self.uncertain
        statuses = {job: "uncertain" if job in found else "done" for job in range(jobs)}
        assert {job: row[0] for job, row in self._jobs.items()} == statuses
        arrived = self.service.arrived
        for job in range(jobs):
            name = f"n{job}"
            assert arrived["look", name] >= 1
            assert arrived["put", name] >= 1
            assert len(self.service.keys["put", name]) == 1, "a repeatable write came under two keys"
            assert arrived["send", name] <= 1, "a plain write was made twice"
            assert arrived["send", name] == 1 or job in found, "a plain write was lost"
        self._check_records(jobs, found)

    def _check_records(self, jobs, uncertain):
        lines = (self.folder / "trajectories.jsonl").read_text().splitlines()
        records = [json.loads(line) for line in lines]
        assert sorted(record["task"]["id"] for record in records) == sorted(f"t{i}" for i in range(jobs))
        for record in records:
            job = int(record["task"]["id"][1:])
            assert record["status"] == "answered"
            seen = [seen for step in record["steps"] for seen in step.get("observations", ())]
            assert [one["tool"] for one in seen] == ["look", "put", "send"]
            codes = [(one.get("error") or {}).get("code") for one in seen]
            assert codes == [None, None, "E-UNCERTAIN" if job in uncertain else None]

    def _read_copy(self):
        with tempfile.TemporaryDirectory() as copy:
            for name in FILES:
                if (self.folder / name).exists():
                    shutil.copy(self.folder / name, copy)
            self._read((Path(copy) / FILES[0]).as_uri())

    def _read(self, address):
        with closing(sqlite3.connect(address, uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            connection.row_factory = sqlite3.Row
            self._rows = connection.execute("SELECT * FROM entries").fetchall()
            jobs = connection.execute("SELECT * FROM jobs").fetchall()
        self._jobs = {
            row["position"]: (row["status"], row["outcome"], row["result"], row["file"]) for row in jobs
        }
        self._owners = {row["position"]: row["owner"] for row in jobs}
