"""A run as its page describes it: texts and defaults of its settings, edges of its space."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from darts_tf.settings import Settings, flag_lines, setting_fields
from darts_tf.spaces.space import Edge, Space


class SettingText(NamedTuple):
    """The text of a setting, and its default as text."""

    text: str
    default: str


@dataclass(frozen=True)
class Wiring:
    """The edges of the cells of a search, with what each can become.

    Attributes:
        inputs: Number of input nodes of a cell.
        edges: The edges of each cell, in the order of its table's rows.
    """

    inputs: int
    edges: Mapping[str, tuple[Edge, ...]]

    @classmethod
    def of(cls, space: Space) -> Self:
        """Returns the wiring of a search space."""
        return cls(space.inputs, {cell: tuple(space.edges(cell)) for cell in space.cells})


@dataclass(frozen=True)
class Description:
    """The settings and the search space of a run, as its page describes them.

    It is saved with the run, so that the page can be made without the plugs of the run: neither the
    library's, some of which need TensorFlow, nor a user's own.

    Attributes:
        settings: By name, with the prefix of a plug's.
        wiring: The edges of a search's space; None for any other run.
        reads: What genotypes of a search are read from, and what its criterion reads, in words.
    """

    settings: Mapping[str, SettingText]
    wiring: Wiring | None = None
    reads: str = ""

    @classmethod
    def of(
        cls,
        settings: Iterable[tuple[Settings, str]],
        space: Space | None = None,
        reads: str = "",
        decided: Mapping[str, Any] | None = None,
    ) -> Self:
        """Describes the settings of a run.

        Args:
            settings: Those of the program and of its plugs, each with the prefix of its flags.
            space: The space of a search.
            reads: What its genotypes are read from, and what its criterion reads, in words.
            decided: The defaults of settings that the data set decides, by name.

        Returns:
            The description; settings that are not recorded are left out.

        Example:

            >>> from darts_tf.config import SearchConfig
            >>> Description.of([(SearchConfig(epochs=3), "")]).settings["epochs"].default
            '60'
        """
        texts: dict[str, SettingText] = {}
        for each, prefix in settings:
            fields = setting_fields(each)
            values = {field.name: field.default for field in fields}
            if not prefix:
                values |= decided or {}
            default = dataclasses.replace(each, **values)
            lines = (line.removeprefix("--") for line in flag_lines(default, prefix))
            defaults = dict(line.split("=", 1) for line in lines)
            texts |= {
                name: SettingText(field.metadata["text"], defaults[name])
                for field in fields
                if (name := f"{prefix}{field.name}") in defaults
            }
        return cls(texts, None if space is None else Wiring.of(space), reads)

    def to_dict(self) -> dict[str, Any]:
        """Returns a JSON object."""
        content: dict[str, Any] = {
            "settings": {name: each._asdict() for name, each in self.settings.items()}
        }
        if self.reads:
            content["reads"] = self.reads
        if self.wiring is not None:
            content["space"] = {
                "inputs": self.wiring.inputs,
                "cells": {
                    cell: [[edge.source, edge.target, list(edge.candidates)] for edge in edges]
                    for cell, edges in self.wiring.edges.items()
                },
            }
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Makes a description from what `to_dict` returned.

        Args:
            content: The JSON object.

        Raises:
            LookupError, TypeError, ValueError or AttributeError: If it is of another form.
        """
        settings = {
            name: SettingText(str(each["text"]), str(each["default"]))
            for name, each in content["settings"].items()
        }
        reads = str(content.get("reads", ""))
        if "space" not in content:
            return cls(settings, reads=reads)
        edges = {
            cell: tuple(
                Edge(int(source), int(target), tuple(map(str, candidates)))
                for source, target, candidates in rows
            )
            for cell, rows in content["space"]["cells"].items()
        }
        return cls(settings, Wiring(int(content["space"]["inputs"]), edges), reads)
