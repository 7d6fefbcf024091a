"""Stands in the way of a package of this name, in the servers that tests start.

jsonschema imports it where it is installed, to check internationalised addresses, which nothing in
a Jupyter server asks it to. The import builds a parser for two thirds of the server's start.
"""

raise ImportError("It is left out: see tests/support/left_out.")
