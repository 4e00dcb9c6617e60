"""What a worker's own app does: sign in and change their status, under the rules of firestore.rules."""

import base64
import json
from urllib.parse import quote

import urllib3

_http = urllib3.PoolManager(retries=False, timeout=10)


class RefusedError(Exception):
    """The rules forbid it."""


def set_status(host: str, project: str, identity: str, status: str) -> None:
    """Write `status` on the worker's own record, signed in as that worker; raises RefusedError."""
    record = f"projects/{project}/databases/(default)/documents/workers/{quote(identity, safe='@')}"
    answer = _http.request(
        "PATCH",
        f"http://{host}/v1/{record}?updateMask.fieldPaths=status&currentDocument.exists=true",
        json={"fields": {"status": {"stringValue": status}}},
        headers={"Authorization": f"Bearer {token(project, identity)}"},
    )
    if answer.status != 200:
        raise RefusedError(
            f"{identity} may not set status {status!r}: {answer.status} {answer.data.decode()[:200]}"
        )


def token(project: str, identity: str) -> str:
    """A signed-in worker's token as the emulator takes it: unsigned."""
    claims = {
        "iss": f"https://securetoken.google.com/{project}",
        "aud": project,
        "sub": identity,
        "user_id": identity,
        "email": identity,
        "email_verified": True,
        "iat": 0,
        "exp": 4102444800,
        "firebase": {"sign_in_provider": "password", "identities": {"email": [identity]}},
    }
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."


def _part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
