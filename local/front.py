"""The page at / that says what runs here."""

from typing import TYPE_CHECKING

from flask import Blueprint, render_template_string

if TYPE_CHECKING:
    from local.stack import Stack

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Running locally</title>
<style>:root{color-scheme:light dark} body{font:1rem/1.5 system-ui;max-width:40rem;margin:2rem auto}</style>
<h1>Running locally</h1>
<p>Project <code>{{ stack.options.project }}</code>,
Firestore emulator at <code>{{ stack.emulator.host }}</code>,
Twilio {% if stack.standin %}stand-in at <a href="{{ stack.standin.url }}">{{ stack.standin.url }}</a>
{%- else %}as the environment says{% endif %}.</p>
<ul>
{% for function in stack.functions_list %}<li><a href="/{{ function.name }}">/{{ function.name }}</a>
{{ "(Firestore event)" if function.signature == "cloudevent" }}</li>
{% endfor %}</ul>
</html>
"""


def pages(stack: "Stack") -> Blueprint:
    """The page as a blueprint for the gateway."""
    blueprint = Blueprint("front", __name__)

    @blueprint.get("/")
    def front() -> str:
        return render_template_string(_PAGE, stack=stack)

    return blueprint
