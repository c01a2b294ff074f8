#!/usr/bin/env python3
"""Checks the messages against the golden fixtures and, when a file that protoc
has made is named, the descriptor against the .proto.

    fixtures.py FOLDER_OF_FIXTURES [DESCRIPTOR_SET]
"""

import base64
import datetime
import glob
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))

from google.protobuf import descriptor_pb2  # noqa: E402

from mta_plugin import _schema, messages as m  # noqa: E402


def nanoseconds(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 10**9 + int(fraction.ljust(9, "0") or 0)


def agree(message, want, path):
    """Compares a message with what the JSON of the fixture says."""
    fields = message.DESCRIPTOR.fields_by_name
    if set(want) != set(fields):
        raise AssertionError(f"{path}: {sorted(set(want) ^ set(fields))} are on one side only")
    for name, value in want.items():
        field, got, where = fields[name], getattr(message, name), f"{path}.{name}"
        if field.message_type and field.message_type.GetOptions().map_entry:
            got = dict(got)
        elif field.message_type and field.label == field.LABEL_REPEATED:
            for i, (one, other) in enumerate(zip(got, value)):
                agree(one, other, f"{where}[{i}]")
            got, value = len(got), len(value)
        elif field.message_type:
            agree(got, value, where)
            continue
        elif field.type == field.TYPE_BYTES:
            value = base64.b64decode(value)
        elif field.enum_type:
            got = field.enum_type.values_by_number[got].name.lower().replace("_", "-")
            value = got if got.endswith("-" + value) else value
        elif isinstance(value, list):
            got = list(got)
        elif isinstance(value, str) and isinstance(got, int) and value[:4].isdigit():
            value = nanoseconds(value)
        elif isinstance(value, str) and isinstance(got, int):  # flags
            value = sum(getattr(m, "NOTIFY_" + word) for word in value.split(","))
        if got != value:
            raise AssertionError(f"{where} is {got!r}, not {value!r}")


def message_of(name):
    """The class of a fixture: rcpt.event, kv_get.result, ..."""
    base, kind = name.split(".")
    outer, field = {"event": ("ToPlugin", base), "answer": ("FromPlugin", base),
                    "call": ("FromPlugin", "call_" + base), "result": ("CallResult", base)}[kind]
    return getattr(m, getattr(m, outer).DESCRIPTOR.fields_by_name[field].message_type.name)


def main():
    names = [os.path.basename(p)[:-len(".pb")] for p in glob.glob(os.path.join(sys.argv[1], "*.pb"))]
    for name in names:
        with open(os.path.join(sys.argv[1], name + ".pb"), "rb") as f:
            data = f.read()
        with open(os.path.join(sys.argv[1], name + ".json"), encoding="utf-8") as f:
            want = json.load(f)
        message = message_of(name).FromString(data)
        agree(message, want, name)
        if message.SerializeToString(deterministic=True) != data:
            raise AssertionError(f"{name}: written again it is another one")
    if len(sys.argv) > 2:
        with open(sys.argv[2], "rb") as f:
            files = descriptor_pb2.FileDescriptorSet.FromString(f.read())
        ours, theirs = descriptor_pb2.FileDescriptorProto(), files.file[0]
        ours.ParseFromString(base64.b64decode(_schema.FILE))
        for message in theirs.message_type:
            for part in [message] + list(message.nested_type):
                for field in part.field:
                    field.ClearField("json_name")
        if ours != theirs:
            raise AssertionError("_schema.py is another schema than mta.proto")
    print(len(names), "fixtures agree")


main()
