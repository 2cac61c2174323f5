"""Files in an object store that speaks S3: bytes up and down, and what to do about its errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import certifi
import urllib3
from minio import Minio
from minio.commonconfig import CopySource
from minio.credentials.providers import (
    AWSConfigProvider,
    ChainedProvider,
    EnvAWSProvider,
    IamAwsProvider,
    Provider,
    StaticProvider,
)
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from minio.sse import Sse, SseKMS, SseS3

from jobs import patience, s3a
from schemas.errors import UserError

T = TypeVar("T")
SCHEMES = ("s3", "s3a")
AWS = "https://s3.amazonaws.com"
REGION = "us-east-1"
SECONDS = 30.0
PASSING = ("SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "OperationAborted", "XMinioServerNotInitialized")
ABSENT = ("NoSuchKey", "NoSuchObject", "NoSuchVersion")


@cache
def _client(options: tuple[tuple[str, str], ...]) -> Minio:
    given = dict(options)
    address = urlsplit(s3a.service(given) or AWS)
    # Our own patience is longer than the library's retries, and would be multiplied by them.
    trusted = os.environ.get("SSL_CERT_FILE") or certifi.where()
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=SECONDS), maxsize=32, retries=urllib3.Retry(0),
                               cert_reqs="CERT_REQUIRED", ca_certs=trusted)  # fmt: skip
    made = Minio(address.netloc, credentials=_credentials(given), secure=address.scheme == "https", http_client=pool,
                 region=given.get("AWS_REGION") or given.get("AWS_DEFAULT_REGION") or REGION)  # fmt: skip
    if s3a.service(given):
        made._base_url.virtual_style_flag = s3a.virtual(given)
    return made


def _credentials(given: Mapping[str, str]) -> Provider:
    """Return where keys come from: the settings, or else the environment, a profile, or the instance's role."""
    if given.get("AWS_ACCESS_KEY_ID"):
        return StaticProvider(given["AWS_ACCESS_KEY_ID"], given.get("AWS_SECRET_ACCESS_KEY", ""), given.get("AWS_SESSION_TOKEN"))
    return ChainedProvider([EnvAWSProvider(), AWSConfigProvider(), IamAwsProvider()])


def upper(options: Mapping[str, str] | None) -> dict[str, str]:
    """Return options with names as delta-rs documents them: AWS_…, in capitals."""
    return {key.upper(): value for key, value in (options or {}).items()}


def client(options: Mapping[str, str] | None) -> Minio:
    """Return a client of the store that the options name, one for all that ask with the same."""
    return _client(tuple(sorted(s3a.environment(options or {}).items())))


def split(url: str) -> tuple[str, str]:
    """Return bucket and key of an address s3://bucket/key."""
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme not in SCHEMES or not bucket:
        raise UserError(f"no way to store at {scheme}://{bucket}", where=url, remedy="use a local folder or s3://bucket/prefix")
    return bucket, key


def patiently(work: Callable[[], T], where: str) -> T:
    """Return what `work` returns, again and again while the store is away or busy.

    Raise FileNotFoundError for what is not there, UserError for what a person must mend or where patience ends.
    """
    try:
        return patience.waiting(work, where, _passing)
    except (MinioException, urllib3.exceptions.HTTPError, ConnectionError) as error:
        if isinstance(error, S3Error) and error.code in ABSENT:
            raise FileNotFoundError(2, "no such object", where) from None
        code = (error.code or "") if isinstance(error, S3Error) else ""
        remedy = patience.REMEDIES.get(code, "look at the object store's own log")
        raise UserError(f"the object store says {code or type(error).__name__}: {getattr(error, 'message', '') or error}",
                        where=where, remedy=remedy) from error  # fmt: skip


def _passing(error: Exception) -> bool:
    """Tell whether an error is of the kind that passes by itself."""
    if isinstance(error, S3Error):
        broken = error.response is not None and error.response.status >= 500
        return error.code in PASSING or (broken and error.code not in patience.REMEDIES)
    return isinstance(error, ServerError | InvalidResponseError | urllib3.exceptions.HTTPError | ConnectionError | TimeoutError)


def _encryption(options: Mapping[str, str]) -> Sse | None:
    """Return how the store is to encrypt what it gets; without, it does as the bucket says."""
    kind = options.get("AWS_SERVER_SIDE_ENCRYPTION", "")
    if kind == "aws:kms":
        return SseKMS(options.get("AWS_SSE_KMS_KEY_ID", ""), {})
    return SseS3() if kind else None


def put(source: Path, url: str, options: Mapping[str, str] | None) -> None:
    """Store a local file: in parts where it is large, each with its checksum, whole or not at all."""
    bucket, key = split(url)
    sse = _encryption(upper(options))
    # The store compares each part with its SHA-256 (over TLS: MD5) before it takes it.
    patiently(lambda: client(options).fput_object(bucket, key, str(source), sse=sse), url)


def get(url: str, options: Mapping[str, str] | None, offset: int = 0, length: int = 0) -> bytes:
    """Return the bytes of an object, or `length` of them from `offset` on. Raise FileNotFoundError."""
    bucket, key = split(url)

    def read() -> bytes:
        answer = client(options).get_object(bucket, key, offset, length)
        try:
            found = bytes(answer.read())
            if len(found) != int(answer.headers.get("Content-Length", len(found))):
                raise ConnectionError("the answer was cut off")
            return found
        finally:
            answer.close()
            answer.release_conn()

    return patiently(read, url)


def fetch(url: str, target: Path, options: Mapping[str, str] | None) -> None:
    """Copy an object into a local file, whole or not at all. Raise FileNotFoundError."""
    bucket, key = split(url)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        # The library would remove what is there before it renames: another thread may just be reading it.
        patiently(lambda: client(options).fget_object(bucket, key, str(part)), url)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def size(url: str, options: Mapping[str, str] | None) -> int | None:
    """Return how many bytes an object has, None where there is none."""
    bucket, key = split(url)
    try:
        return patiently(lambda: client(options).stat_object(bucket, key).size, url)
    except FileNotFoundError:
        return None


def delete(url: str, options: Mapping[str, str] | None) -> None:
    """Delete an object; one that is gone already is fine."""
    bucket, key = split(url)
    patiently(lambda: client(options).remove_object(bucket, key), url)


def copy(source: str, target: str, options: Mapping[str, str] | None) -> None:
    """Copy an object within the store, without its bytes passing through here."""
    (from_bucket, from_key), (bucket, key) = split(source), split(target)
    sse = _encryption(upper(options))
    patiently(lambda: client(options).copy_object(bucket, key, CopySource(from_bucket, from_key), sse=sse), target)


def listed(url: str, options: Mapping[str, str] | None, *, deep: bool = True) -> Iterator[tuple[str, int]]:
    """Yield the address below `url` and the bytes of every object; without `deep` of this folder, folders ending in /."""
    bucket, key = split(url)
    prefix = f"{key.rstrip('/')}/" if key else ""
    found = patiently(lambda: list(client(options).list_objects(bucket, prefix, recursive=deep)), url)
    for one in found:
        if one.object_name and one.object_name != prefix:
            yield one.object_name.removeprefix(prefix), one.size or 0
