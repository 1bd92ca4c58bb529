"""YAML text → PyYAML's nodes, read by libyaml where that gives the same nodes, ten times faster.

libyaml and PyYAML's own scanner differ in corners: tabs, tags, `?`, characters that are no text, the line of a value
that is missing at the end, the words of errors. So PyYAML's own reads whatever could be such a corner, whatever libyaml
refuses (its error is the one to show), and everything where PyYAML was built without libyaml. Nodes are composed by
PyYAML's own code in both cases: libyaml's composer ends the process where a text is nested deeply enough.
"""

from __future__ import annotations

import re

import yaml
from yaml.composer import Composer
from yaml.resolver import Resolver

try:
    from yaml._yaml import CParser
except ImportError:
    CParser = None  # type: ignore[assignment, misc]

# Each alternative is a corner that comparing two million texts found, taken wider than it is: in a comment or in quotes
# it costs time only. tests/unit/environment/test_nodes.py goes on comparing.
_CORNER = re.compile(
    r"(?:^|[\s\[{,]|[\"'\]}]:)(?:[!%&*]|[|>](?![+-]?\n))"  # tags, directives, anchors, aliases, odd headers of blocks
    r"|^(?:---|\.\.\.)"  # ends of documents
    r"|\?"
    r"|:\s*[}\],]"  # no value, and then perhaps a line end
    r"|[^\n]\Z"  # no line end at the end
    r"|[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]",
    re.MULTILINE,
)


def compose(text: str) -> list[yaml.Node]:
    """The documents of a YAML text.

    A plain scalar's `style` is None or empty, depending on who read it.

    Raises:
        yaml.YAMLError: It is no YAML.
        RecursionError: It is nested too deeply.
    """
    if CParser is not None and _CORNER.search(text) is None:
        try:
            return _documents(_Composer(text))
        except yaml.YAMLError:
            pass  # PyYAML's own says it in its words, or takes it
    return list(yaml.compose_all(text, Loader=yaml.SafeLoader))


def _documents(loader: _Composer) -> list[yaml.Node]:
    documents = []
    while loader.check_node():
        node = loader.get_node()
        assert node is not None
        documents.append(node)
    return documents


if CParser is not None:

    class _Composer(Composer, CParser, Resolver):
        """PyYAML's composer and resolver on libyaml's events."""

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            Resolver.__init__(self)
