#!/usr/bin/env python3
"""A plugin of mta: a new sender waits five minutes."""
from mta_plugin import continue_, defer, describe, hook, host, run

describe("policy", "1.0.0", needs=["kv"])


@hook.rcpt("session.remote_ip", "session.login", "envelope.from", "recipient.addr")
def rcpt(event):
    if event.session.login:
        return continue_("has logged in")
    key = f"{event.session.remote_ip} {getattr(event.envelope, 'from')} {event.recipient.addr}"
    now = str(host.now()).encode()
    if host.kv_swap(key, None, now, ttl=86400):  # nobody was there before
        first = now
    else:
        first = host.kv_get(key) or now
    if float(now) - float(first) < 300:
        return defer("4.7.1", "not seen before, try again in five minutes")
    return None  # DUNNO


run()
