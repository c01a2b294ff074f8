"""The messages of the contract: events, answers and what they are made of.

Classes are made from the descriptor in _schema.py when this module is loaded, so
there is nothing to generate, whatever version of protobuf is installed. What
they have is in messages.pyi, for people, editors and type checkers. Times and
durations are integers of nanoseconds, as messages.pyi says at each.
"""

import base64

from google.protobuf import descriptor_pool, message_factory

from . import _schema

_pool = descriptor_pool.DescriptorPool()
_pool.AddSerializedFile(base64.b64decode(_schema.FILE))
_file = _pool.FindFileByName("mta.proto")
try:
    _make = message_factory.GetMessageClass
except AttributeError:  # before protobuf 22
    _make = message_factory.MessageFactory(_pool).GetPrototype

for _name, _descriptor in _file.message_types_by_name.items():
    globals()[_name] = _make(_descriptor)
for _enum in _file.enum_types_by_name.values():
    for _value in _enum.values:
        globals()[_value.name] = _value.number

# The hooks and the calls, by the numbers of their fields.
HOOKS = {f.number: f.name for f in _file.message_types_by_name["ToPlugin"].fields if 100 < f.number < 200}
CALLS = {f.name[len("call_"):]: f.name for f in _file.message_types_by_name["FromPlugin"].fields if f.number > 200}
