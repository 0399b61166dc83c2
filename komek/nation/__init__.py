"""The demo nation: all fifteen registries of a made-up country like Kazakhstan in 2020.

No row is of a real person. Figures come from `data/marginals`, each with its source;
the SQL files beside this module turn them into people, families, awards and cases, and
`snapshots/<entity>.sql` says what a registry exports on a date. Every draw is a hash of
who, what for and seed, so the same call writes the same bytes.
"""

from komek.nation.write import write_nation

__all__ = ["write_nation"]
