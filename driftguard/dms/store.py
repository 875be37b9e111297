"""Where DMS's files are: a bucket on S3, or a folder. Listings are bounded and say so; files are read in ranges."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, Protocol

from driftguard.errors import ConfigError, UnreachableError, UsageError

if TYPE_CHECKING:
    from driftguard.config import Config

PAGE = 1000  # keys of one answer; Amazon S3 API Reference, ListObjectsV2: at most 1000


class Refused(Exception):
    """This folder or file may not be looked at; the rest of the lake perhaps may."""


@dataclass(frozen=True, slots=True)
class File:
    """`path` is below the lake, `name` its last part."""

    path: str
    size: int
    modified: datetime

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Listing:
    """One level of a folder, sorted by name. `cut`: there is more behind the last name."""

    files: tuple[File, ...]
    folders: tuple[str, ...]
    cut: bool


class Store(Protocol):
    """A place with files. `folder` arguments are below the lake and end in `/`."""

    where: str

    def listing(self, folder: str, *, begins: str = "", after: str = "", pages: int = 1) -> Listing:
        """Names that begin with `begins` and come after `after`. Raises `Refused` or `UnreachableError`."""

    def open(self, file: File) -> Any:
        """A context manager with a binary file that can be read at any place. Raises `Refused`."""


def open_store(config: Config) -> Store:
    """The lake of driftguard.toml. Raises `ConfigError` without [lake] url, `UsageError` without the extra `aws`."""
    lake = config.settings.lake
    if not lake.url:
        raise ConfigError(
            f"{config.file}: no [lake] url", hint='set it to where DMS writes, as in url = "s3://bucket/"'
        )
    if lake.url.startswith("s3://"):
        bucket, _, prefix = lake.url.removeprefix("s3://").partition("/")
        if not bucket:
            raise ConfigError(f"{config.file}: lake.url = {lake.url!r} names no bucket", hint="write s3://bucket/")
        return S3(bucket, prefix, _client(config))
    if "://" in lake.url:
        raise ConfigError(f"{config.file}: lake.url = {lake.url!r}", hint="write s3://bucket/prefix/, or a folder")
    path = config.path(lake.url)
    if not path.is_dir():
        raise ConfigError(f"{config.file}: lake.url: no such folder: {path}", hint="name the folder of DMS's files")
    return Folder(path)


class Folder:
    """A folder on this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.where = f"{root}/"

    def listing(self, folder: str, *, begins: str = "", after: str = "", pages: int = 1) -> Listing:
        place = self._inside(folder)
        try:
            entries = sorted(os.scandir(place), key=lambda e: e.name) if place.is_dir() else []
        except OSError as error:
            raise Refused(f"{folder}: {error.strerror}") from None
        wanted = [e for e in entries if e.name.startswith(begins) and e.name > after and not e.name.startswith(".")]
        files: list[File] = []
        folders: list[str] = []
        for entry in wanted[: pages * PAGE]:
            if entry.is_dir():
                folders.append(entry.name)
            else:
                stat = entry.stat()
                files.append(File(folder + entry.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC)))
        return Listing(tuple(files), tuple(folders), len(wanted) > pages * PAGE)

    @contextmanager
    def open(self, file: File) -> Iterator[IO[bytes]]:
        try:
            with self._inside(file.path).open("rb") as opened:
                yield opened
        except OSError as error:
            if error.errno is None:
                raise  # pyarrow's own, about what is in the file
            raise Refused(f"{file.path}: {error.strerror}") from None

    def _inside(self, path: str) -> Path:
        if ".." in path.split("/"):  # a schema may be called that
            raise Refused(f"{path}: not a path below the lake")
        return self.root / path


class S3:
    """A bucket, or a prefix of one."""

    def __init__(self, bucket: str, prefix: str, client: Any) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
        self.where = f"s3://{bucket}/{self.prefix}"
        self.client = client

    def listing(self, folder: str, *, begins: str = "", after: str = "", pages: int = 1) -> Listing:
        base = self.prefix + folder
        arguments: dict[str, Any] = {"Bucket": self.bucket, "Prefix": base + begins, "Delimiter": "/", "MaxKeys": PAGE}
        if after:
            arguments["StartAfter"] = base + after
        files: list[File] = []
        folders: list[str] = []
        cut = True
        for _ in range(pages):
            try:
                answer = self.client.list_objects_v2(**arguments)
            except Exception as error:
                self._refuse(error, folder, "s3:ListBucket")
            files += [
                File(item["Key"].removeprefix(self.prefix), int(item["Size"]), item["LastModified"].astimezone(UTC))
                for item in answer.get("Contents", ())
            ]
            folders += [item["Prefix"].removeprefix(base).rstrip("/") for item in answer.get("CommonPrefixes", ())]
            cut = bool(answer.get("IsTruncated"))
            if not cut:
                break
            arguments["ContinuationToken"] = answer["NextContinuationToken"]
        return Listing(tuple(files), tuple(folders), cut)

    @contextmanager
    def open(self, file: File) -> Iterator[IO[bytes]]:
        with io.BufferedReader(_Ranged(self, file), buffer_size=1 << 16) as opened:
            yield opened

    def read(self, file: File, start: int, end: int) -> bytes:
        """Bytes `start` to `end` (not included) of a file. Raises `Refused`."""
        try:
            answer = self.client.get_object(
                Bucket=self.bucket, Key=self.prefix + file.path, Range=f"bytes={start}-{end - 1}"
            )
            data: bytes = answer["Body"].read()
        except Exception as error:
            self._refuse(error, file.path, "s3:GetObject")
        return data

    def _refuse(self, error: Exception, what: str, grant: str) -> NoReturn:
        """What S3 said, for this folder alone or for the lake as a whole. Anything that is not S3's passes through."""
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            details = error.response.get("Error", {})
            code = str(details.get("Code", ""))
            if code in ("AccessDenied", "403", "Forbidden", "AllAccessDisabled", "KMS.AccessDeniedException"):
                raise Refused(f"{what}: S3 says {code}: {grant} on {self.where}{what} is missing") from None
            if code in ("NoSuchKey", "404", "InvalidRange", "InvalidObjectState"):
                raise Refused(f"{what}: S3 says {code}: {details.get('Message', '')}") from None
            raise UnreachableError(
                f"S3 ({self.where}): {code}: {details.get('Message', '')}", hint=_hint(code)
            ) from None
        if isinstance(error, BotoCoreError):
            raise UnreachableError(
                f"S3 ({self.where}): {' '.join(str(error).split())}", hint=_hint(type(error).__name__)
            ) from None
        raise error


class _Ranged(io.RawIOBase):
    """An object of S3 as a file: each read is one ranged GET."""

    def __init__(self, store: S3, file: File) -> None:
        self._store = store
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._file.size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._file.size)
        if end <= self._at:
            return 0
        data = self._store.read(self._file, self._at, end)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


_HINTS = {
    "NoSuchBucket": "check [lake] url",
    "PermanentRedirect": "the bucket is in another region: set [lake] region",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set [lake] region",
    "NoCredentialsError": "set AWS_PROFILE, [lake] profile or the AWS_* variables, or run where a role is attached",
    "PartialCredentialsError": "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "EndpointConnectionError": "check the network, [lake] region and endpoint_url",
    "InvalidAccessKeyId": "check the AWS credentials",
    "SignatureDoesNotMatch": "check the AWS credentials",
    "ExpiredToken": "sign in to AWS again",
}


def _hint(code: str) -> str:
    return _HINTS.get(code, "check [lake] in driftguard.toml and the AWS credentials")


def _client(config: Config) -> Any:
    try:
        import boto3
        from botocore.config import Config as ClientConfig
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise UsageError("reading S3 needs boto3", hint="pip install 'driftguard[aws]'") from None
    lake = config.settings.lake
    try:
        session = boto3.Session(profile_name=lake.profile, region_name=lake.region)
        return session.client(
            "s3",
            endpoint_url=lake.endpoint_url,
            config=ClientConfig(
                connect_timeout=10,
                read_timeout=30,
                max_pool_connections=16,
                retries={"mode": "standard", "max_attempts": 4},
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise ConfigError(f"{config.file}: [lake]: {error}", hint="check profile, region and endpoint_url") from None
