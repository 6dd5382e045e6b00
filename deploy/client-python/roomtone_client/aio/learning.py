"""Teaching a room: samples, adaptations, recalibration, and the jobs that they are, for asyncio."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from roomtone_client import api
from roomtone_client.aio.base import AsyncCaller
from roomtone_client.calls import File, Moment, settings
from roomtone_client.documents import Job, Page, Sample
from roomtone_client.errors import JobNotOverError


class AsyncLearningCalls(AsyncCaller):
    """Teaching a room: samples, adaptations, recalibration, and the jobs that they are."""

    async def samples(
        self, room: str, *, task: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[Sample]:
        """Labelled samples, newest first."""
        return await self._do(api.samples(room, task=task, limit=limit, cursor=cursor))

    async def add_sample(self, room: str, task: str, label: str | int, start: Moment, end: Moment) -> Sample:
        """Say what was so in a room from one moment to another; look at the answer's `verdict`."""
        return await self._do(api.add_sample(room, task, label, start, end))

    async def upload_sample(
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
        return await self._do(api.upload_sample(room, file, fields))

    async def delete_sample(self, room: str, sample: str) -> None:
        """Erase a sample and its windows."""
        await self._do(api.delete_sample(room, sample))

    async def adapt(
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
        return await self._do(api.adapt(room, body))

    async def recalibrate(
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
        return await self._do(api.recalibrate(room, body))

    async def job(self, job: str) -> Job:
        """Where a job stands."""
        return await self._do(api.job(job))

    async def cancel(self, job: str) -> Job:
        """End a job; nothing of it is activated."""
        return await self._do(api.cancel_job(job))

    async def wait(
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
            found = await self.job(name)
            if progress is not None:
                progress(found)
            if found.over:
                return found
            if time.monotonic() >= until:
                raise JobNotOverError(f"job {name} was {found.state} after {timeout_s:g} s")
            await asyncio.sleep(poll_s)
