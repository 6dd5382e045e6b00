"""The command line of the checks on their own, where there is no Roomtone."""

import argparse
import json

from .cards import NICS, seen
from .examination import examine
from .look import Host
from .result import failures, lines, report


def main(arguments: "list[str] | None" = None) -> int:
    """The command line; 0 if nothing failed, else 1."""
    parser = argparse.ArgumentParser(
        prog="roomtone_host",
        description="Checks of a CSI card's host.",
        epilog="Example: python3 -m roomtone_host --nic intel5300 --json",
    )
    parser.add_argument("--nic", default="auto", choices=("auto",) + NICS)
    parser.add_argument("--interface", help="network interface of the card")
    parser.add_argument("--to", help="endpoint that frames shall go to")
    parser.add_argument("--root", default="/", help="folder that stands for /")
    parser.add_argument("--data", default="/", help="folder that recordings go to")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    chosen = parser.parse_args(arguments)
    host = Host(chosen.root, interface=chosen.interface, to=chosen.to, data=chosen.data)
    nics = seen(host) if chosen.nic == "auto" else [chosen.nic]
    checks = examine(host, nics)
    print(json.dumps(report(checks, nics)) if chosen.json else "\n".join(lines(checks)))
    return 1 if failures(checks) else 0
