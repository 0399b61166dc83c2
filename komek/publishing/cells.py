"""What a text looks like in a cell, as SQL: nothing in it is obeyed, nothing unseen.

Control and formatting characters (a direction of writing turned round, a terminal's
commands) become the escapes JSON has for them; tabs and line breaks stay. Spreadsheets
take a cell that begins like a formula for one, and no cell beyond a certain length.
"""

# Excel counts a cell's text in UTF-16 units; a file with a longer one is damaged to it.
MOST_UNITS = 32_767
# What stands at the end of a cell that was cut.
CUT = "…"
# Unicode's control and format characters, line and paragraph separators.
_COMMANDS = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}\p{Cf}\x{2028}\x{2029}]"
# Spreadsheets take a cell that begins so for a formula, the full-width forms too, and
# some overlook what is not seen before it. Where `;` parts the cells, as in Russian
# settings, quotes inside a line mean nothing: a cell begins after any `;`, tab, line.
_FORMULA = r"(^|[;\t\r\n])([\p{Zs}" + "\"''" + r"]*[=+\-@＝＋－＠])"
_MAY_BE_FORMULA = r"[=+\-@＝＋－＠]|^[\t\r\n]"
# Characters that are two units each.
_TWO_UNITS = r"[\x{10000}-\x{10FFFF}]"


def has_commands(text: str) -> str:
    """Return SQL for whether a text is not shown as it is."""
    return f"regexp_matches({text}, '{_COMMANDS}')"


def shown(text: str) -> str:
    """Return SQL for a text whose commands are seen and not obeyed."""
    code = "ord(character)"
    high, low = f"55296 + (({code} - 65536) >> 10)", f"56320 + ({code} & 1023)"
    escaped = rf"""
        case
            when not {has_commands("character")} then character
            when {code} < 65536 then format('\u{{:04x}}', {code})
            else format('\u{{:04x}}\u{{:04x}}', {high}, {low})
        end"""
    characters = f"regexp_extract_all({text}, '(?s).')"
    # Few texts need it, and one look is cheap.
    return (
        f"case when {has_commands(text)} then array_to_string("
        f"list_transform({characters}, lambda character: {escaped}), '')"
        f" else {text} end"
    )


def without_formula(text: str) -> str:
    """Return SQL for a text with an apostrophe before whatever would be a formula."""
    marked = rf"regexp_replace({text}, '{_FORMULA}', '\1''\2', 'g')"
    begins = rf"case when regexp_matches({text}, '^[\t\r\n]') then '''' else '' end"
    return (
        f"case when regexp_matches({text}, '{_MAY_BE_FORMULA}')"
        f" then {begins} || {marked} else {text} end"
    )


def is_cut(text: str) -> str:
    """Return SQL for whether a text is longer than a cell may be."""
    return f"(length({text}) > {MOST_UNITS // 2} and {_units(text)} > {MOST_UNITS})"


def cut(text: str) -> str:
    """Return SQL for a text that is no longer than a cell may be.

    One with characters of two units may become shorter than need be, by half at most.
    """
    most = MOST_UNITS - len(CUT)
    start = f"left({text}, {most})"
    # As many characters fewer as have two units: that fits, and so does the half.
    two_units = f"({_units(start)} - length({start}))"
    fitting = f"left({text}, greatest({most} - {two_units}, {most // 2}))"
    return f"case when {is_cut(text)} then {fitting} || '{CUT}' else {text} end"


def _units(text: str) -> str:
    return f"(length({text}) + len(regexp_extract_all({text}, '{_TWO_UNITS}')))"
