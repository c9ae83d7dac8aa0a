"""The recipe of the embedded translation model: from a public base to the files that ship.

Nothing of this package is imported by the service. README.md says how to run it.
"""
