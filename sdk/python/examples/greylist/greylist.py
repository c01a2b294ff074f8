#!/usr/bin/env python3
"""Puts off the first message of a sender that was not seen before (RFC 6647).

The twin of plugins/greylist: the same configuration, the same stories.
"""

import hashlib
import ipaddress
import math
import os
import re
import struct
import sys
import time

# Beside your own plugin lies the folder mta_plugin; then this line is not needed.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))

from mta_plugin import CALL_CODE_LIMIT, CallError, config, continue_, defer, describe, hook, host, run  # noqa: E402

describe("greylist", "1.0.0", needs=["kv"])

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
settings = {"delay": "5m", "window": "2d", "lifetime": "35d", "ipv4_prefix": 24, "ipv6_prefix": 64,
            "networks": [], "senders": [], "recipients": []}


def seconds(text):
    found = re.fullmatch(r"(\d+)([smhdw])", text)
    if not found:
        raise ValueError(f'"{text}" is no duration: write "5m", "36h" or "35d"')
    return int(found[1]) * UNITS[found[2]]


def network(text):
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f'network "{text}": write an address and the length of its prefix, "10.0.0.0/8"')


@config
def start(given):
    unknown = set(given) - set(settings)
    if unknown:
        raise ValueError(f"config: unknown key {unknown.pop()}")
    settings.update(given)
    for key in ("delay", "window", "lifetime"):
        settings[key] = seconds(settings[key])
    if settings["delay"] <= 0:
        raise ValueError("delay has to be longer than 0")
    if settings["window"] <= settings["delay"]:
        raise ValueError("window has to be longer than delay, or nobody ever passes")
    if settings["lifetime"] < settings["window"]:
        raise ValueError("lifetime has to be at least as long as window")
    for key, most in (("ipv4_prefix", 32), ("ipv6_prefix", 128)):
        if not 1 <= settings[key] <= most:
            raise ValueError(f"{key} is 1 to {most}")
    settings["networks"] = [network(n) for n in settings["networks"]]
    for key in ("senders", "recipients"):
        settings[key] = {name.lower() for name in settings[key]}


def listed(names, addr):
    return addr != "" and (addr in names or addr.rpartition("@")[2] in names)


def put_off(wait):
    left, words = math.ceil(wait), ""
    if left >= 3600:
        words = f"{left // 3600}h"
    if left >= 60:
        words += f"{left % 3600 // 60}m"
    return defer("4.7.1", f"greylisted, please try again in {words}{left % 60}s", code=451,
                 reason="not seen before, or too early")


@hook.rcpt("session.remote_ip", "session.login", "envelope.from", "recipient.addr")
def rcpt(event):
    if event.session.login:
        return continue_("the client has logged in")
    sender, to = getattr(event.envelope, "from").lower(), event.recipient.addr.lower()
    if listed(settings["senders"], sender) or listed(settings["recipients"], to):
        return continue_("sender or recipient is excepted")
    ip = ipaddress.ip_address(event.session.remote_ip)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if any(ip in n for n in settings["networks"]):
        return continue_("the client is excepted")
    client = ipaddress.ip_network((ip, settings[f"ipv{ip.version}_prefix"]), strict=False)
    return judge("t." + hashlib.sha256(f"{client}\0{sender}\0{to}".encode()).hexdigest()[:32])


def judge(key):
    now = host.now()
    value = host.kv_get(key)
    if value is None or len(value) != 16:
        return remember(key, now, value)
    first, written = struct.unpack("<QQ", value)
    if first + settings["delay"] > now:
        return put_off(first + settings["delay"] - now)
    # Once a day is enough to keep it alive, and at once when it has passed for the first time.
    if written == first or now - written > 86400:
        try:
            host.kv_set(key, struct.pack("<QQ", first, int(now)), settings["lifetime"])
        except CallError as fault:
            if fault.code != CALL_CODE_LIMIT:
                raise
    return continue_("known since " + time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(first)))


def remember(key, now, old):
    try:
        host.kv_swap(key, old, struct.pack("<QQ", int(now), int(now)), settings["window"])
    except CallError as fault:
        if fault.code != CALL_CODE_LIMIT:
            raise
        return continue_("the store is full, so nobody new is put off")
    return put_off(settings["delay"])


run()
