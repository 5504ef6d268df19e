"""A frozen value with named, typed fields: what ``dataclass(frozen=True, slots=True)`` gives, without its import.

The rule of this file: to a type checker ``record`` *is* that dataclass; at run time it is these few lines, because
importing :mod:`dataclasses` costs 11 ms (it pulls in :mod:`inspect`), a third of a whole ``cnet join``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass
    from typing import Any, TypeVar, dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True)
    def record(cls: type[T]) -> type[T]:
        """Make ``cls`` a frozen value: compared, hashed and printed by its fields."""
        return dataclass(frozen=True, slots=True)(cls)

else:
    from _operator import attrgetter

    def record(cls):
        """Make ``cls`` a frozen value: compared, hashed and printed by its fields."""
        names = tuple(cls.__dict__.get("__annotations__", {}))  # noqa: RUF063 - inspect costs 9 ms
        defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
        kept = {k: v for k, v in cls.__dict__.items() if k not in names and k not in ("__dict__", "__weakref__")}
        setters = []
        body = {"__init__": _init(names, defaults, setters), **_compared(names), **kept}
        body.update(__slots__=names, _fields=names, __match_args__=names, __qualname__=cls.__qualname__)
        made = type(cls)(cls.__name__, (_Record, *(base for base in cls.__bases__ if base is not object)), body)
        setters += [made.__dict__[name].__set__ for name in names]  # the slots' own: twice as fast as object's
        return made

    def _init(names, defaults, setters):
        required = len(names) - len(defaults)
        tail = tuple(defaults.values())

        def __init__(self, *args, **kwargs):
            if len(args) != len(names) or kwargs:
                args = _bind(names, required, defaults, tail, args, kwargs)
            for put, value in zip(setters, args):  # noqa: B905 - as many as there are names
                put(self, value)

        return __init__

    def _compared(names):
        """Return the methods that look at all fields, by a getter in C: the diff of 10,000 ports lives on these."""
        values = attrgetter(*names) if len(names) > 1 else lambda self: tuple([getattr(self, n) for n in names])
        return {
            "__eq__": lambda a, b: a is b or (type(a) is type(b) and values(a) == values(b)),
            "__hash__": lambda self: hash(values(self)),
        }

    def _bind(names, required, defaults, tail, args, kwargs):
        if not kwargs and required <= len(args) <= len(names):
            return args + tail[len(args) - required :]
        given = dict(zip(names, args, strict=False), **kwargs)
        if len(args) > len(names) or len(given) != len(args) + len(kwargs) or not given.keys() <= set(names):
            raise TypeError(f"fields are {', '.join(names)}; got {args!r} and {kwargs!r}")
        try:
            return tuple(given[n] if n in given else defaults[n] for n in names)
        except KeyError as missing:
            raise TypeError(f"field {missing} is not given") from None

    _set = object.__setattr__

    def _refuse(self, name, value=None):  # noqa: ARG001
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be set")

    class _Record:
        """What all records have in common: made once, not with each of the 50 classes that a join loads."""

        __slots__ = ()
        __setattr__ = __delattr__ = _refuse

        def __repr__(self):
            return f"{type(self).__qualname__}({', '.join(f'{n}={getattr(self, n)!r}' for n in self._fields)})"

        def __getstate__(self):
            return tuple(getattr(self, name) for name in self._fields)

        def __setstate__(self, state):
            for name, value in zip(self._fields, state, strict=True):
                _set(self, name, value)


def fields(value: object) -> tuple[str, ...]:
    """Return the names of the fields of a record (an instance or its class), in order."""
    names: tuple[str, ...] = tuple(value.__slots__)  # type: ignore[attr-defined]
    return names


def replace(value: T, /, **changes: Any) -> T:
    """Return a copy of a record with some fields changed."""
    return type(value)(**{**{name: getattr(value, name) for name in fields(value)}, **changes})


def plain(value: object) -> object:
    """Return a record as dicts, lists, strings and numbers, ready for JSON."""
    if hasattr(value, "__slots__") and not isinstance(value, str | int):
        return {name: plain(getattr(value, name)) for name in fields(value)}
    if isinstance(value, tuple | list | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
