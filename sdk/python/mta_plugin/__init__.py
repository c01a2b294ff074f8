"""Plugins for the mail relay mta in Python. See README.md for a first one.

A plugin is a module that decorates functions and calls run():

    @hook.rcpt("recipient.addr")
    def rcpt(event):
        if event.recipient.addr.startswith("nobody@"):
            return reject("5.1.1", "no such user")

Hooks run in threads, several at the same time. None, or no return at all, is
"continue". An exception means that the plugin is broken: the relay does what
on_error says, and the traceback is in its log.
"""

from ._host import CallError, host
from ._serve import config, describe, hook, run, self_test, stop
from .messages import *  # noqa: F401,F403: the messages and the constants
from . import messages as _m

__all__ = [
    "CallError", "accept", "config", "continue_", "defer", "describe", "discard", "hold", "hook",
    "host", "note", "reject", "run", "self_test", "stop", "use",
] + [name for name in vars(_m) if name[0].isupper()]


def _answer(action, enhanced, text, code, reason):
    reply = _m.Reply(code=code, enhanced=enhanced, text=text)
    return _m.Answer(action=action, reply=reply, reason=reason)


def continue_(reason=""):
    """Goes on with the next plugin."""
    return _m.Answer(reason=reason)


def accept(reason=""):
    """Yes, and ask nobody else."""
    return _m.Answer(action=_m.ACTION_ACCEPT, reason=reason)


def defer(enhanced="", text="", code=0, reason=""):
    """4xx: try again later. What is empty is in the relay's own words."""
    return _answer(_m.ACTION_DEFER, enhanced, text, code, reason)


def reject(enhanced="", text="", code=0, reason=""):
    """5xx: no. What is empty is in the relay's own words."""
    return _answer(_m.ACTION_REJECT, enhanced, text, code, reason)


def discard(reason):
    """Says yes, and throws the message away."""
    return _m.Answer(action=_m.ACTION_DISCARD, reason=reason)


def hold(reason):
    """Says yes, and keeps the message until an operator releases it."""
    return _m.Answer(action=_m.ACTION_HOLD, reason=reason)


def note(key, value):
    """Goes on, and leaves a note for other plugins, and for this one later."""
    return _m.Answer(edits=[_m.Edit(op=_m.OP_NOTE, name=key, value=value)])


def use(via, *hosts, tls=""):
    """Route hook: deliver by this transport to these next hops."""
    return _m.RouteAnswer(action=_m.ROUTE_ACTION_USE, route=_m.Route(via=via, hosts=hosts, tls=tls))
