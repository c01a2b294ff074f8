#!/usr/bin/env python3
"""A policy service for Postfix: a new sender waits five minutes."""
import sys
import time

first = {}  # of this process; gone when it ends


def judge(attributes):
    if attributes.get("sasl_username"):
        return "DUNNO"
    key = (attributes["client_address"], attributes["sender"], attributes["recipient"])
    if time.time() - first.setdefault(key, time.time()) < 300:
        return "DEFER_IF_PERMIT 4.7.1 not seen before, try again in five minutes"
    return "DUNNO"


attributes = {}
for line in sys.stdin:
    line = line.rstrip("\n")
    if line:
        name, _, value = line.partition("=")
        attributes[name] = value
        continue
    print(f"action={judge(attributes)}\n", flush=True)
    attributes = {}
