"""Every deployed function. Each is deployed by deploy.sh under its own name with hyphens."""

import functions_framework
from cloudevents.http.event import CloudEvent
from flask import Request, Response

from functions import table
from functions.http import startup, trigger, webhook
from providers import configuration

startup.load(configuration.function_target(), table.FUNCTIONS)


@functions_framework.http
def pre_event(request: Request) -> Response:
    return webhook.signed(table.PRE_EVENT, request)


@functions_framework.http
def post_event(request: Request) -> Response:
    return webhook.signed(table.POST_EVENT, request)


@functions_framework.http
def routing(request: Request) -> Response:
    return webhook.signed(table.ROUTING, request)


@functions_framework.http
def crm(request: Request) -> Response:
    return webhook.signed(table.CRM, request)


@functions_framework.http
def outgoing_conversation(request: Request) -> Response:
    return webhook.signed(table.OUTGOING_CONVERSATION, request)


@functions_framework.http
def templates(request: Request) -> Response:
    return webhook.signed(table.TEMPLATES, request)


@functions_framework.http
def sweep(request: Request) -> Response:
    return webhook.private(table.SWEEP, request)


@functions_framework.http
def wallboard(request: Request) -> Response:
    return webhook.private(table.WALLBOARD, request)


@functions_framework.http
def inbox(request: Request) -> Response:
    return webhook.worker(table.INBOX, request)


@functions_framework.http
def desk(request: Request) -> Response:
    return webhook.worker(table.DESK, request)


@functions_framework.cloud_event
def worker_available(event: CloudEvent) -> None:
    trigger.delivered(table.WORKER_AVAILABLE, event)


@functions_framework.cloud_event
def customer_written(event: CloudEvent) -> None:
    trigger.delivered(table.CUSTOMER_WRITTEN, event)


@functions_framework.cloud_event
def pool_written(event: CloudEvent) -> None:
    trigger.delivered(table.POOL_WRITTEN, event)


@functions_framework.cloud_event
def conversation_written(event: CloudEvent) -> None:
    trigger.delivered(table.CONVERSATION_WRITTEN, event)
