# Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.

from typing import Dict, Iterable, List, Optional

from google.protobuf.message import Message

NOTIFY_NONE: int  # 0
NOTIFY_NEVER: int  # 1
NOTIFY_SUCCESS: int  # 2
NOTIFY_FAILURE: int  # 4
NOTIFY_DELAY: int  # 8

ACTION_CONTINUE: int  # 0
ACTION_ACCEPT: int  # 1
ACTION_DEFER: int  # 2
ACTION_REJECT: int  # 3
ACTION_DISCONNECT: int  # 4
ACTION_DISCARD: int  # 5
ACTION_HOLD: int  # 6

OP_NONE: int  # 0
OP_NOTE: int  # 1
OP_SET_SENDER: int  # 2
OP_ADD_RECIPIENT: int  # 3
OP_REMOVE_RECIPIENT: int  # 4
OP_REPLACE_RECIPIENT: int  # 5
OP_PREPEND_HEADER: int  # 6
OP_APPEND_HEADER: int  # 7
OP_REPLACE_HEADER: int  # 8
OP_REMOVE_HEADER: int  # 9
OP_REPLACE_BODY: int  # 10

ROUTE_ACTION_CONTINUE: int  # 0
ROUTE_ACTION_USE: int  # 1
ROUTE_ACTION_DEFER: int  # 2
ROUTE_ACTION_FAIL: int  # 3
ROUTE_ACTION_HOLD: int  # 4

STATUS_NONE: int  # 0
STATUS_DELIVERED: int  # 1
STATUS_DEFERRED: int  # 2
STATUS_FAILED: int  # 3

DSN_KIND_NONE: int  # 0
DSN_KIND_FAILED: int  # 1
DSN_KIND_DELAYED: int  # 2
DSN_KIND_SUCCESS: int  # 3

CALL_CODE_OK: int  # 0
CALL_CODE_NOT_GRANTED: int  # 1
CALL_CODE_INVALID: int  # 2
CALL_CODE_LIMIT: int  # 3
CALL_CODE_TIMEOUT: int  # 4
CALL_CODE_TEMPORARY: int  # 5
CALL_CODE_FAILED: int  # 6
CALL_CODE_NOT_ALLOWED_HERE: int  # 7

class ToPlugin(Message):
    # which request this is; with cancel: which one is to end
    seq: int
    # with result: the number that the plugin gave to its call
    call: int
    # with an event, start and self_test: the relay's time; nanoseconds since 1970
    now: int
    # the first request; answered by description
    describe: Describe
    # answered by done or error
    start: Start
    # answered by done or error
    self_test: SelfTest
    # answers a call of the plugin
    result: CallResult
    # nobody waits any more for the answer to seq
    cancel: Cancel
    # no more events come; answered by done when all is put away
    stop: Stop
    # before the banner
    connect: ConnectEvent
    # EHLO/HELO, again after STARTTLS
    helo: HeloEvent
    # credentials presented
    auth: AuthEvent
    # MAIL FROM
    mail: MailEvent
    # each RCPT TO; nobody accepts: 550 5.7.1
    rcpt: RcptEvent
    # DATA/BDAT asked for, before 354
    predata: PredataEvent
    # whole message received, before 250
    data: DataEvent
    # per recipient, at each attempt
    route: RouteEvent
    # a group of recipients of one message for one route
    deliver: DeliverEvent
    # after an attempt, before it is settled
    outcome: OutcomeEvent
    # a DSN is about to be made
    bounce: BounceEvent
    # session over; report only
    disconnect: DisconnectEvent
    def __init__(self, *, seq: Optional[int] = ..., call: Optional[int] = ..., now: Optional[int] = ..., describe: Optional[Describe] = ..., start: Optional[Start] = ..., self_test: Optional[SelfTest] = ..., result: Optional[CallResult] = ..., cancel: Optional[Cancel] = ..., stop: Optional[Stop] = ..., connect: Optional[ConnectEvent] = ..., helo: Optional[HeloEvent] = ..., auth: Optional[AuthEvent] = ..., mail: Optional[MailEvent] = ..., rcpt: Optional[RcptEvent] = ..., predata: Optional[PredataEvent] = ..., data: Optional[DataEvent] = ..., route: Optional[RouteEvent] = ..., deliver: Optional[DeliverEvent] = ..., outcome: Optional[OutcomeEvent] = ..., bounce: Optional[BounceEvent] = ..., disconnect: Optional[DisconnectEvent] = ...) -> None: ...

class FromPlugin(Message):
    # the request that it answers, or during which it calls
    seq: int
    # of a call: a number of the plugin's choice, which comes back with the result; 0: no result is wanted
    call: int
    description: Description
    # answers start, self_test and stop
    done: Done
    # answers any request: the plugin is broken
    error: Error
    connect: Answer
    helo: Answer
    auth: Answer
    mail: Answer
    rcpt: Answer
    predata: Answer
    data: Answer
    route: RouteAnswer
    deliver: DeliverAnswer
    outcome: OutcomeAnswer
    bounce: BounceAnswer
    disconnect: Done
    # writes one line to the relay's log
    call_log: LogCall
    # what time it is; without the grant, the time of the event
    call_now: NowCall
    # random octets
    call_random: RandomCall
    # adds to a counter or sets a gauge
    call_metric: MetricCall
    # reads a key
    call_kv_get: KVGetCall
    # writes a key
    call_kv_set: KVSetCall
    # compare-and-swap
    call_kv_swap: KVSwapCall
    # adds to a counter
    call_kv_add: KVAddCall
    # removes a key
    call_kv_delete: KVDeleteCall
    # asks the DNS
    call_lookup: LookupCall
    # asks where mail for a domain goes
    call_mx: MXCall
    # makes one HTTP request
    call_http: HTTPCall
    # reads a piece of the message; without the grant, of its header as far as it goes
    call_read: ReadCall
    # finds the header fields of one name
    call_header: HeaderCall
    # delivers with the relay's own SMTP client
    call_send: SendCall
    def __init__(self, *, seq: Optional[int] = ..., call: Optional[int] = ..., description: Optional[Description] = ..., done: Optional[Done] = ..., error: Optional[Error] = ..., connect: Optional[Answer] = ..., helo: Optional[Answer] = ..., auth: Optional[Answer] = ..., mail: Optional[Answer] = ..., rcpt: Optional[Answer] = ..., predata: Optional[Answer] = ..., data: Optional[Answer] = ..., route: Optional[RouteAnswer] = ..., deliver: Optional[DeliverAnswer] = ..., outcome: Optional[OutcomeAnswer] = ..., bounce: Optional[BounceAnswer] = ..., disconnect: Optional[Done] = ..., call_log: Optional[LogCall] = ..., call_now: Optional[NowCall] = ..., call_random: Optional[RandomCall] = ..., call_metric: Optional[MetricCall] = ..., call_kv_get: Optional[KVGetCall] = ..., call_kv_set: Optional[KVSetCall] = ..., call_kv_swap: Optional[KVSwapCall] = ..., call_kv_add: Optional[KVAddCall] = ..., call_kv_delete: Optional[KVDeleteCall] = ..., call_lookup: Optional[LookupCall] = ..., call_mx: Optional[MXCall] = ..., call_http: Optional[HTTPCall] = ..., call_read: Optional[ReadCall] = ..., call_header: Optional[HeaderCall] = ..., call_send: Optional[SendCall] = ...) -> None: ...

class CallResult(Message):
    code: int
    # why it failed, in words
    reason: str
    log: LogResult
    now: NowResult
    random: RandomResult
    metric: MetricResult
    kv_get: KVGetResult
    kv_set: KVSetResult
    kv_swap: KVSwapResult
    kv_add: KVAddResult
    kv_delete: KVDeleteResult
    lookup: LookupResult
    mx: MXResult
    http: HTTPResult
    read: ReadResult
    header: HeaderResult
    send: SendResult
    def __init__(self, *, code: Optional[int] = ..., reason: Optional[str] = ..., log: Optional[LogResult] = ..., now: Optional[NowResult] = ..., random: Optional[RandomResult] = ..., metric: Optional[MetricResult] = ..., kv_get: Optional[KVGetResult] = ..., kv_set: Optional[KVSetResult] = ..., kv_swap: Optional[KVSwapResult] = ..., kv_add: Optional[KVAddResult] = ..., kv_delete: Optional[KVDeleteResult] = ..., lookup: Optional[LookupResult] = ..., mx: Optional[MXResult] = ..., http: Optional[HTTPResult] = ..., read: Optional[ReadResult] = ..., header: Optional[HeaderResult] = ..., send: Optional[SendResult] = ...) -> None: ...

class Describe(Message):
    def __init__(self) -> None: ...

class Start(Message):
    # the plugin's table in the configuration, as JSON; never empty
    config_json: bytes
    # the name by which the relay calls itself
    hostname: str
    # what it is allowed; the names of the table of grants
    grants: List[str]
    # the name that the configuration gives the plugin: its notes are NAME.key
    name: str
    def __init__(self, *, config_json: Optional[bytes] = ..., hostname: Optional[str] = ..., grants: Optional[Iterable[str]] = ..., name: Optional[str] = ...) -> None: ...

class SelfTest(Message):
    def __init__(self) -> None: ...

class Cancel(Message):
    def __init__(self) -> None: ...

class Stop(Message):
    def __init__(self) -> None: ...

class Done(Message):
    def __init__(self) -> None: ...

class Error(Message):
    # at most 1,024 octets are kept
    text: str
    def __init__(self, *, text: Optional[str] = ...) -> None: ...

class Description(Message):
    name: str
    # semantic version
    version: str
    # minor version of the contract that it was made for
    abi: int
    # those that it wants to be asked
    hooks: List[HookFields]
    # the grants without which it cannot work
    needs: List[str]
    # the grants without which it can do less
    wants: List[str]
    def __init__(self, *, name: Optional[str] = ..., version: Optional[str] = ..., abi: Optional[int] = ..., hooks: Optional[Iterable[HookFields]] = ..., needs: Optional[Iterable[str]] = ..., wants: Optional[Iterable[str]] = ...) -> None: ...

class HookFields(Message):
    hook: str
    # "session.remote_ip", or "*" for all
    fields: List[str]
    def __init__(self, *, hook: Optional[str] = ..., fields: Optional[Iterable[str]] = ...) -> None: ...

class Session(Message):
    # unique in the life of the spool; joins log lines of one connection
    id: str
    # of the listener: mx, submission, submissions, lmtp
    profile: str
    # address:port that the client connected to
    local_addr: str
    # the client's address, without port and brackets
    remote_ip: str
    # the client's port
    remote_port: int
    # the client's name, confirmed in both directions; empty: unknown
    remote_name: str
    # the name given in HELO/EHLO/LHLO; empty: not yet
    helo: str
    # RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPA, LMTP, UTF8SMTP, ...
    protocol: str
    # version and cipher suite; empty: in the clear
    tls: str
    # the authenticated identity; empty: none
    login: str
    # when the connection was accepted; nanoseconds since 1970
    started: int
    # what plugins left on the session
    notes: Dict[str, str]
    def __init__(self, *, id: Optional[str] = ..., profile: Optional[str] = ..., local_addr: Optional[str] = ..., remote_ip: Optional[str] = ..., remote_port: Optional[int] = ..., remote_name: Optional[str] = ..., helo: Optional[str] = ..., protocol: Optional[str] = ..., tls: Optional[str] = ..., login: Optional[str] = ..., started: Optional[int] = ..., notes: Optional[Dict[str, str]] = ...) -> None: ...

class Recipient(Message):
    # where the message goes
    addr: str
    # as the client gave it, when a plugin changed it; else empty
    orig: str
    # RFC 3461 NOTIFY; a sum of Notify
    notify: int
    # RFC 3461 ORCPT, decoded: "rfc822;user@example.org"; empty: none
    orcpt: str
    def __init__(self, *, addr: Optional[str] = ..., orig: Optional[str] = ..., notify: Optional[int] = ..., orcpt: Optional[str] = ...) -> None: ...

class Envelope(Message):
    # the queue ID, from MAIL to the last log line
    id: str
    # the reverse-path; empty is the null reverse-path
    from: str
    # in the order in which they were accepted
    recipients: List[Recipient]
    # octets of the message; 0 before it was received
    size: int
    # BODY= of RFC 6152/3030: "", 7BIT, 8BITMIME, BINARYMIME
    body: str
    # RFC 6531
    smtputf8: bool
    # RFC 8689
    require_tls: bool
    # RFC 3461 RET: "", FULL, HDRS
    ret: str
    # RFC 3461 ENVID, decoded
    env_id: str
    # when the transaction began; nanoseconds since 1970
    arrived: int
    # how it came to us
    origin: Origin
    # what plugins left on the message
    notes: Dict[str, str]
    def __init__(self, *, id: Optional[str] = ..., from: Optional[str] = ..., recipients: Optional[Iterable[Recipient]] = ..., size: Optional[int] = ..., body: Optional[str] = ..., smtputf8: Optional[bool] = ..., require_tls: Optional[bool] = ..., ret: Optional[str] = ..., env_id: Optional[str] = ..., arrived: Optional[int] = ..., origin: Optional[Origin] = ..., notes: Optional[Dict[str, str]] = ...) -> None: ...

class Origin(Message):
    # the client's address; empty: made by the relay itself
    ip: str
    # its confirmed name
    name: str
    # its HELO name
    helo: str
    # RFC 3848
    protocol: str
    # the authenticated identity
    login: str
    # of the listener
    profile: str
    def __init__(self, *, ip: Optional[str] = ..., name: Optional[str] = ..., helo: Optional[str] = ..., protocol: Optional[str] = ..., login: Optional[str] = ..., profile: Optional[str] = ...) -> None: ...

class Message(Message):
    # the queue ID
    id: str
    # octets, with the trace fields that the relay has added
    size: int
    def __init__(self, *, id: Optional[str] = ..., size: Optional[int] = ...) -> None: ...

class Reply(Message):
    # 4yz or 5yz in an answer; 0: the core's choice
    code: int
    # RFC 3463, "5.7.1"; empty: the core's choice
    enhanced: str
    # one line, or up to ten with "\n" between them, of 400 octets each; empty: the core's choice
    text: str
    def __init__(self, *, code: Optional[int] = ..., enhanced: Optional[str] = ..., text: Optional[str] = ...) -> None: ...

class Answer(Message):
    action: int
    reply: Reply
    # Reason is for log and trace only; no client ever sees it.
    reason: str
    # Edits are applied in order, all or none. With Defer, Reject and Disconnect
    # only the notes among them are: nothing is left to be edited.
    edits: List[Edit]
    # Identity is who the client is; auth hook only, with Accept, where it must
    # not be empty.
    identity: str
    # Recipients are verdicts on single recipients, in the order of the
    # envelope; data hook only, and either empty or one for each. A recipient
    # that is not Continue or Accept is removed: on LMTP it gets its own reply,
    # on SMTP a DSN.
    recipients: List[Verdict]
    def __init__(self, *, action: Optional[int] = ..., reply: Optional[Reply] = ..., reason: Optional[str] = ..., edits: Optional[Iterable[Edit]] = ..., identity: Optional[str] = ..., recipients: Optional[Iterable[Verdict]] = ...) -> None: ...

class Verdict(Message):
    # Continue, Accept, Defer, Reject, Discard
    action: int
    reply: Reply
    reason: str
    def __init__(self, *, action: Optional[int] = ..., reply: Optional[Reply] = ..., reason: Optional[str] = ...) -> None: ...

class Edit(Message):
    op: int
    name: str
    value: str
    index: int
    data: bytes
    def __init__(self, *, op: Optional[int] = ..., name: Optional[str] = ..., value: Optional[str] = ..., index: Optional[int] = ..., data: Optional[bytes] = ...) -> None: ...

class RouteAnswer(Message):
    action: int
    # for RouteUse
    route: Route
    # for RouteDefer and RouteFail
    reply: Reply
    # for log and trace
    reason: str
    # NotBefore: with RouteDefer, the earliest time of the next attempt; zero:
    # the usual retry time.; nanoseconds since 1970
    not_before: int
    def __init__(self, *, action: Optional[int] = ..., route: Optional[Route] = ..., reply: Optional[Reply] = ..., reason: Optional[str] = ..., not_before: Optional[int] = ...) -> None: ...

class Route(Message):
    # Via names the transport: "smtp", "lmtp", or a plugin with a deliver hook.
    via: str
    # Hosts are the next hops in the order in which to try them: "host",
    # "host:port", "192.0.2.1:25", "[2001:db8::1]:25"; for LMTP also
    # "unix:/path". The port defaults to 25, for LMTP to 24.
    hosts: List[str]
    # MX: the DNS named the hosts, so loopback and other addresses that no
    # stranger may choose for us are not connected to.
    mx: bool
    # TLS is the policy towards the next hop: none, may, encrypt, verify, dane.
    # Empty is may.
    tls: str
    # Source and Pool choose where the connection comes from; empty: the system.
    source: str
    pool: str
    # Key names what shares concurrency, back-off and connections. Empty: made
    # from Via, Hosts, TLS, Source, Pool and User.
    key: str
    # User and PasswordFile log in at the next hop. Only a plugin that is
    # compiled into the relay may name a file.
    user: str
    password_file: str
    # Rule says what chose the route, for people: "route 2: to *.example".
    rule: str
    def __init__(self, *, via: Optional[str] = ..., hosts: Optional[Iterable[str]] = ..., mx: Optional[bool] = ..., tls: Optional[str] = ..., source: Optional[str] = ..., pool: Optional[str] = ..., key: Optional[str] = ..., user: Optional[str] = ..., password_file: Optional[str] = ..., rule: Optional[str] = ...) -> None: ...

class Outcome(Message):
    status: int
    # of the next hop, or the words of whoever decided
    reply: Reply
    # who answered: "mx1.example.org[192.0.2.1]:25"; empty: nobody did
    remote: str
    # version and cipher suite of the conversation; empty: clear
    tls: str
    # RemoteReply: Reply was spoken by the peer named in Remote, so a DSN may
    # show it as Diagnostic-Code (RFC 3464 §2.3.6).
    remote_reply: bool
    # DSNRelayed: the next hop took over the RFC 3461 parameters, so success
    # is reported by it and not by us.
    dsn_relayed: bool
    # MaybeDuplicate: the connection was lost between the end of the message
    # and the reply; the next hop may have it nevertheless (RFC 1047).
    maybe_duplicate: bool
    # Unreachable: no conversation about this message was begun: no connection,
    # no greeting, no EHLO. The whole destination is slow or down.
    unreachable: bool
    # Setup is the time for DNS, connect, EHLO and TLS; Transfer that for the
    # message.; nanoseconds
    setup: int
    # nanoseconds
    transfer: int
    # Hold: with StatusDeferred, keep until an operator releases it.
    hold: bool
    def __init__(self, *, status: Optional[int] = ..., reply: Optional[Reply] = ..., remote: Optional[str] = ..., tls: Optional[str] = ..., remote_reply: Optional[bool] = ..., dsn_relayed: Optional[bool] = ..., maybe_duplicate: Optional[bool] = ..., unreachable: Optional[bool] = ..., setup: Optional[int] = ..., transfer: Optional[int] = ..., hold: Optional[bool] = ...) -> None: ...

class DeliverAnswer(Message):
    outcomes: List[Outcome]
    def __init__(self, *, outcomes: Optional[Iterable[Outcome]] = ...) -> None: ...

class OutcomeAnswer(Message):
    # Status: StatusDeferred or StatusFailed instead of the other; StatusNone
    # keeps it. A delivered recipient stays delivered.
    status: int
    # Delay: for a deferred recipient, the time until the next attempt.; nanoseconds
    delay: int
    # shown to people instead of the original; zero keeps it
    reply: Reply
    reason: str
    # Hold: keep a recipient that was not delivered until an operator releases
    # it.
    hold: bool
    def __init__(self, *, status: Optional[int] = ..., delay: Optional[int] = ..., reply: Optional[Reply] = ..., reason: Optional[str] = ..., hold: Optional[bool] = ...) -> None: ...

class BounceAnswer(Message):
    # Suppress: send no DSN. It is recorded with the plugin's name.
    suppress: bool
    reason: str
    # OpPrependHeader, OpAppendHeader, OpReplaceHeader, OpNote
    edits: List[Edit]
    # Defer: not now. The recipients stay in the queue as deferred, and the
    # hook is asked again after their next attempt.
    defer: bool
    # Hold: no DSN now, and the recipients stay until an operator releases them.
    hold: bool
    def __init__(self, *, suppress: Optional[bool] = ..., reason: Optional[str] = ..., edits: Optional[Iterable[Edit]] = ..., defer: Optional[bool] = ..., hold: Optional[bool] = ...) -> None: ...

class ConnectEvent(Message):
    session: Session
    def __init__(self, *, session: Optional[Session] = ...) -> None: ...

class HeloEvent(Message):
    # Session.Helo already holds the name
    session: Session
    # EHLO or LHLO
    extended: bool
    def __init__(self, *, session: Optional[Session] = ..., extended: Optional[bool] = ...) -> None: ...

class AuthEvent(Message):
    session: Session
    # PLAIN, LOGIN, ...
    mechanism: str
    username: str
    # empty for mechanisms that do not reveal it
    password: str
    authz_id: str
    def __init__(self, *, session: Optional[Session] = ..., mechanism: Optional[str] = ..., username: Optional[str] = ..., password: Optional[str] = ..., authz_id: Optional[str] = ...) -> None: ...

class MailEvent(Message):
    session: Session
    envelope: Envelope
    def __init__(self, *, session: Optional[Session] = ..., envelope: Optional[Envelope] = ...) -> None: ...

class RcptEvent(Message):
    session: Session
    envelope: Envelope
    recipient: Recipient
    def __init__(self, *, session: Optional[Session] = ..., envelope: Optional[Envelope] = ..., recipient: Optional[Recipient] = ...) -> None: ...

class PredataEvent(Message):
    session: Session
    envelope: Envelope
    def __init__(self, *, session: Optional[Session] = ..., envelope: Optional[Envelope] = ...) -> None: ...

class DataEvent(Message):
    session: Session
    envelope: Envelope
    message: Message
    def __init__(self, *, session: Optional[Session] = ..., envelope: Optional[Envelope] = ..., message: Optional[Message] = ...) -> None: ...

class RouteEvent(Message):
    envelope: Envelope
    recipient: Recipient
    # 1 for the first
    attempt: int
    # of the attempt before; zero at the first
    last: Outcome
    def __init__(self, *, envelope: Optional[Envelope] = ..., recipient: Optional[Recipient] = ..., attempt: Optional[int] = ..., last: Optional[Outcome] = ...) -> None: ...

class DeliverEvent(Message):
    envelope: Envelope
    message: Message
    recipients: List[Recipient]
    route: Route
    attempt: int
    def __init__(self, *, envelope: Optional[Envelope] = ..., message: Optional[Message] = ..., recipients: Optional[Iterable[Recipient]] = ..., route: Optional[Route] = ..., attempt: Optional[int] = ...) -> None: ...

class OutcomeEvent(Message):
    envelope: Envelope
    recipient: Recipient
    route: Route
    attempt: int
    outcome: Outcome
    # when a deferred recipient is tried again; nanoseconds since 1970
    next: int
    def __init__(self, *, envelope: Optional[Envelope] = ..., recipient: Optional[Recipient] = ..., route: Optional[Route] = ..., attempt: Optional[int] = ..., outcome: Optional[Outcome] = ..., next: Optional[int] = ...) -> None: ...

class BounceEvent(Message):
    # the message it is about
    envelope: Envelope
    kind: int
    # those it tells about
    recipients: List[Recipient]
    # the last of each
    outcomes: List[Outcome]
    # the DSN itself
    message: Message
    # where it goes: the reverse-path of Envelope
    to: str
    def __init__(self, *, envelope: Optional[Envelope] = ..., kind: Optional[int] = ..., recipients: Optional[Iterable[Recipient]] = ..., outcomes: Optional[Iterable[Outcome]] = ..., message: Optional[Message] = ..., to: Optional[str] = ...) -> None: ...

class DisconnectEvent(Message):
    session: Session
    # accepted in this session
    messages: int
    # quit, lost, timeout, error, shutdown, ...
    reason: str
    def __init__(self, *, session: Optional[Session] = ..., messages: Optional[int] = ..., reason: Optional[str] = ...) -> None: ...

class HTTPRequest(Message):
    # empty: GET
    method: str
    # http or https
    url: str
    header: List[HTTPField]
    # at most 1 MiB
    body: bytes
    def __init__(self, *, method: Optional[str] = ..., url: Optional[str] = ..., header: Optional[Iterable[HTTPField]] = ..., body: Optional[bytes] = ...) -> None: ...

class HTTPResponse(Message):
    status: int
    header: List[HTTPField]
    # at most 1 MiB; more is an error
    body: bytes
    def __init__(self, *, status: Optional[int] = ..., header: Optional[Iterable[HTTPField]] = ..., body: Optional[bytes] = ...) -> None: ...

class HTTPField(Message):
    name: str
    value: str
    def __init__(self, *, name: Optional[str] = ..., value: Optional[str] = ...) -> None: ...

class MX(Message):
    # Hosts are the exchangers in the order in which to try them. Empty means
    # that there is none: see the other fields for the reason.
    hosts: List[str]
    # Null: the domain says that it takes no mail (RFC 7505).
    null: bool
    # Implicit: there is no MX record, and Hosts is the domain itself.
    implicit: bool
    # Loops: this relay is itself the best exchanger, so nothing is left.
    loops: bool
    # NoDomain: the name does not exist, or exists without any address.
    no_domain: bool
    def __init__(self, *, hosts: Optional[Iterable[str]] = ..., null: Optional[bool] = ..., implicit: Optional[bool] = ..., loops: Optional[bool] = ..., no_domain: Optional[bool] = ...) -> None: ...

class LogCall(Message):
    # -4 debug, 0 info, 4 warning, 8 error
    level: int
    # at most 1 KiB is kept
    text: str
    def __init__(self, *, level: Optional[int] = ..., text: Optional[str] = ...) -> None: ...

class LogResult(Message):
    def __init__(self) -> None: ...

class NowCall(Message):
    def __init__(self) -> None: ...

class NowResult(Message):
    # nanoseconds since 1970
    time: int
    def __init__(self, *, time: Optional[int] = ...) -> None: ...

class RandomCall(Message):
    # at most 4096
    size: int
    def __init__(self, *, size: Optional[int] = ...) -> None: ...

class RandomResult(Message):
    data: bytes
    def __init__(self, *, data: Optional[bytes] = ...) -> None: ...

class MetricCall(Message):
    name: str
    # set to Value; else add Value
    gauge: bool
    value: float
    def __init__(self, *, name: Optional[str] = ..., gauge: Optional[bool] = ..., value: Optional[float] = ...) -> None: ...

class MetricResult(Message):
    def __init__(self) -> None: ...

class KVGetCall(Message):
    key: str
    def __init__(self, *, key: Optional[str] = ...) -> None: ...

class KVGetResult(Message):
    found: bool
    value: bytes
    def __init__(self, *, found: Optional[bool] = ..., value: Optional[bytes] = ...) -> None: ...

class KVSetCall(Message):
    key: str
    value: bytes
    # 0: for ever; nanoseconds
    ttl: int
    def __init__(self, *, key: Optional[str] = ..., value: Optional[bytes] = ..., ttl: Optional[int] = ...) -> None: ...

class KVSetResult(Message):
    def __init__(self) -> None: ...

class KVSwapCall(Message):
    key: str
    # false: the key must be absent
    has_old: bool
    old: bytes
    # false: the key goes
    has_new: bool
    new: bytes
    # nanoseconds
    ttl: int
    def __init__(self, *, key: Optional[str] = ..., has_old: Optional[bool] = ..., old: Optional[bytes] = ..., has_new: Optional[bool] = ..., new: Optional[bytes] = ..., ttl: Optional[int] = ...) -> None: ...

class KVSwapResult(Message):
    swapped: bool
    def __init__(self, *, swapped: Optional[bool] = ...) -> None: ...

class KVAddCall(Message):
    key: str
    delta: int
    # counts from the first Add; nanoseconds
    ttl: int
    def __init__(self, *, key: Optional[str] = ..., delta: Optional[int] = ..., ttl: Optional[int] = ...) -> None: ...

class KVAddResult(Message):
    value: int
    def __init__(self, *, value: Optional[int] = ...) -> None: ...

class KVDeleteCall(Message):
    key: str
    def __init__(self, *, key: Optional[str] = ...) -> None: ...

class KVDeleteResult(Message):
    def __init__(self) -> None: ...

class LookupCall(Message):
    # A, AAAA, TXT, PTR (name is an IP address)
    kind: str
    name: str
    def __init__(self, *, kind: Optional[str] = ..., name: Optional[str] = ...) -> None: ...

class LookupResult(Message):
    values: List[str]
    def __init__(self, *, values: Optional[Iterable[str]] = ...) -> None: ...

class MXCall(Message):
    domain: str
    def __init__(self, *, domain: Optional[str] = ...) -> None: ...

class MXResult(Message):
    mx: MX
    def __init__(self, *, mx: Optional[MX] = ...) -> None: ...

class HTTPCall(Message):
    request: HTTPRequest
    def __init__(self, *, request: Optional[HTTPRequest] = ...) -> None: ...

class HTTPResult(Message):
    response: HTTPResponse
    def __init__(self, *, response: Optional[HTTPResponse] = ...) -> None: ...

class ReadCall(Message):
    offset: int
    # at most 256 KiB
    size: int
    def __init__(self, *, offset: Optional[int] = ..., size: Optional[int] = ...) -> None: ...

class ReadResult(Message):
    data: bytes
    def __init__(self, *, data: Optional[bytes] = ...) -> None: ...

class HeaderCall(Message):
    # in any case
    name: str
    def __init__(self, *, name: Optional[str] = ...) -> None: ...

class HeaderResult(Message):
    values: List[str]
    def __init__(self, *, values: Optional[Iterable[str]] = ...) -> None: ...

class SendCall(Message):
    route: Route
    recipients: List[Recipient]
    # the reverse-path
    from: str
    lmtp: bool
    def __init__(self, *, route: Optional[Route] = ..., recipients: Optional[Iterable[Recipient]] = ..., from: Optional[str] = ..., lmtp: Optional[bool] = ...) -> None: ...

class SendResult(Message):
    outcomes: List[Outcome]
    def __init__(self, *, outcomes: Optional[Iterable[Outcome]] = ...) -> None: ...
