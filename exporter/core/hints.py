"""Type hints opened: the type itself, its marks, and whether it may be None."""

from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin


def opened(hint: Any) -> tuple[Any, tuple[object, ...], bool]:
    """A type hint without `Annotated` and `| None`: the type, its marks, whether it may be None."""
    marks: tuple[object, ...] = ()
    optional = False
    while True:
        if get_origin(hint) is Annotated:
            hint, *more = get_args(hint)
            marks = (*marks, *more)
        elif get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint):
            hint = Union[tuple(each for each in get_args(hint) if each is not NoneType)]  # noqa: UP007  # made, not written
            optional = True
        else:
            return hint, marks, optional
