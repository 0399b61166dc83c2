"""Charts as SVG that the server draws: bars, in the colours of the stylesheet."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH = 240
_HEIGHT = 14


@dataclass(frozen=True)
class Part:
    """A part of a bar: how much, and which of the stylesheet's kinds it is."""

    value: float
    kind: str = "main"


def bar(parts: Sequence[Part], most: float) -> Markup:
    """Return a bar of parts, as long as they are of the most that any bar has.

    The figures stand beside it in words: it says nothing to who cannot see it.
    """
    drawn, at = [], 0.0
    for part in parts:
        width = _WIDTH * max(0.0, float(part.value)) / float(most) if most else 0.0
        if width > 0:
            drawn.append(
                Markup(
                    '<rect class="part-{}" x="{:.1f}" y="1" width="{:.1f}"'
                    ' height="{}"/>'
                ).format(part.kind, at, max(width, 0.8), _HEIGHT - 2)
            )
        at += width
    return Markup(
        '<svg class="bar" viewBox="0 0 {} {}" preserveAspectRatio="none"'
        ' aria-hidden="true" focusable="false">{}</svg>'
    ).format(_WIDTH, _HEIGHT, Markup("").join(drawn))


# Where each region is on the tile map: column and row, as they lie from west to east.
_TILES = {
    "270000000": (0, 1),
    "230000000": (0, 2),
    "470000000": (0, 3),
    "150000000": (1, 1),
    "390000000": (2, 0),
    "590000000": (3, 0),
    "110000000": (3, 1),
    "710000000": (4, 1),
    "550000000": (5, 0),
    "350000000": (4, 2),
    "630000000": (6, 1),
    "430000000": (2, 3),
    "610000000": (3, 4),
    "790000000": (3, 5),
    "310000000": (4, 4),
    "190000000": (5, 3),
    "750000000": (5, 4),
}
COLUMNS, ROWS = 7, 6


@dataclass(frozen=True)
class Tile:
    """A region on the tile map: its two lines, how full, whether it is held back."""

    kato: str
    name: str
    figure: str
    share: float
    is_blocked: bool
    href: str


def tile_map(tiles: Sequence[Tile], title: str) -> Markup:
    """Return the country as tiles, each a link; regions it does not know come last."""
    drawn = []
    spare = iter([(x, y) for y in (5, 4, 0) for x in range(COLUMNS)])
    taken = set(_TILES.values())
    for tile in tiles:
        place = _TILES.get(tile.kato) or next(p for p in spare if p not in taken)
        taken.add(place)
        x, y = place[0] * 100, place[1] * 64
        drawn.append(
            Markup(
                '<a href="{}"><g class="tile{}" transform="translate({},{})">'
                '<rect width="96" height="60" rx="3"/>'
                '<rect class="fill" y="54" width="{:.1f}" height="6" rx="3"/>'
                '<text x="7" y="21">{}</text>'
                '<text class="figure" x="7" y="43">{}</text>'
                "</g></a>"
            ).format(
                tile.href,
                " blocked" if tile.is_blocked else "",
                x,
                y,
                96 * min(1.0, max(0.0, tile.share)),
                tile.name,
                tile.figure,
            )
        )
    return Markup(
        '<svg class="map" viewBox="0 0 {} {}" role="group" aria-label="{}">{}</svg>'
    ).format(COLUMNS * 100, ROWS * 64, title, Markup("").join(drawn))
