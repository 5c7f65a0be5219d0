"""A bucket on a real S3 server."""

import pickle
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from midi.errors import ObjectUnreadable, SourceError
from midi.sources import Source, SourceOptions, open_source
from tests.object_store import ObjectStore, object_store
from tests.unit.sources.songs import LIMIT, contents, listed, quiet, song

KEYS = ("Z.mid", "a b/x+y%41&.mid", "a-b.mid", "a.mid", "a/1.mid", "a/z.mid", "a/\ufffd.mid", "a0.mid", "é.mid")
MANY = 2500


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as running:
        yield running


@pytest.fixture
def client(store: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A client of the owner; the environment holds nothing but the owner's keys."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path_factory.getbasetemp() / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in store.environment().items():
        monkeypatch.setenv(name, value)
    return boto3.session.Session().client("s3", endpoint_url=store.endpoint_url, region_name="us-east-1")


@pytest.fixture
def bucket(client: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """A bucket of this test's own, emptied and removed afterwards."""
    name = f"songs-{abs(hash(request.node.name)):x}"[:40]
    client.create_bucket(Bucket=name)
    yield name
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
        if found := [{"Key": obj["Key"]} for obj in page.get("Contents", ())]:
            client.delete_objects(Bucket=name, Delete={"Objects": found})
    client.delete_bucket(Bucket=name)


def put(client: Any, bucket: str, *keys: str) -> None:
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=song(key))


def opened(store: ObjectStore, options: SourceOptions, spec: str) -> Source:
    return open_source(spec, replace(options, endpoint_url=store.endpoint_url), quiet)


def refusal(source: Source) -> str:
    with pytest.raises(SourceError) as refused:
        listed(source)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_midi_objects_are_read_in_key_order_whatever_their_names(
    client: Any, bucket: str, store: ObjectStore, options: SourceOptions
) -> None:
    put(client, bucket, *KEYS, "notes.txt")
    client.put_object(Bucket=bucket, Key="empty.mid", Body=b"")
    source = opened(store, options, f"s3://{bucket}")
    keys = [obj.key for obj in listed(source)]
    assert keys == sorted(keys)
    assert sorted(contents(source).values()) == sorted([*map(song, KEYS), b""])
    assert source.description == f"s3://{bucket}/"


def test_a_prefix_is_a_plain_one(client: Any, bucket: str, store: ObjectStore, options: SourceOptions) -> None:
    put(client, bucket, "a/1.mid", "ab.mid", "b.mid")
    assert list(contents(opened(store, options, f"s3://{bucket}/a"))) == ["a/1.mid", "ab.mid"]
    assert list(contents(opened(store, options, f"s3://{bucket}/a/"))) == ["a/1.mid"]
    assert list(contents(opened(store, options, f"s3://{bucket}/none/"))) == []


def test_more_objects_than_a_page_holds_are_all_listed_once(
    client: Any, bucket: str, store: ObjectStore, options: SourceOptions
) -> None:
    # Written as files of the server's folder: it reads them as objects, and 2,500 requests take long.
    for number in range(MANY):
        (store.root / bucket / f"{number:05d}.mid").write_bytes(b"x")
    keys = [obj.key for obj in listed(opened(store, options, f"s3://{bucket}"))]
    assert keys == [f"{number:05d}.mid" for number in range(MANY)]


def test_reading_stops_at_the_limit_and_leaves_the_connection_usable(
    client: Any, bucket: str, store: ObjectStore, options: SourceOptions
) -> None:
    client.put_object(Bucket=bucket, Key="large.mid", Body=b"MThd" + bytes(3_000_000))
    put(client, bucket, "small.mid")
    source = opened(store, options, f"s3://{bucket}")
    large, small = listed(source)
    with source.reader() as read:
        for _ in range(3):
            assert read(large, 6) == b"MThd\0\0"
            assert read(small, LIMIT) == song("small.mid")
        assert len(read(large, 10_000_000)) == large.size == 3_000_004


@pytest.mark.parametrize("change", ["delete", "rewrite"])
def test_an_object_that_changed_after_the_listing_is_unreadable(
    change: str, client: Any, bucket: str, store: ObjectStore, options: SourceOptions
) -> None:
    put(client, bucket, "a.mid", "b.mid")
    source = opened(store, options, f"s3://{bucket}")
    changed, kept = listed(source)
    if change == "delete":
        client.delete_object(Bucket=bucket, Key="a.mid")
    else:
        client.put_object(Bucket=bucket, Key="a.mid", Body=b"other")
    with source.reader() as read:
        with pytest.raises(ObjectUnreadable, match="since it was listed"):
            read(changed, LIMIT)
        assert read(kept, LIMIT) == song("b.mid")


def test_the_version_follows_the_content(client: Any, bucket: str, store: ObjectStore, options: SourceOptions) -> None:
    source = opened(store, options, f"s3://{bucket}")
    put(client, bucket, "a.mid")
    before = listed(source)
    put(client, bucket, "a.mid")
    assert listed(source) == before
    client.put_object(Bucket=bucket, Key="a.mid", Body=song("b.mid"))
    assert listed(source)[0].size == before[0].size
    assert listed(source)[0].version != before[0].version


def test_a_source_works_after_pickling_and_holds_no_secret(
    client: Any, bucket: str, store: ObjectStore, options: SourceOptions
) -> None:
    put(client, bucket, "a.mid")
    pickled = pickle.dumps(opened(store, options, f"s3://{bucket}"))
    assert store.secret_key.encode() not in pickled
    assert contents(pickle.loads(pickled)) == {"a.mid": song("a.mid")}  # noqa: S301


def test_a_bucket_that_vanishes_while_reading_ends_the_job_rather_than_rejecting_every_file(
    client: Any, store: ObjectStore, options: SourceOptions
) -> None:
    client.create_bucket(Bucket="short-lived")
    put(client, "short-lived", "a.mid")
    source = opened(store, options, "s3://short-lived")
    (only,) = listed(source)
    client.delete_object(Bucket="short-lived", Key="a.mid")
    client.delete_bucket(Bucket="short-lived")
    with source.reader() as read, pytest.raises(SourceError, match="short-lived does not exist"):
        read(only, LIMIT)


@pytest.mark.usefixtures("client")
class TestRefusals:
    def test_a_bucket_that_does_not_exist(self, store: ObjectStore, options: SourceOptions) -> None:
        said = refusal(opened(store, options, "s3://no-such-bucket/x"))
        assert said.startswith(f"The bucket no-such-bucket does not exist at {store.endpoint_url};")

    @pytest.mark.parametrize("name", ["x", "UPPER_case!"])
    def test_a_name_no_bucket_can_have(self, name: str, store: ObjectStore, options: SourceOptions) -> None:
        assert f"'{name}' is no bucket name" in refusal(opened(store, options, f"s3://{name}/a"))

    @pytest.mark.parametrize(
        ("variable", "said"),
        [("AWS_SECRET_ACCESS_KEY", "secret key does not fit"), ("AWS_ACCESS_KEY_ID", "does not know this access key")],
    )
    def test_wrong_credentials(
        self, variable: str, said: str, store: ObjectStore, options: SourceOptions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(variable, "wrong")
        assert said in refusal(opened(store, options, "s3://songs"))

    def test_no_credentials(self, store: ObjectStore, options: SourceOptions, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        assert "no S3 credentials" in refusal(opened(store, options, "s3://songs"))

    def test_a_user_without_rights(
        self, client: Any, bucket: str, store: ObjectStore, options: SourceOptions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(client, bucket, "a.mid")
        source = opened(store, options, f"s3://{bucket}")
        (only,) = listed(source)
        access_key, secret_key = store.add_user()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret_key)
        assert f"denies access to bucket {bucket}: the credentials need" in refusal(source)
        with source.reader() as read, pytest.raises(ObjectUnreadable, match="access denied"):
            read(only, LIMIT)

    def test_a_server_that_is_not_there(self, options: SourceOptions) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            said = refusal(open_source("s3://songs", replace(options, endpoint_url=url), quiet))
        assert said.startswith(f"The S3 server {url} cannot be reached")

    def test_an_endpoint_that_is_no_url(self, options: SourceOptions) -> None:
        assert "Invalid endpoint" in refusal(open_source("s3://songs", replace(options, endpoint_url="here"), quiet))
