"""Lists of patients that one member of staff keeps: one that everybody has, and others by name.

Names are sealed in the database; who the patients are is shown only by reading the record, with its trace.
"""

from dataclasses import dataclass

from continuum.access import Access
from continuum.chart.entry import N_
from continuum.chart.limits import LIST_MAX, LIST_NAME_MAX_CHARS, LISTS_MAX
from continuum.identity.resealing import Sealed
from continuum.identity.vault import Vault
from continuum.kernel.errors import Invalid, NotFound, TooLarge
from continuum.kernel.ids import uuid7

MANY = N_("There are as many lists as there may be. Please delete one of them first.")
FULL = N_("A list is full. Please take somebody off it first.")
NAMELESS = N_("A list needs a name, and not a long one.")
TAKEN = N_("You have a list of this name already.")
USUAL = ""
"""The id of the list that everybody has; it has no name of its own."""

SEALED = Sealed("chart.list", "sealed", ("list_id",), "list")
"""Where names of lists lie, for when their key is replaced."""


@dataclass(frozen=True, slots=True)
class PatientList:
    """One list. name: "" for the usual one. patient_ids: the latest first."""

    list_id: str
    name: str
    patient_ids: tuple[str, ...]


class Lists:
    """The lists of one account."""

    def __init__(self, access: Access, vault: Vault, account_id: str) -> None:
        self._access, self._vault, self._account = access, vault, account_id

    async def all(self) -> tuple[PatientList, ...]:
        """The usual one first, then the others as they were made."""
        async with self._access.connect() as conn:
            named = await conn.fetch(
                "SELECT list_id, sealed FROM chart.list WHERE account_id = $1 ORDER BY made_us, list_id LIMIT $2",
                self._account, LISTS_MAX,
            )  # fmt: skip
            rows = await conn.fetch(
                "SELECT list_id, patient_id FROM chart.listed WHERE account_id = $1 ORDER BY added_us DESC, patient_id"
                " LIMIT $2",
                self._account, LIST_MAX * (LISTS_MAX + 1),
            )  # fmt: skip
        by_list: dict[str, list[str]] = {}
        for row in rows:
            by_list.setdefault(row["list_id"], []).append(row["patient_id"])
        known = [(USUAL, "")] + [
            (one["list_id"], self._vault.unseal(one["sealed"], _row(one["list_id"])).decode()) for one in named
        ]
        return tuple(PatientList(key, name, tuple(by_list.get(key, ())[:LIST_MAX])) for key, name in known)

    async def make(self, name: str) -> str:
        """A new list; its id.

        Raises:
            Invalid: the name is empty, too long or taken.
            TooLarge: there are as many lists as there may be.
        """
        known = await self.all()
        clean = _clean(name, known)
        if len(known) > LISTS_MAX:
            raise TooLarge(MANY)
        list_id = uuid7()
        async with self._access.connect() as conn:
            await conn.fetch(
                "INSERT INTO chart.list VALUES ($1, $2, $3, $4)",
                list_id, self._account, self._vault.seal(clean.encode(), _row(list_id)), self._access.clock(),
            )  # fmt: skip
        return list_id

    async def rename(self, list_id: str, name: str) -> None:
        """Another name for a list. Raises Invalid, and NotFound for one that is not theirs."""
        known = await self.all()
        _find(list_id, known)
        clean = _clean(name, [one for one in known if one.list_id != list_id])
        async with self._access.connect() as conn:
            await conn.fetch(
                "UPDATE chart.list SET sealed = $3 WHERE list_id = $1 AND account_id = $2",
                list_id, self._account, self._vault.seal(clean.encode(), _row(list_id)),
            )  # fmt: skip

    async def delete(self, list_id: str) -> None:
        """Deletes a list, not its patients' records. Raises NotFound."""
        _find(list_id, await self.all())
        async with self._access.connect() as conn, conn.transaction():
            await conn.fetch("DELETE FROM chart.listed WHERE list_id = $1 AND account_id = $2", list_id, self._account)
            await conn.fetch("DELETE FROM chart.list WHERE list_id = $1 AND account_id = $2", list_id, self._account)

    async def put(self, list_id: str, patient_id: str, *, on: bool) -> None:
        """Puts a patient on a list or takes them off it. Raises NotFound, and TooLarge for a list that is full."""
        known = await self.all()
        found = next((one for one in known if one.list_id == list_id), None)
        if found is None:
            raise NotFound("There is no such list.")
        if on and patient_id not in found.patient_ids and len(found.patient_ids) >= LIST_MAX:
            raise TooLarge(FULL)
        async with self._access.connect() as conn:
            if on:
                await conn.fetch(
                    "INSERT INTO chart.listed (account_id, patient_id, added_us, list_id) VALUES ($1, $2, $3, $4)"
                    " ON CONFLICT DO NOTHING",
                    self._account, patient_id, self._access.clock(), list_id,
                )  # fmt: skip
            else:
                await conn.fetch(
                    "DELETE FROM chart.listed WHERE account_id = $1 AND list_id = $2 AND patient_id = $3",
                    self._account, list_id, patient_id,
                )  # fmt: skip


def _row(list_id: str) -> str:
    return SEALED.row((list_id,))


def _find(list_id: str, known: tuple[PatientList, ...]) -> PatientList:
    found = next((one for one in known if one.list_id == list_id and one.list_id != USUAL), None)
    if found is None:
        raise NotFound("There is no such list.")
    return found


def _clean(name: str, known: "tuple[PatientList, ...] | list[PatientList]") -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > LIST_NAME_MAX_CHARS:
        raise Invalid(NAMELESS)
    if any(one.name.casefold() == clean.casefold() for one in known):
        raise Invalid(TAKEN)
    return clean
