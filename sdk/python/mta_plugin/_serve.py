"""The other end of the stream: a gRPC server in the manner of go-plugin."""

import contextvars
import json
import os
import sys
import threading
import time
import traceback
from concurrent import futures

import grpc

from . import messages as m
from ._host import Request, Stream, current, host

_COOKIE = "MTA_PLUGIN"
_hooks = {}  # name: (function, fields)
_described = {"name": "", "version": "", "needs": [], "wants": []}
_life = {}  # config, self_test, stop: function


def describe(name, version="", needs=(), wants=()):
    """Says who the plugin is, and which grants it needs, or has a use for."""
    _described.update(name=name, version=version, needs=list(needs), wants=list(wants))


def config(function):
    """Decorates the function that gets the plugin's configuration, a dict, before
    any hook. An exception keeps the plugin out of service; its text is shown."""
    _life["config"] = function
    return function


def self_test(function):
    """Decorates the function that raises when the plugin is not fit for work."""
    _life["self_test"] = function
    return function


def stop(function):
    """Decorates the function that is called after the last hook."""
    _life["stop"] = function
    return function


class _Decorators:
    """hook.rcpt, hook.data, ...: each decorates the function that answers it.
    In brackets are the fields of the event that it reads; without them, all."""

    def __getattr__(self, name):
        if name not in m.HOOKS.values():
            raise AttributeError(f"there is no hook {name!r}; there are: " + ", ".join(m.HOOKS.values()))

        def decorate(*args):
            if len(args) == 1 and callable(args[0]):
                _hooks[name] = (args[0], ["*"])
                return args[0]

            def with_fields(function):
                _hooks[name] = (function, list(args))
                return function
            return with_fields
        return decorate


hook = _Decorators()


def _describe(_):
    fields = [m.HookFields(hook=name, fields=names) for name, (_, names) in _hooks.items()]
    return {"description": m.Description(abi=1, hooks=fields, **_described)}


def _start(start):
    host.name, host.hostname = start.name, start.hostname
    host._clock = "clock" in start.grants
    if "config" in _life:
        _life["config"](json.loads(start.config_json))
    elif json.loads(start.config_json):
        raise ValueError("config: this plugin takes no configuration")
    return {"done": m.Done()}


def _self_test(_):
    if "self_test" in _life:
        _life["self_test"]()
    return {"done": m.Done()}


def _stop(_):
    function = _life.pop("stop", None)
    if function:
        function()
    return {"done": m.Done()}


_control = {"describe": _describe, "start": _start, "self_test": _self_test, "stop": _stop}


def _answer(kind, body):
    """Does what a request asks for; the field of FromPlugin that answers it."""
    if kind in _control:
        return _control[kind](body)
    answer = _hooks[kind][0](body)
    if answer is None or kind == "disconnect":
        answer = m.FromPlugin.DESCRIPTOR.fields_by_name[kind].message_type
        return {kind: getattr(m, answer.name)()}
    return {kind: answer}


def _work(stream, request, kind, body):
    current.set(request)
    try:
        out = m.FromPlugin(seq=request.seq, **_answer(kind, body))
    except Exception as fault:
        if kind not in _control:
            traceback.print_exc()
        out = m.FromPlugin(seq=request.seq, error=m.Error(text=(str(fault) or type(fault).__name__)[:1000]))
    stream.end(request.seq)
    stream.out.put(out)


class _Server:
    def __init__(self):
        # As many as the relay lets run at the same time, unless limits.instances
        # is larger: then the others wait here.
        self.workers = futures.ThreadPoolExecutor(max_workers=64)
        self.ended = threading.Event()

    def serve(self, messages, context):
        stream = Stream()
        threading.Thread(target=self.read, args=(stream, messages), daemon=True).start()
        yield from iter(stream.out.get, None)

    def read(self, stream, messages):
        try:
            for message in messages:
                self.take(stream, message)
        except Exception:  # the relay has gone, or hung up: gRPC has no other word for it
            pass
        finally:
            stream.close()

    def take(self, stream, message):
        kind = message.WhichOneof("body")
        if kind == "result":
            stream.result(message.call, message.result)
        elif kind == "cancel":
            stream.end(message.seq)
        elif kind:
            request = Request(stream, message.seq, message.now)
            stream.requests[message.seq] = request
            context = contextvars.Context()
            self.workers.submit(context.run, _work, stream, request, kind, getattr(message, kind))

    def methods(self):
        """The services: ours, the health check, and go-plugin's shutdown."""
        plain = lambda data: data  # noqa: E731: messages that are not looked at
        serving = b"\x08\x01"  # HealthCheckResponse: SERVING

        def shutdown(request, context):
            self.ended.set()
            return b""

        unary = grpc.unary_unary_rpc_method_handler
        return [
            grpc.method_handlers_generic_handler("mta.v1.Plugin", {"Serve": grpc.stream_stream_rpc_method_handler(
                self.serve, m.ToPlugin.FromString, m.FromPlugin.SerializeToString)}),
            grpc.method_handlers_generic_handler("grpc.health.v1.Health", {
                "Check": unary(lambda request, context: serving, plain, plain)}),
            grpc.method_handlers_generic_handler("plugin.GRPCController", {
                "Shutdown": unary(shutdown, plain, plain)}),
        ]


def _watch_parent():
    parent = int(os.environ.get("MTA_PLUGIN_PARENT", "0"))
    while parent and os.getppid() == parent:
        time.sleep(1)
    if parent:
        os._exit(1)


def run():
    """Serves the plugin until the relay ends it."""
    if os.environ.get(_COOKIE) != "mta1":
        sys.exit(f"This is a plugin of a mail relay, which starts it: name it in the configuration of mta\n"
                 f"as source = \"process:{os.path.abspath(sys.argv[0])}\"")
    sys.stdout.reconfigure(line_buffering=True)
    threading.Thread(target=_watch_parent, daemon=True).start()
    server = _Server()
    big = 34 << 20
    rpc = grpc.server(futures.ThreadPoolExecutor(max_workers=8), handlers=server.methods(), options=[
        ("grpc.max_receive_message_length", big), ("grpc.max_send_message_length", big), ("grpc.http2.bdp_probe", 0)])
    path = os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "python.sock")
    rpc.add_insecure_port("unix:" + path)
    rpc.start()
    print(f"1|1|unix|{path}|grpc", flush=True)
    server.ended.wait()
    rpc.stop(0.5).wait()
    os._exit(0)  # hooks that hang must not keep us
