"""The IAM policies that who plans or applies an environment needs, and nothing more.

In: an environment. Out: policy documents within IAM's sizes, each with the principal that it is for. Pure: the actions
are those of the types' records and of what was recorded (`toolkit.resources.recorded`); the resources are the names
that the environment gives (`names`), those of its state, and everything of a kind where AWS gives ids.
"""
