"""Ids that mostly count up by one, kept as the runs in which they do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Runs:
    """Ascending ids of `total` rows; run n begins at row `rows[n]` with id `ids[n]`."""

    rows: Ids
    ids: Ids
    total: int

    @classmethod
    def of(cls, ids: Ids) -> "Runs":
        """The runs of ascending ids."""
        rows = np.flatnonzero(np.diff(ids, prepend=-2) != 1)
        return cls(rows.astype(np.int64), ids[rows].astype(np.int64), len(ids))

    @property
    def last(self) -> int:
        """The greatest id, 0 if there is none."""
        return int(self.ids[-1] + self.total - 1 - self.rows[-1]) if self.total else 0

    def ids_of(self, rows: Ids) -> Ids:
        """The ids of rows."""
        if not self.total:
            return np.empty(0, np.int64)
        run = np.searchsorted(self.rows, rows, side="right") - 1
        found: Ids = self.ids[run] + rows - self.rows[run]
        return found

    def rows_of(self, ids: Ids) -> Ids:
        """The rows of those of the ids that are here, in the order of the ids."""
        if not self.total:
            return np.empty(0, np.int64)
        run = np.searchsorted(self.ids, ids, side="right") - 1
        found: Ids = self.rows[run] + ids - self.ids[run]
        ends = np.append(self.rows[1:], self.total)
        return found[(run >= 0) & (found < ends[run])]
