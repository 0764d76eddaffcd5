"""What mails say, in English and in Spanish below: nobody's language is guessed, and nothing of anybody's health."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One kind of mail. `{when}` stands for a day and an hour."""

    subject: str
    english: str
    spanish: str


TEXTS: Mapping[str, Text] = {
    "appointment-ahead": Text(
        "You have an appointment / Tiene una cita",
        "You have an appointment: {when}.",
        "Tiene una cita: {when}.",
    ),
    "appointment-offered": Text(
        "A time is offered to you / Se le ofrece una hora",
        "A time is kept for you until {when}. Nobody else can have it until then.",
        "Le reservamos una hora hasta {when}. Nadie más puede tomarla hasta entonces.",
    ),
    "appointment-changed": Text(
        "The clinic changed an appointment / La clínica cambió una cita",
        "The clinic had to call off or move your appointment of {when}. We are sorry.",
        "La clínica tuvo que cancelar o mover su cita de {when}. Lo sentimos.",
    ),
    "access-given": Text(
        "Somebody may look at your record / Alguien puede consultar su expediente",
        "A registration desk recorded that somebody may look at your record. The page Family says who, and why.",
        "Una ventanilla de registro anotó que alguien puede verlo. La página Familia dice quién y por qué.",
    ),
    "account-recovery": Text(
        "Your account is being set up anew / Se está configurando de nuevo su cuenta",
        "At a registration desk somebody asked to set your account up anew. If it was not you, call us at once.",
        "En una ventanilla de registro alguien pidió configurar de nuevo su cuenta. Si no fue usted, llámenos.",
    ),
    "message-waiting": Text(
        "There is a message for you / Hay un mensaje para usted",
        "There is a message for you.",
        "Hay un mensaje para usted.",
    ),
    "move-ahead": Text(
        "Your care moves / Su atención médica se muda",
        "There is news about where your care goes on.",
        "Hay novedades sobre dónde continúa su atención médica.",
    ),
}
"""By kind. Who has something new to tell adds it here."""
_LAST = (
    "Sign in to see more: {address}\nNobody reads answers to this mail. In an emergency call 911.",
    "Inicie sesión para ver más: {address}\nNadie lee las respuestas a este correo. En una emergencia llame al 911.",
)


def letter(kind: str, *, words: str, address: str) -> tuple[str, str]:
    """Subject and text of a mail. Raises KeyError for a kind that nobody has written."""
    text = TEXTS[kind]
    parts = [text.english.format(when=words), _LAST[0].format(address=address), "—"]
    parts += [text.spanish.format(when=words), _LAST[1].format(address=address)]
    return text.subject, "\n\n".join(parts) + "\n"
