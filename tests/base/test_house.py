"""The house itself: how large a module may be, how much stands at its top."""

from komek.base.places import PACKAGE

MAX_LINES = 400
MAX_AT_THE_TOP = 5


def test_no_module_is_too_long() -> None:
    lines = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_bytes().splitlines())
        for path in PACKAGE.rglob("*.py")
    }

    assert len(lines) > 50
    assert {name: n for name, n in lines.items() if n > MAX_LINES} == {}


def test_little_stands_at_the_top() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= MAX_AT_THE_TOP


def test_every_room_says_what_it_is() -> None:
    rooms = [path for path in PACKAGE.iterdir() if any(path.glob("*.py"))]
    for room in rooms:
        text = (room / "__init__.py").read_text(encoding="utf-8")
        assert text.startswith('"""'), room.name
