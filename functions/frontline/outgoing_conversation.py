"""Frontline's outgoing conversation callback: the number of ours from which a worker writes to a customer.

https://www.twilio.com/docs/frontline/outgoing-conversations
"""

from __future__ import annotations

from domain import addresses
from functions.frontline import callback
from functions.frontline.forms import ProxyAddressWanted
from functions.http.answers import Answer, BadInput, NotFound, Refused
from functions.http.forms import Form, parse
from providers import outgoing


def handle(form: Form) -> Answer:
    """Answer a request for the proxy address."""
    return callback.by_location({"GetProxyAddress": _proxy_address}, form)


def _proxy_address(form: Form) -> Answer:
    """Answer with the number to write from. Raises BadInput, NotFound and Refused."""
    wanted = parse(ProxyAddressWanted, form)
    address = wanted.customer_address
    if not (addresses.is_number(address) or addresses.is_user_id(address)):
        raise BadInput(
            "ChannelValue is not an international phone number such as +15551234567."
        )
    try:
        way = outgoing.way(wanted.worker, wanted.customer_id, wanted.channel, address)
    except outgoing.Unknown:
        raise NotFound(callback.NOBODY) from None
    except outgoing.Forbidden as error:
        raise Refused(str(error)) from None
    return Answer({"proxy_address": way.proxy_address})
