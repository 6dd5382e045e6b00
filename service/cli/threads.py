"""How many threads the linear algebra of this process may use."""

import os


def one_thread() -> None:
    """One, as long as numpy is not loaded yet: our matrices are small, and waiting threads only burn time."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
