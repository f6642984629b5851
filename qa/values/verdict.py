"""What comparing two values can say."""

from typing import Literal

Verdict = Literal["same", "differ", "unsure"]
