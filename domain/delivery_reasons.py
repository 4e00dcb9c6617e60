"""Why Twilio, a network or a channel did not deliver a message: one sentence per error code, for a worker.

https://www.twilio.com/docs/api/errors/<code>
"""

from __future__ import annotations

from collections.abc import Mapping

_BUSY = "Too much was being sent at once; try again in a moment."
_TEMPORARY = "There was a fault on the way; try again later."
_DAILY_LIMIT = "Our daily limit of messages is used up; try again tomorrow."
_TRIAL = "The Twilio account is a trial account, and its limit of messages is used up; an administrator can upgrade it."
_NOT_OURS = "Our number cannot send this message; an administrator has to look at it in the Twilio Console."
_NOT_REGISTERED = (
    "Our number is not registered with the customer's network, which refuses it."
)
_UNSUBSCRIBED = "The customer has unsubscribed by writing STOP; only they can undo that, by writing START."
_OPTED_OUT = "The customer does not want messages from us on this channel."
_CONTENT = "The channel did not take the content of this message."
_TOO_LONG = "The text is longer than the 1,600 characters that can be sent at once; send it in parts."
_TEMPLATE_VALUES = "A placeholder of the template had no valid value; an administrator has to correct the template."
_TEMPLATE = "WhatsApp does not have this template as it was sent; an administrator has to look at it."
_FILE_SIZE = "The file is too large for this channel."
_ACCOUNT_LOCKED = "Meta has locked our WhatsApp account; an administrator has to look at it in Meta's Business Manager."
_RCS = "The phone cannot be reached by RCS now: it is off, has no internet, or does not support RCS."

SENTENCES: Mapping[int, str] = {
    11751: _FILE_SIZE,
    14107: _BUSY,
    21211: "The number does not exist.",
    21265: "A message cannot be sent to a short code.",
    21266: "The customer's number and ours are the same.",
    21268: "Messages cannot be sent to numbers with a premium rate.",
    21408: "Messages to this country are not switched on in the Twilio account.",
    21606: _NOT_OURS,
    21608: "The Twilio account is a trial account, which only reaches numbers that were verified.",
    21610: _UNSUBSCRIBED,
    21611: _BUSY,
    21612: "This number cannot be reached from ours.",
    21614: "The number is not a mobile number.",
    21617: _TOO_LONG,
    21635: "The number is a landline, which takes no messages.",
    21655: "Twilio does not have this template any more; an administrator has to look at it.",
    21656: _TEMPLATE_VALUES,
    21658: _TOO_LONG,
    21659: _NOT_OURS,
    21660: _NOT_OURS,
    21661: _NOT_OURS,
    21703: _NOT_OURS,
    21704: _NOT_OURS,
    30001: _BUSY,
    30002: "The Twilio account is suspended.",
    30003: "The phone is switched off or out of reach.",
    30004: "The customer does not accept messages from us.",
    30005: "The number does not exist any more.",
    30006: "The number is a landline, or its network takes no messages from us.",
    30007: "The network took the message for spam.",
    30008: "The network did not say why.",
    30010: "The message would have cost more than the limit that is set in the Twilio account.",
    30011: "This phone or its network takes no pictures or files by MMS; send a link or text instead.",
    30017: "The network is overloaded; try again in a moment.",
    30018: _NOT_REGISTERED,
    30019: "The message is too large for the customer's network.",
    30022: _BUSY,
    30023: _DAILY_LIMIT,
    30024: _NOT_REGISTERED,
    30027: "Our daily limit of messages to T-Mobile's customers is used up; try again tomorrow.",
    30032: "Our toll-free number is not verified, so networks refuse it.",
    30033: "Our registration for business messages (A2P 10DLC) is suspended, so networks refuse our messages.",
    30034: "Our number is not registered for business messages (A2P 10DLC), so networks refuse it.",
    30035: "Our number is still being registered for business messages (A2P 10DLC); try again later.",
    30036: "The message waited longer than it is valid, and was not sent.",
    30037: "Sending messages is switched off in the Twilio account.",
    30038: "The network took the message for a password and filtered it.",
    30039: "Twilio stopped the message because it looked like a loop of automatic answers.",
    30040: _NOT_REGISTERED,
    30041: _NOT_REGISTERED,
    30042: "The network refuses the name that we send from.",
    30410: "The network's provider did not answer in time; try again later.",
    30450: "Twilio blocked the message to protect against fraud.",
    30453: "Twilio blocked the message to protect against fraud.",
    30454: _TRIAL,
    30485: "Twilio has blocked messages to this number for some hours, to protect it against fraud; try again later.",
    30500: _TEMPORARY,
    30610: _TEMPORARY,
    30615: _TEMPORARY,
    30620: _TEMPORARY,
    30630: _UNSUBSCRIBED,
    50541: _TEMPLATE_VALUES,
    50542: "Twilio Conversations cannot send this type of template; an administrator has to choose another type.",
    63001: "The channel does not let our account in; an administrator has to look at it in the Twilio Console.",
    63002: "The channel does not know our sender; an administrator has to look at it in the Twilio Console.",
    63003: "The customer could not be found on this channel.",
    63005: _CONTENT,
    63006: "The channel cannot show the content of this message.",
    63007: "Our number is not set up for this channel.",
    63008: "Our channel is not set up correctly; an administrator has to look at it in the Twilio Console.",
    63009: "The channel had a fault of its own.",
    63010: _TEMPORARY,
    63011: _TEMPORARY,
    63012: "The channel had a fault of its own.",
    63013: "The channel's rules forbid this message.",
    63014: "The customer has blocked us on this channel.",
    63015: "Our WhatsApp sender is Twilio's sandbox, which only reaches numbers that have joined it.",
    63016: "More than 24 hours have passed since the customer last wrote, or the template is not approved.",
    63017: _BUSY,
    63018: _BUSY,
    63019: "The file could not be fetched.",
    63020: "Our Meta business account has a problem; an administrator has to look at it in Meta's Business Manager.",
    63021: _CONTENT,
    63022: "WhatsApp does not accept our sender's name; an administrator has to look at it in the Twilio Console.",
    63023: "The channel had a fault of its own.",
    63024: "The customer's number is not on WhatsApp.",
    63026: "The channel took our messages for spam.",
    63027: "WhatsApp does not have this template in this language; an administrator has to look at it.",
    63028: _TEMPLATE_VALUES,
    63029: "The customer's phone could not load the template.",
    63030: _CONTENT,
    63031: "The customer's address and ours are the same.",
    63032: "WhatsApp does not let this customer be written to now.",
    63033: _OPTED_OUT,
    63034: _FILE_SIZE,
    63035: "Our RCS sender may not write to this customer: it is not launched, or not in this country.",
    63036: _RCS,
    63037: "The file could not be passed on to the channel; try again.",
    63038: _DAILY_LIMIT,
    63039: "Facebook asks us to write less often to this customer.",
    63040: _TEMPLATE,
    63041: "WhatsApp has paused this template; an administrator has to look at it.",
    63042: "WhatsApp has disabled this template; an administrator has to look at it.",
    63049: "WhatsApp chose not to deliver this message, to spare the customer too many.",
    63051: _ACCOUNT_LOCKED,
    63052: _TEMPLATE,
    63059: "Our WhatsApp number has moved to another WhatsApp account; an administrator has to look at it.",
    63106: "The customer's phone does not support RCS.",
    63109: "Our sender has moved to another Twilio account; an administrator has to look at it.",
    63111: "Meta does not know our WhatsApp number any more; an administrator has to look at it.",
    63112: "Meta has disabled our business account, or has not verified it yet; an administrator has to look at it.",
    216602: "This type of template cannot be sent on this channel.",
}
