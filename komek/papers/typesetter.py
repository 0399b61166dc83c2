"""Sets one PDF, in a process of its own: what typst keeps in memory ends with it.

Run by `pages` as a script. Standard input is a JSON object of the template and of the
texts it reads; standard output is the PDF.
"""

import json
import sys

import typst


def main() -> None:
    """Read the template and its texts, write the PDF."""
    given = json.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(
        typst.compile(
            given["template"].encode(),
            sys_inputs=given["texts"],
            # Nor any font of the machine: everywhere the same pages.
            ignore_system_fonts=True,
            format="pdf",
        )
    )


if __name__ == "__main__":
    main()
