"""Where a client can put a text: each place makes a request that carries a payload there.

A place is a function of the payload, dice and a `Ward` (what is there to ask about); it returns a `Sent`.
"""

import base64
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote, urlencode

from continuum.fhir.grammar import MODIFIERS
from continuum.fhir.search_params import params
from continuum.fhir.types import TYPES
from tests.faults.payloads import worded

KINDS = ("string", "token", "reference", "date", "number", "quantity", "uri", "composite", "words", "special")
OF_KIND = {
    kind: [(name, code) for name in sorted(TYPES) for code, one in sorted(params(name).items()) if one.kind == kind]
    for kind in KINDS
}
CONTROLS = (
    "_sort", "_count", "_include", "_revinclude", "_include:iterate", "_total", "_summary", "_elements", "_cursor",
    "_id", "_lastUpdated", "_list", "_format", "_profile", "_security", "_tag", "_text", "_content", "_query",
    "_contained", "_score", "_pretty",
)  # fmt: skip
HEADERS = (
    "if-match", "if-none-match", "if-none-exist", "if-modified-since", "prefer", "accept", "content-type",
    "authorization", "x-request-id", "x-purpose-of-use", "host", "x-forwarded-for", "x-forwarded-host",
    "accept-encoding",
    "content-encoding", "accept-language", "user-agent", "origin", "referer", "cookie", "range", "forwarded",
)  # fmt: skip
CLAIMS = ("subject", "name", "facility", "patient", "purpose", "scope")
FHIR = {"content-type": "application/fhir+json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
PATCH = {"content-type": "application/json-patch+json"}


@dataclass
class Sent:
    """A request below the origin. claims: of the token, when they carry the payload."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    json: object = None
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address with its query; lone surrogates and the like are sent as they are."""
        return self.path + ("?" + urlencode(self.query) if self.query else "")


@dataclass
class Ward:
    """What is there: the id of a patient who asks for herself, and of another."""

    own: str
    other: str


def _path(*segments: str) -> str:
    return "/fhir/" + "/".join(quote(one, safe="$") for one in segments)


def _search(kind, payload, dice, _):
    name, code = dice.choice(OF_KIND[kind])
    modifier = dice.choice(["", "", *MODIFIERS[kind], *(["Patient"] if kind == "reference" else [])])
    value = dice.choice(worded(payload, kind))
    criterion = (f"{code}:{modifier}" if modifier else code, value)
    if dice.random() < 0.2:
        return Sent("POST", _path(name, "_search"), content=urlencode([criterion]).encode(), headers=FORM)
    return Sent("GET", _path(name), [criterion])


def _chain(payload, dice, ward):
    names = (f"subject:Patient.{payload}", f"patient.{payload}", f"{payload}.name", f"subject:{payload}.name",
             "subject:Patient.name", "subject.identifier", f"_has:Observation:patient:{payload}",
             f"_has:{payload}:patient:code", f"_has:Observation:{payload}:code")  # fmt: skip
    within = dice.choice([_path("Observation"), _path("Patient"), _path("Patient", ward.own, "Observation")])
    return Sent("GET", within, [(dice.choice(names), payload)])


def _name(payload, dice, _):
    known = dice.choice(["name", "identifier", "birthdate", "_id", "address-city", "code"])
    return Sent("GET", _path(dice.choice(["Patient", "Observation"])),
                [(dice.choice([payload, f"{known}:{payload}", f"{known}{payload}",
                               f"{known}.{payload}"]), "x")])  # fmt: skip


def _control(payload, dice, ward):
    name = dice.choice(CONTROLS)
    value = dice.choice([payload, f"-{payload}", f"Observation:{payload}", f"Observation:subject:{payload}",
                         f"birthdate,{payload}", f"5{payload}", f"ge2026{payload}"])  # fmt: skip
    path = dice.choice([_path("Patient"), _path("Observation"), _path(), _path("Patient", ward.own, "Observation")])
    return Sent("GET", path, [(name, value)])


def _across(payload, dice, _):
    return Sent("GET", _path(), [("_type", dice.choice([payload, f"Patient,{payload}"])), ("_id", payload)])


def _filter(payload, dice, _):
    quoted = payload.replace("\\", "\\\\").replace('"', '\\"')
    text = dice.choice([
        payload, f'name eq "{quoted}"', f'name co "{quoted}"', f'name eq "{payload}"', f"name {payload} x",
        f'not (name sw "{quoted}") and active eq {payload}', f"birthdate gt {payload}", f'{payload} eq "x"',
        f'identifier eq "{quoted}|{quoted}" or general-practitioner.name ew "{quoted}"',
    ])  # fmt: skip
    return Sent("GET", _path("Patient"), [("_filter", text)])


def _history(payload, dice, ward):
    path = dice.choice([_path("_history"), _path("Patient", "_history"), _path("Patient", ward.own, "_history")])
    return Sent("GET", path, [(dice.choice(["_since", "_at", "_count", "_cursor", "_sort", payload]), payload)])


def _address(payload, dice, ward):
    segments = dice.choice([
        (payload,), (payload, "_search"), (payload, ward.own), ("Patient", payload),
        ("Patient", f"{ward.own}{payload}"),
        ("Patient", payload, "_history"), ("Patient", ward.own, "_history", payload),
        ("Patient", payload, "Observation"),
        ("Patient", ward.own, payload), (payload, ward.own, "Observation"), ("Patient", payload, "$everything"),
        ("Patient", ward.own, f"${payload}"), (f"${payload}",), ("_bulk", payload), ("_bulk", payload, payload),
        ("_bulk", ward.own, payload), ("Group", payload, "$export"), ("Subscription", payload, "$status"),
        ("Subscription", payload, "$events"), ("AuditEvent", payload), ("Binary", payload),
    ])  # fmt: skip
    return Sent(dice.choice(["GET", "GET", "HEAD", "DELETE", "PUT", "PATCH", "POST"]), _path(*segments))


def _header(payload, dice, ward):
    name = dice.choice(HEADERS)
    text = dice.choice([payload, f'W/"{payload}"', f"identifier={payload}", f"Bearer {payload}", f"return={payload}"])
    text = "".join(one for one in text if one not in "\r\n\0")  # a client library sends none of these
    sent = {name: text.encode("utf-8").decode("latin-1")}
    if name == "if-none-exist":
        return Sent("POST", _path("Basic"), json=_basic("header"), headers=sent)
    if name == "if-match" and dice.random() < 0.5:
        return Sent("DELETE", _path("Patient", ward.other),
                    headers={name: f'W/"{payload[:40]}"'.encode().decode("latin-1")
                                                                     .replace("\r", "").replace("\n", "")})  # fmt: skip
    return Sent("GET", _path("Patient", ward.own), headers=sent)


def _basic(words, **more):
    return {"resourceType": "Basic", "code": {"text": words}, **more}


def _body(payload, dice, ward):
    reference = {"reference": f"Patient/{dice.choice([payload, ward.own])}", "display": payload}
    coding = {"system": f"http://x/{payload}", "code": payload, "display": payload, "version": payload}
    found = dice.choice([
        _basic(payload, identifier=[{"system": payload, "value": payload}]),
        _basic(payload, extension=[{"url": payload, "valueString": payload}]),
        _basic("tag", meta={"tag": [coding], "profile": [payload], "source": payload, "versionId": payload}),
        _basic("narrative", text={"status": "generated", "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{payload}</div>"}),
        _basic("subject", subject=reference),
        {"resourceType": "Patient", "name": [{"family": payload, "given": [payload]}], "birthDate": payload},
        {"resourceType": "Patient", "name": [{"family": payload, "given": [payload]}], "gender": payload,
         "telecom": [{"system": "phone", "value": payload}], "address": [{"line": [payload], "city": payload}]},
        {"resourceType": "Observation", "status": "final", "code": {"coding": [coding], "text": payload},
         "subject": {"reference": f"Patient/{ward.other}"},
         "valueQuantity": {"value": 1, "unit": payload, "code": payload}},
        {"resourceType": "Organization", "name": payload, "alias": [payload]},
        {"resourceType": payload}, {payload: payload}, payload, [payload],
    ])  # fmt: skip
    if isinstance(found, dict) and dice.random() < 0.3:
        return Sent("PUT", _path(str(found.get("resourceType")), "injected"), json={**found, "id": payload})
    return Sent(
        "POST", _path("Basic" if not isinstance(found, dict) else str(found.get("resourceType", "Basic"))), json=found
    )


def _bundle(payload, dice, ward):
    request = dice.choice([
        {"method": payload, "url": "Basic"}, {"method": "GET", "url": payload},
        {"method": "GET", "url": f"Patient?name={quote(payload)}"}, {"method": "GET", "url": f"Patient/{payload}"},
        {"method": "PUT", "url": f"Patient/{ward.other}", "ifMatch": payload},
        {"method": "POST", "url": "Basic", "ifNoneExist": f"identifier={quote(payload)}"},
        {"method": "DELETE", "url": f"Basic?identifier={quote('urn:none|' + payload, safe='')}"},
        {"method": "PUT", "url": f"Basic?identifier={quote('urn:none|' + payload, safe='')}"},
        {"method": "GET", "url": f"Patient/{ward.own}", "ifNoneMatch": payload, "ifModifiedSince": payload},
    ])  # fmt: skip
    entry = {"fullUrl": dice.choice([payload, f"urn:uuid:{payload}"]), "request": request}
    if request["method"] not in ("GET", "DELETE"):
        entry["resource"] = _basic(payload, subject={"reference": f"Patient?identifier={payload}"})
    kind = dice.choice(["batch", "transaction", payload])
    return Sent("POST", "/fhir/", json={"resourceType": "Bundle", "type": kind, "entry": [entry]})


def _conditional(payload, dice, _):
    criteria = [(dice.choice(["identifier", "_id", "_tag", payload]), dice.choice([payload, f"urn:none|{payload}"]))]
    method = dice.choice(["PUT", "PATCH", "DELETE"])
    if method == "PATCH":
        return Sent(method, _path("Basic"), criteria, content=b"[]", headers=PATCH)
    return Sent(method, _path("Basic"), criteria, json=_basic("conditional") if method == "PUT" else None)


def _patch(payload, dice, ward):
    operation = dice.choice([
        {"op": payload, "path": "/active", "value": True}, {"op": "add", "path": payload, "value": payload},
        {"op": "add", "path": f"/{payload}", "value": payload}, {"op": "test", "path": "/id", "value": payload},
        {"op": "copy", "from": payload, "path": "/language"}, {"op": "remove", "path": f"/name/{payload}"},
        {"op": "replace", "path": "/name/0/family", "value": [payload]},
    ])  # fmt: skip
    return Sent("PATCH", _path("Patient", ward.other), json=[operation], headers=PATCH)


def _claim(payload, dice, ward):
    name = dice.choice(CLAIMS)
    path = dice.choice([_path("Patient"), _path("Patient", ward.other), _path("Observation"), _path("AuditEvent")])
    return Sent("GET", path, claims={"role": dice.choice(["patient", "clinician", "system"]), name: payload})


def _bulk(payload, dice, ward):
    name = dice.choice(
        ["_since", "_type", "_typeFilter", "_elements", "_outputFormat", "includeAssociatedData", payload]
    )
    value = dice.choice([payload, f"Patient?name={payload}", f"Patient,{payload}", f"Patient?{payload}=x"])
    if dice.random() < 0.3:
        source = [{"name": "type", "valueCode": payload}, {"name": "url", "valueUrl": f"http://127.0.0.1/{payload}"}]
        return Sent("POST", "/fhir/$import", headers={**FHIR, "prefer": "respond-async"},
                    json={"resourceType": "Parameters", "parameter": [{"name": "input", "part": source}]})  # fmt: skip
    path = dice.choice(["/fhir/$export", "/fhir/Patient/$export", f"/fhir/Group/{ward.own}/$export"])
    return Sent("GET", path, [(name, value)], headers={"prefer": "respond-async"})


def _subscription(payload, dice, _):
    if dice.random() < 0.4:
        operation = dice.choice(["$status", "$get-ws-binding-token", "$topics"])
        return Sent("GET", f"/fhir/Subscription/{operation}", [(dice.choice(["id", "status", payload]), payload)])
    topic = "https://continuum.example/fhir/SubscriptionTopic/Basic"
    channel = {"type": "rest-hook", "endpoint": "http://127.0.0.1:1/x", "header": [payload], "payload": payload}
    extension = [{"url": "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-filter-criteria",
                  "valueString": dice.choice([payload, f"Basic?code={payload}", f"Basic?{payload}=x"])}]  # fmt: skip
    return Sent("POST", "/fhir/Subscription", headers=FHIR, json={
        "resourceType": "Subscription", "status": "requested", "reason": payload,
        "criteria": dice.choice([topic, payload]), "_criteria": {"extension": extension},
        "channel": channel})  # fmt: skip


def _sign_on(payload, dice, _):
    fields = [(name, payload) for name in (
        "client_id", "redirect_uri", "scope", "state", "code_challenge", "response_type", "nonce", "login_hint",
        "user_name",
        "password", "code", "grant_type", "client_assertion", "token", "refresh_token", "csrf", "dod_id")]  # fmt: skip
    basic = "Basic " + base64.b64encode(f"{payload}:{payload}".encode()).decode()
    method, path = dice.choice([
        ("GET", "authorize"), ("POST", "sign-in"), ("POST", "token"), ("POST", "revoke"), ("GET", "end-session"),
        ("POST", "register"), ("GET", "account"), ("GET", f"files/{quote(payload, safe='')}"), ("POST", "second-step"),
        ("GET", "go-on"), ("POST", "staff/open"),
    ])  # fmt: skip
    if method == "GET":
        return Sent(method, f"/signon/{path}", fields[:8], headers={"cookie": f"session={quote(payload)}"})
    headers = {**FORM, "authorization": basic} if dice.random() < 0.5 else FORM
    return Sent(method, f"/signon/{path}", content=urlencode(fields).encode(), headers=headers)


PLACES = {
    **{f"values of {kind} parameters": partial(_search, kind) for kind in KINDS},
    "names and modifiers of parameters": _name,
    "chains and `_has`": _chain,
    "parameters that control a search": _control,
    "searches across types": _across,
    "`_filter`": _filter,
    "histories": _history,
    "addresses": _address,
    "headers": _header,
    "bodies": _body,
    "entries of bundles": _bundle,
    "conditional writes": _conditional,
    "patches": _patch,
    "claims of tokens": _claim,
    "exports and imports": _bulk,
    "subscriptions": _subscription,
    "sign-on": _sign_on,
}
"""What each place is called on the page."""
