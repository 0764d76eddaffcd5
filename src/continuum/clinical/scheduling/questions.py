"""Questions before a visit: a FHIR Questionnaire with its conditions, asked and checked here. Pure.

R4 Questionnaire: groups, displays and the plain types of questions; `enableWhen` with all its operators and both
behaviours; `required`, `repeats`, `maxLength`. A question that is not asked has no answer, whatever was typed before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from continuum.chart.entry import N_
from continuum.clinical.scheduling.limits import ANSWER_MAX_CHARS, QUESTIONS_MAX
from continuum.ui.people import Problem

Json = dict[str, Any]
Fields = Mapping[str, Sequence[str]]
"""What was typed, by linkId; several values of a question that repeats."""
ASKED = frozenset({"boolean", "choice", "date", "decimal", "integer", "string", "text"})
"""The types of questions that are asked; one of another type is shown as words."""
APPOINTMENT = "https://continuum.example/fhir/identifier/answers-for-appointment"


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers to choose from. key: as the form has it."""

    key: str
    text: str
    value: Json


@dataclass(frozen=True, slots=True)
class Question:
    """One item of a questionnaire, in its place. depth: how deep in groups it lies."""

    link_id: str
    kind: str
    text: str
    required: bool
    repeats: bool
    most_chars: int
    options: tuple[Option, ...]
    when: tuple[Json, ...]
    any_of: bool
    inside: tuple[str, ...]
    depth: int

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """What can be chosen, as (key, text)."""
        return tuple((one.key, one.text) for one in self.options)

    @property
    def asked(self) -> bool:
        """Whether it has an answer of its own."""
        return self.kind in ASKED


def questions(questionnaire: Mapping[str, Any]) -> tuple[Question, ...]:
    """All items in the order in which they are asked; at most QUESTIONS_MAX."""
    found: list[Question] = []
    for one in _walk(questionnaire.get("item", ()), ()):
        found.append(one)
        if len(found) == QUESTIONS_MAX:
            break
    return tuple(found)


def _walk(items: Sequence[Mapping[str, Any]], inside: tuple[str, ...]) -> Iterator[Question]:
    for item in items:
        link_id = str(item["linkId"])
        yield Question(
            link_id, str(item.get("type", "display")), str(item.get("text", "")), bool(item.get("required")),
            bool(item.get("repeats")), int(item.get("maxLength", ANSWER_MAX_CHARS)),
            tuple(_option(one) for one in item.get("answerOption", ())), tuple(item.get("enableWhen", ())),
            item.get("enableBehavior") == "any", inside, len(inside),
        )  # fmt: skip
        yield from _walk(item.get("item", ()), (*inside, link_id))


def _option(option: Mapping[str, Any]) -> Option:
    name = next((key for key in option if key.startswith("value")), "valueString")
    value = option.get(name, "")
    if isinstance(value, dict):
        code = str(value.get("code", value.get("display", "")))
        return Option(code, str(value.get("display", code)), {"valueCoding": dict(value)})
    return Option(str(value), str(value), {name: value})


@dataclass(slots=True)
class Answered:
    """What was answered: what is asked at all, the answers as FHIR, and what is wrong with them."""

    shown: list[Question] = field(default_factory=list)
    answers: dict[str, list[Json]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> dict[str, str]:
        """What is wrong, by linkId."""
        return {one.field: one.text for one in self.problems}


def answer(asked: Sequence[Question], fields: Fields) -> Answered:
    """Reads what was typed, in the order of the questions, so that conditions see the answers before them."""
    made = Answered()
    hidden: set[str] = set()
    for one in asked:
        if hidden.intersection(one.inside) or not _enabled(one, made.answers):
            hidden.add(one.link_id)
            continue
        made.shown.append(one)
        if one.asked:
            _read(one, [text.strip() for text in fields.get(one.link_id, ()) if text.strip()], made)
    return made


def _enabled(question: Question, answers: Mapping[str, list[Json]]) -> bool:
    if not question.when:
        return True
    found = [_holds(one, answers.get(str(one.get("question")), [])) for one in question.when]
    return any(found) if question.any_of else all(found)


def _holds(condition: Mapping[str, Any], answers: Sequence[Json]) -> bool:
    operator = condition.get("operator")
    wanted = _plain(next((condition[key] for key in condition if key.startswith("answer")), None))
    given = [_plain(next(iter(one.values()))) for one in answers]
    if operator == "exists":
        return bool(given) == bool(wanted)
    if operator == "!=":
        # R4 asks it of an answer that is there: no answer is not a different one.
        return bool(given) and all(one != wanted for one in given)
    return any(_compare(str(operator), one, wanted) for one in given)


def _compare(operator: str, given: Any, wanted: Any) -> bool:
    if operator == "=":
        return bool(given == wanted)
    try:
        return bool({">": given > wanted, "<": given < wanted, ">=": given >= wanted, "<=": given <= wanted}[operator])
    except (KeyError, TypeError):
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("code") or value.get("value") or value.get("display")
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _read(question: Question, typed: Sequence[str], made: Answered) -> None:
    texts = typed if question.repeats else typed[:1]
    if not texts:
        if question.required:
            made.problems.append(Problem(question.link_id, N_("Please answer this question.")))
        return
    values = []
    for text in texts:
        value = _value(question, text)
        if isinstance(value, str):
            made.problems.append(Problem(question.link_id, value))
            return
        values.append(value)
    made.answers[question.link_id] = values


def _value(question: Question, text: str) -> Json | str:
    """One answer as FHIR, or what is wrong with it."""
    if len(text) > min(question.most_chars, ANSWER_MAX_CHARS):
        return N_("This is too long.")
    if question.kind == "boolean":
        return {"valueBoolean": text == "yes"} if text in {"yes", "no"} else N_("Please choose one of the answers.")
    if question.kind == "choice":
        chosen = next((one.value for one in question.options if one.key == text), None)
        return chosen if chosen is not None else N_("Please choose one of the answers.")
    if question.kind in {"integer", "decimal"}:
        return _number(question.kind, text)
    if question.kind == "date":
        try:
            return {"valueDate": date.fromisoformat(text).isoformat()}
        except ValueError:
            return N_("Write the day as 2027-03-31.")
    return {"valueString": text}


def _number(kind: str, text: str) -> Json | str:
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return N_("Write a number, in digits.")
    if not number.is_finite() or abs(number) >= 10**9:
        return N_("This number is too large.")
    if kind == "integer":
        return {"valueInteger": int(number)} if number == int(number) else N_("Write a whole number.")
    return {"valueDecimal": number}


def response(
    questionnaire: Mapping[str, Any], made: Answered, *, patient_id: str, appointment_id: str, now: datetime
) -> Json:
    """The answers as a QuestionnaireResponse of the patient."""
    return {
        "resourceType": "QuestionnaireResponse", "status": "completed",
        "identifier": {"system": APPOINTMENT, "value": appointment_id},
        "questionnaire": str(questionnaire.get("url", f"Questionnaire/{questionnaire['id']}")),
        "subject": {"reference": f"Patient/{patient_id}"}, "source": {"reference": f"Patient/{patient_id}"},
        "authored": now.isoformat(), "item": _items(questionnaire.get("item", ()), made),
    }  # fmt: skip


def _items(items: Sequence[Mapping[str, Any]], made: Answered) -> list[Json]:
    shown = {one.link_id for one in made.shown}
    found = []
    for item in items:
        link_id = str(item["linkId"])
        if link_id not in shown:
            continue
        inner = _items(item.get("item", ()), made)
        answers = [dict(one) for one in made.answers.get(link_id, ())]
        if item.get("type") == "group":
            if inner:
                found.append({"linkId": link_id, "text": item.get("text", ""), "item": inner})
        elif answers:
            if inner:
                answers[0]["item"] = inner
            found.append({"linkId": link_id, "text": item.get("text", ""), "answer": answers})
    return found


def typed_of(answers: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a QuestionnaireResponse says, as the form has it."""
    found: dict[str, list[str]] = {}

    def walk(items: Sequence[Mapping[str, Any]]) -> None:
        for item in items:
            for one in item.get("answer", ()):
                found.setdefault(str(item["linkId"]), []).append(_key(one))
                walk(one.get("item", ()))
            walk(item.get("item", ()))

    walk(answers.get("item", ()))
    return found


def _key(given: Mapping[str, Any]) -> str:
    value = next((given[key] for key in given if key.startswith("value")), "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return str(value.get("code", value.get("display", "")))
    return str(value)
