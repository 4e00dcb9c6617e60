"""What Google is documented to say, and the one sentence that deploy.sh makes of it.

Pieces of the script alone, without gcloud.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.deploy.conftest import ROOT

# deploy.sh up to where it would begin to work: settings, functions, and no gcloud.
_LOADED = """
source <(sed "s/^{ main .*//" deploy.sh)
read_arguments --project demo-x
check_arguments
REGION=europe-west3 MAX_INSTANCES=10
"""


def shell(script: str) -> tuple[int, str]:
    """Exit status and words of some lines of shell behind the loaded script."""
    done = subprocess.run(
        ["bash", "-c", "cd " + str(ROOT) + "\n" + _LOADED + script],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            "INVALID_ARGUMENT: CpuAllocPerProjectRegion requested: 20000 allowed: 10000",
            "quota in europe-west3 is smaller than --max-instances 10: add --max-instances 10",
        ),
        (
            "spec.template.spec.maxScale: maxScale may not exceed 4",
            "add --max-instances 4",
        ),
        (
            "failed precondition: due to quota restrictions, cannot run builds in this region",
            "add --region with one of us-central1, us-west2, europe-west1",
        ),
        (
            "A Cloud Run service with this name already exists",
            "this script did not make: add --prefix",
        ),
        (
            "UNREACHABLE_LOCATION europe-west1",
            "Google Cloud cannot reach europe-west1 at the moment",
        ),
        (
            "Container Healthcheck failed. Quota exceeded for total allowable CPU per project per region.",
            "add --max-instances 5, or ask for a larger quota",
        ),
        (
            "ERROR: ID Token issued at 1 is stale to sign-in.",
            "on a build machine: let the job sign in again",
        ),
        (
            "ERROR: unrecognized arguments: --build-service-account",
            "run 'gcloud components update'",
        ),
    ],
)
def test_googles_words_become_a_sentence_that_says_what_to_do(
    words: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "log").write_text(words)
    status, output = shell(f'explain "deploy crm" {tmp_path}/log')
    assert status == 1
    assert says in output
    assert output.startswith("deploy.sh: ")
    assert len(output.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            "403 Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: eRdX_3x-A",
            "(vpcServiceControlsUniqueIdentifier: eRdX_3x-A)",
        ),
        (
            "403 PERMISSION_DENIED: Request is disallowed by organization's constraints/gcp.restrictServiceUsage",
            "(constraints/gcp.restrictServiceUsage)",
        ),
    ],
)
def test_a_refusal_by_policy_goes_to_the_administrators_with_googles_identifier(
    words: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "log").write_text(words)
    status, output = shell(f'explain "list the secrets" {tmp_path}/log')
    assert status == 1
    assert words in output
    assert "give your organisation's administrators Google's words above" in output
    assert says in output
    assert "the roles" not in output


def test_a_refusal_of_the_person_who_deploys_is_not_tried_again(tmp_path: Path) -> None:
    """gcloud adds "or it may not exist" to it; only for an account of ours does that mean: not yet."""
    lacking = "[deployer@demo-x.iam.gserviceaccount.com] does not have permission to access projects instance [demo]"
    late = "[me@example.com] does not have permission to access serviceAccounts instance [inbound-build@demo-x]"
    for words, tries in ((lacking, 1), (late, 4)):
        count = tmp_path / str(tries)
        no = f"no() {{ echo x >>{count}; echo '{words} (or it may not exist)' >&2; return 1; }}"
        _, output = shell(
            f"{no}; RETRIES=3 RETRY_SECONDS=0; attempt {tmp_path}/a no; true"
        )
        assert len(count.read_text().splitlines()) == tries
        assert ("waiting up to" in output) == (tries > 1)


BUILDS = [
    "Build failed: Access to bucket gcf-v2-sources-1 denied. You must grant Storage Object Viewer permission to x",
    "404 Service account projects/-/serviceAccounts/x was not found. (actAs)",
    "Could not build the function due to a missing permission on the build service account",
    "Unable to retrieve the repository metadata for projects/p/locations/l/repositories/gcf-artifacts",
    "gcloud crashed (AttributeError): 'NoneType' object has no attribute 'dockerRepository'",
]


@pytest.mark.parametrize("words", BUILDS)
def test_what_a_new_account_runs_into_is_tried_again_by_a_deployment_and_by_nothing_else(
    words: str, tmp_path: Path
) -> None:
    (tmp_path / "words").write_text(words)
    once = (
        f"no() {{ echo x >>{tmp_path}/tries; cat {tmp_path}/words >&2; return 1; }}; "
        f"RETRIES=3 RETRY_SECONDS=0; attempt {tmp_path}/a no"
    )
    shell(f"MORE_TRANSIENT=$TRANSIENT_BUILD; {once}")
    assert len((tmp_path / "tries").read_text().splitlines()) == 4
    (tmp_path / "tries").unlink()
    shell(once)
    assert len((tmp_path / "tries").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("file", "line", "says"),
    [
        (
            "all",
            "name=routing\tregion=europe-west3\towner=",
            "a function routing in europe-west3",
        ),
        ("services", "name=sweep\topen=no", "a Cloud Run service sweep"),
        ("secrets", "name=twilio-auth-token\towner=", "a secret twilio-auth-token"),
        ("secrets", "name=twilio-auth-token\towner=shop", "a secret twilio-auth-token"),
        (
            "accounts",
            "name=inbound-build@demo-x.iam.gserviceaccount.com\tdescription=\tdisplay=Builds the shop",
            "a service account inbound-build",
        ),
        (
            "jobs",
            "name=sweep\taccount=other@demo-x",
            "a scheduler job sweep",
        ),
    ],
)
def test_what_has_our_name_and_is_not_ours_is_left_alone_with_the_way_out(
    file: str, line: str, says: str
) -> None:
    status, output = shell(_there(**{file: line}) + "check_owners")
    assert status == 1, output
    assert says in output
    assert "that this script did not make" in output
    assert "add --prefix with a word of your own" in output


@pytest.mark.parametrize(
    ("file", "line"),
    [
        (
            "all",
            "name=routing\tregion=us-east1\towner=",
        ),  # elsewhere: another address
        ("all", "name=routing\tregion=europe-west3\towner=inbound"),
        ("secrets", "name=twilio-auth-token\towner=inbound"),
        (
            "accounts",
            "name=inbound-build@demo-x.iam.gserviceaccount.com\tdescription=\tdisplay=Builds the functions",
        ),
        (
            "jobs",
            "name=sweep\taccount=inbound-scheduler@demo-x.iam.gserviceaccount.com",
        ),
    ],
)
def test_what_an_earlier_run_or_version_made_is_ours(file: str, line: str) -> None:
    status, output = shell(_there(**{file: line}) + "check_owners")
    assert (status, output) == (0, "")


def test_what_a_version_before_made_is_taken_along() -> None:
    """Its secrets have no label, but our account reads them; its builds could start others."""
    runtime, build = (
        f"serviceAccount:inbound-{one}@demo-x.iam.gserviceaccount.com"
        for one in ("runtime", "build")
    )
    unlabelled = (
        _there(secrets="name=twilio-auth-token\towner=")
        + f"echo {runtime} >$TMP/readers.twilio-auth-token.out\n"
    )
    assert shell(f"{unlabelled} check_owners") == (0, "")
    status, output = shell(f"{unlabelled} DRY_RUN=1; label_secret twilio-auth-token")
    assert "secrets update twilio-auth-token --update-labels=app=inbound" in output
    held = f"printf 'name={build}\\trole=roles/cloudbuild.builds.builder\tcondition=\\n' >$TMP/policy.out\n"
    status, output = shell(
        f"{held} DRY_RUN=1; take_back build roles/cloudbuild.builds.builder"
    )
    assert status == 0
    assert f"--member={build} --role=roles/cloudbuild.builds.builder" in output


def test_another_database_is_forgotten_once_no_function_uses_it() -> None:
    runtime = "serviceAccount:inbound-runtime@demo-x.iam.gserviceaccount.com"
    lines = "".join(
        f'name={runtime}\trole=roles/datastore.user\tcondition=resource.name=="projects/demo-x/databases/{name}"\n'
        for name in ("old", "new")
    )
    status, output = shell(
        f"cat >$TMP/policy.out <<'X'\n{lines}X\nDATABASE=new DRY_RUN=1; leave_other_databases"
    )
    assert status == 0, output
    assert output.count("remove-iam-policy-binding") == 1
    assert "databases/old" in output


def _there(**files: str) -> str:
    """What Google has listed; nothing but these lines."""
    names = ("all", "services", "secrets", "accounts", "jobs")
    written = "".join(
        f"printf '%s\\n' '{files.get(name, '')}' >$TMP/{name}.out\n" for name in names
    )
    nobody = ": >$TMP/readers.twilio-auth-token.out; check_database_owner() { :; }\n"
    return written + nobody + "keep_ours; keep_region\n"


def _database(edition: str) -> str:
    """A listed database in europe-west3."""
    values = f"name=(default)\tlocation=europe-west3\ttype=FIRESTORE_NATIVE\tedition={edition}"
    return f"echo '{values}' >$TMP/databases.out; DATABASE='(default)'\n"


@pytest.mark.parametrize(
    ("database", "region", "near"),
    [
        ("europe-west3", "europe-west3", True),
        ("europe-west3", "europe-west1", False),
        ("eur3", "europe-west3", True),
        ("nam5", "us-west2", True),
        ("nam5", "europe-west1", False),
        ("us-central1", "us-east1", False),
    ],
)
def test_only_the_locations_that_span_regions_are_near_several(
    database: str, region: str, near: bool
) -> None:
    assert shell(f"REGION={region}; is_near {database}")[0] == (0 if near else 1)


def test_a_region_that_somebody_names_may_be_far_from_the_database() -> None:
    """Builds are not allowed everywhere, and a database cannot be moved."""
    line = _database("STANDARD")
    line += "REGION=europe-west1\n"
    status, output = shell(
        line + "REGION_IS_CHOSEN=1; check_database; echo $DATABASE_LOCATION"
    )
    assert status == 0
    assert "far from functions in europe-west1" in output
    assert output.endswith("europe-west3")
    status, output = shell(line + "REGION_IS_CHOSEN=0; check_database")
    assert status == 1
    assert "run again with --region europe-west3" in output


def test_an_enterprise_database_is_refused() -> None:
    line = _database("ENTERPRISE")
    status, output = shell(line + "REGION_IS_CHOSEN=1; check_database")
    assert status == 1
    assert "Enterprise edition" in output
    assert "--database inbound" in output


def test_each_kind_of_secret_goes_only_to_functions_that_are_given_it() -> None:
    flags = "SECRET_FLAGS=' twilio+token:A=a:1 inbox:B=b:2 push:C=c:3 twilio:D=d:4'; "
    for kinds, given in {
        "-": "",
        "twilio": "A=a:1,D=d:4",
        "token": "A=a:1",
        "twilio+push": "A=a:1,C=c:3,D=d:4",
        "inbox+push": "B=b:2,C=c:3",
    }.items():
        assert shell(f"{flags} secret_flag {kinds}") == (0, given)
