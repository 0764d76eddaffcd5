"""Subscribers as they are in the world: an HTTP server and a mail server, on sockets of 127.0.0.1."""

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller

GUIDE = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
TOPIC = "https://continuum.example/fhir/SubscriptionTopic/"


class Hook:
    """An HTTP server that keeps every notification it is sent, by the path it came to.

    answers: the statuses that a path answers with, one after another; the last one stays. holds: an event that a
    path waits for before it answers.
    """

    def __init__(self) -> None:
        hook = self
        self.taken: dict[str, list[dict]] = {}
        self.headers: dict[str, list[dict[str, str]]] = {}
        self.came_s: dict[str, list[float]] = {}
        self.answers: dict[str, list[int]] = {}
        self.holds: dict[str, threading.Event] = {}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                came_s = time.time()
                path = self.path
                if path in hook.holds:
                    hook.holds[path].wait(60)
                answers = hook.answers.get(path, [200])
                status = answers.pop(0) if len(answers) > 1 else answers[0]
                hook.headers.setdefault(path, []).append({k.lower(): v for k, v in self.headers.items()})
                hook.came_s.setdefault(path, []).append(came_s)
                if status < 300:
                    hook.taken.setdefault(path, []).append(json.loads(body))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        for hold in self.holds.values():
            hold.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(10)

    def kinds(self, path: str) -> list[str]:
        return [said(bundle)["type"] for bundle in self.taken.get(path, [])]

    def events(self, path: str) -> list[dict]:
        """The distinct events in the order in which they first came: number, focus, resource."""
        found: dict[int, dict] = {}
        for bundle in self.taken.get(path, []):
            for event in events_of(bundle):
                found.setdefault(event["number"], event)
        return list(found.values())


class Mailbox:
    """A mail server that keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self._controller.start()
        self.port = self._controller.port

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  aiosmtpd's name
        self.taken.append(envelope)
        return "250 OK"

    def close(self) -> None:
        self._controller.stop()


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def said(bundle: dict) -> dict:
    """The status of a notification, as a plain dictionary."""
    assert bundle["resourceType"] == "Bundle"
    assert bundle["type"] == "history"
    status = bundle["entry"][0]["resource"]
    assert status["resourceType"] == "Parameters"
    found = {}
    for one in status["parameter"]:
        value = next((v for k, v in one.items() if k.startswith("value")), None)
        if one["name"] != "notification-event":
            found[one["name"]] = value
    return found


def events_of(bundle: dict) -> list[dict]:
    entries = iter(bundle["entry"][1:])
    found = []
    for one in bundle["entry"][0]["resource"]["parameter"]:
        if one["name"] == "notification-event":
            parts = {part["name"]: next(v for k, v in part.items() if k.startswith("value")) for part in one["part"]}
            focus = parts.get("focus", {}).get("reference")
            found.append(
                {
                    "number": int(parts["event-number"]),
                    "focus": focus,
                    "resource": next(entries).get("resource") if focus else None,
                }
            )
    return found


def subscription(topic, endpoint=None, *, channel="rest-hook", content="id-only", filters=(), **more):
    """A Subscription of the backport profile; heartbeat_s, timeout_s, count and headers shape the channel."""
    extensions = [
        {"url": GUIDE + name, kind: more[key]}
        for key, name, kind in (
            ("heartbeat_s", "backport-heartbeat-period", "valueUnsignedInt"),
            ("timeout_s", "backport-timeout", "valueUnsignedInt"),
            ("count", "backport-max-count", "valuePositiveInt"),
        )
        if key in more
    ]
    made = {
        "resourceType": "Subscription",
        "meta": {"profile": [GUIDE + "backport-subscription"]},
        "status": more.get("status", "requested"),
        "reason": "a test",
        "criteria": TOPIC + topic,
        "channel": {
            "type": channel,
            "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": GUIDE + "backport-payload-content", "valueCode": content}]},
        },
    }
    if endpoint is not None:
        made["channel"]["endpoint"] = endpoint
    if extensions:
        made["channel"]["extension"] = extensions
    if "headers" in more:
        made["channel"]["header"] = more["headers"]
    if "end" in more:
        made["end"] = more["end"]
    if filters:
        made["_criteria"] = {
            "extension": [{"url": GUIDE + "backport-filter-criteria", "valueString": one} for one in filters]
        }
    return made


async def until(holds, *, within_s=60.0):
    """Waits until something holds; says what was seen last when it does not."""
    end = time.monotonic() + within_s
    while True:
        found = holds()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < end, f"it did not come to hold within {within_s} s; last seen: {found!r}"
        await asyncio.sleep(0.005)


async def active(api, resource, *, status="active") -> str:
    """Creates a Subscription, waits for its status, and returns its id."""
    made = await api.post("/Subscription", json=resource)
    assert made.status_code == 201, made.text
    subscription_id = made.json()["id"]
    await until_status(api, subscription_id, status)
    return subscription_id


async def until_status(api, subscription_id, status, *, within_s=60.0) -> dict:
    async def now():
        found = (await api.get(f"/Subscription/{subscription_id}")).json()
        return found if found["status"] == status else None

    return await until(now, within_s=within_s)
