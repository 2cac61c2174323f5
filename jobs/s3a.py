"""What Apache Spark and the embedded engine need to read a lake on S3, from the one set of storage options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# Spark brings Hadoop's client along, but not its S3A; that one names the SDK of Amazon, 640 MB, as it was tested with.
HADOOP_AWS = "org.apache.hadoop:hadoop-aws:3.4.2"
S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem"
# The default chain of the SDK, as delta-rs has it: environment, profile, web identity, container, instance.
DEFAULT_CHAIN = "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider"
GIVEN_KEYS = "org.apache.hadoop.fs.s3a.{}AWSCredentialsProvider"
PREFIX = "spark.hadoop.fs.s3a."
YES = ("true", "1", "yes", "y", "t", "on")
SECRETS = {"access.key": "AWS_ACCESS_KEY_ID", "secret.key": "AWS_SECRET_ACCESS_KEY", "session.token": "AWS_SESSION_TOKEN"}


def environment(storage: Mapping[str, str]) -> dict[str, str]:
    """Return what storage options are as variables: those of this process, AWS_*, with the options on top."""
    own = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return own | {name.upper(): value for name, value in storage.items() if name.upper().startswith("AWS_")}


@contextmanager
def exported(storage: Mapping[str, str]) -> Iterator[None]:
    """Let an engine in this process see storage options while the block runs; it asks the environment alone."""
    given = environment(storage)
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def settings(storage: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a Spark that reads s3://; they hold secrets, so that they belong in a file of mode 0600.

    `storage` has the names of delta-rs (AWS_*), any case; what it lacks comes from the environment, and credentials
    that neither has from the default chain of every machine that computes.
    """
    given = environment(storage)
    endpoint = service(given)
    found = {
        "endpoint": endpoint,
        "endpoint.region": given.get("AWS_REGION") or given.get("AWS_DEFAULT_REGION") or "",
        # As in delta-rs: a service of one's own is asked by path, unless told otherwise.
        "path.style.access": str(bool(endpoint) and not virtual(given)).lower(),
        "connection.ssl.enabled": str(not endpoint.startswith("http://")).lower(),
        **_credentials(given),
        **_encryption(given),
    }
    return {"spark.hadoop.fs.s3.impl": S3A, **{PREFIX + name: value for name, value in found.items() if value}}


def virtual(given: Mapping[str, str]) -> bool:
    """Tell whether the bucket is part of the host's name, as in https://bucket.host/key."""
    return given.get("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "").lower() in YES


def service(given: Mapping[str, str]) -> str:
    """Return the address of the service itself, '' for Amazon's.

    Where the bucket is part of the host's name, delta-rs wants it in AWS_ENDPOINT_URL, and the other clients add it.
    """
    endpoint = given.get("AWS_ENDPOINT_URL_S3") or given.get("AWS_ENDPOINT_URL") or given.get("AWS_ENDPOINT") or ""
    if not endpoint or not virtual(given):
        return endpoint
    scheme, _, host = endpoint.partition("://")
    return f"{scheme}://{host.partition('.')[2]}"


def _credentials(given: Mapping[str, str]) -> dict[str, str]:
    keys = {name: given.get(variable, "") for name, variable in SECRETS.items()}
    if not keys["access.key"] or not keys["secret.key"]:
        return {"aws.credentials.provider": DEFAULT_CHAIN}
    return {"aws.credentials.provider": GIVEN_KEYS.format("Temporary" if keys["session.token"] else "Simple"), **keys}


def _encryption(given: Mapping[str, str]) -> dict[str, str]:
    """Return what files that Spark writes are encrypted with."""
    asked = given.get("AWS_SERVER_SIDE_ENCRYPTION", "")
    way = {"AES256": "SSE-S3", "aws:kms": "SSE-KMS", "aws:kms:dsse": "DSSE-KMS"}.get(asked, "")
    return {"encryption.algorithm": way, "encryption.key": given.get("AWS_SSE_KMS_KEY_ID", "") if way else ""}
