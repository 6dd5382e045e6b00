"""``python3 -m roomtone_host --json`` in the folder of the forwarder."""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main())
