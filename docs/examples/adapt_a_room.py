"""Teach a running Roomtone a room from labelled captures, and see what it gains: docs/adaptation.md.

A folder of captures named after their labels (0p.dat.xz, 1p.dat.xz, ... or vacant.dat, occupied.dat) is
replayed through the service. The first part of each becomes a labelled sample; the rest is only watched,
before, after, and once more after the roll-back. Nothing but the standard library and `roomtone` is needed.
"""

import argparse
import json
import lzma
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

HOP_S = 1
GUARD_S = 7
"""Between what is learned from and what is watched: neighbouring seconds of one recording are alike."""


class Service:
    """The REST API of a site, as this script needs it."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url.rstrip("/"), key

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The answer's JSON; an error says what the service said."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, method=method)
        kind = {"Content-Type": "application/json"} if body is not None else {}
        for name, value in {"Authorization": f"Bearer {self.key}", **kind, **headers}.items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            told = error.read().decode()
            raise SystemExit(f"{method} {path}: {error.code} {told}") from error

    def predictions(self, room: str, task: str, after: str | None) -> list[dict[str, Any]]:
        """Windows of this task, oldest first, that end after that time."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.ask("GET", f"/v1/rooms/{room}/predictions?task={task}&limit=1000{cursor}")
            new = [one for one in page["items"] if after is None or one["window"]["to"] > after]
            found += new
            if len(new) < len(page["items"]) or not page["next_cursor"]:
                return found[::-1]
            cursor = f"&cursor={page['next_cursor']}"


def main() -> None:
    """Run the whole story and print it."""
    options = _options()
    service = Service(options.url, options.key)
    files = [path for path in sorted(options.captures.iterdir()) if path.is_file()]
    captures = {_label(path): path for path in files if path.suffix not in {".json", ".md", ".png"}}
    first, rest = f"0s-{options.teach}s", f"{options.teach + GUARD_S}s-{options.until}s"

    def watch(when: str) -> float:
        right = total = 0
        for label, path in captures.items():
            windows = replay(service, options, path, rest)
            said = [str(one["value"]) for one in windows]
            right, total = right + said.count(label), total + len(said)
        print(f"{when}: {right} of {total} windows right ({right / max(total, 1):.0%})", flush=True)
        return right / max(total, 1)

    before = watch("before") if options.before else None
    for label, path in captures.items():
        if options.upload:
            sample = upload(service, options, path, label)
        else:
            sample = label_replay(service, options, path, label, first)
        print(f"sample {label}: {sample['state']} {sample['verdict'].get('reasons', [])}", flush=True)
    job = adapt(service, options)
    print(f"job {job['job']}: {job['state']} {job.get('reason') or ''} {job.get('detail') or ''}", flush=True)
    if job["state"] not in {"provisional", "activated"}:
        raise SystemExit(1)
    print(f"method {job['method']}, held out: {json.dumps(job['metrics']['after'])}", flush=True)
    after = watch("after")
    service.ask("POST", f"/v1/rooms/{options.room}/models/rollback?task={options.task}", {})
    back = watch("rolled back")
    told = {"before": before, "after": after, "rolled_back": back, "job": job["job"], "state": job["state"]}
    print(json.dumps(told))
    if not after > max(before or 0.0, back):
        sys.exit("the adapted head was no better on the rest of the captures")


def replay(service: Service, options: argparse.Namespace, path: Path, part: str) -> list[dict[str, Any]]:
    """Windows predicted for this part of a capture."""
    newest = service.predictions(options.room, options.task, None) if _room_there(service, options) else []
    after = newest[-1]["window"]["to"] if newest else None
    where = ["--data-dir", str(options.data_dir)] if options.data_dir else []
    where += ["--to", options.to] if options.to else []
    words = ["--link", options.link, "--room", options.room, "--part", part, "--speed", "max", *where]
    subprocess.run([*options.roomtone.split(), "replay", str(path), *words], check=True, capture_output=True)
    return last_run(service.predictions(options.room, options.task, after))


def last_run(windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last windows without a gap before them: a replay starts some seconds after the one before."""
    starts = [datetime.fromisoformat(one["window"]["from"]).timestamp() for one in windows]
    first = len(windows) - 1
    while first > 0 and starts[first] - starts[first - 1] < HOP_S + 1:
        first -= 1
    return windows[max(first, 0) :]


def label_replay(
    service: Service, options: argparse.Namespace, path: Path, label: str, part: str
) -> dict[str, Any]:
    """Replay a part and say what it was: the windows that the service made of it become a sample."""
    windows = replay(service, options, path, part)
    whole = [one for one in windows if one["reason"] not in {"no_frames", "low_occupancy"}]
    body = {
        "task": options.task,
        "label": label,
        "from": whole[0]["window"]["from"],
        "to": whole[-1]["window"]["to"],
    }
    key = uuid.uuid4().hex
    answer: dict[str, Any] = service.ask(
        "POST", f"/v1/rooms/{options.room}/samples", body, **{"Idempotency-Key": key}
    )
    return answer


def upload(service: Service, options: argparse.Namespace, path: Path, label: str) -> dict[str, Any]:
    """Send the capture itself: only its first part is taken."""
    mark = uuid.uuid4().hex
    fields = {"task": options.task, "label": label, "link": options.link, "from": 0, "to": options.teach}
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'
    body = b"".join([*parts, head.encode(), unpacked(path), f"\r\n--{mark}--\r\n".encode()])
    kind = f"multipart/form-data; boundary={mark}"
    answer: dict[str, Any] = service.ask(
        "POST", f"/v1/rooms/{options.room}/samples", body, **{"Content-Type": kind}
    )
    return answer


def unpacked(path: Path) -> bytes:
    """The capture as the card's tool wrote it: the service takes no packed files."""
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


def adapt(service: Service, options: argparse.Namespace) -> dict[str, Any]:
    """Start the job and wait for its end."""
    body = {"task": options.task, "method": options.method, "shadow_s": options.shadow}
    job: dict[str, Any] = service.ask("POST", f"/v1/rooms/{options.room}/adaptations", body)
    return wait(lambda: service.ask("GET", f"/v1/jobs/{job['job']}"))


def wait(look: Callable[[], dict[str, Any]], seconds: float = 600) -> dict[str, Any]:
    """What `look` says once it is over."""
    until = time.monotonic() + seconds
    shown = ""
    while time.monotonic() < until:
        job = look()
        line = f"{job['state']} {job['progress']:.0%} {job.get('at') or ''}"
        if line != shown:
            print(f"  {line}", flush=True)
            shown = line
        if job["over"]:
            return job
        time.sleep(0.3)
    raise SystemExit(f"the job was not over within {seconds:g} s")


def _room_there(service: Service, options: argparse.Namespace) -> bool:
    rooms = service.ask("GET", "/v1/rooms")["items"]
    return any(one["room"] == options.room for one in rooms)


def _label(path: Path) -> str:
    """0p.dat.xz -> 0, vacant.dat -> vacant."""
    name = path.name.partition(".")[0]
    return name[:-1] if name[:-1].isdigit() and name.endswith("p") else name


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--captures", type=Path, required=True, help="folder of captures named by label")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="of the service")
    parser.add_argument("--key", required=True, help="an admin's: roomtone keys create --role admin")
    parser.add_argument("--task", default="counting")
    parser.add_argument("--room", default="lesson", help="made by the first replay")
    parser.add_argument("--link", default="lesson-link")
    parser.add_argument("--teach", type=int, default=20, help="seconds of each capture to learn from")
    parser.add_argument("--until", type=int, default=60, help="seconds of each capture to look at in all")
    parser.add_argument("--method", default="auto")
    parser.add_argument("--shadow", type=float, default=0.0, help="seconds of the shadow run")
    parser.add_argument("--upload", action="store_true", help="send the captures instead of replaying them")
    parser.add_argument("--no-before", dest="before", action="store_false", help="skip the first look")
    parser.add_argument("--data-dir", type=Path, help="of the service, for replay")
    parser.add_argument("--to", help="ingest endpoint; by default the site's")
    parser.add_argument("--roomtone", default="roomtone", help="how to call it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
