"""Which numbers a pagination shows: the ends, the present page, its neighbours, and gaps between."""

from continuum.ui.limits import (
    PAGE_LINKS_MAX,
)

GAP = 0
"""Stands where pages are left out."""


def links(page: int, pages: int) -> list[int]:
    """Page numbers from 1, `GAP` for those left out; never more than `PAGE_LINKS_MAX`.

    Raises:
        ValueError: there is no such page.
    """
    if not 1 <= page <= pages:
        raise ValueError(f"There is no page {page} of {pages}.")
    if pages <= PAGE_LINKS_MAX:
        return list(range(1, pages + 1))
    if page <= 4:
        return [1, 2, 3, 4, 5, GAP, pages]
    if page > pages - 4:
        return [1, GAP, *range(pages - 4, pages + 1)]
    return [1, GAP, page - 1, page, page + 1, GAP, pages]
