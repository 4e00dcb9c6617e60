"""REST: services, configurations, webhook targets and the account's own addresses."""

from local.twilio import checks, settings_shapes
from local.twilio.errors import ApiError
from local.twilio.records import AddressConfig, WebhookConfig, address_type
from local.twilio.rest.calls import Call, RestAnswer, page

ADDRESS_TYPES = ("sms", "whatsapp", "messenger", "gbm", "email", "rcs", "apple", "chat")


def list_services(call: Call) -> RestAnswer:
    services = call.account.services.values()
    return page(
        call,
        "services",
        services,
        lambda one: settings_shapes.service(call.account, one),
    )


def create_service(call: Call) -> RestAnswer:
    made = call.account.add_service(call.form.need("FriendlyName"))
    return 201, settings_shapes.service(call.account, made)


def fetch_service(call: Call) -> RestAnswer:
    return 200, settings_shapes.service(call.account, call.service)


def delete_service(call: Call) -> RestAnswer:
    if call.service.sid == call.account.default_service_sid:
        raise ApiError(20001, "the default service cannot be deleted")
    del call.account.services[call.service.sid]
    return 204, None


def fetch_configuration(call: Call) -> RestAnswer:
    return 200, settings_shapes.configuration(call.account)


def update_configuration(call: Call) -> RestAnswer:
    account, form = call.account, call.form
    if form.get("DefaultChatServiceSid"):
        account.default_service_sid = account.service(
            form.need("DefaultChatServiceSid")
        ).sid
    messaging = form.get("DefaultMessagingServiceSid")
    account.default_messaging_service_sid = (
        messaging or account.default_messaging_service_sid
    )
    inactive, closed = account.default_inactive_after, account.default_closed_after
    account.default_inactive_after = checks.inactive_timer(
        form.get("DefaultInactiveTimer"), inactive
    )
    account.default_closed_after = checks.closed_timer(
        form.get("DefaultClosedTimer"), closed
    )
    return fetch_configuration(call)


def _webhooks(call: Call) -> WebhookConfig:
    return call.service.webhooks if call.scope else call.account.webhooks


def fetch_webhooks(call: Call) -> RestAnswer:
    return 200, settings_shapes.webhook_configuration(
        call.account, _webhooks(call), call.scope
    )


def update_webhooks(call: Call) -> RestAnswer:
    config, form = _webhooks(call), call.form
    pre, post, method = (
        form.get(name) for name in ("PreWebhookUrl", "PostWebhookUrl", "Method")
    )
    for url, code in ((pre, 50077), (post, 50078)):
        if url and not url.startswith(("http://", "https://")):
            raise ApiError(code, url)
    if method and method.upper() not in ("GET", "POST"):
        raise ApiError(20001, "Method must be GET or POST")
    if (target := form.get("Target")) not in (None, "webhook", "flex"):
        raise ApiError(20001, "Target must be webhook or flex")
    if pre is not None:
        config.pre_url = pre or None
    if post is not None:
        config.post_url = post or None
    if "Filters" in form:
        config.filters = [name for name in form.getlist("Filters") if name]
    config.method = (method or config.method).upper()
    config.target = target or config.target
    return fetch_webhooks(call)


def list_addresses(call: Call) -> RestAnswer:
    kind = call.form.get("Type")
    found = [one for one in call.account.addresses.values() if kind in (None, one.type)]
    return page(
        call,
        "address_configurations",
        found,
        lambda one: settings_shapes.address(call.account, one),
        maximum=50,
    )


def _address(call: Call) -> AddressConfig:
    found = call.account.address_config(call.sid)
    if found is None:
        raise ApiError(20404, call.sid)
    return found


def fetch_address(call: Call) -> RestAnswer:
    return 200, settings_shapes.address(call.account, _address(call))


def create_address(call: Call) -> RestAnswer:
    kind, address = call.form.need("Type"), call.form.need("Address")
    if kind not in ADDRESS_TYPES:
        raise ApiError(20001, f"Type {kind} is not known")
    is_short_code = kind == "sms" and checks.SHORT_CODE.fullmatch(address)
    if (
        not is_short_code
        and kind in ("sms", "whatsapp")
        and address_type(address) in ("sms", "whatsapp")
    ):
        checks.address(address)
    if any(one.address == address for one in call.account.addresses.values()):
        raise ApiError(20409, address)
    record = call.account.make(AddressConfig, type=kind, address=address)
    record.country = call.form.get("AddressCountry")
    _apply(call, record)
    call.account.addresses[record.sid] = record
    return 201, settings_shapes.address(call.account, record)


def update_address(call: Call) -> RestAnswer:
    record = _address(call)
    _apply(call, record)
    record.updated = call.account.now()
    return 200, settings_shapes.address(call.account, record)


def _apply(call: Call, record: AddressConfig) -> None:
    form = call.form
    enabled, service_sid = (
        form.flag("AutoCreation.Enabled"),
        form.get("AutoCreation.ConversationServiceSid"),
    )
    kind = form.get("AutoCreation.Type") or "default"
    if kind != "default":
        raise ApiError(20001, f"AutoCreation.Type {kind} is not known to the stand-in")
    if service_sid:
        call.account.service(service_sid)
    name = form.get("FriendlyName")
    record.friendly_name = (
        record.friendly_name if name is None else checks.friendly_name(name)
    )
    record.enabled = record.enabled if enabled is None else enabled
    record.service_sid = service_sid or record.service_sid


def delete_address(call: Call) -> RestAnswer:
    del call.account.addresses[_address(call).sid]
    return 204, None
