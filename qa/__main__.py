"""The `qa` command: checks that its two packages lie side by side, then hands over."""

import gc
import os
import sys


def main() -> None:
    """Runs the command line and exits as grep does."""
    # A stream that was closed before the start (`2>&-`) is None, which nothing expects.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123 -- open to the end
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115, PTH123 -- open to the end
    from qa.errors import QaError
    from qa.locations import side_by_side

    try:
        side_by_side()
    except QaError as error:
        sys.stderr.write(f"qa: {error}\n")
        sys.exit(error.exit_code)
    # What imports make stays; collecting among it is a twentieth of a cold question's time.
    gc.set_threshold(100_000, 50, 100)
    from qa.cli import run

    code = run(sys.argv[1:])
    # All that is left dies with the process: looking through it once more took a fifth as long
    # as a cold question.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
