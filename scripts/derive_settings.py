"""Derives which setting of environment.yaml decides an attribute of a resource: toolkit/plan/settings.json.

In: the HCL of modules/ and the templates' module calls. Out: component → address in it (without instance keys) →
attribute (without indices) → settings. Follows references from an attribute through locals, `for_each` and arguments of
nested modules to variables, which are named like settings. Run by `make docs`; `--check` only compares.

It reads HCL as far as references need it, no more: blocks, attributes, and the names that expressions have in them.
Whatever it does not understand has no setting, so a finding then names none rather than a wrong one.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from toolkit.components.base import Component
from toolkit.components.registry import REGISTRY

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "toolkit" / "plan" / "settings.json"
_MANY = 3
"""More settings than these decide nothing that somebody could set to what it was."""

_PART = re.compile(r'"(?:[^"\\]|\\.)*"|#[^\n]*|//[^\n]*|/\*.*?\*/|[{}\[\]()]|\n|[^\s{}\[\]()"#/]+|[ \t]+|/', re.DOTALL)
_REFERENCE = re.compile(r"(?<![\w.\"])(?:var|local|each|module|data|aws_[a-z0-9_]+|[a-z_]+)(?:\.[\w]+|\[[^\]]*\])+")

Path_ = tuple[str, ...]


@dataclass
class Block:
    """A block of HCL."""

    kind: str
    labels: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def named(self, kind: str) -> Iterator[tuple[Block, Block | None]]:
        """(block, the dynamic block that makes it)."""
        for block in self.blocks:
            if block.kind == kind:
                yield block, None
            elif block.kind == "dynamic" and block.labels == (kind,):
                yield from ((content, block) for content in block.blocks if content.kind == "content")


def parse(text: str) -> Block:
    """The blocks of a file."""
    parts = [t for t in _PART.findall(text) if not t.startswith(("#", "//", "/*"))]
    root = Block("", ())
    _body(parts, 0, root)
    return root


def _body(parts: list[str], at: int, into: Block) -> int:
    words: list[str] = []
    while at < len(parts):
        part = parts[at]
        if part == "}":
            return at + 1
        if part == "{":
            block = Block(words[0], tuple(w.strip('"') for w in words[1:]))
            at = _body(parts, at + 1, block)
            into.blocks.append(block)
            words = []
        elif part == "=" and len(words) == 1:
            at, into.attributes[words[0]] = _expression(parts, at + 1)
            words = []
        else:
            if part.strip():
                words.append(part)
            at += 1
    return at


def _expression(parts: list[str], at: int) -> tuple[int, str]:
    depth, text = 0, []
    while at < len(parts):
        part = parts[at]
        if depth == 0 and part in ("\n", "}"):
            break
        depth += (part in "{[(") - (part in "}])")
        text.append(" " if part == "\n" else part)
        at += 1
    return at, "".join(text).strip()


def references(expression: str) -> Iterator[str]:
    """Names in an expression, also within templates; text of strings is none."""

    def inside(match: re.Match[str]) -> str:
        # Of a string only what is in ${…}.
        return " ".join(re.findall(r"(?<!\$)\$\{(.*?)\}", match.group()))

    plain = re.sub(r'"(?:[^"\\$]|\\.|\$(?!\{)|\$\$\{|\$\{[^}]*\})*"', inside, expression)
    yield from (m.group() for m in _REFERENCE.finditer(plain))


class Module:
    """One folder of modules/, and how it is called."""

    def __init__(self, folder: Path, caller: tuple[Module, Block] | None = None) -> None:
        self.folder, self.caller = folder, caller
        self.root = Block("", ())
        for file in sorted(folder.glob("*.tf")):
            parsed = parse(file.read_text("utf-8"))
            self.root.blocks += parsed.blocks
        self.locals = {n: e for b in self.root.blocks if b.kind == "locals" for n, e in b.attributes.items()}
        self.resources = {b.labels: b for b in self.root.blocks if b.kind == "resource"}
        self.data = {b.labels: b for b in self.root.blocks if b.kind == "data"}

    def nested(self) -> Iterator[tuple[str, Module]]:
        """Label and module of each call."""
        for block in self.root.blocks:
            source = block.attributes.get("source", "").strip('"')
            if block.kind == "module" and source.startswith("."):
                yield block.labels[0], Module((self.folder / source).resolve(), (self, block))

    def variables(self, expression: str, scope: tuple[Block, ...], seen: frozenset[str] = frozenset()) -> set[Path_]:
        """Variables of the outermost module that an expression takes its value from."""
        found: set[Path_] = set()
        for reference in references(expression):
            if reference not in seen:
                found |= self._resolved(reference, scope, seen | {reference})
        return found

    def _resolved(self, reference: str, scope: tuple[Block, ...], seen: frozenset[str]) -> set[Path_]:
        steps = [s.strip('[]"') for s in re.findall(r"\w+|\[[^\]]*\]", reference)]
        head, rest = steps[0], tuple(s for s in steps[1:] if re.fullmatch(r"[a-z_][a-z0-9_]*", s))
        if head == "var" and rest:
            if self.caller is None:
                return {rest}
            outer, call = self.caller
            argument = call.attributes.get(rest[0])
            # The caller's names are others, though they may read the same (`name = var.name`).
            return set() if argument is None else {(*p, *rest[1:]) for p in outer.variables(argument, (call,))}
        if head == "local" and rest and rest[0] in self.locals:
            # What is picked out of a map of settings is still there under its own name.
            return {(*p, *rest[1:]) for p in self.variables(self.locals[rest[0]], scope, seen)}
        if head in ("each", *(b.labels[0] for b in scope if b.kind == "dynamic")):
            block = next((b for b in reversed(scope) if (b.labels[:1] == (head,)) or head == "each"), None)
            source = next((b for b in scope if "for_each" in b.attributes and b.kind != "dynamic"), None)
            source = source if head == "each" else block
            over = self.variables(self._for_each(source, rest), scope, seen) if source is not None else set()
            return {(*p, "*", *(rest[1:] if rest[:1] == ("value",) else ())) for p in over}
        if head == "data" and len(rest) > 1:
            block = self.data.get((rest[0], rest[1]))
            return (
                self._statements(block, seen) if block is not None and rest[0] == "aws_iam_policy_document" else set()
            )
        if (head, *rest[:1]) in self.resources and len(rest) > 1:
            block = self.resources[(head, rest[0])]
            inner = block.attributes.get(rest[1])
            return self.variables(inner, (block,), seen) if inner is not None else set()
        return set()

    def _for_each(self, block: Block, rest: Path_) -> str:
        """What there is one for each of; one for each of another resource has that one's keys."""
        found = block.attributes["for_each"]
        while rest[:1] == ("key",) and (other := self.resources.get(tuple(found.split(".")))) is not None:
            found = other.attributes.get("for_each", "")
        return found

    def _statements(self, block: Block, seen: frozenset[str]) -> set[Path_]:
        """Settings that hold statements as they are; who only turns one on or off cannot say what a text was."""
        found: set[Path_] = set()
        for content, dynamic in block.named("statement"):
            if dynamic is not None and "statement.value" in content.attributes.get("actions", ""):
                found |= self.variables(dynamic.attributes["for_each"], (block,), seen)
        return found

    def attributes(self) -> Iterator[tuple[str, str, set[Path_]]]:
        """(resource, attribute, variables), those of nested modules too."""
        for labels, block in self.resources.items():
            for attribute, found in self._attributes(block, (block,), ""):
                yield ".".join(labels), attribute, found
        for label, module in self.nested():
            for address, attribute, found in module.attributes():
                yield f"module.{label}.{address}", attribute, found

    def _attributes(self, block: Block, scope: tuple[Block, ...], path: str) -> Iterator[tuple[str, set[Path_]]]:
        for name, expression in block.attributes.items():
            if name not in ("for_each", "count", "depends_on", "provider"):
                yield f"{path}{name}", self.variables(expression, scope)
                if expression.startswith("{"):
                    for key, value in parse(expression[1:-1].replace(",", "\n")).attributes.items():
                        yield f"{path}{name}.{key}", self.variables(value, scope)
        for inner in block.blocks:
            if inner.kind == "dynamic":
                for content in inner.blocks:
                    # Also whether there is such a block at all.
                    yield f"{path}{inner.labels[0]}", self.variables(inner.attributes.get("for_each", ""), scope)
                    yield from self._attributes(content, (*scope, inner), f"{path}{inner.labels[0]}.")
            elif inner.kind != "lifecycle":
                yield from self._attributes(inner, scope, f"{path}{inner.kind}.")


def renamed(component: Component) -> dict[str, Path_]:
    """Variables to which the component's template gives a setting of another name."""
    text = (ROOT / "templates" / "components" / f"{component.name}.tf.j2").read_text("utf-8")
    pairs = re.findall(r"^\s*(\w+)=settings\.([\w.]+?)(?:,|\)| or |$)", text, re.MULTILINE)
    pairs += re.findall(r"dict\((\w+)=settings\.([\w.]+?)\)", text)
    return {name: tuple(path.split(".")) for name, path in pairs if not path.endswith((".items", ".values"))}


def setting(component: Component, variable: Path_) -> Path_ | None:
    """A variable as a path below the component's block; as far as there are settings of these names."""
    path = (*renamed(component).get(variable[0], variable[:1]), *variable[1:])
    found: list[str] = []
    model: Any = component.settings
    for step in path:
        kinds = _models(model)
        fields = [m.model_fields[step].annotation for m in kinds if step in m.model_fields]
        if fields:
            found.append(step)
            model = fields[0]
        elif found and step == "*" and "dict" in str(model).lower():
            found.append("*")
            model = _values(model)
        elif found and step == "*" and _is_one(model):
            # A `for_each` over the one object that is set, or over nothing where it is not.
            continue
        else:
            break
    return tuple(found) or None


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if _origin(annotation) is dict:
        return []
    return [m for a in getattr(annotation, "__args__", ()) for m in _models(a)]


def _is_one(annotation: Any) -> bool:
    """Whether a setting is one object, which may be missing, and no list of them."""
    kinds = [a for a in getattr(annotation, "__args__", (annotation,)) if a is not type(None)]
    return bool(kinds) and all(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)


def _origin(annotation: Any) -> Any:
    return getattr(annotation, "__origin__", None)


def _values(annotation: Any) -> Any:
    if _origin(annotation) is dict:
        return annotation.__args__[1]
    return next((v for a in getattr(annotation, "__args__", ()) if (v := _values(a)) is not None), None)


def derive() -> dict[str, dict[str, dict[str, list[str]]]]:
    """The table."""
    table: dict[str, dict[str, dict[str, list[str]]]] = {}
    for component in REGISTRY.values():
        root = ROOT / "modules" / component.name
        folders = [root, *(f for f in sorted(root.iterdir()) if f.is_dir() and f.name != "tests")]
        for folder in folders:
            prefix = "" if folder == root else f"{folder.name}:"
            for address, attribute, variables in Module(folder).attributes():
                settings = _shortest(s for v in variables if (s := setting(component, v)))
                if settings and len(settings) <= _MANY:
                    table.setdefault(component.name, {}).setdefault(prefix + address, {})[attribute] = settings
    return table


def _shortest(paths: Iterable[Path_]) -> list[str]:
    """Sorted, without those that only begin another."""
    every = set(paths)
    return sorted(".".join(p) for p in every if not any(o != p and o[: len(p)] == p for o in every))


def main() -> int:
    """Write the table; with --check, compare."""
    text = json.dumps(derive(), indent=1, sort_keys=True) + "\n"
    if "--check" in sys.argv[1:]:
        if TARGET.read_text("utf-8") != text:
            sys.stderr.write(f"{TARGET.relative_to(ROOT)} is not what modules/ and templates/ give: run `make docs`\n")
            return 1
        return 0
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
