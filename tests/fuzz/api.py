"""Fuzzing of the HTTP API by its own OpenAPI document, with every role and without a key (schemathesis).

    python -m tests.fuzz.api --examples 200 [--operation "POST /v1/keys"]

* No answer is a server error, but for 503 with a reason (a worker that does not answer).
* Every answer is one that the document describes: status, media type, schema.
* What does not fit its schema is never taken.
* Nothing but the open list answers without a key, and nothing answers a role that is too low.

Every case is sent with every role and without a key, whoever is first by chance: the first to delete a thing
finds it.

Requests go over a real socket to a real server with a real store, in memory where the system has /dev/shm.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, negative_data_rejection, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.api import sampling
from service.api.auth import ROLE_MARK
from service.store.keys import Role
from tests.service.running import PretendedWorker, Running, wait_for

KEYS: Final = (Role.ADMIN, Role.OPERATOR, Role.VIEWER, None)
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
_REAL: Final = {"room": "lab", "zone": "desk", "link": "l1", "kind": "validation"}
"""What stands for a name half of the time, so that routes are seen from the inside too."""
_TOLD = {"/problems/worker-down", "/problems/not-ready", "/problems/store-unavailable"}


@contextmanager
def site(folder: Path, monkey_wait_s: float = 0.05) -> Iterator[Running]:
    """A site with a room, a link and a worker that is heard but takes no samples."""
    limits = {"requests_per_s": 0, "address_requests_per_s": 0, "failed_logins_per_minute": 0}
    waited, sampling.WAIT_S = sampling.WAIT_S, monkey_wait_s
    try:
        with Running(folder, limits=limits) as running, PretendedWorker(running.settings):
            wait_for(lambda: running.context.watch.worker_up, "the worker to be heard")
            yield running
    finally:
        sampling.WAIT_S = waited


_LONG_ADDRESS = 16 * 1024
"""Bytes beyond which the server's parser reads no address."""


class Fuzz:
    """All operations of one site, with all keys."""

    def __init__(self, running: Running, examples: int) -> None:
        load_all_checks()
        self._running = running
        self._examples = examples
        self.schema = schemathesis.openapi.from_dict(_without_security(running.app.openapi()))
        self.finds: list[str] = []
        self.statuses: Counter[int] = Counter()
        self._keys = {role: running.new_key(role) for role in Role}
        self._session = requests.Session()
        self._session.trust_env = False

    def run(self, only: str | None = None) -> None:
        """Fuzz every operation, or the one named."""
        for found in self.schema.get_all_operations():
            if isinstance(found, Err):
                raise found.err()
            operation = found.ok()
            if only in {None, operation.label}:
                self._fuzz(operation)
        self._session.close()

    def _fuzz(self, operation: Any) -> None:
        self._running.put_room("lab", zones=[{"zone": "desk"}], links=["l1"])
        needed = operation.definition.raw.get(ROLE_MARK)
        modes = st.one_of(
            operation.as_strategy(GenerationMode.POSITIVE), operation.as_strategy(GenerationMode.NEGATIVE)
        )

        @seed(0)
        @settings(
            max_examples=self._examples,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=modes, roles=st.permutations(KEYS), inside=st.booleans())
        def look(case: Any, roles: list[Role | None], inside: bool) -> None:
            if inside:
                real = {name: _REAL[name] for name in case.path_parameters or {} if name in _REAL}
                case.path_parameters = {**(case.path_parameters or {}), **real}
            for role in roles:
                self._one(case, role, needed, inside)

        try:
            look()
        except Exception as error:  # noqa: BLE001 - a find, whatever it is
            causes = getattr(error, "exceptions", (error,))
            said = "; ".join(f"{type(one).__name__}: {str(one)[:2000]}" for one in causes)
            self.finds.append(f"{operation.label}: {said}")

    def _one(self, case: Any, role: Role | None, needed: str | None, inside: bool) -> None:
        headers = {} if role is None else {"Authorization": f"Bearer {self._keys[role]}"}
        try:
            answer = case.call(
                base_url=self._running.base, session=self._session, headers=headers, timeout=30
            )
        except requests.RequestException:
            if len(urlencode(case.query or {}, doseq=True)) < _LONG_ADDRESS:
                raise
            return  # refused while we still wrote it, and what was unread resets the connection
        status = answer.status_code
        self.statuses[status] += 1
        if status == 400 and "x-request-id" not in answer.headers:
            return  # no HTTP that the server reads, such as 100 kB of address: it never came to us
        if needed and role is None:
            assert status == 401, f"open without a key: {status}"
        elif needed and not (role and role.includes(Role(needed))):
            # What cannot be read may be refused for that, before anybody looks at the role.
            assert status in {400, 403, 422}, f"open to {role}: {status}"
        else:
            told = status == 503 and answer.json()["type"] in _TOLD
            left_out = [not_a_server_error] * told + [negative_data_rejection] * inside
            try:
                case.validate_response(answer, checks=[one for one in _CHECKS if one not in left_out])
            except FailureGroup as group:
                said = "; ".join(f"{one.title}: {one.message}" for one in group.exceptions)
                raise AssertionError(f"{said}\n{case.as_curl_command()}") from group


def _without_security(document: dict[str, Any]) -> dict[str, Any]:
    """The same without the demand for keys: we send them, the generator need not invent any."""
    paths = {
        path: {method: {**operation, "security": []} for method, operation in methods.items()}
        for path, methods in document["paths"].items()
    }
    return {**document, "paths": paths}


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, tell, and fail where there are finds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=200, help="cases an operation and role")
    parser.add_argument("--operation", help='one operation, as "POST /v1/keys"')
    asked = parser.parse_args(arguments)
    memory = Path("/dev/shm")  # noqa: S108 - memory, not a shared file
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        site(Path(folder)) as running,
    ):
        fuzz = Fuzz(running, asked.examples)
        fuzz.run(asked.operation)
    print(f"{sum(fuzz.statuses.values())} requests in {time.monotonic() - began:.0f} s:", end=" ")
    print(", ".join(f"{status} {count}" for status, count in sorted(fuzz.statuses.items())))
    for find in fuzz.finds:
        print(f"FIND {find}")
    return bool(fuzz.finds)


if __name__ == "__main__":
    sys.exit(main())
