"""Texts with a day in them: `{date}`, or as an owner writes it, `{date:%d.%m.%Y}`."""

import re
from collections.abc import Mapping
from datetime import date, datetime

from komek.base.errors import UsageError

DATE = re.compile(r"\{date(?::([^{}]*))?\}")
_ISO = "%Y-%m-%d"
# What a directive of `strptime` looks like in a name.
_LOOKS = {"Y": "[0-9]{4}", "j": "[0-9]{3}", "b": r"\w+", "B": r"\w+", "%": "%"}
_LOOKS |= dict.fromkeys("mdyHMS", "[0-9]{2}")
_TOKEN = re.compile(rf"{DATE.pattern}|\{{entity\}}|[*?]")


def filled(template: str, day: date, **names: str) -> str:
    """Return a template with a day in it, and with what is named."""
    text = DATE.sub(lambda found: written(day, found[1]), template)
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def written(day: date, shape: str | None) -> str:
    """Return a day in a shape of `strftime`; None is YYYY-MM-DD."""
    text = (shape or _ISO).replace("%Y", f"{day.year:04}")
    return day.strftime(text)


class NamePattern:
    """The name of a file, or folder by folder its path, in which a day stands."""

    def __init__(self, pattern: str, entity: str) -> None:
        """Read a pattern.

        Raises:
            UsageError: no day stands in it, or in a shape that is not read here.
        """
        self._formats: list[list[str]] = []
        self._segments = [
            self._segment(segment, entity) for segment in pattern.split("/")
        ]
        self.has_wildcard = bool(re.search(r"[*?]", DATE.sub("", pattern)))
        if not any(self._formats):
            raise UsageError(f"pattern {pattern!r} has no {{date}} in it")

    @property
    def depth(self) -> int:
        """How many names stand one below the other."""
        return len(self._segments)

    def match(self, level: int, name: str) -> Mapping[str, str] | None:
        """Return the texts of days in a name, by their formats; None: another name."""
        found = self._segments[level].fullmatch(name)
        if found is None:
            return None
        return {
            f"{level}:{place}:{shape}": text
            for place, (shape, text) in enumerate(
                zip(self._formats[level], found.groups(), strict=True)
            )
        }

    @staticmethod
    def day(texts: Mapping[str, str]) -> date | None:
        """Return the day that the texts of all names make; None: there is none such."""
        shapes = [key.split(":", 2)[2] for key in texts]
        try:
            return datetime.strptime(  # noqa: DTZ007  (a day)
                "\n".join(texts.values()), "\n".join(shapes)
            ).date()
        except (ValueError, re.error):
            return None

    def _segment(self, segment: str, entity: str) -> re.Pattern[str]:
        formats: list[str] = []
        parts = []
        end = 0
        for token in _TOKEN.finditer(segment):
            parts.append(re.escape(segment[end : token.start()]))
            if token[0] == "{entity}":
                parts.append(re.escape(entity))
            elif token[0] in "*?":
                parts.append({"*": "[^/]*", "?": "[^/]"}[token[0]])
            else:
                formats.append(token[1] or _ISO)
                parts.append(f"({_look(formats[-1])})")
            end = token.end()
        parts.append(re.escape(segment[end:]))
        self._formats.append(formats)
        return re.compile("".join(parts))


def _look(shape: str) -> str:
    parts = re.split(r"%(.)", shape)
    looks = []
    for place, part in enumerate(parts):
        if place % 2 == 0:
            looks.append(re.escape(part))
        elif part in _LOOKS:
            looks.append(_LOOKS[part])
        else:
            raise UsageError(f"%{part} is no part of a day in a file's name")
    return "".join(looks)
