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
    """Name a new conversation after its customer, before it exists."""
    return webhook.signed(table.PRE_EVENT, request)


@functions_framework.http
def post_event(request: Request) -> Response:
    """Follow the events of conversations, participants, messages and users."""
    return webhook.signed(table.POST_EVENT, request)


@functions_framework.http
def routing(request: Request) -> Response:
    """Route an inbound conversation, as Frontline's routing callback."""
    return webhook.signed(table.ROUTING, request)


@functions_framework.http
def crm(request: Request) -> Response:
    """List a worker's customers in Frontline's app, and show the details of one."""
    return webhook.signed(table.CRM, request)


@functions_framework.http
def outgoing_conversation(request: Request) -> Response:
    """Choose the number for a conversation that a worker begins in Frontline's app."""
    return webhook.signed(table.OUTGOING_CONVERSATION, request)


@functions_framework.http
def templates(request: Request) -> Response:
    """Offer templates in Frontline's app."""
    return webhook.signed(table.TEMPLATES, request)


@functions_framework.http
def sweep(request: Request) -> Response:
    """Repair what lost events and failures left behind; the scheduler calls it every minute."""
    return webhook.private(table.SWEEP, request)


@functions_framework.http
def wallboard(request: Request) -> Response:
    """Show the state of queue and workers."""
    return webhook.private(table.WALLBOARD, request)


@functions_framework.http
def inbox(request: Request) -> Response:
    """Serve the workers' inbox: its pages, its data and its sign-in."""
    return webhook.worker(table.INBOX, request)


@functions_framework.http
def desk(request: Request) -> Response:
    return webhook.worker(table.DESK, request)


@functions_framework.cloud_event
def worker_available(event: CloudEvent) -> None:
    """Follow a change of workers/{identity}."""
    trigger.delivered(table.WORKER_AVAILABLE, event)


@functions_framework.cloud_event
def customer_written(event: CloudEvent) -> None:
    """Follow a change of customers/{customer_id}."""
    trigger.delivered(table.CUSTOMER_WRITTEN, event)


@functions_framework.cloud_event
def pool_written(event: CloudEvent) -> None:
    """Follow a change of pools/{pool_id}."""
    trigger.delivered(table.POOL_WRITTEN, event)


@functions_framework.cloud_event
def conversation_written(event: CloudEvent) -> None:
    """Follow a change of conversations/{sid}."""
    trigger.delivered(table.CONVERSATION_WRITTEN, event)
