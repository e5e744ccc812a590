"""What the working day stands on: settings that the gate reads, and a certificate that a client can check."""

from __future__ import annotations

import ssl
from pathlib import Path

from cryptography import x509

from language.postgres import Server
from muniment.demo import working_day
from muniment.gate.policy.rules import resolve
from muniment.gate.policy.settings import parse
from muniment.gate.server.tls import server_tls


def test_the_settings_are_read_and_stop_at_the_budget(tmp_path: Path) -> None:
    port = working_day._settings(tmp_path, Server("postgresql://x", 5433, tmp_path, "18"), tmp_path)
    settings = parse((tmp_path / "gate.toml").read_text(encoding="utf-8"), tmp_path / "gate.toml")
    assert settings.listen == (f"127.0.0.1:{port}",)
    rules = resolve(settings, working_day.HARVESTER)
    assert rules.mode == "stop"
    assert rules.persons["hour"] == working_day.BUDGET
    assert rules.marks
    assert rules.read_only


def test_the_certificate_fits_its_key_and_is_trusted_for_loopback(tmp_path: Path) -> None:
    path = working_day._certificate(tmp_path)
    assert server_tls(path, tmp_path / "gate.key").certificate_hash
    assert (tmp_path / "gate.key").stat().st_mode & 0o077 == 0
    context = ssl.create_default_context(cafile=str(path))
    assert context.verify_mode is ssl.CERT_REQUIRED
    names = x509.load_pem_x509_certificate(path.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert [str(name) for name in names.value.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_what_is_passed_on_has_no_numbers_in_it(tmp_path: Path) -> None:
    columns = ("person_id", "name", "household_id", "phone")
    path = working_day._write(tmp_path / "leak.csv", columns, [("1", "a", "2", "3")])
    assert path.read_text(encoding="utf-8").split() == ["name,phone", "a,3"]
