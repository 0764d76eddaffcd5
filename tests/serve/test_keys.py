"""Keys of an installation are replaced while its server is stopped, and the trail is as it was written."""

import os
import signal

import httpx
import pytest
from click.testing import CliRunner

from continuum.apps.admin.cli import main
from tests.serve.test_serve import serving, token

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


def continuum(*words):
    return CliRunner().invoke(main, list(words))


def asked(origin, bearer):
    return httpx.get(f"{origin}/fhir/Patient/x", headers={"authorization": f"Bearer {bearer}"}, timeout=30).status_code


def test_keys_are_replaced_and_the_trail_is_whole(data_folder):
    where = ("--data", str(data_folder))
    with serving(data_folder) as (process, origin):
        old = token(data_folder, "--as", "administrator")
        assert asked(origin, old) == 404
        refused = continuum("keys", "replace", "audit", *where)
        assert refused.exit_code != 0
        assert "A server is running" in refused.output
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 0
    for name in ("audit", "checkpoint", "token"):
        done = continuum("keys", "replace", name, *where)
        assert done.exit_code == 0, done.output
        assert f"keys/{name} is new" in done.output
    with serving(data_folder) as (process, origin):
        assert asked(origin, old) == 401
        assert asked(origin, token(data_folder, "--as", "administrator")) == 404
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 0
    verified = continuum("audit", "verify", *where)
    assert "Everything is as it was written" in verified.output, verified.output


def test_the_key_of_sign_on_is_replaced_also_after_a_kill_between_database_and_file(data_folder):
    where = ("--data", str(data_folder))
    keys = data_folder / "keys"
    assert continuum("administrator", "ada", "--name", "Ada Example", *where).exit_code == 0
    before = (keys / "identity").read_text()
    done = continuum("keys", "replace", "identity", *where)
    assert done.exit_code == 0, done.output
    assert "keys/identity is new" in done.output
    after = (keys / "identity").read_text()
    assert after != before

    begun = keys / "identity.next"
    begun.write_text("0" * 63 + "1\n")
    begun.chmod(0o600)
    for command in (("token", "--as", "system"), ("audit", "verify")):
        refused = continuum(*command, *where)
        assert refused.exit_code != 0
        assert "continuum keys replace identity" in refused.output
    done = continuum("keys", "replace", "identity", *where)
    assert done.exit_code == 0, done.output
    assert not begun.exists()
    assert (keys / "identity").read_text() == "0" * 63 + "1\n"
    verified = continuum("audit", "verify", *where)
    assert "Everything is as it was written" in verified.output, verified.output
    with serving(data_folder) as (process, _):
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 0
