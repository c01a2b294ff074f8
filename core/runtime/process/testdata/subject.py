"""A plugin that uses everything, for the tests of the runtime."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../../../sdk/python"))

import mta_plugin as mta  # noqa: E402
from mta_plugin import hook, host  # noqa: E402

mta.describe("python-subject", "0.1.0", needs=["kv"], wants=["dns", "http"])

waited = 0
fit = True


@mta.config
def start(config):
    global fit
    fit = "unfit" not in config
    if "colour" in config:
        raise ValueError("no colours here")
    host.kv_set("started", b"v", ttl=60)


@mta.self_test
def test():
    if not fit:
        raise RuntimeError("unfit")


@mta.stop
def stop():
    host.log("stopped", level=host.WARNING)


@hook.rcpt("recipient.addr", "session.notes")
def rcpt(event):
    global waited
    word = event.recipient.addr.partition("@")[0]
    if word == "kv":
        swapped = host.kv_swap("key", None, b"x")
        host.kv_delete("key")
        return mta.continue_(f"{host.kv_add('count', ttl=60)} {[host.kv_get('started')]} {host.kv_get('key')} {swapped}")
    if word == "nothing":
        return None
    if word == "now":
        return mta.continue_(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(host.now())))
    if word == "name":
        return mta.continue_(host.hostname)
    if word == "own":
        return mta.continue_(event.session.notes[host.name + ".seen"])
    if word == "dns":
        return mta.continue_(f"{host.lookup('TXT', 'example.org')} {list(host.mx('example.org').hosts)}")
    if word == "http":
        return mta.continue_(str(host.http("https://api.example.net/").status))
    if word == "random":
        return mta.continue_(str(len(host.random(16))))
    if word == "storm":
        for _ in range(5000):
            host.count("storm")
        return mta.continue_("5000")
    if word == "error":
        raise RuntimeError("the database is gone")
    if word == "wait":
        while not host.cancelled():
            time.sleep(0.005)
        try:
            host.kv_get("started")
        except mta.CallError as fault:
            if fault.code == mta.CALL_CODE_TIMEOUT:
                waited += 1
    if word == "waited":
        return mta.continue_(str(waited))
    if word == "exit":
        os._exit(7)
    return mta.reject("5.1.1", "no such user")


@hook.data
def data(event):
    text = host.read(0, 1000)
    body = text.partition(b"\r\n\r\n")[2].decode().strip()
    return mta.Answer(action=mta.ACTION_ACCEPT, reason=f"{host.header('subject')[0]} {event.message.size} {body}",
                      recipients=[mta.Verdict(action=mta.ACTION_DISCARD) for _ in event.envelope.recipients])


@hook.route
def route(event):
    return mta.use("smtp", "mx1.example.org", "mx2.example.org", tls="verify")


@hook.deliver
def deliver(event):
    return mta.DeliverAnswer(outcomes=host.send(event))


@hook.disconnect
def disconnect(event):
    print("gone:", event.reason)


mta.run()
