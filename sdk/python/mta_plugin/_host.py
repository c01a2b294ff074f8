"""What a plugin may ask of the relay: the object host."""

import contextvars
import queue
import secrets
import threading
import time

from . import messages as m

# The request that the current thread works for.
current = contextvars.ContextVar("request")

_SECOND = 1_000_000_000
_QUIET = 32  # the relay drops calls without result that it cannot keep: each 32nd is waited for


class CallError(Exception):
    """A call that failed: code is one of CALL_CODE_..., text says why."""

    def __init__(self, call, code, text):
        super().__init__(f"{call}: {text}")
        self.call, self.code, self.text = call, code, text


class Request:
    """One thing that the relay has asked for and waits for."""

    def __init__(self, stream, seq, now):
        self.stream, self.seq, self.now = stream, seq, now
        self.over = threading.Event()
        self.told = 0


class Stream:
    """What is sent on one stream to the relay, and the calls that wait."""

    def __init__(self):
        self.out = queue.SimpleQueue()
        self.lock = threading.Lock()
        self.last = 0
        self.waiting = {}
        self.requests = {}

    def call(self, request, name, message):
        with self.lock:
            if request.over.is_set():
                raise CallError(name, m.CALL_CODE_TIMEOUT, "the hook is over")
            self.last = self.last % 0xFFFFFFFF + 1
            number, box = self.last, queue.SimpleQueue()
            self.waiting[number] = (request.seq, box)
        self.out.put(m.FromPlugin(seq=request.seq, call=number, **{m.CALLS[name]: message}))
        result = box.get()
        if result is None:
            raise CallError(name, m.CALL_CODE_TIMEOUT, "the hook is over")
        if result.code != m.CALL_CODE_OK:
            raise CallError(name, result.code, result.reason)
        return getattr(result, name)

    def result(self, number, result):
        with self.lock:
            _, box = self.waiting.pop(number, (0, None))
        if box is not None:
            box.put(result)

    def end(self, seq):
        """Nobody waits for a request any more: its calls neither."""
        with self.lock:
            request = self.requests.pop(seq, None)
            if request is not None:
                request.over.set()
            for number in [n for n, (s, _) in self.waiting.items() if s == seq]:
                self.waiting.pop(number)[1].put(None)

    def close(self):
        for seq in list(self.requests):
            self.end(seq)
        self.out.put(None)


class Host:
    """All that a plugin may ask of the relay, in hooks and in its start. What
    needs a grant that the configuration does not give raises CallError."""

    DEBUG, INFO, WARNING, ERROR = -4, 0, 4, 8

    name = ""  # that the configuration gives the plugin: its notes are NAME.key
    hostname = ""  # the name by which the relay calls itself
    _clock = False  # granted

    def _call(self, name, message):
        request = current.get(None)
        if request is None:
            raise CallError(name, m.CALL_CODE_NOT_ALLOWED_HERE, "only the thread of a hook can call the relay")
        return request.stream.call(request, name, message)

    def _tell(self, name, message):
        request = current.get(None)
        if request is None:
            return
        request.told += 1
        if request.told % _QUIET == 0:
            request.stream.call(request, name, message)
        else:
            request.stream.out.put(m.FromPlugin(seq=request.seq, **{m.CALLS[name]: message}))

    def cancelled(self):
        """Whether nobody waits for this hook any more."""
        request = current.get(None)
        return request is not None and request.over.is_set()

    def now(self):
        """The relay's clock, in seconds since 1970. Without the grant clock: the
        time of the event."""
        request = current.get(None)
        if request is None:
            return time.time()
        if not self._clock:
            return request.now / _SECOND
        return self._call("now", m.NowCall()).time / _SECOND

    def log(self, text, level=INFO):
        """Writes one line to the relay's log."""
        self._tell("log", m.LogCall(text=text, level=level))

    def random(self, size):
        """Random octets, at most 4096."""
        if current.get(None) is None:
            return secrets.token_bytes(size)
        return self._call("random", m.RandomCall(size=size)).data

    def count(self, name, delta=1):
        """Adds to a counter that operators see among the metrics."""
        self._tell("metric", m.MetricCall(name=name, value=delta))

    def gauge(self, name, value):
        """Sets a value that operators see among the metrics."""
        self._tell("metric", m.MetricCall(name=name, gauge=True, value=value))

    def kv_get(self, key):
        """The value of a key, as bytes; None: there is none. The kv_ calls need
        the grant kv."""
        result = self._call("kv_get", m.KVGetCall(key=key))
        return result.value if result.found else None

    def kv_set(self, key, value, ttl=0):
        """Gives a key a value, bytes. ttl is in seconds; 0: for ever."""
        self._call("kv_set", m.KVSetCall(key=key, value=value, ttl=int(ttl * _SECOND)))

    def kv_swap(self, key, old, new, ttl=0):
        """Compare-and-swap: whether old was there and is new now. None as old: the
        key must be absent; None as new: it goes."""
        call = m.KVSwapCall(key=key, has_old=old is not None, old=old or b"",
                            has_new=new is not None, new=new or b"", ttl=int(ttl * _SECOND))
        return self._call("kv_swap", call).swapped

    def kv_add(self, key, delta=1, ttl=0):
        """Adds to a counter and is its new value. The ttl, in seconds, counts from
        the first, so a rate limit is one call."""
        return self._call("kv_add", m.KVAddCall(key=key, delta=delta, ttl=int(ttl * _SECOND))).value

    def kv_delete(self, key):
        """Removes a key, if it is there."""
        self._call("kv_delete", m.KVDeleteCall(key=key))

    def lookup(self, kind, name):
        """The records "A", "AAAA", "TXT" or "PTR" of a name; needs dns."""
        return list(self._call("lookup", m.LookupCall(kind=kind, name=name)).values)

    def mx(self, domain):
        """Where mail for a domain goes: hosts, null, implicit, loops, no_domain;
        needs dns."""
        return self._call("mx", m.MXCall(domain=domain)).mx

    def http(self, url, method="GET", headers=None, body=b""):
        """One request: status, header and body of the response; needs http."""
        fields = [m.HTTPField(name=k, value=v) for k, v in (headers or {}).items()]
        request = m.HTTPRequest(method=method, url=url, header=fields, body=body)
        return self._call("http", m.HTTPCall(request=request)).response

    def read(self, offset, size):
        """A piece of the message, at most 256 KiB; empty at its end; needs body."""
        return self._call("read", m.ReadCall(offset=offset, size=size)).data

    def header(self, name):
        """The values of the message's header fields of one name, from the top."""
        return list(self._call("header", m.HeaderCall(name=name)).values)

    def send(self, event, route=None, lmtp=False):
        """Deliver hook: carries out the delivery with the relay's SMTP client, by
        the event's route or another one. One outcome for each recipient; needs
        send."""
        call = m.SendCall(route=route or event.route, recipients=event.recipients,
                          **{"from": getattr(event.envelope, "from")}, lmtp=lmtp)
        return list(self._call("send", call).outcomes)


host = Host()
