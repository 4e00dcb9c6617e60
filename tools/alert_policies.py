"""The alerting policies of an installation, in the shape of the Monitoring API: what each of them watches.

https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies. A policy with a condition on log lines
or in PromQL holds this one condition only. docs/operations.md has a section for each alert, named in its text.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from functions.table import FUNCTIONS

Json = dict[str, Any]
SECTIONS = {  # of docs/operations.md
    "webhooks": "Alert: a webhook fails or is throttled",
    "refused": "Alert: every webhook is refused",
    "turned_away": "Alert: Google turns webhooks away",
    "sweep": "Alert: no sweep for five minutes",
    "never_swept": "Alert: the sweep does not run",
    "errors": "Alert: an error in the log",
    "waiting": "Alert: somebody waits too long",
}
WAITING = 30  # minutes
_FIRST = ("pre_event", "post_event")  # Twilio does not repeat these
_FIVE_MINUTES = "300s"
_HALF_AN_HOUR = "1800s"
# The longest that Google accepts. Without data an incident closes by itself after this time, and the absence of
# sweeps is an absence of data: https://docs.cloud.google.com/monitoring/alerts/metric-absence
_SEVEN_DAYS = "604800s"
# In five minutes, while other requests are accepted: a scanner sends a few, a wrong token refuses all of them.
_FORBIDDEN_AT_LEAST = 10


@dataclass(frozen=True)
class Watched:
    """The installation that is watched: its label `app`, its region and the prefix of its functions' names."""

    app: str
    region: str
    prefix: str

    def name(self, entry_point: str) -> str:
        """Return the deployed name of a function."""
        name = entry_point.replace("_", "-")
        return f"{self.prefix}-{name}" if self.prefix else name

    def logged_by(self, *entry_points: str) -> str:
        """Return a filter of log lines."""
        names = " OR ".join(f'"{self.name(entry)}"' for entry in entry_points)
        return f"{self._where()} AND resource.labels.service_name=({names})"

    def measured_at(self, *entry_points: str) -> str:
        """Return a filter of metrics, which is another language than that of log lines."""
        names = ", ".join(f'"{self.name(entry)}"' for entry in entry_points)
        return f"{self._where()} AND resource.labels.service_name=one_of({names})"

    def requests_to(self, kind: str, *entry_points: str) -> str:
        """Return a PromQL selector of request counts; `kind` is one more matcher, such as response_code="403"."""
        names = "|".join(self.name(entry) for entry in entry_points)
        where = f'monitored_resource="cloud_run_revision",location="{self.region}"'
        return f'run_googleapis_com:request_count{{{where},service_name=~"{names}",{kind}}}'

    def _where(self) -> str:
        return f'resource.type="cloud_run_revision" AND resource.labels.location="{self.region}"'


def _requests(watched: Watched, kind: str, *entry_points: str) -> str:
    metric = 'metric.type="run.googleapis.com/request_count"'
    return f"{metric} AND {kind} AND {watched.measured_at(*entry_points)}"


def _sum_over(period: str) -> Json:
    return {
        "alignmentPeriod": period,
        "perSeriesAligner": "ALIGN_DELTA",
        "crossSeriesReducer": "REDUCE_SUM",
    }


def _more_than(watched: Watched, title: str, kind: str, threshold: float) -> Json:
    """More than `threshold` answers of a kind by the first webhooks within five minutes."""
    return {
        "displayName": title,
        "conditionThreshold": {
            "filter": _requests(watched, kind, *_FIRST),
            "aggregations": [_sum_over(_FIVE_MINUTES)],
            "comparison": "COMPARISON_GT",
            "thresholdValue": threshold,
            "duration": "0s",
        },
    }


def _logged(title: str, wanted: str) -> Json:
    return {"displayName": title, "conditionMatchedLog": {"filter": wanted}}


def _queried(title: str, query: str) -> Json:
    """A condition that holds while the PromQL query returns something.

    Metrics that have no data yet are accepted, because a new project has none.
    """
    return {
        "displayName": title,
        "conditionPrometheusQueryLanguage": {
            "query": query,
            "duration": "0s",
            "evaluationInterval": "60s",
            "disableMetricValidation": True,
        },
    }


def _no_more_sweeps(watched: Watched) -> Json:
    """No accepted sweep for five minutes, after at least one since the policy was written."""
    kind = 'metric.labels.response_code_class="2xx"'
    return {
        "displayName": "no sweep has answered 200",
        "conditionAbsent": {
            "filter": _requests(watched, kind, "sweep"),
            "aggregations": [_sum_over("60s")],
            "duration": _FIVE_MINUTES,
        },
    }


def _never_swept(watched: Watched) -> Json:
    """No accepted sweep in ten minutes; `absent` needs no earlier data, so a sweep that never ran counts, too."""
    accepted = watched.requests_to('response_code_class="2xx"', "sweep")
    return _queried(
        "no sweep in ten minutes", f"absent(sum(increase({accepted}[10m])) > 0)"
    )


def _all_refused(watched: Watched) -> Json:
    """A 403 without any accepted request in the same hour: one is enough, because few customers may write."""
    forbidden = watched.requests_to('response_code="403"', *_FIRST)
    accepted = watched.requests_to('response_code_class="2xx"', *_FIRST)
    query = (
        f"sum(increase({forbidden}[1h])) > 0 unless sum(increase({accepted}[1h])) > 0"
    )
    return _queried("403 to Twilio and no 2xx", query)


def _turned_away(watched: Watched) -> Json:
    """Requests that never reached a webhook; request_count leaves them out, the log of requests has them.

    https://cloud.google.com/run/docs/troubleshooting (403: the caller is not let in; 429: no instance was free)
    """
    webhooks = [function.name for function in FUNCTIONS if function.caller == "twilio"]
    not_let_in = '(httpRequest.status=403 AND textPayload:"not authenticated")'
    log = 'log_id("run.googleapis.com/requests")'
    wanted = f"{watched.logged_by(*webhooks)} AND {log} AND ({not_let_in} OR httpRequest.status=429)"
    return _logged("Google refused a request to a webhook", wanted)


def conditions(watched: Watched, waiting: int) -> dict[str, list[Json]]:
    """Return what each alert looks at, by the alert's short name; `waiting` in minutes."""
    everything = watched.logged_by(*(function.name for function in FUNCTIONS))
    late = (
        f"{watched.logged_by('sweep')} AND jsonPayload.waiting_seconds>={waiting * 60}"
    )
    return {
        "webhooks": [
            _more_than(
                watched, "5xx to Twilio", 'metric.labels.response_code_class="5xx"', 0
            ),
            _more_than(
                watched, "429 to Twilio", 'metric.labels.response_code="429"', 0
            ),
            _more_than(
                watched,
                "403 to Twilio",
                'metric.labels.response_code="403"',
                _FORBIDDEN_AT_LEAST,
            ),
        ],
        "refused": [_all_refused(watched)],
        "turned_away": [_turned_away(watched)],
        "sweep": [_no_more_sweeps(watched)],
        "never_swept": [_never_swept(watched)],
        "errors": [_logged("an ERROR in the log", f"{everything} AND severity>=ERROR")],
        "waiting": [_logged(f"somebody waits {waiting} minutes", late)],
    }


def policies(watched: Watched, waiting: int, channels: list[str]) -> dict[str, Json]:
    """Return the policies by their short name.

    The label `mark` is a checksum of the rest: a stored policy with the same mark needs no renewal.
    """
    return {
        name: _policy(watched, name, looked_at, channels)
        for name, looked_at in conditions(watched, waiting).items()
    }


def _policy(
    watched: Watched, name: str, looked_at: list[Json], channels: list[str]
) -> Json:
    policy: Json = {
        "displayName": f"{watched.app}: {SECTIONS[name].removeprefix('Alert: ')}",
        "documentation": {
            "content": _text(watched, name),
            "mimeType": "text/markdown",
        },
        "conditions": looked_at,
        "combiner": "OR",
        "notificationChannels": channels,
        "alertStrategy": _strategy(looked_at),
    }
    words = json.dumps(policy, sort_keys=True).encode()
    mark = hashlib.sha256(words).hexdigest()[:32]
    return policy | {"userLabels": {"app": watched.app, "alert": name, "mark": mark}}


def _strategy(looked_at: list[Json]) -> Json:
    """Google requires a notification rate for conditions on log lines and refuses it for others."""
    kinds = {kind for condition in looked_at for kind in condition}
    if "conditionMatchedLog" in kinds:
        hourly = {"notificationRateLimit": {"period": "3600s"}}
        return {"autoClose": _HALF_AN_HOUR} | hourly
    stays_open = kinds & {"conditionAbsent", "conditionPrometheusQueryLanguage"}
    return {"autoClose": _SEVEN_DAYS if stays_open else _HALF_AN_HOUR}


def _text(watched: Watched, name: str) -> str:
    prefix = f" --prefix {watched.prefix}" if watched.prefix else ""
    doctor = f"python -m tools.doctor --project ${{project}}{prefix}"
    return f'What to look at: docs/operations.md, section "{SECTIONS[name]}". `{doctor}` checks everything at once.'
