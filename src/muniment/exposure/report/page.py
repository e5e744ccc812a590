"""What every section of the report needs: the values, the language, and short ways to words, counts and headings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muniment.exposure.floor import Count
from muniment.messages import count, decimal, percent, text
from muniment.messages.markup import Heading, Html, element, table

if TYPE_CHECKING:
    from muniment.exposure.result import Exposure, Protected
    from muniment.exposure.shares import Interval, Share


@dataclass(frozen=True, slots=True)
class Page:
    """The run that is shown, and the change that was tried on it, in one language."""

    exposure: Exposure
    lang: str
    protected: Protected | None = None

    def say(self, key: str, **values: object) -> str:
        """A text of the report's own table."""
        return text(f"exposure.{key}", self.lang, **values)

    def paragraph(self, key: str, **values: object) -> Html:
        """A paragraph; keys that end in `note` are set small."""
        return element("p", self.say(key, **values), class_="note" if key.endswith("note") else None)

    def table(self, caption: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
        """A table: headings are keys, those that begin with # are of numbers."""
        named = [Heading(self.say(f"head_{key.lstrip('#')}"), number=key.startswith("#")) for key in headings]
        return table(self.say(caption), named, rows, quiet=True)

    def persons(self, number: Count) -> str:
        """A count of persons as it may leave."""
        return self.say("fewer", floor=number.floor) if number.hidden else count(number.at_least)

    def columns(self, names: Sequence[str]) -> str:
        """Names of columns as the language lists them."""
        return text("common.list_separator", self.lang).join(names) or "–"

    def share(self, share: Share | None) -> str:
        """A share with its interval; a dash where it is not told."""
        return "–" if share is None or share.told is None else self.interval(share.told)

    def interval(self, one: Interval | None) -> str:
        """A share with the ends of its interval."""
        return "–" if one is None else f"{percent(one.value)} ({percent(one.low)} – {percent(one.high)})"

    def number(self, value: float | None, places: int = 2) -> str:
        """A number that may be missing."""
        return "–" if value is None else decimal(value, places)
