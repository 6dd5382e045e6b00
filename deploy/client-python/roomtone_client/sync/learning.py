"""Teaching a room: samples, adaptations, recalibration, and the jobs that they are, for threads."""

import time
from collections.abc import Callable
from typing import Literal

from roomtone_client import api
from roomtone_client.calls import File, Moment, settings
from roomtone_client.documents import Job, Page, Sample
from roomtone_client.errors import JobNotOverError
from roomtone_client.sync.base import Caller


class LearningCalls(Caller):
    """Teaching a room: samples, adaptations, recalibration, and the jobs that they are."""

    def samples(
        self, room: str, *, task: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[Sample]:
        """Labelled samples, newest first."""
        return self._do(api.samples(room, task=task, limit=limit, cursor=cursor))

    def add_sample(self, room: str, task: str, label: str | int, start: Moment, end: Moment) -> Sample:
        """Say what was so in a room from one moment to another; look at the answer's `verdict`."""
        return self._do(api.add_sample(room, task, label, start, end))

    def upload_sample(
        self,
        room: str,
        task: str,
        label: str | int,
        file: File,
        *,
        link: str,
        nic: str = "auto",
        start_s: float | None = None,
        end_s: float | None = None,
        simulated: bool = False,
    ) -> Sample:
        """Say what was so in a capture, or from one second of it to another."""
        fields: dict[str, object] = {
            "task": task,
            "label": label,
            "link": link,
            "nic": nic,
            "simulated": simulated,
        }
        fields |= {"from": start_s, "to": end_s}
        return self._do(api.upload_sample(room, file, fields))

    def delete_sample(self, room: str, sample: str) -> None:
        """Erase a sample and its windows."""
        self._do(api.delete_sample(room, sample))

    def adapt(
        self,
        room: str,
        task: str,
        *,
        method: str = "auto",
        shadow_s: float | None = None,
        force: bool = False,
    ) -> Job:
        """Learn a room from its accepted samples: a job, see `wait`."""
        body = settings(task=task, method=method, shadow_s=shadow_s, force=force)
        return self._do(api.adapt(room, body))

    def recalibrate(
        self,
        room: str,
        *,
        mode: Literal["empty", "labelled"] = "empty",
        start_delay_s: float | None = None,
        duration_s: float | None = None,
        dry_run: bool = False,
    ) -> Job:
        """Look at the empty room anew, or learn again from its samples: a job, see `wait`."""
        body = settings(mode=mode, start_delay_s=start_delay_s, duration_s=duration_s, dry_run=dry_run)
        return self._do(api.recalibrate(room, body))

    def job(self, job: str) -> Job:
        """Where a job stands."""
        return self._do(api.job(job))

    def cancel(self, job: str) -> Job:
        """End a job; nothing of it is activated."""
        return self._do(api.cancel_job(job))

    def wait(
        self,
        job: Job | str,
        *,
        timeout_s: float = 900.0,
        poll_s: float = 0.5,
        progress: Callable[[Job], None] | None = None,
    ) -> Job:
        """Wait until a job is over; whether it `succeeded` is for the caller to see.

        Raises:
            JobNotOverError: it was not over in time.
        """
        name, until = job if isinstance(job, str) else job.job, time.monotonic() + timeout_s
        while True:
            found = self.job(name)
            if progress is not None:
                progress(found)
            if found.over:
                return found
            if time.monotonic() >= until:
                raise JobNotOverError(f"job {name} was {found.state} after {timeout_s:g} s")
            time.sleep(poll_s)
