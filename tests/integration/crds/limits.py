"""From a schema and an object that it accepts: objects that break one limit each."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = Any


@dataclass(frozen=True)
class Broken:
    """An object with one value that is not allowed, and where the API server must say so."""

    limit: str
    path: str
    object: Json


class Breaker:
    def __init__(self, whole: Json) -> None:
        self.whole = whole
        self.steps: list[str | int] = ["spec"]

    def path(self) -> str:
        text = ""
        for step in self.steps:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text

    def with_value(self, limit: str, value: Json) -> Broken:
        changed = copy.deepcopy(self.whole)
        here = changed
        for step in self.steps[:-1]:
            here = here[step]
        here[self.steps[-1]] = value
        return Broken(limit, self.path(), changed)

    def walk(self, schema: Json, value: Json) -> Iterator[Broken]:
        yield self.with_value("type", 7 if schema["type"] in ("string", "array", "object", "boolean") else "seven")
        match schema["type"]:
            case "string":
                yield from self.strings(schema, value)
            case "integer":
                if "minimum" in schema:
                    yield self.with_value("minimum", schema["minimum"] - 1)
                if "maximum" in schema:
                    yield self.with_value("maximum", schema["maximum"] + 1)
            case "array":
                yield from self.arrays(schema, value)
            case "object":
                yield from self.objects(schema, value)

    def strings(self, schema: Json, value: str) -> Iterator[Broken]:
        if "enum" in schema:
            yield self.with_value("enum", "NoSuchValue")
        if "pattern" in schema:
            candidates = [c for c in ("A b", "no?", "-", "1x", "x" * 3) if not re.search(schema["pattern"], c)]
            yield self.with_value("pattern", candidates[0])
        if schema.get("minLength", 0) > 0:
            yield self.with_value("minLength", "")
        if "maxLength" in schema:
            yield self.with_value("maxLength", value + "a" * (schema["maxLength"] + 1 - len(value)))
        if "format" in schema:
            yield self.with_value("format", "tomorrow")

    def arrays(self, schema: Json, value: list[Json]) -> Iterator[Broken]:
        if schema.get("minItems", 0) > 0:
            yield self.with_value("minItems", [])
        many = [copy.deepcopy(value[0]) for _ in range(schema["maxItems"] + 1)]
        for number, item in enumerate(many):
            if isinstance(item, dict) and "name" in item:
                item["name"] = f"item-{number}"
        yield self.with_value("maxItems", many)
        for number, item in enumerate(value):
            self.steps.append(number)
            yield from self.walk(schema["items"], item)
            self.steps.pop()

    def objects(self, schema: Json, value: dict[str, Json]) -> Iterator[Broken]:
        if "additionalProperties" in schema:
            yield self.with_value("maxProperties", {f"key-{n}": "v" for n in range(schema["maxProperties"] + 1)})
        else:
            yield self.with_value("unknown field", {**value, "noSuchField": 1})
        for name in schema.get("required", []):
            without = self.with_value("required", {k: v for k, v in value.items() if k != name})
            yield Broken("required", f"{without.path}.{name}", without.object)
        for name, member in value.items():
            self.steps.append(name)
            yield from self.walk(schema["additionalProperties"] if "additionalProperties" in schema else schema["properties"][name], member)
            self.steps.pop()


def broken_objects(crd: Json, accepted: Json) -> Iterator[Broken]:
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    whole = {k: v for k, v in accepted.items() if k != "status"}
    yield from Breaker(whole).walk(schema, whole["spec"])
