"""What every section of the report needs: the verdict, the language, and short ways to words and headings."""

from __future__ import annotations

from dataclasses import dataclass

from muniment.messages import text
from muniment.messages.markup import Heading, Html, element
from muniment.trace.scale import log10_e_over_n
from muniment.trace.verdict import Named, Verdict


@dataclass(frozen=True, slots=True)
class Page:
    """What every section needs: the verdict, the language, and whether examples of values may be shown."""

    verdict: Verdict
    lang: str
    examples: bool

    def say(self, key: str, **values: object) -> str:
        """A text of the catalogue in the language of the page."""
        return text(key, self.lang, **values)

    def number(self, key: str) -> Heading:
        """The heading of a column of numbers."""
        return Heading(self.say(f"column.{key}"), number=True)

    def words(self, key: str) -> Heading:
        """The heading of a column of words."""
        return Heading(self.say(f"column.{key}"))

    def paragraph(self, key: str, **values: object) -> Html:
        """A paragraph from the catalogue; keys that end in `note` or `_note` are set small."""
        return element("p", self.say(key, **values), class_="note" if key.endswith("note") else None)

    def bullets(self, section: str, *keys: str) -> Html:
        """A list of sentences of one section of the catalogue."""
        return element("ul", *(element("li", self.say(f"{section}.{key}")) for key in keys))

    def over_n(self, named: Named) -> float:
        """log10 (E/n) of a named recipient."""
        return log10_e_over_n(named.log10_e, self.verdict.candidates)
