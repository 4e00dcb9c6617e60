"""Every deployed function. Each is deployed by deploy.sh under its own name with hyphens."""

import functions_framework
from cloudevents.http.event import CloudEvent
from flask import Request, Response

from functions import preload, trigger, webhook
from providers import configuration

preload.load(configuration.function_target())


@functions_framework.http
def pre_event(request: Request) -> Response:
    return webhook.signed("pre_event", request)


@functions_framework.http
def post_event(request: Request) -> Response:
    return webhook.signed("post_event", request)


@functions_framework.http
def routing(request: Request) -> Response:
    return webhook.signed("routing", request)


@functions_framework.http
def crm(request: Request) -> Response:
    return webhook.signed("crm", request)


@functions_framework.http
def outgoing_conversation(request: Request) -> Response:
    return webhook.signed("outgoing_conversation", request)


@functions_framework.http
def templates(request: Request) -> Response:
    return webhook.signed("templates", request)


@functions_framework.http
def sweep(request: Request) -> Response:
    return webhook.private("sweep", request, methods=("POST",))


@functions_framework.http
def wallboard(request: Request) -> Response:
    return webhook.private("wallboard", request, methods=("GET", "HEAD"))


@functions_framework.cloud_event
def worker_available(event: CloudEvent) -> None:
    trigger.delivered("worker_available", event)


@functions_framework.cloud_event
def customer_written(event: CloudEvent) -> None:
    trigger.delivered("customer_written", event)
