"""Family and household made ready for questions, once for each context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muniment.watch.context.index import ContextIndex
from muniment.watch.context.tables import Context

if TYPE_CHECKING:
    from muniment.watch.context.tables import Family, Households


class Kinship:
    """Holds the index of the last context seen, and makes another where family or households are other tables."""

    def __init__(self) -> None:
        """No context yet."""
        self._of: tuple[Family | None, Households | None] | None = None
        self._index = ContextIndex(Context())

    def __repr__(self) -> str:
        return f"Kinship({self._index})"

    def of(self, context: Context) -> ContextIndex:
        """An index that knows the ties of the context, and nothing else of it."""
        if self._of is None or self._of[0] is not context.family or self._of[1] is not context.households:
            self._of = context.family, context.households
            self._index = ContextIndex(Context(family=context.family, households=context.households))
        return self._index
