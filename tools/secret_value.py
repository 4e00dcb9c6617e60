"""Reads what `gcloud secrets versions access --format=json` prints; writes the version's number and the value."""

import base64
import json
import sys

if __name__ == "__main__":
    text = sys.stdin.read()
    if not text.strip():
        sys.exit(1)  # gcloud has said why
    version = json.loads(text)
    data = version["payload"]["data"].replace("+", "-").replace("/", "_")
    sys.stdout.write(
        version["name"].rsplit("/", 1)[1]
        + "\n"
        + base64.urlsafe_b64decode(data).decode()
    )
