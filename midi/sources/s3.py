"""MIDI files in a bucket of Amazon S3, or of any server that speaks its protocol."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.exceptions as failures
from botocore.config import Config

from midi.errors import ObjectUnreadable, SourceError
from midi.sources.base import Read, SourceObject, SourceOptions
from midi.sources.keys import is_midi_name, key_of, name_of

__all__ = ["S3Source", "parse_s3"]

# Signing needs a region's name; servers other than AWS take any.
_REGION = "us-east-1"
_READ_ATTEMPTS = 3

# What S3 answers about one object; anything else says that the bucket as a whole cannot be read.
_OBJECT_ANSWERS = {
    "NoSuchKey": "vanished since it was listed",
    "404": "vanished since it was listed",
    "PreconditionFailed": "changed since it was listed",
    "412": "changed since it was listed",
    "InvalidObjectState": "archived; restore it to read it",
    "AccessDenied": "access denied",
}


@dataclass(frozen=True, slots=True)
class S3Source:
    """The MIDI objects of a bucket whose keys begin with `prefix`; versions are ETags.

    Credentials come from where the AWS tools find them (environment, profile, the node's role); each reader makes its
    own client.
    """

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None

    @property
    def description(self) -> str:
        return key_of(f"s3://{self.bucket}/{self.prefix}")

    def objects(self) -> Iterator[SourceObject]:
        before = ""
        with self._client() as client, self._clear_errors():
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
            for page in pages:
                for listed in page.get("Contents", ()):
                    key = key_of(listed["Key"])
                    if key <= before:
                        raise SourceError(
                            f"The S3 server lists {self.bucket} out of order ({key!r} after {before!r}); "
                            "use a bucket that is listed in key order, or copy the files into a folder."
                        )
                    before = key
                    if is_midi_name(key):
                        yield SourceObject(key, listed["Size"], listed["ETag"])

    @contextmanager
    def reader(self) -> Iterator[Read]:
        with self._client() as client:

            def read(obj: SourceObject, limit: int) -> bytes:
                with self._clear_errors():
                    return self._read(client, obj, limit)

            yield read

    def names(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def _read(self, client: Any, obj: SourceObject, limit: int) -> bytes:
        for attempt in range(_READ_ATTEMPTS):
            try:
                answer = client.get_object(Bucket=self.bucket, Key=name_of(obj.key), IfMatch=obj.version)
                with closing(answer["Body"]) as body:
                    return _at_most(body, limit)
            except failures.ClientError as error:
                reason = _OBJECT_ANSWERS.get(_code(error))
                if reason is None:
                    raise
                raise ObjectUnreadable(reason) from error
            except (failures.HTTPClientError, failures.IncompleteReadError):
                # botocore retries until the body begins, and not what breaks within it.
                if attempt == _READ_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    @contextmanager
    def _client(self) -> Iterator[Any]:
        session = boto3.Session()
        config = Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "max_attempts": 4},
            s3={"addressing_style": "path"} if self.endpoint_url else None,
        )
        with self._clear_errors():
            client = session.client(
                "s3", region_name=session.region_name or _REGION, endpoint_url=self.endpoint_url, config=config
            )
        with closing(client):
            yield client

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except (failures.BotoCoreError, failures.ClientError, ValueError) as error:
            raise SourceError(self._sentence(error)) from error

    def _sentence(self, error: Exception) -> str:
        server = self.endpoint_url or "AWS"
        if isinstance(error, failures.ClientError):
            said = _ANSWERS.get(_code(error))
            if said is not None:
                return said.format(bucket=self.bucket, server=server)
            message = str(error.response.get("Error", {}).get("Message", error)).rstrip(".")
            return f"{server} refuses to list or read the bucket {self.bucket} ({_code(error)}: {message})."
        if isinstance(error, (failures.NoCredentialsError, failures.PartialCredentialsError)):
            return "There are no S3 credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        if isinstance(error, failures.ParamValidationError):
            return _ANSWERS["InvalidBucketName"].format(bucket=self.bucket)
        if isinstance(error, (failures.HTTPClientError, failures.ConnectionError)):
            return f"The S3 server {server} cannot be reached ({error}); check the endpoint URL and the network."
        return f"Cannot use s3://{self.bucket} at {server}: {error}."


def parse_s3(spec: str, options: SourceOptions) -> S3Source:
    """s3://bucket or s3://bucket/prefix; the prefix is a plain one, as S3 has it: "a" finds "a/1.mid" and "ab.mid"."""
    bucket, _, prefix = spec.removeprefix("s3://").partition("/")
    if not bucket:
        raise SourceError(f"{spec!r} names no bucket: write s3://bucket or s3://bucket/prefix.")
    return S3Source(bucket, prefix, options.endpoint_url)


_ANSWERS = {
    "NoSuchBucket": "The bucket {bucket} does not exist at {server}; check its name, or give --endpoint-url.",
    "404": "The bucket {bucket} does not exist at {server}; check its name, or give --endpoint-url.",
    "AccessDenied": "{server} denies access to bucket {bucket}: the credentials need s3:ListBucket and s3:GetObject.",
    "403": "{server} denies access to bucket {bucket}: the credentials need s3:ListBucket and s3:GetObject.",
    "InvalidBucketName": "{bucket!r} is no bucket name: 3 to 63 lower-case letters, digits, dots and hyphens.",
    "InvalidAccessKeyId": "{server} does not know this access key; check AWS_ACCESS_KEY_ID or AWS_PROFILE.",
    # versitygw's own word for it
    "XAdminUserNotFound": "{server} does not know this access key; check AWS_ACCESS_KEY_ID or AWS_PROFILE.",
    "SignatureDoesNotMatch": "The secret key does not fit the access key; check AWS_SECRET_ACCESS_KEY.",
    "ExpiredToken": "The S3 credentials have expired; sign in again.",
    "PermanentRedirect": "The bucket {bucket} is in another region; set AWS_REGION to it.",
    "IllegalLocationConstraintException": "The bucket {bucket} is in another region; set AWS_REGION to it.",
    "AuthorizationHeaderMalformed": "The bucket {bucket} is in another region; set AWS_REGION to it.",
}


def _at_most(body: Any, limit: int) -> bytes:
    """A body that is cut short gives what came at first, and says so at the next read only."""
    data = bytearray()
    while len(data) < limit and (more := body.read(limit - len(data))):
        data += more
    return bytes(data)


def _code(error: failures.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
