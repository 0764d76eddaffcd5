"""What handlers say of themselves: that their forms have files, that pages ask them without anybody there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

H = TypeVar("H", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Files:
    """What files a page takes. most: how many. total_bytes: all of them together."""

    most: int
    total_bytes: int


FILES_MARK = "takes_files"


def takes_files(most: int, total_bytes: int) -> Callable[[H], H]:
    """Marks a handler whose forms have files."""

    def mark(handler: H) -> H:
        setattr(handler, FILES_MARK, Files(most, total_bytes))
        return handler

    return mark


UNATTENDED_MARK = "unattended"


def unattended(handler: H) -> H:
    """Marks a handler that pages ask by themselves, such as to keep a draft: it is no sign that anybody is there."""
    setattr(handler, UNATTENDED_MARK, True)
    return handler
