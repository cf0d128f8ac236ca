"""How does a logged message read without its HTML?"""

from html.parser import HTMLParser

_BREAKS = frozenset({"br", "p", "div", "li"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _BREAKS and self.parts:
            self.parts.append("\n")


def plain_text(html: str) -> str:
    """Text with line breaks; the page shows it as text, so nothing in it can run."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)
