"""Nothing that is printed, raised or stored by the way shows a key, a value of a register, or whose record a row is.

The static half looks at every dataclass of the package, so that a new one cannot forget the rule; the other half runs a
release and a trace and searches what came of it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import ModuleType

import muniment

BULK = re.compile(r"NDArray|ndarray|\bTable\b|\bCells\b|\bbytes\b|\bReadings\b|Hashes|Numbers")
"""Annotations of fields that hold arrays, cells or raw bytes: no generated repr may print one."""
HARMLESS = {
    # Digests, magic bytes and salts: public by construction.
    ("PassphraseLock", "salt"),
}


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(muniment.__path__, "muniment."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def dataclasses_of_the_package() -> dict[str, type]:
    return {
        f"{value.__module__}.{value.__qualname__}": value
        for module in modules()
        for value in vars(module).values()
        if inspect.isclass(value) and is_dataclass(value) and value.__module__.startswith("muniment.")
    }


def prints_its_fields(cls: type) -> bool:
    """Whether the repr is the generated one."""
    return getattr(cls.__repr__, "__wrapped__", None) is not None and "__repr__" in vars(cls)


def test_no_generated_repr_prints_arrays_cells_or_bytes() -> None:
    found = dataclasses_of_the_package()
    assert len(found) > 60
    loud = [
        f"{name}.{field.name}: {field.type}"
        for name, cls in sorted(found.items())
        if prints_its_fields(cls)
        for field in fields(cls)
        if field.repr and BULK.search(str(field.type)) and (cls.__name__, field.name) not in HARMLESS
    ]
    assert not loud, "\n".join(loud)
