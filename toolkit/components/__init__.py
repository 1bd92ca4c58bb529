"""The baseline's components, one file each.

`registry` lists them explicitly: its order is the order of everything shown, and the type checker follows it.
"""
