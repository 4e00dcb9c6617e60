"""How the stand-in answers: plain resources by path, and the few calls of each API that are not plain."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.deploy.google import Google, Request

Json = dict[str, Any]
Answer = tuple[int, Json]

ETAG = base64.b64encode(b"etag").decode()
NOT_FOUND = (
    404,
    {"error": {"code": 404, "status": "NOT_FOUND", "message": "not found"}},
)
EXISTS = (
    409,
    {"error": {"code": 409, "status": "ALREADY_EXISTS", "message": "already exists"}},
)
PROJECT_NUMBER = "123456789012"
REGIONS = ("us-central1", "us-east1", "europe-west1", "asia-east1")


# These answer before any API is enabled, or belong to no project.
ALWAYS_ON = ("serviceusage", "cloudbilling", "storage")


def error(status: int, reason: str, message: str) -> Json:
    return {"error": {"code": status, "status": reason, "message": message}}


def answer(google: Google, request: Request, raw: bytes) -> Answer:
    """Answers one request: an API's own calls first, then the verbs, then plain resources."""
    if request.api not in ALWAYS_ON and (off := _is_off(google, request.api)):
        return off
    own = OWN.get(request.api)
    if own is not None and (found := own(google, request, raw)) is not None:
        return found
    resource, _, verb = request.path.partition(":")
    if verb in ("getIamPolicy", "setIamPolicy"):
        return _policy(google, f"{request.api}/{resource}", verb, request.body)
    if request.method == "POST":
        return _create(google, request)
    if request.method == "PATCH":
        if request.path not in google.resources:
            return NOT_FOUND
        mask = request.query.get("updateMask")
        names = mask.split(",") if mask else [*request.body]
        google.resources[request.path] = google.resources[request.path] | {
            name: request.body[name] for name in names if name in request.body
        }
        return 200, google.resources[request.path]
    if request.method == "DELETE":
        return (
            (200, {})
            if google.resources.pop(request.path, None) is not None
            else NOT_FOUND
        )
    return _read(google, request.path)


def _is_off(google: Google, api: str) -> Answer | None:
    """As Google answers a service account; a person's gcloud is let into some of them by gcloud's own project."""
    name = f"{api}.googleapis.com"
    if name in google.enabled and not google.just_enabled.get(name):
        return None
    google.just_enabled[name] = max(0, google.just_enabled.get(name, 0) - 1)
    words = f"{name} API has not been used in project {PROJECT_NUMBER} before or it is disabled. SERVICE_DISABLED"
    return 403, error(403, "PERMISSION_DENIED", words)


def _policy(google: Google, key: str, verb: str, body: Json) -> Answer:
    if verb == "setIamPolicy":
        members = {m for b in body["policy"].get("bindings", []) for m in b["members"]}
        if google.forbids_all_users and "allUsers" in members:
            words = "One or more users named in the policy do not belong to a permitted customer."
            return 400, error(400, "FAILED_PRECONDITION", words)
        google.policies[key] = body["policy"] | {"etag": ETAG}
    return 200, google.policies.get(key, {"etag": ETAG, "version": 1})


def _read(google: Google, path: str) -> Answer:
    if path in google.resources:
        return 200, google.resources[path]
    collection = path.rsplit("/", 1)[-1]
    if path.count("/") % 2:
        return NOT_FOUND
    found = [d for p, d in google.resources.items() if _is_in(p, path)]
    return 200, {collection if collection != "serviceAccounts" else "accounts": found}


def _is_in(path: str, collection: str) -> bool:
    wanted = collection.split("/")
    parts = path.split("/")
    return len(parts) == len(wanted) + 1 and all(
        w in ("-", p) for w, p in zip(wanted, parts, strict=False)
    )


def _create(google: Google, request: Request) -> Answer:
    body = dict(request.body)
    chosen = next((v for name, v in request.query.items() if name.endswith("Id")), None)
    name = body.get("name") or f"{request.path}/{chosen or uuid.uuid4().hex}"
    if name in google.resources:
        return EXISTS
    google.resources[name] = body | {"name": name}
    return 200, google.resources[name]


def _finished(response: Json) -> Answer:
    return 200, {"name": "operations/finished", "done": True, "response": response}


def _functions(google: Google, request: Request, raw: bytes) -> Answer | None:
    """Creating or changing a function is an operation; the function is ACTIVE once somebody asked for it."""
    path = request.path
    if path.endswith("/locations"):
        return 200, {
            "locations": [{"locationId": r, "name": f"{path}/{r}"} for r in REGIONS]
        }
    if path.endswith("/runtimes"):
        return 200, {
            "runtimes": [{"name": "python313", "environment": "GEN_2", "stage": "GA"}]
        }
    if path.endswith("generateUploadUrl"):
        place = uuid.uuid4().hex
        source = {"bucket": "sources", "object": place}
        return 200, {
            "uploadUrl": f"http://storage.fake/upload/{place}",
            "storageSource": source,
        }
    if "/operations/" in path:
        name = path.replace("/operations/", "/functions/")
        function = google.resources.get(name, {})
        if reason := function.pop("fails", None):
            function["state"] = "FAILED"
            return 200, _operation(path) | {
                "done": True,
                "error": {"code": 3, "message": reason},
            }
        if function:
            function["state"] = "ACTIVE"
        return 200, _operation(path) | {"done": True, "response": function}
    if request.method == "GET" and path.endswith("/functions"):
        away = f"/locations/{google.unreachable}/"
        listed = [
            d
            for p, d in google.resources.items()
            if _is_in(p, path) and not (google.unreachable and away in p)
        ]
        return 200, {"functions": listed} | _left_out(google)
    if request.method in ("POST", "PATCH"):
        return _deploy(google, request)
    if request.method == "DELETE":
        if google.resources.pop(path, None) is None:
            return NOT_FOUND
        google.services.pop(path.rsplit("/", 1)[1], None)
        return 200, _operation(path.replace("/functions/", "/operations/")) | {
            "done": True,
            "response": {},
        }
    return None


def _deploy(google: Google, request: Request) -> Answer:
    name = (
        request.path
        if request.method == "PATCH"
        else f"{request.path}/{request.query['functionId']}"
    )
    if request.method == "POST" and name in google.resources:
        return EXISTS
    if google.unknown_accounts:
        google.unknown_accounts -= 1
        words = "Service account projects/-/serviceAccounts/inbound-runtime was not found. (actAs)"
        return 404, error(404, "NOT_FOUND", words)
    short = name.rsplit("/", 1)[1]
    if request.method == "POST" and short in google.services:
        words = "Could not create Cloud Run service: A Cloud Run service with this name already exists"
        return 400, error(400, "INVALID_ARGUMENT", words)
    most = request.body.get("serviceConfig", {}).get("maxInstanceCount", 0)
    if most > google.most_instances:
        allowed = google.most_instances * 1000
        words = f"CpuAllocPerProjectRegion requested: {most}000 allowed: {allowed}, max instances over the quota"
        return 400, error(400, "INVALID_ARGUMENT", words)
    function = google.resources.get(name, {}) | request.body
    if google.builds_in and name.split("/")[3] not in google.builds_in:
        function["fails"] = (
            "failed precondition: due to quota restrictions, cannot run builds in this region"
        )
    elif _starting(google) >= google.starts_at_once:
        function["fails"] = (
            "Container Healthcheck failed. Quota exceeded for total allowable CPU per project per region."
        )
    elif google.build_failures:
        function["fails"] = google.build_failures.pop(0)
    if any(
        d.get("state") == "CREATING"
        for p, d in google.resources.items()
        if "/indexes/" in p
    ):
        google.without_index.append(short)
    google.services.setdefault(short, _service(google, short))
    google.services[short]["metadata"][
        "annotations"
    ] = {}  # the worst case: what was set beside it is gone
    if event := function.get("eventTrigger"):
        event["trigger"] = name.replace("/functions/", "/triggers/")
        google.resources[event["trigger"]] = {"name": event["trigger"]}
    google.resources[f"{name.rsplit('/', 2)[0]}/repositories/gcf-artifacts"] = {
        "name": f"{name.rsplit('/', 2)[0]}/repositories/gcf-artifacts",
        "format": "DOCKER",
        # Google's own default for this repository: firebase/firebase-tools#8418
        "cleanupPolicyDryRun": True,
    } | google.resources.get(f"{name.rsplit('/', 2)[0]}/repositories/gcf-artifacts", {})
    service = name.replace("/functions/", "/services/")
    function["name"] = name
    function["environment"] = "GEN_2"
    function["state"] = "DEPLOYING"
    function["serviceConfig"] |= {
        "service": service,
        "uri": f"http://{short}-abc-uc.a.run.app",
    }
    google.resources[name] = function
    google.resources[service] = {"name": service}
    return 200, _operation(name.replace("/functions/", "/operations/"))


def _starting(google: Google) -> int:
    """How many deployments run at the moment."""
    return sum(one.get("state") == "DEPLOYING" for one in google.functions().values())


def _service(google: Google, name: str) -> Json:
    """The Cloud Run service under a function, in the shape of Knative."""
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": google.project,
            "generation": 1,
            "annotations": {},
        },
        "spec": {
            "template": {
                "metadata": {},
                "spec": {"containers": [{"image": f"image/{name}"}]},
            },
            "traffic": [{"latestRevision": True, "percent": 100}],
        },
        "status": {
            "observedGeneration": 1,
            "url": f"https://{name}-abc-uc.a.run.app",
            "conditions": [
                {"type": t, "status": "True"}
                for t in ("Ready", "RoutesReady", "ConfigurationsReady")
            ],
            "latestReadyRevisionName": f"{name}-00001",
            "latestCreatedRevisionName": f"{name}-00001",
            "traffic": [
                {
                    "latestRevision": True,
                    "percent": 100,
                    "revisionName": f"{name}-00001",
                }
            ],
        },
    }


def _run(google: Google, request: Request, raw: bytes) -> Answer | None:
    if re.fullmatch("projects/[^/]+/locations/[^/]+/services", request.path):
        shown = [_in_version_two(google, one) for one in google.services.values()]
        return 200, {"services": shown} | _left_out(google)
    if not request.path.startswith("namespaces/"):
        return _run_v2(google, request)
    _, _, kind, *named = request.path.split("/")
    if kind != "services":
        return 200, {"items": []}
    if not named:
        return 200, {"kind": "ServiceList", "items": list(google.services.values())}
    if request.method == "PUT":
        google.services[named[0]] = google.services[named[0]] | {
            k: request.body[k] for k in ("metadata", "spec") if k in request.body
        }
    return (
        (200, google.services[named[0]]) if named[0] in google.services else NOT_FOUND
    )


def _in_version_two(google: Google, service: Json) -> Json:
    """The same service in the shape of version 2 of the API."""
    metadata = service["metadata"]
    unchecked = metadata["annotations"].get("run.googleapis.com/invoker-iam-disabled")
    held = [
        {"revision": one["revisionName"], "percent": one["percent"]}
        for one in service["spec"]["traffic"]
        if one.get("revisionName")
    ]
    place = f"projects/{google.project}/locations/{google.region}/services"
    return {
        "name": f"{place}/{metadata['name']}",
        "invokerIamDisabled": str(unchecked).lower() == "true",
        "traffic": held,
    }


def _left_out(google: Google) -> Json:
    """What Google adds to a list while it cannot reach a region."""
    if not google.unreachable:
        return {}
    return {
        "unreachable": [f"projects/{google.project}/locations/{google.unreachable}"]
    }


def _run_v2(google: Google, request: Request) -> Answer | None:
    """A service in the shape of version 2, which says by a field whether callers are checked."""
    service = google.resources.get(request.path)
    name = request.path.rsplit("/", 1)[1]
    if request.method != "GET" or service is None or name not in google.services:
        return None
    annotations = google.services[name]["metadata"]["annotations"]
    unchecked = annotations.get("run.googleapis.com/invoker-iam-disabled", "")
    return 200, service | {"invokerIamDisabled": unchecked.lower() == "true"}


def _operation(name: str) -> Json:
    kind = "type.googleapis.com/google.cloud.functions.v2.OperationMetadata"
    return {"name": name, "done": False, "metadata": {"@type": kind}}


def _storage(google: Google, request: Request, raw: bytes) -> Answer | None:
    if request.method == "PUT":
        google.uploads[request.path.rsplit("/", 1)[1]] = raw
        return 200, {}
    return None


def _services(google: Google, request: Request, raw: bytes) -> Answer | None:
    if request.path.endswith((":batchEnable", ":enable")):
        one = request.path.rsplit("/", 1)[1].partition(":")[0]
        names = request.body.get("serviceIds", [one])
        google.enabled.update(names)
        google.just_enabled.update(dict.fromkeys(names, google.slow_to_enable))
        return _finished({})
    if request.path.endswith("/services"):
        names = [
            {"config": {"name": n}, "name": n, "state": "ENABLED"}
            for n in sorted(google.enabled)
        ]
        return 200, {"services": names}
    if request.method == "GET" and "/services/" in request.path:
        state = (
            "ENABLED"
            if request.path.rsplit("/", 1)[1] in google.enabled
            else "DISABLED"
        )
        return 200, {"name": request.path, "state": state}
    return None


def _projects(google: Google, request: Request, raw: bytes) -> Answer | None:
    if request.path.endswith(":testIamPermissions"):
        asked = request.body["permissions"]
        return 200, {"permissions": [one for one in asked if one not in google.lacking]}
    if request.method == "GET" and request.path == f"projects/{google.project}":
        project = {
            "projectId": google.project,
            "projectNumber": PROJECT_NUMBER,
            "lifecycleState": "ACTIVE",
        }
        return 200, project
    return None


def _billing(google: Google, request: Request, raw: bytes) -> Answer | None:
    info: Json = {"projectId": google.project, "billingEnabled": google.billing}
    return 200, info | (
        {"billingAccountName": "billingAccounts/0A-0B"} if google.billing else {}
    )


def _accounts(google: Google, request: Request, raw: bytes) -> Answer | None:
    if request.method == "POST" and request.path.endswith("/serviceAccounts"):
        email = f"{request.body['accountId']}@{google.project}.iam.gserviceaccount.com"
        name = f"{request.path}/{email}"
        if name in google.resources:
            return EXISTS
        told = request.body.get("serviceAccount", {})
        google.resources[name] = told | {
            "name": name,
            "email": email,
            "uniqueId": str(uuid.uuid4().int % 10**20),
        }
        return 200, google.resources[name]
    if request.method == "DELETE":
        found = google.resources.pop(
            request.path.replace("projects/-/", f"projects/{google.project}/"), None
        )
        return (200, {}) if found else NOT_FOUND
    return None


def _secrets(google: Google, request: Request, raw: bytes) -> Answer | None:
    resource, _, verb = request.path.partition(":")
    if request.method == "POST" and request.path.endswith("/secrets"):
        allowed = google.replicates_in
        replicas = request.body["replication"].get("userManaged", {}).get("replicas")
        if allowed and [one["location"] for one in replicas or []] != [allowed]:
            words = (
                "Constraint constraints/gcp.resourceLocations violated for "
                f"projects/{google.project} attempting to create a secret in [global]."
            )
            return 400, error(400, "FAILED_PRECONDITION", words)
    if request.method == "GET" and resource.endswith("/versions/latest"):
        newest = _newest_version(google, resource)
        return (200, google.resources[newest]) if newest else NOT_FOUND
    if verb == "addVersion":
        versions = [
            p for p in google.resources if p.startswith(f"{resource}/versions/")
        ]
        name = f"{resource}/versions/{len(versions) + 1}"
        google.resources[name] = {
            "name": name,
            "payload": request.body["payload"],
            "state": "ENABLED",
        }
        return 200, {"name": name, "clientSpecifiedPayloadChecksum": True}
    if verb == "access":
        is_newest = resource.endswith("/versions/latest")
        wanted = _newest_version(google, resource) if is_newest else resource
        found = google.resources.get(wanted)
        if not found:
            return NOT_FOUND
        if found["state"] != "ENABLED":
            words = f"Secret Version [{wanted}] is in {found['state']} state."
            return 400, error(400, "FAILED_PRECONDITION", words)
        return 200, {"name": wanted, "payload": found["payload"]}
    return None


def _newest_version(google: Google, resource: str) -> str:
    """The newest version of a secret, whatever its state; "" if there is none."""
    secret = resource.partition("/versions/")[0]
    versions = [p for p in google.resources if p.startswith(f"{secret}/versions/")]
    return max(versions, key=lambda name: int(name.rsplit("/", 1)[1]), default="")


def _firestore(google: Google, request: Request, raw: bytes) -> Answer | None:
    """Databases, indexes and fields are made by operations; an index is ready when listed a second time."""
    started = {
        "name": request.path.partition("/collectionGroups/")[0] + "/operations/started",
        "metadata": {
            "@type": "type.googleapis.com/google.firestore.admin.v1.IndexOperationMetadata"
        },
    }
    if request.method == "GET" and "/documents/" in request.path:
        document = google.resources.get(request.path)
        return (200, document) if document is not None else NOT_FOUND
    if request.path.endswith(":listCollectionIds"):
        place = request.path.partition(":")[0]
        inside = {
            p.removeprefix(f"{place}/").split("/")[0]
            for p in google.resources
            if p.startswith(f"{place}/")
        }
        return 200, {"collectionIds": sorted(inside)}
    if request.path.endswith("/databases:restore"):
        name = f"projects/{google.project}/databases/{request.body['databaseId']}"
        source = google.resources[request.body["backup"]]["database"]
        google.resources[name] = google.resources[source] | {"name": name}
        for path, old in list(
            google.resources.items()
        ):  # a backup holds neither rules nor time to live
            if path.startswith((f"{source}/documents/", f"{source}/collectionGroups/")):
                new = path.replace(source, name, 1)
                kept = {k: v for k, v in old.items() if k != "ttlConfig"}
                google.resources[new] = kept | ({"name": new} if "name" in old else {})
        return _finished(google.resources[name])
    if request.method == "POST" and request.path.endswith("/databases"):
        name = f"{request.path}/{request.query['databaseId']}"
        google.resources[name] = request.body | {"name": name}
        return _finished(google.resources[name])
    if request.method == "POST" and request.path.endswith("/indexes"):
        same = [d for p, d in google.resources.items() if _is_in(p, request.path)]
        if any(d["fields"] == request.body["fields"] for d in same):
            return EXISTS
        name = f"{request.path}/{uuid.uuid4().hex}"
        google.resources[name] = request.body | {"name": name, "state": "CREATING"}
        return 200, started
    if request.method == "PATCH" and "/fields/" in request.path:
        field = google.resources.setdefault(request.path, {"name": request.path})
        field |= {
            k: v
            for k, v in request.body.items()
            if k in request.query["updateMask"].split(",")
        }
        return 200, started
    if request.method == "GET" and request.path.endswith("/indexes"):
        listed = _read(google, request.path)
        shown = (200, {"indexes": [dict(i) for i in listed[1]["indexes"]]})
        for index in listed[1]["indexes"]:
            index["state"] = "READY"
        return shown
    return None


def _scheduler(google: Google, request: Request, raw: bytes) -> Answer | None:
    """A job is enabled from the start, and its address is given back with a path."""
    if request.path.endswith("/locations"):
        return 200, {"locations": [{"locationId": r} for r in google.scheduler_regions]}
    if request.method in ("POST", "PATCH") and request.body.get("httpTarget"):
        request.body["state"] = "ENABLED"
        request.body["httpTarget"]["uri"] = (
            request.body["httpTarget"]["uri"].rstrip("/") + "/"
        )
    return None


def _rules(google: Google, request: Request, raw: bytes) -> Answer | None:
    if (
        request.method == "GET" and "/releases/" in request.path
    ):  # a name may hold a slash
        found = google.resources.get(request.path)
        return (200, found) if found else NOT_FOUND
    if request.method == "PATCH":
        if request.path not in google.resources:
            return NOT_FOUND
        google.resources[request.path] = request.body["release"]
        return 200, google.resources[request.path]
    return None


def _monitoring(google: Google, request: Request, raw: bytes) -> Answer | None:
    """Policies are checked as documented; a channel that a policy names cannot be deleted."""
    if request.method in ("POST", "PATCH") and "/alertPolicies" in request.path:
        return _bad_policy(google, request.body)
    if request.method == "DELETE" and any(
        request.path in policy.get("notificationChannels", [])
        for policy in google.resources.values()
    ):
        words = "Cannot delete notification channel. One or more alerting policies refer to it."
        return 400, error(400, "FAILED_PRECONDITION", words)
    return None


def _bad_policy(google: Google, policy: Json) -> Answer | None:
    kinds = [kind for condition in policy["conditions"] for kind in condition]
    alone = {"conditionMatchedLog", "conditionPrometheusQueryLanguage"}
    is_limited = "notificationRateLimit" in policy["alertStrategy"]
    words = ""
    if alone & {*kinds} and len(policy["conditions"]) > 1:
        words = "This condition must be the only condition of the policy."
    elif is_limited != ("conditionMatchedLog" in kinds):
        words = "notification_rate_limit is for log match conditions, which need it."
    elif missing := {*policy["notificationChannels"]} - {*google.resources}:
        return 404, error(404, "NOT_FOUND", f"Channels {missing} do not exist.")
    return (400, error(400, "INVALID_ARGUMENT", words)) if words else None


OWN: dict[str, Callable[[Google, Request, bytes], Answer | None]] = {
    "cloudfunctions": _functions,
    "storage": _storage,
    "serviceusage": _services,
    "cloudresourcemanager": _projects,
    "cloudbilling": _billing,
    "iam": _accounts,
    "secretmanager": _secrets,
    "firestore": _firestore,
    "run": _run,
    "firebaserules": _rules,
    "monitoring": _monitoring,
    "cloudscheduler": _scheduler,
}
