"""What deploy.sh makes of an API key and of the domains that sign in. Pieces of the script alone, without gcloud."""

from __future__ import annotations

import re

import pytest

from tests.deploy.test_words import shell

SID = "SK" + "0a" * 16
OTHER = "SK" + "1b" * 16
# Nothing is deployed yet, and nothing is stored.
_NEW = "TWILIO_API_KEY_SID=${TWILIO_API_KEY_SID:-}; : >$TMP/secrets.out\n"
# A key is deployed and its secret is stored.
_KEPT = (
    f"TWILIO_API_KEY_SID=${{TWILIO_API_KEY_SID-{SID}}} DEPLOYED_KEY_SID={SID}\n"
    "printf 'name=twilio-api-key-secret\\towner=inbound\\tstate=ENABLED\\n' >$TMP/secrets.out\n"
)
_GIVEN = 'settle_api_key; awk \'$1 == "sweep" { print $7 }\' <<<"$FUNCTIONS"\n'
_DOMAINS = 'check_arguments; echo "<$OIDC_ALLOWED_DOMAINS>"\n'


def test_without_a_key_rest_calls_get_the_token() -> None:
    assert shell(_NEW + _GIVEN) == (0, "token")


@pytest.mark.parametrize(
    "words",
    [
        f"read_arguments --twilio-api-key {SID}; TWILIO_API_KEY_SECRET=x\n",
        f"TWILIO_API_KEY_SID={SID} TWILIO_API_KEY_SECRET=x; read_arguments --twilio-api-key --yes\n",
        f"TWILIO_API_KEY_SID={SID} TWILIO_API_KEY_SECRET=x\n",
    ],
    ids=["an argument", "the flag and the environment", "the environment"],
)
def test_a_key_is_named_in_three_ways(words: str) -> None:
    assert shell(words + _NEW + _GIVEN) == (0, "key")


def test_a_key_that_is_deployed_stays_until_it_is_taken_away() -> None:
    assert shell(_KEPT + _GIVEN) == (0, "key")
    assert shell("read_arguments --twilio-api-key\n" + _KEPT + _GIVEN) == (0, "key")
    assert shell("read_arguments --twilio-api-key ''\n" + _KEPT + _GIVEN) == (
        0,
        "token",
    )
    assert shell("TWILIO_API_KEY_SID=''\n" + _KEPT + _GIVEN) == (0, "token")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            "read_arguments --twilio-api-key\n" + _NEW,
            "TWILIO_API_KEY_SID is not set and there is no terminal",
        ),
        (
            f"read_arguments --twilio-api-key {SID}\n" + _NEW,
            "TWILIO_API_KEY_SECRET is not set and there is",
        ),
        (
            f"read_arguments --twilio-api-key {OTHER}\n" + _KEPT,
            "TWILIO_API_KEY_SECRET is not set and there is",
        ),
        (
            "TWILIO_API_KEY_SECRET=x\n" + _NEW,
            "TWILIO_API_KEY_SECRET is set without TWILIO_API_KEY_SID",
        ),
        (
            "read_arguments --twilio-api-key my-secret\n" + _NEW,
            "must be SK and 32 hexadecimal digits",
        ),
    ],
)
def test_half_a_key_is_one_sentence(words: str, says: str) -> None:
    status, output = shell(words + "settle_api_key </dev/null\n")
    assert status == 1
    assert output.startswith("deploy.sh: ")
    assert says in output
    assert "my-secret" not in output


def test_the_keys_sid_goes_to_functions_that_call_twilio_only() -> None:
    given = f"TWILIO_API_KEY_SID={SID} DATABASE=x BASE_URL=y; variables "
    for kinds, is_given in {
        "twilio": False,
        "-": False,
        "twilio+key": True,
        "key": True,
        "key+inbox+push": True,
    }.items():
        _, output = shell(given + kinds)
        assert (f"TWILIO_API_KEY_SID={SID}" in output) == is_given, kinds


def test_what_signs_workers_in_goes_to_the_inbox_only() -> None:
    given = "OIDC_ALLOWED_DOMAINS=a.com,b.com OIDC_TRUST_EMAIL=1 VAPID_SUBJECT=mailto:x DATABASE=x BASE_URL=y\n"
    given += "variables "
    _, inbox = shell(given + "key+inbox+push")
    assert "|OIDC_ALLOWED_DOMAINS=a.com,b.com|OIDC_TRUST_EMAIL=1" in inbox
    _, push = shell(given + "key+push")
    assert "OIDC" not in push
    assert "VAPID_SUBJECT=mailto:x" in push


@pytest.mark.parametrize(
    ("words", "domains"),
    [
        ("read_arguments --allowed-domain example.com", "example.com"),
        (
            "read_arguments --allowed-domain example.com --allowed-domain b.org",
            "example.com,b.org",
        ),
        (
            "read_arguments --allowed-domain 'Example.COM, @b.org;c.co.uk'",
            "example.com,b.org,c.co.uk",
        ),
        (
            "OIDC_ALLOWED_DOMAINS=old.com; read_arguments --allowed-domain new.com",
            "new.com",
        ),
        ("OIDC_ALLOWED_DOMAINS=old.com; read_arguments --yes", "old.com"),
        ("OIDC_ALLOWED_DOMAINS=old.com; read_arguments --allowed-domain ''", ""),
        ("read_arguments --allowed-domain a.com --allowed-domain ''", ""),
        (
            "read_arguments --allowed-domain xn--mller-kva.example",
            "xn--mller-kva.example",
        ),
    ],
)
def test_domains_are_repeated_or_listed(words: str, domains: str) -> None:
    assert shell(f"{words}\n{_DOMAINS}") == (0, f"<{domains}>")


@pytest.mark.parametrize(
    "domain",
    [
        "example",
        "*.example.com",
        "ann@example.com",
        "--dry-run",
        "a b",
        "*",
        "a..b",
        "müller.de",
    ],
)
def test_what_is_no_domain_is_named(domain: str) -> None:
    status, output = shell(f"read_arguments --allowed-domain '{domain}'\n{_DOMAINS}")
    assert status == 1
    assert output.startswith("deploy.sh: --allowed-domain '")
    assert output.endswith("must be a domain such as example.com.")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("read_arguments --trust-email", 1),
        ("read_arguments --trust-email; OIDC_ISSUER=https://accounts.google.com/", 1),
        (
            "read_arguments --trust-email; OIDC_ISSUER=https://login.microsoftonline.com/tenant/v2.0",
            0,
        ),
        ("OIDC_TRUST_EMAIL=", 0),
        ("OIDC_TRUST_EMAIL=true", 1),
    ],
)
def test_only_an_issuer_of_ones_own_is_trusted(words: str, status: int) -> None:
    assert shell(f"{words}\ncheck_trust")[0] == status


def test_no_other_program_is_given_a_secret_unasked() -> None:
    for variable in (
        "TWILIO_AUTH_TOKEN",
        "TWILIO_API_KEY_SECRET",
        "OIDC_CLIENT_SECRET",
    ):
        script = f"export {variable}=hush; keep_secrets_here; {{ env | grep hush || true; }}; echo ${variable}"
        assert shell(script) == (0, "hush")
    assert shell('keep_secrets_here; echo "<${TWILIO_API_KEY_SECRET+set}>"') == (
        0,
        "<>",
    )


def test_an_account_reads_no_secret_that_its_functions_are_not_given() -> None:
    account = "serviceAccount:inbound-{}@demo-x.iam.gserviceaccount.com"
    lines = "\n".join(account.format(one) for one in ("runtime", "inbox", "records"))
    there = f"cat >$TMP/readers.twilio-auth-token.out <<'X'\n{lines}\nX\necho runtime >$TMP/wanted.twilio-auth-token\n"
    status, output = shell(f"{there} DRY_RUN=1; take_back_secrets")
    assert status == 0
    assert output.count("remove-iam-policy-binding") == 2
    assert f"--member={account.format('inbox')}" in output
    assert shell(f"{there} DRY_RUN=1 ONLY=crm; take_back_secrets") == (0, "")


def test_the_version_is_a_label_with_and_without_git() -> None:
    for where in ("", "git() { return 1; }; "):
        status, version = shell(f"{where}version_label\n")
        assert status == 0
        assert re.fullmatch(r"[a-z0-9_-]{1,63}", version), version
    assert version == "0-1-0"
