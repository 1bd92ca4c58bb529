"""What the settings of several components, and of an environment itself, are made of.

In: a value of environment.yaml. Out: the value, or a ValueError with one sentence that says what is accepted; pydantic
adds the place. One file for each kind of value, named by the AWS service where it belongs to one. Whatever only one
component needs stays in that component's file. Pure, and imports no component.
"""
