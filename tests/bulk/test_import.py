"""`$import` by URL: what it loads, what it says of the rest, and from where it fetches nothing."""

import gzip
import http.server
import json
import os
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest

from continuum.apps.fhir_api.orders import Worker
from tests.api.conftest import fresh_id, outcome
from tests.bulk.jobs import export, fetch, until, until_done
from tests.live import fresh_database, started

pytestmark = pytest.mark.server


@pytest.fixture
def source():
    """A web server with files: its origin, bytes by path, and what was asked; /open/moved leads to /secret."""
    with serving({}) as found:
        yield found


@contextmanager
def serving(files):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = files.get(self.path)
            if callable(body):
                body = body()
            if self.path == "/open/moved":
                self.send_response(302)
                self.send_header("location", "/secret")
                self.end_headers()
            elif body is None:
                self.send_error(404)
            else:
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_):
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", files, asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
async def allowed(test_server, template, source, tmp_path):
    """Orders of a server with a database of its own that may fetch from below /open of that source, and its owner."""
    app, owner = await fresh_database(test_server, template)
    secret = os.urandom(32)
    return Worker(
        app, secret, secret, secret, secret, connections=4, bulk_folder=str(tmp_path),
        import_sources=f"{source[0]}/open",
    ), owner  # fmt: skip


@pytest.fixture
async def importing(allowed):
    with started(*allowed) as found:
        yield found


def asked(*inputs):
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "inputFormat", "valueCode": "application/fhir+ndjson"},
            *(
                {"name": "input", "part": [{"name": "type", "valueCode": kind}, {"name": "url", "valueUrl": url}]}
                for kind, url in inputs
            ),
        ],
    }


def lines(*resources) -> bytes:
    return b"".join(json.dumps(resource).encode() + b"\n" for resource in resources)


async def test_files_are_loaded_and_what_is_wrong_is_said_line_by_line(importing, source):
    origin, files, _ = source
    mark = fresh_id()
    files["/open/p.ndjson"] = lines(
        {"resourceType": "Patient", "id": f"a{mark}"},
        {"resourceType": "Patient", "id": f"b{mark}", "gender": "no such code"},
    )
    files["/open/o.ndjson.gz"] = gzip.compress(lines(
        {"resourceType": "Observation", "id": f"o{mark}", "status": "final", "code": {"text": "pulse"},
         "subject": {"reference": f"Patient/a{mark}"}},
        {"resourceType": "Observation", "id": f"x{mark}", "status": "final", "code": {"text": "pulse"},
         "subject": {"reference": f"Patient/missing{mark}"}},
    ))  # fmt: skip
    inputs = ("Observation", f"{origin}/open/o.ndjson.gz"), ("Patient", f"{origin}/open/p.ndjson")
    async with importing.client("system", subject=f"loader-{mark}") as client:
        answer = await client.post("/$import", json=asked(*inputs), headers={"prefer": "respond-async"})
        assert answer.status_code == 202, answer.text
        done = await until_done(client, answer.headers["content-location"])
        assert done.status_code == 200, done.text
        found = await fetch(client, done.json())
        assert (await client.get(f"/Patient/a{mark}")).status_code == 200
        assert (await client.get(f"/Observation/o{mark}")).json()["subject"]["reference"] == f"Patient/a{mark}"
        assert (await client.get(f"/Patient/b{mark}")).status_code == 404
    (summary,) = found.lines["OperationOutcome"]
    assert summary["issue"][0]["diagnostics"] == "3 written, 0 updated, 0 there already, 1 refused."
    said = [issue["diagnostics"] for issue in found.errors]
    assert any(text.startswith(f"{origin}/open/p.ndjson, line 2") for text in said)
    assert any(f"Patient/missing{mark}" in text for text in said)
    async with importing.client() as client:
        events = (await client.get(f"/AuditEvent?patient=Patient/a{mark}&agent=loader-{mark}")).json()
        kinds = {entry["resource"]["subtype"][0]["code"] for entry in events["entry"]}
    assert "batch" in kinds


async def test_nothing_is_fetched_from_where_the_operator_has_not_allowed(importing, source):
    origin, files, fetched = source
    files["/secret"] = lines({"resourceType": "Patient", "id": fresh_id()})
    host = origin.removeprefix("http://")
    refused = (
        f"{origin}/secret", f"{origin}/open/../secret", f"{origin}/open/%2e%2e/secret", f"{origin}/opened",
        f"{origin}/open/%252e%252e/secret", f"https://{host}/open/p", "http://127.0.0.1:1/open/p",
        f"http://{host}@169.254.169.254/open/p", "http://169.254.169.254/open/p", "file:///etc/passwd",
        f"{origin}\\\\@elsewhere/open/p", f"{origin}/open/p#x", f"ftp://{host}/open/p", "", "nonsense",
    )  # fmt: skip
    async with importing.client("system") as client:
        for url in refused:
            answer = await client.post("/$import", json=asked(("Patient", url)))
            assert answer.status_code in (400, 403), url
            assert outcome(answer, answer.status_code)["code"] in ("forbidden", "structure"), url
    assert fetched == []


async def test_a_redirect_is_not_followed_and_a_missing_file_is_said(importing, source):
    origin, files, fetched = source
    files["/secret"] = lines({"resourceType": "Patient", "id": fresh_id()})
    async with importing.client("system") as client:
        for path, words in (("/open/missing", "status 404"), ("/open/moved", "redirects are not followed")):
            answer = await client.post("/$import", json=asked(("Patient", f"{origin}{path}")))
            done = await until_done(client, answer.headers["content-location"])
            assert words in outcome(done, 500)["diagnostics"]
    assert fetched == ["/open/missing", "/open/moved"]


async def test_only_who_may_write_everything_may_import(importing, source):
    origin, _, fetched = source
    body = asked(("Patient", f"{origin}/open/p.ndjson"))
    for role, more in (("clinician", {"facility": "f"}), ("patient", {"patient": "p"})):
        async with importing.client(role, **more) as client:
            outcome(await client.post("/$import", json=body), 403)
    for wrong, status in (({"resourceType": "Patient"}, 400), (asked(), 400), (asked(("Nonsense", origin)), 400)):
        async with importing.client() as client:
            outcome(await client.post("/$import", json=wrong), status)
    assert fetched == []


async def test_a_server_without_a_folder_offers_neither(running):
    with started(replace(running.orders, bulk_folder=""), running.owner) as found:
        async with found.client() as client:
            outcome(await client.get("/$export"), 501)
            outcome(await client.post("/$import", json=asked(("Patient", "http://x/y"))), 501)


async def test_an_import_that_was_accepted_before_waits_while_the_server_is_read_only(allowed, source):
    origin, files, fetched = source
    stopped = threading.Event()
    files["/open/p.ndjson"] = lambda: stopped.wait(30) and b""
    name = fresh_id()
    orders, owner = allowed
    with started(orders, owner) as first:
        async with first.client() as client:
            answer = await client.post("/$import", json=asked(("Patient", f"{origin}/open/p.ndjson")))
            status = answer.headers["content-location"].replace(first.origin, "")
            await until(lambda: fetched)
            assert (await client.get(f"{first.origin}{status}")).headers["x-progress"] == "loading"
    stopped.set()
    files["/open/p.ndjson"] = lines({"resourceType": "Patient", "id": name})
    with started(replace(orders, read_only=True), owner) as shut:
        async with shut.client() as client:
            assert (await export(client)).addresses == []  # of two jobs that wait the older would come first
            waiting = await client.get(f"{shut.origin}{status}")
            assert (waiting.status_code, waiting.headers["x-progress"]) == (202, "waiting for a worker")
            assert (await client.get(f"/Patient/{name}")).status_code == 404
    with started(orders, owner) as last:
        async with last.client() as client:
            assert (await until_done(client, f"{last.origin}{status}")).status_code == 200
            assert (await client.get(f"/Patient/{name}")).status_code == 200
