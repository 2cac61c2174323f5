"""MinIO: object storage that speaks S3, built from its source at one commit, with the bucket of the lake."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from base64 import b64encode
from pathlib import Path

from carbonlake.stack import processes, versions
from carbonlake.stack.home import address, being_made, cache, folder, secret, secret_file
from carbonlake.stack.missing import Missing

NEEDS: tuple[str, ...] = ()
PROCESSES = ("minio",)
SOURCE = "github.com/minio/minio"
BUCKET, REGION = "carbonlake", "us-east-1"


def program() -> Path:
    """Return where the program is, or will be."""
    return cache() / f"minio-{versions.MINIO}" / "minio"


def prerequisites() -> list[Missing]:
    """Name what is missing to build it, if it is not built yet."""
    if program().exists() or shutil.which("go"):
        return []
    return [
        Missing(
            "Go",
            f"MinIO is built from its source with Go {versions.GO} or newer",
            "the Go project's own archive",
        )
    ]


def prepare(home: Path) -> None:
    """Build the program once; what Go has fetched and compiled it keeps, so that a stopped build goes on."""
    with being_made(program().parent) as new:
        if new:
            command = ["go", "install", f"{SOURCE}@{versions.MINIO}"]
            processes.run(command, home / "logs" / "minio-build.log", what="building MinIO", env={"GOBIN": str(new)})


def start(home: Path) -> None:
    """Start the server on loopback; it reads its credentials from files."""
    env = {
        "MINIO_ROOT_USER_FILE": str(secret_file(home, "minio-user")),
        "MINIO_ROOT_PASSWORD_FILE": str(secret_file(home, "minio")),
        "MINIO_KMS_SECRET_KEY_FILE": str(key_file(home)),
        # Buckets are found as <bucket>.localhost, too.
        "MINIO_DOMAIN": "localhost",
        "MINIO_UPDATE": "off",
    }
    address, console = (f"127.0.0.1:{processes.choose_port(home, 'minio', name)}" for name in ("minio", "minio-console"))
    command = [str(program()), "server", "--address", address, "--console-address", console, str(folder(home, "minio"))]
    processes.start(home, "minio", "minio", command, env=env)


def key_file(home: Path) -> Path:
    """Return the file of credentials and key that the server reads; without the key it refuses to encrypt."""
    for name in ("minio-user", "minio"):
        secret_file(home, name)
    return secret_file(home, "minio-kms", lambda: f"carbonlake:{b64encode(os.urandom(32)).decode()}")


def healthy(home: Path) -> bool:
    """Tell whether it takes requests."""
    with urllib.request.urlopen(f"{url(home)}/minio/health/ready", timeout=5) as answer:
        return bool(answer.status == 200)


def settle(home: Path) -> None:
    """Make the bucket of the lake if it is not there."""
    from pyarrow import fs

    store = fs.S3FileSystem(access_key=secret(home, "minio-user"), secret_key=secret(home, "minio"), scheme="http", region=REGION,
                            endpoint_override=address(home, "minio"), allow_bucket_creation=True)  # fmt: skip
    store.create_dir(BUCKET)


def url(home: Path) -> str:
    """Return its address."""
    return f"http://{address(home, 'minio')}"


def environment(home: Path) -> dict[str, str]:
    """Return what our commands need to keep the lake there."""
    keys = {"AWS_ACCESS_KEY_ID": secret(home, "minio-user"), "AWS_SECRET_ACCESS_KEY": secret(home, "minio")}
    options = {"AWS_ENDPOINT_URL": url(home), **keys, "AWS_REGION": REGION, "AWS_ALLOW_HTTP": "true"}
    return {"CARBONLAKE_LAKE": f"s3://{BUCKET}/lake", "CARBONLAKE_STORAGE_OPTIONS": json.dumps(options)}
