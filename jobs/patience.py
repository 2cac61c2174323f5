"""What errors of an object store mean, to a person and to who might ask again; knows no client."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import TypeVar

from schemas.errors import UserError

T = TypeVar("T")
LOG = logging.getLogger("carbonlake")
# A store that restarts or is gone for a minute is waited for; one that never answered is not, its address may be wrong.
PATIENCE = 120.0
FIRST = 15.0
TRIES = 3
PAUSE = 0.2
LONGEST_PAUSE = 5.0
LOOK = "look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in `storage_options` or the environment"
ROOM = "free some space in the object store and run it again; nothing was published"
RENEW = "get new credentials; those of an instance or a profile are renewed by themselves"
# Codes of S3, as the store and the libraries between tell them, and what a person can do.
REMEDIES = {
    "InvalidAccessKeyId": LOOK,
    "SignatureDoesNotMatch": LOOK,
    "AccessDenied": "the credentials may not do this: ask for the right to read, write and delete below the lake's root",
    "ExpiredToken": RENEW,
    "InvalidTokenId": RENEW,
    "RequestTimeTooSkewed": "set the clock of this machine: the store takes requests of the last 15 minutes alone",
    "NoSuchBucket": "make the bucket first, or mend the lake's root",
    "XMinioStorageFull": ROOM,
    "QuotaExceeded": ROOM,
    "InvalidBucketName": "mend the lake's root: s3://bucket/prefix",
}
# What delta-rs and the engines say where the store gave no code; the second tells what it is.
WORDS = (
    (re.compile(r"minimum free drive threshold|Storage backend has reached"), "XMinioStorageFull"),
    (re.compile(r"403 Forbidden|status code: 403"), "AccessDenied"),
)
# What they say of errors that pass.
PASSES = re.compile(r"error sending request|body error|connection (?:closed|reset|refused|error)|timed out|\b50[0234]\b|SlowDown"
                    r"|ServiceUnavailable|InternalError", re.IGNORECASE)  # fmt: skip
# What engines say before it.
ENGINE = re.compile(r"Generic S3 error|S3Exception|S3A|AWSClientIO|AmazonS3")
_answered: list[bool] = []


def explain(text: str, where: str) -> UserError | None:
    """Return what an error of a library means that carries a code of S3 in its words; else None."""
    code = next((code for code in REMEDIES if re.search(rf"\b{code}\b", text)), None)
    code = code or next((code for words, code in WORDS if words.search(text)), None)
    return UserError(f"the object store says {code}", where=where, remedy=REMEDIES[code]) if code else None


def told_to_pass(error: Exception) -> bool:
    """Tell whether a library's error is of the kind that passes by itself."""
    return isinstance(error, OSError) and explain(str(error), "") is None and bool(PASSES.search(str(error)))


def told_by_engine(error: Exception) -> bool:
    """Tell whether an engine gave up for an error of the object store that passes; a build may then be done again."""
    text = str(error)
    ours = bool(ENGINE.search(text)) and not isinstance(error, UserError)
    return ours and explain(text, "") is None and bool(PASSES.search(text))


def waiting(work: Callable[[], T], where: str, passes: Callable[[Exception], bool] = told_to_pass) -> T:
    """Return what `work` returns, again and again while it raises what passes; `work` may be done twice.

    Patience is counted from the first error on; work that takes longer than it is tried TRIES times at least. Raise
    UserError where patience ends, and any other error as it is.
    """
    first, pause, tries = 0.0, PAUSE, 0
    while True:
        try:
            found = work()
            _answered[:] = [True]
            return found
        except Exception as error:
            if not passes(error):
                raise
            tries, first = tries + 1, first or time.monotonic()
            patience = PATIENCE if _answered else FIRST
            if tries >= TRIES and time.monotonic() + pause > first + patience:
                told = getattr(error, "code", None) or str(error).strip().split("\n")[0][:120] or type(error).__name__
                raise UserError(f"the object store did not answer for {patience:g} seconds ({told})", where=where,
                                remedy="look whether it runs and whether AWS_ENDPOINT_URL names it; nothing was published"
                                ) from error  # fmt: skip
            LOG.info("the object store errs, asking again: %s %s", type(error).__name__, getattr(error, "code", ""))
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
