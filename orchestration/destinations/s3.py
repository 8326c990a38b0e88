"""Files of changes in an S3 bucket, or a store that speaks S3. An object is there as a whole or
not at all, so nothing is written beside it."""

import logging
import os
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import StringConstraints

from orchestration.destinations._file_drop import FileDrop, FileOptions
from orchestration.destinations.base import CallError, Refused, Stopped, Unanswered
from orchestration.sync.spec import SyncSpec

# At debug level botocore writes down bodies and signatures.
logging.getLogger("botocore").setLevel(logging.INFO)

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_TYPES = {".csv": "text/csv; charset=utf-8", ".gz": "application/gzip"}

_NO_LOGIN = {
    "AccessDenied",
    "AccountProblem",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
}
_TOO_LARGE = {"EntityTooLarge"}


class S3Options(FileOptions):
    """What S3 adds."""

    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    region: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{2,40}$")] = "us-east-1"
    bucket_owner: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")] | None = None
    """Account that must own the bucket: a bucket of that name in other hands gets nothing."""
    encryption: Literal["AES256", "aws:kms"] | None = None
    """None: as the bucket is set up."""


class S3(FileDrop):
    """One bucket. Environment: boto3's own (``AWS_ACCESS_KEY_ID`` and so on, a profile, or the
    role of the machine), optionally ``CDP_S3_ENDPOINT_URL``."""

    name = "s3"
    options_class = S3Options

    def __init__(self, spec: SyncSpec, client: Any) -> None:
        super().__init__(spec)
        self._client = client
        # Each attempt, those of botocore's own retries and those without any answer too.
        client.meta.events.register("before-send.s3", self._count)

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "S3":
        try:
            import boto3
            from botocore.config import Config
        except ModuleNotFoundError:
            raise LookupError("boto3 is not installed: pip install 'boto3>=1.40,<2'") from None
        endpoint = os.environ.get("CDP_S3_ENDPOINT_URL")
        if endpoint:
            parts = urlsplit(endpoint)
            if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
                raise ValueError("CDP_S3_ENDPOINT_URL must be https")
        config = Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 5},
            # Other stores do not know Amazon's newer checksums.
            request_checksum_calculation="when_required" if endpoint else "when_supported",
        )
        session = boto3.session.Session()
        region = cls.options_of(spec).region
        return cls(
            spec, session.client("s3", region_name=region, endpoint_url=endpoint, config=config)
        )

    def put(self, name: str, content: bytes) -> None:
        from botocore import exceptions

        options: S3Options = self._options
        more = {"ExpectedBucketOwner": options.bucket_owner} if options.bucket_owner else {}
        if options.encryption:
            more["ServerSideEncryption"] = options.encryption
        ending = name[name.rindex(".") :]
        kind = _TYPES.get(ending, "application/octet-stream")
        failure: CallError | None = None
        try:
            self._client.put_object(
                Bucket=options.bucket, Key=name, Body=content, ContentType=kind, **more
            )
        except exceptions.ClientError as error:
            failure = _client_error(error.response)
        except exceptions.SSLError:
            failure = Stopped("BAD_CERTIFICATE")
        except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
            failure = Unanswered(type(error).__name__.upper())
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
            failure = Stopped("NO_CREDENTIALS", "auth")
        except exceptions.BotoCoreError as error:
            failure = Stopped(type(error).__name__.upper())
        if failure:
            raise failure

    def _count(self, **_: Any) -> None:
        """What it returned would be taken for the answer."""
        self._calls += 1


def _client_error(response: dict[str, Any]) -> CallError:
    code = str(response["Error"].get("Code", ""))
    status = response["ResponseMetadata"].get("HTTPStatusCode", 0)
    told = code.upper() if code.isalpha() else f"HTTP_{status}"
    if code in _NO_LOGIN or status in (401, 403):
        return Stopped(told, "auth")
    if code in _TOO_LARGE or status == 413:
        return Refused(told)
    if status >= 500 or status in (408, 409, 429):
        return Unanswered(told)
    # No such bucket, another region, a setting that is refused: the same for every file.
    return Stopped(told)
