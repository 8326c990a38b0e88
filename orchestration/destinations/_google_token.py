"""Google's access tokens, got with a refresh token: they live for an hour.

A service account would need RSA signatures, and so a library of cryptography, for the same.
"""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from orchestration.destinations.base import Limits, Stopped, setting
from orchestration.sync.http import Credentials, HttpClient

_TOKEN_URL = "https://oauth2.googleapis.com/token"


def access_token(client_id: str) -> Callable[[], str]:
    """What fetches one, with credentials from the environment. Raises ``LookupError`` with the
    name of a variable that is not set; the fetch raises ``Stopped``."""
    form = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "client_secret": setting("GOOGLE_CLIENT_SECRET"),
        "refresh_token": setting("GOOGLE_REFRESH_TOKEN"),
    }
    parts = urlsplit(setting("GOOGLE_TOKEN_URL", _TOKEN_URL))
    http = HttpClient(
        f"{parts.scheme}://{parts.netloc}",
        Credentials(client_id),  # the form holds the secrets
        Limits(batch_rows=1, rates=((10, 60),)),
    )

    def fetch() -> str:
        reply = http.request(
            "POST",
            parts.path,
            data=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        token = reply.body.get("access_token") if isinstance(reply.body, dict) else None
        if reply.status != 200 or not isinstance(token, str):
            raise Stopped("TOKEN_REFUSED", "auth")
        return token

    return fetch
