"""A reader of HTML that notes what the tests ask of a page."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = frozenset({"meta", "br", "wbr", "img", "link", "input", "hr"})
INLINE = frozenset({"wbr", "b", "i", "code", "a"})
RESOURCES = ("src", "srcset", "data", "poster", "background")


class Page(HTMLParser):
    """Tags, headings, header cells, links and text of a page, in their order."""

    def __init__(self, html: str) -> None:
        """Read a page.

        Raises:
            AssertionError: an element is not closed where it has to be.
        """
        super().__init__()
        self.tags: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.headers: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.resources: list[str] = []
        self.handlers: list[str] = []
        self.captions = 0
        self.text = ""
        self.spaced = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and its attributes."""
        values = dict(attrs)
        self.tags.append(tag)
        self.spaced += "" if tag in INLINE else " "
        self.captions += tag == "caption"
        self.handlers += [name for name in values if name.startswith("on")]
        self.resources += [f"{tag} {name}" for name in values if name in RESOURCES]
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag == "th":
            self.headers.append(values)
        if tag == "a":
            self.links.append(str(values.get("href")))
        if tag[0] == "h" and tag[1:].isdigit():
            self.headings.append((int(tag[1:]), ""))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that what ends is what was opened last."""
        assert self._open, f"</{tag}> ends nothing"
        assert self._open[-1] == tag, f"</{tag}> ends <{self._open[-1]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        """Collect the text that a person reads."""
        if "style" in self._open:
            return
        self.text += data
        self.spaced += data
        if self._open and self._open[-1][0] == "h" and self._open[-1][1:].isdigit():
            level, text = self.headings[-1]
            self.headings[-1] = (level, text + data)


def words(html: str) -> str:
    """Return the text of a piece of HTML, blocks and cells parted by a space."""
    return " ".join(Page(html).spaced.split())
