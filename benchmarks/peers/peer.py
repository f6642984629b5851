"""The two commands of a peer, run by the Python of the peer's own environment, without qa.

    python -I peer.py NAME fill MODEL FOLDER < PASSAGES
    python -I peer.py NAME ask MODEL FOLDER < QUESTIONS

`fill` indexes passages, a JSON object a line, into the folder. `ask` answers each line with a line:
the ids and texts of the five best passages, best first, as JSON. What a peer does is in NAME.py.
"""

import importlib.util
import json
import sys
from pathlib import Path


def main() -> None:
    """Runs one command."""
    name, command, model, folder = sys.argv[1:]
    # By its path: the files are named as the packages that they import.
    spec = importlib.util.spec_from_file_location(
        f"peer_{name}", Path(__file__).with_name(f"{name}.py")
    )
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    if command == "fill":
        rows = [json.loads(line) for line in sys.stdin]
        # The title goes before the text, as in qa, or no one would know what a passage is about.
        peer.fill([(row["id"], f"{row['title']}. {row['text']}") for row in rows], model, folder)
    else:
        ask = peer.opened(model, folder)
        for question in sys.stdin:
            print(json.dumps(ask(question.strip(), 5)), flush=True)


if __name__ == "__main__":
    main()
