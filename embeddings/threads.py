"""Settles how many threads the numerical libraries take; call it before they are imported."""

import os

# Idle OpenMP threads sleep instead of spinning for work. NumPy's OpenBLAS spins whatever it is
# told, so it gets one thread: two saved a question 3 of 10 ms on a quiet machine, and cost it 500
# on a busy one, where bulk encoding took ten times as long as on one thread.
_SETTINGS = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}


def settle() -> None:
    """Keeps the numerical libraries from fighting for cores, unless the environment says how."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
