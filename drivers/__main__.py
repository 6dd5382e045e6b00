"""``python -m drivers``: the adapter on a host that has numpy, pyzmq and msgspec, and nothing else."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is loaded: waiting threads only burn a small host's time

from drivers.adapter import Adapter  # noqa: E402 - after the number of threads is set
from drivers.errors import DriverError, OptionError  # noqa: E402 - after the number of threads is set
from drivers.live.registry import FORMS  # noqa: E402 - after the number of threads is set
from drivers.stopping import until_told  # noqa: E402 - after the number of threads is set


def parser() -> argparse.ArgumentParser:
    """The command line; the same options as ``roomtone adapter``."""
    made = argparse.ArgumentParser(
        prog="python -m drivers",
        description="Deliver a card's frames to a Roomtone service as they come; never holds the card back.",
        epilog="Example: python -m drivers --nic intel5300 --source netlink --link l1 --room lab "
        "--to tcp://192.168.1.2:5570",
    )
    add = made.add_argument
    add("--nic", required=True, help="card whose bytes these are")
    add("--source", required=True, help=f"{FORMS}; or file:PATH, a capture")
    add("--link", required=True, help="link that the frames belong to")
    add("--to", required=True, metavar="ENDPOINT", help="ingest endpoint, e.g. tcp://127.0.0.1:5570")
    add("--room", help="room of a link the service does not know yet")
    add(
        "--tx",
        dest="transmitter",
        default="auto",
        metavar="MAC|auto|any",
        help="whose packets make the link (auto)",
    )
    add("--iq-order", default="as_recorded", choices=["as_recorded", "imag_first"], help="see docs/hardware")
    add(
        "--allow",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="sender that a UDP source takes; repeatable",
    )
    add("--enrolment", type=Path, metavar="DIR", help="for tls: the folder `roomtone links enroll` made")
    return made


def main(words: Sequence[str] | None = None) -> int:
    """Run the adapter; exit codes 0 ok, 1 failed, 2 usage."""
    adapter = Adapter(**vars(parser().parse_args(words)))
    try:
        adapter.run(lambda line: print(line, file=sys.stderr, flush=True), until_told())
    except DriverError as error:
        print(f"python -m drivers: {error}", file=sys.stderr)
        return 2 if isinstance(error, OptionError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
