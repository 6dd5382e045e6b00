"""A real PostgreSQL server for tests, from the system's binaries, on a free loopback port.

It runs as an unprivileged user where we are root, which the server refuses to be. It forgets nothing but a
power cut (fsync off).
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.ports import free_port

PASSWORD = "roomtone-test"
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "16MB",
    "autovacuum": "off",
}


def binaries() -> Path | None:
    """Folder of the newest installed server, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return Path(program).parent if program else None


def why_not() -> str | None:
    """Why no server can be started here, None if one can."""
    if binaries() is None:
        return "no PostgreSQL server is installed (Debian: postgresql)"
    if os.geteuid() == 0 and _user() is None:
        return "PostgreSQL refuses to run as root, and there is no user postgres or nobody"
    return None


class Server:
    """A server with a data folder of its own; databases are copies of a migrated one or empty."""

    def __init__(self) -> None:
        self.port = free_port()
        self._bin = binaries() or Path()
        self._user = _user() if os.geteuid() == 0 else None
        self._made = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="roomtone-pg-"))
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        password = self._folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._call(
            "initdb", "--no-sync", "--no-instructions", "-D", str(self.data), "-U", "roomtone", "-A",
            "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--locale", "C.UTF-8",
        )  # fmt: skip
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def data(self) -> Path:
        return self._folder / "data"

    def url(self, database: str, driver: str = "postgresql") -> str:
        return f"{driver}://roomtone:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start; returns when it answers."""
        flags = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(self.data), "-p", str(self.port), *flags],
                stdout=log,
                stderr=log,
                cwd="/",
                user=self._user,
                group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
                extra_groups=None if self._user is None else [],
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop at once, as a power cut would but for the disk: an immediate shutdown, crash recovery next."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def database(self, template: str | None = None) -> str:
        """Name of a new database, empty or a copy."""
        self._made += 1
        name = f"site_{self._made}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            options = f" TEMPLATE {template}" if template else ""
            connection.execute(f"CREATE DATABASE {name}{options}".encode())
        return name

    def emptied(self, name: str, template: str) -> bool:
        """Make a database as it was when it was copied; False if its tables are others by now."""
        with psycopg.connect(self.url(template)) as original, psycopg.connect(self.url(name)) as connection:
            if _shape(connection) != _shape(original):
                return False
            tables = [table for table in {row[0] for row in _shape(original)} if table != "schema_migrations"]
            seeds = original.execute(
                "SELECT rule, position, doc::text, updated_ns FROM alert_rules"
            ).fetchall()
            script = [f'DELETE FROM "{table}"' for table in tables]  # noqa: S608 - names of our own tables
            script += [
                f"SELECT setval('{row[0]}', 1, false)" for row in original.execute(_COUNTERS).fetchall()
            ]
            connection.execute(";".join(script).encode())
            with connection.cursor() as cursor:
                cursor.executemany("INSERT INTO alert_rules VALUES (%s, %s, %s, %s)", seeds)
        return True

    def drop(self, name: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())

    def _call(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd="/",
            user=self._user,
            group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
            extra_groups=None if self._user is None else [],
        )
        assert done.returncode == 0, done.stderr


_COUNTERS = b"SELECT sequencename FROM pg_sequences"


def _shape(connection: psycopg.Connection) -> list[tuple[str, str, str]]:
    """Tables and columns, and the steps applied."""
    columns = connection.execute(
        b"SELECT table_name, column_name, data_type FROM information_schema.columns "
        b"WHERE table_schema = 'public' ORDER BY 1, 2"
    ).fetchall()
    steps = connection.execute(
        b"SELECT 'schema_migrations', name, number::text FROM schema_migrations"
    ).fetchall()
    return columns + sorted(steps)


def _user() -> str | None:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return None
