"""The files that Trino reads: settings, the catalog of the lake, users, what each may do, and its certificate."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import bcrypt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from carbonlake.stack import minio
from carbonlake.stack.home import address, folder, secret, write

USER, READER, CATALOG = "carbonlake", "analyst", "lake"
JVM = ("-server", "-Xmx2G", "-XX:+ExitOnOutOfMemoryError", "-Djdk.attach.allowAttachSelf=true",
       "--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector")  # fmt: skip
HOUR, DAYS = timedelta(hours=1), timedelta(days=3650)
RULES = "rules.json"
# Asks within its own memory; a person's query ends after a while, so that a forgotten one does not hold the machine.
GROUPS: dict[str, Any] = {
    "rootGroups": [{"name": "global", "softMemoryLimit": "90%", "hardConcurrencyLimit": 20, "maxQueued": 200, "subGroups": [
        {"name": "upkeep", "softMemoryLimit": "60%", "hardConcurrencyLimit": 4, "maxQueued": 100},
        {"name": "people", "softMemoryLimit": "60%", "hardConcurrencyLimit": 8, "maxQueued": 100},
    ]}],
    "selectors": [{"user": "carbonlake", "group": "global.upkeep"}, {"group": "global.people"}],
}  # fmt: skip
DEFAULTS = [{"group": "global.people", "sessionProperties": {"query_max_run_time": "10m"}}]
ALL = ["SELECT", "INSERT", "DELETE", "UPDATE", "OWNERSHIP", "GRANT_SELECT"]


def rules() -> dict[str, Any]:
    """Return who may do what, until `carbonlake publish` says it: one writes, others read."""
    mine = {"user": USER}
    return {
        "catalogs": [{**mine, "allow": "all"}, {"catalog": f"{CATALOG}|system", "allow": "read-only"}],
        "schemas": [{**mine, "owner": True}, {"owner": False}],
        "tables": [{**mine, "privileges": ALL}, {"catalog": f"{CATALOG}|system", "privileges": ["SELECT"]}],
        "procedures": [{**mine, "privileges": ["EXECUTE", "GRANT_EXECUTE"]}],
        "queries": [{**mine, "allow": ["execute", "kill", "view"]}, {"allow": ["execute"]}],
        "system_information": [{**mine, "allow": ["read", "write"]}],
    }


def write_all(home: Path, etc: Path, ports: dict[str, int]) -> str:
    """Write the settings for a start and return what tells them from others.

    Who may do what is left as it stands, for it is not ours alone.
    """
    properties = _properties(home, etc, ports)
    for name, values in properties.items():
        write(etc / name, "".join(f"{key}={value}\n" for key, value in values.items()))
    write(etc / "resource-groups.json", json.dumps(GROUPS, indent=1))
    write(etc / "session-defaults.json", json.dumps(DEFAULTS, indent=1))
    write(etc / "groups.txt", f"upkeep:{USER}\nanalysts:{READER}\n")
    if not (etc / RULES).exists():
        write(etc / RULES, json.dumps(rules(), indent=1))
    if not (etc / "password.db").exists():
        users = {user: secret(home, f"trino-{user}").encode() for user in (USER, READER)}
        hashed = {user: bcrypt.hashpw(password, bcrypt.gensalt(10, b"2b")).decode() for user, password in users.items()}
        # Trino knows this way of hashing by its older name.
        write(etc / "password.db", "".join(f"{user}:{one.replace('$2b$', '$2y$', 1)}\n" for user, one in hashed.items()))
    return sha256(json.dumps([properties, GROUPS, DEFAULTS]).encode()).hexdigest()


def _properties(home: Path, etc: Path, ports: dict[str, int]) -> dict[str, dict[str, str]]:
    internal = ports["trino-internal"]
    return {
        "config.properties": {
            "coordinator": "true", "node-scheduler.include-coordinator": "true",
            # Without TLS nobody is let in with a password, and without a password nobody is let in.
            "http-server.http.port": str(internal), "discovery.uri": f"http://{address(home, 'trino-internal')}",
            "http-server.https.enabled": "true", "http-server.https.port": str(ports["trino"]),
            "http-server.https.keystore.path": str(keystore(home)), "http-server.https.keystore.key": "${ENV:TRINO_KEYSTORE}",
            "http-server.authentication.type": "PASSWORD", "internal-communication.shared-secret": "${ENV:TRINO_SHARED}",
            "catalog.management": "static", "query.max-memory": "1GB",
        },
        "password-authenticator.properties": {"password-authenticator.name": "file", "file.password-file": f"{etc}/password.db"},
        "group-provider.properties": {"group-provider.name": "file", "file.group-file": f"{etc}/groups.txt",
                                      "file.refresh-period": "1s"},
        "access-control.properties": {"access-control.name": "file", "security.config-file": f"{etc}/{RULES}",
                                      "security.refresh-period": "1s"},
        "resource-groups.properties": {"resource-groups.configuration-manager": "file",
                                       "resource-groups.config-file": f"{etc}/resource-groups.json"},
        "session-property-config.properties": {"session-property-config.configuration-manager": "file",
                                               "session-property-manager.config-file": f"{etc}/session-defaults.json"},
        # The start lists every setting, the id of the access key among them.
        "log.properties": {"io.trino": "INFO", "Bootstrap": "WARN"},
        f"catalog/{CATALOG}.properties": {
            "connector.name": "delta_lake", "hive.metastore": "file",
            "hive.metastore.catalog.dir": f"s3://{minio.BUCKET}/_metastore", "delta.register-table-procedure.enabled": "true",
            "fs.native-s3.enabled": "true", "s3.endpoint": minio.url(home), "s3.region": minio.REGION,
            "s3.path-style-access": "true", "s3.aws-access-key": "${ENV:S3_ACCESS_KEY}",
            "s3.aws-secret-key": "${ENV:S3_SECRET_KEY}",
        },
    }  # fmt: skip


def keystore(home: Path) -> Path:
    """Return the file of the server's key."""
    return home / "trino" / "keystore.p12"


def certify(home: Path) -> None:
    """Make a key and a certificate for loopback, and for containers' name `trino`, once; clients trust the file ca.pem."""
    shown = folder(home, "trino") / "ca.pem"
    if shown.exists():
        return
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "carbonlake")])
    names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost"), x509.DNSName("trino")]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - HOUR, now + DAYS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    locked = serialization.BestAvailableEncryption(secret(home, "trino-keystore").encode())
    write(keystore(home), pkcs12.serialize_key_and_certificates(b"trino", key, made, None, locked))
    write(shown, made.public_bytes(serialization.Encoding.PEM), 0o644)
