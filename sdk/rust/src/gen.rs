// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.

//! Events, answers and calls: one type or method for each of the contract.

#![allow(clippy::all)]

use crate::block::{Element, List, Notes, View, Writer};
use crate::{Block, CallError, Host, InList};

/// Notify is the set of NOTIFY conditions of RFC 3461 §4.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notify(pub u8);

impl Notify {
    /// alone
    pub const NOTIFY_NEVER: Notify = Notify(1);
    /// tell when it was delivered
    pub const NOTIFY_SUCCESS: Notify = Notify(2);
    /// tell when it failed
    pub const NOTIFY_FAILURE: Notify = Notify(4);
    /// tell when it is delayed
    pub const NOTIFY_DELAY: Notify = Notify(8);

    /// The name of the value.
    pub fn name(self) -> &'static str {
        match self.0 {
            1 => "never",
            2 => "success",
            4 => "failure",
            8 => "delay",
            _ => "",
        }
    }

    /// Whether all of other is in it.
    pub fn has(self, other: Notify) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Action is what a decision asks the core to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Action(pub u8);

impl Action {
    /// go on with the next plugin; the zero value
    pub const CONTINUE: Action = Action(0);
    /// yes, and ask nobody else
    pub const ACCEPT: Action = Action(1);
    /// 4xx: try again later
    pub const DEFER: Action = Action(2);
    /// 5xx: no
    pub const REJECT: Action = Action(3);
    /// 421, and close the connection
    pub const DISCONNECT: Action = Action(4);
    /// say yes, and throw away; the reason is recorded
    pub const DISCARD: Action = Action(5);
    /// say yes, and keep until an operator releases it
    pub const HOLD: Action = Action(6);

    /// The name of the value.
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "continue",
            1 => "accept",
            2 => "defer",
            3 => "reject",
            4 => "disconnect",
            5 => "discard",
            6 => "hold",
            _ => "",
        }
    }
}

/// Op is an edit operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Op(pub u8);

impl Op {
    /// Notes`"plugin."+Name` = Value; Name is 1 to 64 of a-z 0-9 _ . -; an empty Value removes it
    pub const OP_NOTE: Op = Op(1);
    /// the reverse-path becomes Value
    pub const OP_SET_SENDER: Op = Op(2);
    /// Value becomes one more recipient
    pub const OP_ADD_RECIPIENT: Op = Op(3);
    /// the recipient Name goes
    pub const OP_REMOVE_RECIPIENT: Op = Op(4);
    /// the recipient Name becomes Value; several of one Name: becomes all of them
    pub const OP_REPLACE_RECIPIENT: Op = Op(5);
    /// "Name: Value" goes on top, below our Received
    pub const OP_PREPEND_HEADER: Op = Op(6);
    /// "Name: Value" goes to the end of the header
    pub const OP_APPEND_HEADER: Op = Op(7);
    /// the Index-th (from 1) field Name gets Value; Index 0: all of them become one, or a new one at the end
    pub const OP_REPLACE_HEADER: Op = Op(8);
    /// the Index-th (from 1) field Name goes; Index 0: all of them; none there: nothing changes
    pub const OP_REMOVE_HEADER: Op = Op(9);
    /// everything behind the header becomes Data
    pub const OP_REPLACE_BODY: Op = Op(10);

    /// The name of the value.
    pub fn name(self) -> &'static str {
        match self.0 {
            1 => "note",
            2 => "set-sender",
            3 => "add-recipient",
            4 => "remove-recipient",
            5 => "replace-recipient",
            6 => "prepend-header",
            7 => "append-header",
            8 => "replace-header",
            9 => "remove-header",
            10 => "replace-body",
            _ => "",
        }
    }
}

/// RouteAction is what a route answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteAction(pub u8);

impl RouteAction {
    /// not mine: ask the next plugin; the zero value
    pub const ROUTE_NONE: RouteAction = RouteAction(0);
    /// deliver by Route
    pub const ROUTE_USE: RouteAction = RouteAction(1);
    /// not now: keep, with Reply as the reason
    pub const ROUTE_DEFER: RouteAction = RouteAction(2);
    /// never: the recipient fails with Reply
    pub const ROUTE_FAIL: RouteAction = RouteAction(3);
    /// keep until an operator releases it
    pub const ROUTE_HOLD: RouteAction = RouteAction(4);

    /// The name of the value.
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "continue",
            1 => "use",
            2 => "defer",
            3 => "fail",
            4 => "hold",
            _ => "",
        }
    }
}

/// Status is how a recipient of an attempt came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status(pub u8);

impl Status {
    pub const STATUS_NONE: Status = Status(0);
    /// the next hop is responsible now
    pub const STATUS_DELIVERED: Status = Status(1);
    /// temporary: try again
    pub const STATUS_DEFERRED: Status = Status(2);
    /// permanent: tell the sender
    pub const STATUS_FAILED: Status = Status(3);

    /// The name of the value.
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "none",
            1 => "delivered",
            2 => "deferred",
            3 => "failed",
            _ => "",
        }
    }
}

/// DSNKind is why a DSN is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DsnKind(pub u8);

impl DsnKind {
    pub const DSN_FAILED: DsnKind = DsnKind(1);
    pub const DSN_DELAYED: DsnKind = DsnKind(2);
    /// delivered, relayed or expanded
    pub const DSN_SUCCESS: DsnKind = DsnKind(3);

    /// The name of the value.
    pub fn name(self) -> &'static str {
        match self.0 {
            1 => "failed",
            2 => "delayed",
            3 => "success",
            _ => "",
        }
    }
}

/// CallCode says why a call failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCode(pub u8);

impl CallCode {
    pub const CALL_OK: CallCode = CallCode(0);
    /// the configuration does not allow it
    pub const NOT_GRANTED: CallCode = CallCode(1);
    /// the request itself is wrong
    pub const CALL_INVALID: CallCode = CallCode(2);
    /// a quota, a size, a number of calls
    pub const CALL_LIMIT: CallCode = CallCode(3);
    /// the deadline of the hook has come
    pub const CALL_TIMEOUT: CallCode = CallCode(4);
    /// asking again later may help
    pub const CALL_TEMPORARY: CallCode = CallCode(5);
    /// it will not
    pub const CALL_FAILED: CallCode = CallCode(6);
    /// not now: there is no message, or the hook has ended
    pub const CALL_NOT_ALLOWED: CallCode = CallCode(7);

    /// The name of the value.
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "ok",
            1 => "not granted",
            2 => "invalid",
            3 => "limit",
            4 => "timeout",
            5 => "temporary",
            6 => "failed",
            7 => "not allowed here",
            _ => "",
        }
    }
}

/// Session is one connection from a client, as far as it has come.
#[derive(Clone, Copy)]
pub struct Session<'a>(View<'a>);

impl<'a> Session<'a> {
    /// unique in the life of the spool; joins log lines of one connection
    #[inline]
    pub fn id(self) -> &'a str {
        self.0.text(0)
    }

    /// of the listener: mx, submission, submissions, lmtp
    #[inline]
    pub fn profile(self) -> &'a str {
        self.0.text(1)
    }

    /// address:port that the client connected to
    #[inline]
    pub fn local_addr(self) -> &'a str {
        self.0.text(2)
    }

    /// the client's address, without port and brackets
    #[inline]
    pub fn remote_ip(self) -> &'a str {
        self.0.text(3)
    }

    /// the client's port
    #[inline]
    pub fn remote_port(self) -> i64 {
        self.0.int(4)
    }

    /// the client's name, confirmed in both directions; empty: unknown
    #[inline]
    pub fn remote_name(self) -> &'a str {
        self.0.text(5)
    }

    /// the name given in HELO/EHLO/LHLO; empty: not yet
    #[inline]
    pub fn helo(self) -> &'a str {
        self.0.text(6)
    }

    /// RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPA, LMTP, UTF8SMTP, ...
    #[inline]
    pub fn protocol(self) -> &'a str {
        self.0.text(7)
    }

    /// version and cipher suite; empty: in the clear
    #[inline]
    pub fn tls(self) -> &'a str {
        self.0.text(8)
    }

    /// the authenticated identity; empty: none
    #[inline]
    pub fn login(self) -> &'a str {
        self.0.text(9)
    }

    /// when the connection was accepted
    #[inline]
    pub fn started(self) -> i64 {
        self.0.int(10)
    }

    /// what plugins left on the session
    #[inline]
    pub fn notes(self) -> Notes<'a> {
        Notes::new(self.0.record(11))
    }
}

/// Recipient is one forward-path of a message.
#[derive(Clone, Copy)]
pub struct RecipientView<'a>(View<'a>);

impl<'a> RecipientView<'a> {
    /// where the message goes
    #[inline]
    pub fn addr(self) -> &'a str {
        self.0.text(0)
    }

    /// as the client gave it, when a plugin changed it; else empty
    #[inline]
    pub fn orig(self) -> &'a str {
        self.0.text(1)
    }

    /// RFC 3461 NOTIFY
    #[inline]
    pub fn notify(self) -> Notify {
        Notify(self.0.int(2) as u8)
    }

    /// RFC 3461 ORCPT, decoded: "rfc822;user@example.org"; empty: none
    #[inline]
    pub fn orcpt(self) -> &'a str {
        self.0.text(3)
    }
}

impl<'a> Element<'a> for RecipientView<'a> {
    fn of(v: View<'a>, slot: usize) -> Self {
        RecipientView(v.record(slot))
    }
}

/// Recipient is one forward-path of a message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recipient<'a> {
    /// where the message goes
    pub addr: &'a str,
    /// as the client gave it, when a plugin changed it; else empty
    pub orig: &'a str,
    /// RFC 3461 NOTIFY
    pub notify: Notify,
    /// RFC 3461 ORCPT, decoded: "rfc822;user@example.org"; empty: none
    pub orcpt: &'a str,
}

impl<'a> Recipient<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.addr.is_empty()
            && self.orig.is_empty()
            && self.notify.0 == 0
            && self.orcpt.is_empty()
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.bytes(at + 0, self.addr.as_bytes());
        w.bytes(at + 8, self.orig.as_bytes());
        w.int(at + 16, self.notify.0 as i64);
        w.bytes(at + 24, self.orcpt.as_bytes());
    }
}

impl InList for Recipient<'_> {}

impl<'a> RecipientView<'a> {
    /// The same as a struct; texts stay where they are.
    pub fn to_plain(self, host: Host<'a>) -> Recipient<'a> {
        let _ = host;
        Recipient {
            addr: self.addr(),
            orig: self.orig(),
            notify: self.notify(),
            orcpt: self.orcpt(),
        }
    }
}

impl<'a> List<'a, RecipientView<'a>> {
    /// The same as a slice of structs.
    pub fn to_plain(self, host: Host<'a>) -> &'a [Recipient<'a>] {
        // SAFETY: the host is there as long as the hook.
        unsafe { crate::memory::slice(self.len(), |i| self.get(i).map_or(Recipient::default(), |v| v.to_plain(host))) }
    }
}

/// Origin tells how a message came to the relay. It is kept with the message, so that a route can depend on it days later.
#[derive(Clone, Copy)]
pub struct Origin<'a>(View<'a>);

impl<'a> Origin<'a> {
    /// the client's address; empty: made by the relay itself
    #[inline]
    pub fn ip(self) -> &'a str {
        self.0.text(0)
    }

    /// its confirmed name
    #[inline]
    pub fn name(self) -> &'a str {
        self.0.text(1)
    }

    /// its HELO name
    #[inline]
    pub fn helo(self) -> &'a str {
        self.0.text(2)
    }

    /// RFC 3848
    #[inline]
    pub fn protocol(self) -> &'a str {
        self.0.text(3)
    }

    /// the authenticated identity
    #[inline]
    pub fn login(self) -> &'a str {
        self.0.text(4)
    }

    /// of the listener
    #[inline]
    pub fn profile(self) -> &'a str {
        self.0.text(5)
    }
}

/// Envelope is a message without its content: from whom, to whom, and on which terms. It is kept in the queue until every recipient has ended.
#[derive(Clone, Copy)]
pub struct Envelope<'a>(View<'a>);

impl<'a> Envelope<'a> {
    /// the queue ID, from MAIL to the last log line
    #[inline]
    pub fn id(self) -> &'a str {
        self.0.text(0)
    }

    /// the reverse-path; empty is the null reverse-path
    #[inline]
    pub fn from(self) -> &'a str {
        self.0.text(1)
    }

    /// in the order in which they were accepted
    #[inline]
    pub fn recipients(self) -> List<'a, RecipientView<'a>> {
        List::new(self.0.record(2))
    }

    /// octets of the message; 0 before it was received
    #[inline]
    pub fn size(self) -> i64 {
        self.0.int(3)
    }

    /// BODY= of RFC 6152/3030: "", 7BIT, 8BITMIME, BINARYMIME
    #[inline]
    pub fn body(self) -> &'a str {
        self.0.text(4)
    }

    /// RFC 6531
    #[inline]
    pub fn smtputf8(self) -> bool {
        self.0.int(5) != 0
    }

    /// RFC 8689
    #[inline]
    pub fn require_tls(self) -> bool {
        self.0.int(6) != 0
    }

    /// RFC 3461 RET: "", FULL, HDRS
    #[inline]
    pub fn ret(self) -> &'a str {
        self.0.text(7)
    }

    /// RFC 3461 ENVID, decoded
    #[inline]
    pub fn env_id(self) -> &'a str {
        self.0.text(8)
    }

    /// when the transaction began
    #[inline]
    pub fn arrived(self) -> i64 {
        self.0.int(9)
    }

    /// how it came to us
    #[inline]
    pub fn origin(self) -> Origin<'a> {
        Origin(self.0.record(10))
    }

    /// what plugins left on the message
    #[inline]
    pub fn notes(self) -> Notes<'a> {
        Notes::new(self.0.record(11))
    }
}

/// Message is a handle on the content of a message. The content is read only when a plugin asks for it, in the pieces in which it asks.
#[derive(Clone, Copy)]
pub struct Message<'a>(View<'a>);

impl<'a> Message<'a> {
    /// the queue ID
    #[inline]
    pub fn id(self) -> &'a str {
        self.0.text(0)
    }

    /// octets, with the trace fields that the relay has added
    #[inline]
    pub fn size(self) -> i64 {
        self.0.int(1)
    }
}

/// Reply is what a client is told. The zero value lets the core choose the words that fit the hook and the action. It goes with Defer (4yz), Reject (5yz) and Disconnect (either); with any other action it is a fault. The classes of Code and Enhanced agree.
#[derive(Clone, Copy)]
pub struct ReplyView<'a>(View<'a>);

impl<'a> ReplyView<'a> {
    /// 4yz or 5yz in an answer; 0: the core's choice
    #[inline]
    pub fn code(self) -> i64 {
        self.0.int(0)
    }

    /// RFC 3463, "5.7.1"; empty: the core's choice
    #[inline]
    pub fn enhanced(self) -> &'a str {
        self.0.text(1)
    }

    /// one line, or up to ten with "\n" between them, of 400 octets each; empty: the core's choice
    #[inline]
    pub fn text(self) -> &'a str {
        self.0.text(2)
    }
}

/// Reply is what a client is told. The zero value lets the core choose the words that fit the hook and the action. It goes with Defer (4yz), Reject (5yz) and Disconnect (either); with any other action it is a fault. The classes of Code and Enhanced agree.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reply<'a> {
    /// 4yz or 5yz in an answer; 0: the core's choice
    pub code: i64,
    /// RFC 3463, "5.7.1"; empty: the core's choice
    pub enhanced: &'a str,
    /// one line, or up to ten with "\n" between them, of 400 octets each; empty: the core's choice
    pub text: &'a str,
}

impl<'a> Reply<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.code == 0
            && self.enhanced.is_empty()
            && self.text.is_empty()
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.int(at + 0, self.code);
        w.bytes(at + 8, self.enhanced.as_bytes());
        w.bytes(at + 16, self.text.as_bytes());
    }
}

impl InList for Reply<'_> {}

impl<'a> ReplyView<'a> {
    /// The same as a struct; texts stay where they are.
    pub fn to_plain(self, host: Host<'a>) -> Reply<'a> {
        let _ = host;
        Reply {
            code: self.code(),
            enhanced: self.enhanced(),
            text: self.text(),
        }
    }
}

/// Edit is one operation on a session or message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Edit<'a> {
    pub op: Op,
    pub name: &'a str,
    pub value: &'a str,
    pub index: i64,
    pub data: &'a [u8],
}

impl<'a> Edit<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.op.0 == 0
            && self.name.is_empty()
            && self.value.is_empty()
            && self.index == 0
            && self.data.is_empty()
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.int(at + 0, self.op.0 as i64);
        w.bytes(at + 8, self.name.as_bytes());
        w.bytes(at + 16, self.value.as_bytes());
        w.int(at + 24, self.index);
        w.bytes(at + 32, self.data);
    }
}

impl InList for Edit<'_> {}

/// Verdict is a decision about one recipient of a message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verdict<'a> {
    /// Continue, Accept, Defer, Reject, Discard
    pub action: Action,
    pub reply: Reply<'a>,
    pub reason: &'a str,
}

impl<'a> Verdict<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.action.0 == 0
            && self.reply.is_zero()
            && self.reason.is_empty()
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.int(at + 0, self.action.0 as i64);
        if !self.reply.is_zero() {
            let off = w.slots(at + 8, 3);
            self.reply.put(w, off);
        }
        w.bytes(at + 16, self.reason.as_bytes());
    }
}

impl InList for Verdict<'_> {}

/// Answer is what a session hook (connect to data) returns. The zero value is "continue".
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<'a> {
    pub action: Action,
    pub reply: Reply<'a>,
    /// Reason is for log and trace only; no client ever sees it.
    pub reason: &'a str,
    /// Edits are applied in order, all or none. With Defer, Reject and Disconnect only the notes among them are: nothing is left to be edited.
    pub edits: &'a [Edit<'a>],
    /// Identity is who the client is; auth hook only, with Accept, where it must not be empty.
    pub identity: &'a str,
    /// Recipients are verdicts on single recipients, in the order of the envelope; data hook only, and either empty or one for each. A recipient that is not Continue or Accept is removed: on LMTP it gets its own reply, on SMTP a DSN.
    pub recipients: &'a [Verdict<'a>],
}

impl<'a> Answer<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.action.0 == 0
            && self.reply.is_zero()
            && self.reason.is_empty()
            && self.edits.is_empty()
            && self.identity.is_empty()
            && self.recipients.is_empty()
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.int(at + 0, self.action.0 as i64);
        if !self.reply.is_zero() {
            let off = w.slots(at + 8, 3);
            self.reply.put(w, off);
        }
        w.bytes(at + 16, self.reason.as_bytes());
        if !self.edits.is_empty() {
            let off = w.slots(at + 24, self.edits.len());
            for (i, item) in self.edits.iter().enumerate() {
                let el = w.slots(off + 8 * i, 5);
                item.put(w, el);
            }
        }
        w.bytes(at + 32, self.identity.as_bytes());
        if !self.recipients.is_empty() {
            let off = w.slots(at + 40, self.recipients.len());
            for (i, item) in self.recipients.iter().enumerate() {
                let el = w.slots(off + 8 * i, 3);
                item.put(w, el);
            }
        }
    }
}

impl InList for Answer<'_> {}

impl Block for Answer<'_> {
    #[inline]
    fn short(&self) -> Option<i64> {
        let mut rest = *self;
        rest.action.0 = 0;
        rest.reply.code = 0;
        if rest.is_zero() && (0..65536).contains(&self.reply.code) {
            return Some(self.action.0 as i64 | self.reply.code << 16);
        }
        None
    }

    fn block(&self, kind: u64) -> &[u8] {
        // SAFETY: the relay reads it before it calls again.
        let (mut w, at) = unsafe { Writer::begin(kind, 6) };
        self.put(&mut w, at);
        w.end()
    }
}

/// Route is how a recipient is reached.
#[derive(Clone, Copy)]
pub struct RouteView<'a>(View<'a>);

impl<'a> RouteView<'a> {
    /// Via names the transport: "smtp", "lmtp", or a plugin with a deliver hook.
    #[inline]
    pub fn via(self) -> &'a str {
        self.0.text(0)
    }

    /// Hosts are the next hops in the order in which to try them: "host", "host:port", "192.0.2.1:25", "`2001:db8::1`:25"; for LMTP also "unix:/path". The port defaults to 25, for LMTP to 24.
    #[inline]
    pub fn hosts(self) -> List<'a, &'a str> {
        List::new(self.0.record(1))
    }

    /// MX: the DNS named the hosts, so loopback and other addresses that no stranger may choose for us are not connected to.
    #[inline]
    pub fn mx(self) -> bool {
        self.0.int(2) != 0
    }

    /// TLS is the policy towards the next hop: none, may, encrypt, verify, dane. Empty is may.
    #[inline]
    pub fn tls(self) -> &'a str {
        self.0.text(3)
    }

    /// Source and Pool choose where the connection comes from; empty: the system.
    #[inline]
    pub fn source(self) -> &'a str {
        self.0.text(4)
    }

    #[inline]
    pub fn pool(self) -> &'a str {
        self.0.text(5)
    }

    /// Key names what shares concurrency, back-off and connections. Empty: made from Via, Hosts, TLS, Source, Pool and User.
    #[inline]
    pub fn key(self) -> &'a str {
        self.0.text(6)
    }

    /// User and PasswordFile log in at the next hop. Only a plugin that is compiled into the relay may name a file.
    #[inline]
    pub fn user(self) -> &'a str {
        self.0.text(7)
    }

    #[inline]
    pub fn password_file(self) -> &'a str {
        self.0.text(8)
    }

    /// Rule says what chose the route, for people: "route 2: to *.example".
    #[inline]
    pub fn rule(self) -> &'a str {
        self.0.text(9)
    }
}

/// Route is how a recipient is reached.
#[derive(Clone, Copy, Debug, Default)]
pub struct Route<'a> {
    /// Via names the transport: "smtp", "lmtp", or a plugin with a deliver hook.
    pub via: &'a str,
    /// Hosts are the next hops in the order in which to try them: "host", "host:port", "192.0.2.1:25", "`2001:db8::1`:25"; for LMTP also "unix:/path". The port defaults to 25, for LMTP to 24.
    pub hosts: &'a [&'a str],
    /// MX: the DNS named the hosts, so loopback and other addresses that no stranger may choose for us are not connected to.
    pub mx: bool,
    /// TLS is the policy towards the next hop: none, may, encrypt, verify, dane. Empty is may.
    pub tls: &'a str,
    /// Source and Pool choose where the connection comes from; empty: the system.
    pub source: &'a str,
    pub pool: &'a str,
    /// Key names what shares concurrency, back-off and connections. Empty: made from Via, Hosts, TLS, Source, Pool and User.
    pub key: &'a str,
    /// User and PasswordFile log in at the next hop. Only a plugin that is compiled into the relay may name a file.
    pub user: &'a str,
    pub password_file: &'a str,
    /// Rule says what chose the route, for people: "route 2: to *.example".
    pub rule: &'a str,
}

impl<'a> Route<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.via.is_empty()
            && self.hosts.is_empty()
            && !self.mx
            && self.tls.is_empty()
            && self.source.is_empty()
            && self.pool.is_empty()
            && self.key.is_empty()
            && self.user.is_empty()
            && self.password_file.is_empty()
            && self.rule.is_empty()
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.bytes(at + 0, self.via.as_bytes());
        w.texts(at + 8, self.hosts);
        w.int(at + 16, self.mx as i64);
        w.bytes(at + 24, self.tls.as_bytes());
        w.bytes(at + 32, self.source.as_bytes());
        w.bytes(at + 40, self.pool.as_bytes());
        w.bytes(at + 48, self.key.as_bytes());
        w.bytes(at + 56, self.user.as_bytes());
        w.bytes(at + 64, self.password_file.as_bytes());
        w.bytes(at + 72, self.rule.as_bytes());
    }
}

impl InList for Route<'_> {}

impl<'a> RouteView<'a> {
    /// The same as a struct; texts stay where they are.
    pub fn to_plain(self, host: Host<'a>) -> Route<'a> {
        let _ = host;
        Route {
            via: self.via(),
            hosts: self.hosts().to_slice(host),
            mx: self.mx(),
            tls: self.tls(),
            source: self.source(),
            pool: self.pool(),
            key: self.key(),
            user: self.user(),
            password_file: self.password_file(),
            rule: self.rule(),
        }
    }
}

/// RouteAnswer is what a route hook returns for one recipient at one attempt.
#[derive(Clone, Copy, Debug, Default)]
pub struct RouteAnswer<'a> {
    pub action: RouteAction,
    /// for RouteUse
    pub route: Route<'a>,
    /// for RouteDefer and RouteFail
    pub reply: Reply<'a>,
    /// for log and trace
    pub reason: &'a str,
    /// NotBefore: with RouteDefer, the earliest time of the next attempt; zero: the usual retry time.
    pub not_before: i64,
}

impl<'a> RouteAnswer<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.action.0 == 0
            && self.route.is_zero()
            && self.reply.is_zero()
            && self.reason.is_empty()
            && self.not_before == 0
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.int(at + 0, self.action.0 as i64);
        if !self.route.is_zero() {
            let off = w.slots(at + 8, 10);
            self.route.put(w, off);
        }
        if !self.reply.is_zero() {
            let off = w.slots(at + 16, 3);
            self.reply.put(w, off);
        }
        w.bytes(at + 24, self.reason.as_bytes());
        w.int(at + 32, self.not_before);
    }
}

impl InList for RouteAnswer<'_> {}

impl Block for RouteAnswer<'_> {
    #[inline]
    fn short(&self) -> Option<i64> {
        let mut rest = *self;
        rest.action.0 = 0;
        rest.reply.code = 0;
        if rest.is_zero() && (0..65536).contains(&self.reply.code) {
            return Some(self.action.0 as i64 | self.reply.code << 16);
        }
        None
    }

    fn block(&self, kind: u64) -> &[u8] {
        // SAFETY: the relay reads it before it calls again.
        let (mut w, at) = unsafe { Writer::begin(kind, 5) };
        self.put(&mut w, at);
        w.end()
    }
}

/// Outcome is the result of an attempt for one recipient.
#[derive(Clone, Copy)]
pub struct OutcomeView<'a>(View<'a>);

impl<'a> OutcomeView<'a> {
    #[inline]
    pub fn status(self) -> Status {
        Status(self.0.int(0) as u8)
    }

    /// of the next hop, or the words of whoever decided
    #[inline]
    pub fn reply(self) -> ReplyView<'a> {
        ReplyView(self.0.record(1))
    }

    /// who answered: "mx1.example.org`192.0.2.1`:25"; empty: nobody did
    #[inline]
    pub fn remote(self) -> &'a str {
        self.0.text(2)
    }

    /// version and cipher suite of the conversation; empty: clear
    #[inline]
    pub fn tls(self) -> &'a str {
        self.0.text(3)
    }

    /// RemoteReply: Reply was spoken by the peer named in Remote, so a DSN may show it as Diagnostic-Code (RFC 3464 §2.3.6).
    #[inline]
    pub fn remote_reply(self) -> bool {
        self.0.int(4) != 0
    }

    /// DSNRelayed: the next hop took over the RFC 3461 parameters, so success is reported by it and not by us.
    #[inline]
    pub fn dsn_relayed(self) -> bool {
        self.0.int(5) != 0
    }

    /// MaybeDuplicate: the connection was lost between the end of the message and the reply; the next hop may have it nevertheless (RFC 1047).
    #[inline]
    pub fn maybe_duplicate(self) -> bool {
        self.0.int(6) != 0
    }

    /// Unreachable: no conversation about this message was begun: no connection, no greeting, no EHLO. The whole destination is slow or down.
    #[inline]
    pub fn unreachable(self) -> bool {
        self.0.int(7) != 0
    }

    /// Setup is the time for DNS, connect, EHLO and TLS; Transfer that for the message.
    #[inline]
    pub fn setup(self) -> i64 {
        self.0.int(8)
    }

    #[inline]
    pub fn transfer(self) -> i64 {
        self.0.int(9)
    }

    /// Hold: with StatusDeferred, keep until an operator releases it.
    #[inline]
    pub fn hold(self) -> bool {
        self.0.int(10) != 0
    }
}

impl<'a> Element<'a> for OutcomeView<'a> {
    fn of(v: View<'a>, slot: usize) -> Self {
        OutcomeView(v.record(slot))
    }
}

/// Outcome is the result of an attempt for one recipient.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome<'a> {
    pub status: Status,
    /// of the next hop, or the words of whoever decided
    pub reply: Reply<'a>,
    /// who answered: "mx1.example.org`192.0.2.1`:25"; empty: nobody did
    pub remote: &'a str,
    /// version and cipher suite of the conversation; empty: clear
    pub tls: &'a str,
    /// RemoteReply: Reply was spoken by the peer named in Remote, so a DSN may show it as Diagnostic-Code (RFC 3464 §2.3.6).
    pub remote_reply: bool,
    /// DSNRelayed: the next hop took over the RFC 3461 parameters, so success is reported by it and not by us.
    pub dsn_relayed: bool,
    /// MaybeDuplicate: the connection was lost between the end of the message and the reply; the next hop may have it nevertheless (RFC 1047).
    pub maybe_duplicate: bool,
    /// Unreachable: no conversation about this message was begun: no connection, no greeting, no EHLO. The whole destination is slow or down.
    pub unreachable: bool,
    /// Setup is the time for DNS, connect, EHLO and TLS; Transfer that for the message.
    pub setup: i64,
    pub transfer: i64,
    /// Hold: with StatusDeferred, keep until an operator releases it.
    pub hold: bool,
}

impl<'a> Outcome<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.status.0 == 0
            && self.reply.is_zero()
            && self.remote.is_empty()
            && self.tls.is_empty()
            && !self.remote_reply
            && !self.dsn_relayed
            && !self.maybe_duplicate
            && !self.unreachable
            && self.setup == 0
            && self.transfer == 0
            && !self.hold
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.int(at + 0, self.status.0 as i64);
        if !self.reply.is_zero() {
            let off = w.slots(at + 8, 3);
            self.reply.put(w, off);
        }
        w.bytes(at + 16, self.remote.as_bytes());
        w.bytes(at + 24, self.tls.as_bytes());
        w.int(at + 32, self.remote_reply as i64);
        w.int(at + 40, self.dsn_relayed as i64);
        w.int(at + 48, self.maybe_duplicate as i64);
        w.int(at + 56, self.unreachable as i64);
        w.int(at + 64, self.setup);
        w.int(at + 72, self.transfer);
        w.int(at + 80, self.hold as i64);
    }
}

impl InList for Outcome<'_> {}

impl<'a> OutcomeView<'a> {
    /// The same as a struct; texts stay where they are.
    pub fn to_plain(self, host: Host<'a>) -> Outcome<'a> {
        let _ = host;
        Outcome {
            status: self.status(),
            reply: self.reply().to_plain(host),
            remote: self.remote(),
            tls: self.tls(),
            remote_reply: self.remote_reply(),
            dsn_relayed: self.dsn_relayed(),
            maybe_duplicate: self.maybe_duplicate(),
            unreachable: self.unreachable(),
            setup: self.setup(),
            transfer: self.transfer(),
            hold: self.hold(),
        }
    }
}

impl<'a> List<'a, OutcomeView<'a>> {
    /// The same as a slice of structs.
    pub fn to_plain(self, host: Host<'a>) -> &'a [Outcome<'a>] {
        // SAFETY: the host is there as long as the hook.
        unsafe { crate::memory::slice(self.len(), |i| self.get(i).map_or(Outcome::default(), |v| v.to_plain(host))) }
    }
}

/// DeliverAnswer is what a deliver hook returns: one outcome for each recipient of the event, in its order.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeliverAnswer<'a> {
    pub outcomes: &'a [Outcome<'a>],
}

impl<'a> DeliverAnswer<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.outcomes.is_empty()
    }

    fn put(&self, w: &mut Writer, at: usize) {
        if !self.outcomes.is_empty() {
            let off = w.slots(at + 0, self.outcomes.len());
            for (i, item) in self.outcomes.iter().enumerate() {
                let el = w.slots(off + 8 * i, 11);
                item.put(w, el);
            }
        }
    }
}

impl InList for DeliverAnswer<'_> {}

impl Block for DeliverAnswer<'_> {
    #[inline]
    fn short(&self) -> Option<i64> {
        None
    }

    fn block(&self, kind: u64) -> &[u8] {
        // SAFETY: the relay reads it before it calls again.
        let (mut w, at) = unsafe { Writer::begin(kind, 1) };
        self.put(&mut w, at);
        w.end()
    }
}

/// OutcomeAnswer may change what an attempt meant, never undo or delete it. The zero value changes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutcomeAnswer<'a> {
    /// Status: StatusDeferred or StatusFailed instead of the other; StatusNone keeps it. A delivered recipient stays delivered.
    pub status: Status,
    /// Delay: for a deferred recipient, the time until the next attempt.
    pub delay: i64,
    /// shown to people instead of the original; zero keeps it
    pub reply: Reply<'a>,
    pub reason: &'a str,
    /// Hold: keep a recipient that was not delivered until an operator releases it.
    pub hold: bool,
}

impl<'a> OutcomeAnswer<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.status.0 == 0
            && self.delay == 0
            && self.reply.is_zero()
            && self.reason.is_empty()
            && !self.hold
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.int(at + 0, self.status.0 as i64);
        w.int(at + 8, self.delay);
        if !self.reply.is_zero() {
            let off = w.slots(at + 16, 3);
            self.reply.put(w, off);
        }
        w.bytes(at + 24, self.reason.as_bytes());
        w.int(at + 32, self.hold as i64);
    }
}

impl InList for OutcomeAnswer<'_> {}

impl Block for OutcomeAnswer<'_> {
    #[inline]
    fn short(&self) -> Option<i64> {
        if self.is_zero() {
            return Some(0);
        }
        None
    }

    fn block(&self, kind: u64) -> &[u8] {
        // SAFETY: the relay reads it before it calls again.
        let (mut w, at) = unsafe { Writer::begin(kind, 5) };
        self.put(&mut w, at);
        w.end()
    }
}

/// BounceAnswer may edit, suppress or put off a DSN. The zero value changes nothing. At most one of Suppress, Defer and Hold is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct BounceAnswer<'a> {
    /// Suppress: send no DSN. It is recorded with the plugin's name.
    pub suppress: bool,
    pub reason: &'a str,
    /// OpPrependHeader, OpAppendHeader, OpReplaceHeader, OpNote
    pub edits: &'a [Edit<'a>],
    /// Defer: not now. The recipients stay in the queue as deferred, and the hook is asked again after their next attempt.
    pub defer: bool,
    /// Hold: no DSN now, and the recipients stay until an operator releases them.
    pub hold: bool,
}

impl<'a> BounceAnswer<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        !self.suppress
            && self.reason.is_empty()
            && self.edits.is_empty()
            && !self.defer
            && !self.hold
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.int(at + 0, self.suppress as i64);
        w.bytes(at + 8, self.reason.as_bytes());
        if !self.edits.is_empty() {
            let off = w.slots(at + 16, self.edits.len());
            for (i, item) in self.edits.iter().enumerate() {
                let el = w.slots(off + 8 * i, 5);
                item.put(w, el);
            }
        }
        w.int(at + 24, self.defer as i64);
        w.int(at + 32, self.hold as i64);
    }
}

impl InList for BounceAnswer<'_> {}

impl Block for BounceAnswer<'_> {
    #[inline]
    fn short(&self) -> Option<i64> {
        if self.is_zero() {
            return Some(0);
        }
        None
    }

    fn block(&self, kind: u64) -> &[u8] {
        // SAFETY: the relay reads it before it calls again.
        let (mut w, at) = unsafe { Writer::begin(kind, 5) };
        self.put(&mut w, at);
        w.end()
    }
}

/// ConnectEvent: a client has connected; nothing was said yet.
#[derive(Clone, Copy)]
pub struct ConnectEvent<'a>(View<'a>, Host<'a>);

impl<'a> ConnectEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        ConnectEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    #[inline]
    pub fn session(self) -> Session<'a> {
        Session(self.0.record(0))
    }
}

/// HeloEvent: HELO, EHLO or LHLO was given, the first time or again.
#[derive(Clone, Copy)]
pub struct HeloEvent<'a>(View<'a>, Host<'a>);

impl<'a> HeloEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        HeloEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    /// Session.Helo already holds the name
    #[inline]
    pub fn session(self) -> Session<'a> {
        Session(self.0.record(0))
    }

    /// EHLO or LHLO
    #[inline]
    pub fn extended(self) -> bool {
        self.0.int(1) != 0
    }
}

/// AuthEvent: a client presents credentials. A plugin that knows the user answers Accept with Identity, or Reject; Continue leaves it to the next.
#[derive(Clone, Copy)]
pub struct AuthEvent<'a>(View<'a>, Host<'a>);

impl<'a> AuthEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        AuthEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    #[inline]
    pub fn session(self) -> Session<'a> {
        Session(self.0.record(0))
    }

    /// PLAIN, LOGIN, ...
    #[inline]
    pub fn mechanism(self) -> &'a str {
        self.0.text(1)
    }

    #[inline]
    pub fn username(self) -> &'a str {
        self.0.text(2)
    }

    /// empty for mechanisms that do not reveal it
    #[inline]
    pub fn password(self) -> &'a str {
        self.0.text(3)
    }

    #[inline]
    pub fn authz_id(self) -> &'a str {
        self.0.text(4)
    }
}

/// MailEvent: MAIL FROM was given. Envelope has no recipients yet.
#[derive(Clone, Copy)]
pub struct MailEvent<'a>(View<'a>, Host<'a>);

impl<'a> MailEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        MailEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    #[inline]
    pub fn session(self) -> Session<'a> {
        Session(self.0.record(0))
    }

    #[inline]
    pub fn envelope(self) -> Envelope<'a> {
        Envelope(self.0.record(1))
    }
}

/// RcptEvent: RCPT TO was given. Envelope holds the recipients accepted so far.
#[derive(Clone, Copy)]
pub struct RcptEvent<'a>(View<'a>, Host<'a>);

impl<'a> RcptEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        RcptEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    #[inline]
    pub fn session(self) -> Session<'a> {
        Session(self.0.record(0))
    }

    #[inline]
    pub fn envelope(self) -> Envelope<'a> {
        Envelope(self.0.record(1))
    }

    #[inline]
    pub fn recipient(self) -> RecipientView<'a> {
        RecipientView(self.0.record(2))
    }
}

/// PredataEvent: DATA or the first BDAT was given; 354 was not said yet.
#[derive(Clone, Copy)]
pub struct PredataEvent<'a>(View<'a>, Host<'a>);

impl<'a> PredataEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        PredataEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    #[inline]
    pub fn session(self) -> Session<'a> {
        Session(self.0.record(0))
    }

    #[inline]
    pub fn envelope(self) -> Envelope<'a> {
        Envelope(self.0.record(1))
    }
}

/// DataEvent: the whole message was received; the 250 was not said yet.
#[derive(Clone, Copy)]
pub struct DataEvent<'a>(View<'a>, Host<'a>);

impl<'a> DataEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        DataEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    #[inline]
    pub fn session(self) -> Session<'a> {
        Session(self.0.record(0))
    }

    #[inline]
    pub fn envelope(self) -> Envelope<'a> {
        Envelope(self.0.record(1))
    }

    #[inline]
    pub fn message(self) -> Message<'a> {
        Message(self.0.record(2))
    }
}

/// RouteEvent asks where one recipient goes, at each attempt anew.
#[derive(Clone, Copy)]
pub struct RouteEvent<'a>(View<'a>, Host<'a>);

impl<'a> RouteEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        RouteEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    #[inline]
    pub fn envelope(self) -> Envelope<'a> {
        Envelope(self.0.record(0))
    }

    #[inline]
    pub fn recipient(self) -> RecipientView<'a> {
        RecipientView(self.0.record(1))
    }

    /// 1 for the first
    #[inline]
    pub fn attempt(self) -> i64 {
        self.0.int(2)
    }

    /// of the attempt before; zero at the first
    #[inline]
    pub fn last(self) -> OutcomeView<'a> {
        OutcomeView(self.0.record(3))
    }
}

/// DeliverEvent asks a transport to deliver one message to some of its recipients: those that share a route.
#[derive(Clone, Copy)]
pub struct DeliverEvent<'a>(View<'a>, Host<'a>);

impl<'a> DeliverEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        DeliverEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    #[inline]
    pub fn envelope(self) -> Envelope<'a> {
        Envelope(self.0.record(0))
    }

    #[inline]
    pub fn message(self) -> Message<'a> {
        Message(self.0.record(1))
    }

    #[inline]
    pub fn recipients(self) -> List<'a, RecipientView<'a>> {
        List::new(self.0.record(2))
    }

    #[inline]
    pub fn route(self) -> RouteView<'a> {
        RouteView(self.0.record(3))
    }

    #[inline]
    pub fn attempt(self) -> i64 {
        self.0.int(4)
    }
}

/// OutcomeEvent: an attempt ended; nothing of it was written down yet.
#[derive(Clone, Copy)]
pub struct OutcomeEvent<'a>(View<'a>, Host<'a>);

impl<'a> OutcomeEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        OutcomeEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    #[inline]
    pub fn envelope(self) -> Envelope<'a> {
        Envelope(self.0.record(0))
    }

    #[inline]
    pub fn recipient(self) -> RecipientView<'a> {
        RecipientView(self.0.record(1))
    }

    #[inline]
    pub fn route(self) -> RouteView<'a> {
        RouteView(self.0.record(2))
    }

    #[inline]
    pub fn attempt(self) -> i64 {
        self.0.int(3)
    }

    #[inline]
    pub fn outcome(self) -> OutcomeView<'a> {
        OutcomeView(self.0.record(4))
    }

    /// when a deferred recipient is tried again
    #[inline]
    pub fn next(self) -> i64 {
        self.0.int(5)
    }
}

/// BounceEvent: a DSN about Envelope is about to be queued.
#[derive(Clone, Copy)]
pub struct BounceEvent<'a>(View<'a>, Host<'a>);

impl<'a> BounceEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        BounceEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    /// the message it is about
    #[inline]
    pub fn envelope(self) -> Envelope<'a> {
        Envelope(self.0.record(0))
    }

    #[inline]
    pub fn kind(self) -> DsnKind {
        DsnKind(self.0.int(1) as u8)
    }

    /// those it tells about
    #[inline]
    pub fn recipients(self) -> List<'a, RecipientView<'a>> {
        List::new(self.0.record(2))
    }

    /// the last of each
    #[inline]
    pub fn outcomes(self) -> List<'a, OutcomeView<'a>> {
        List::new(self.0.record(3))
    }

    /// the DSN itself
    #[inline]
    pub fn message(self) -> Message<'a> {
        Message(self.0.record(4))
    }

    /// where it goes: the reverse-path of Envelope
    #[inline]
    pub fn to(self) -> &'a str {
        self.0.text(5)
    }
}

/// DisconnectEvent: a session has ended.
#[derive(Clone, Copy)]
pub struct DisconnectEvent<'a>(View<'a>, Host<'a>);

impl<'a> DisconnectEvent<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>, host: Host<'a>) -> Self {
        DisconnectEvent(view, host)
    }

    /// The relay, to be called.
    pub fn host(self) -> Host<'a> {
        self.1
    }

    /// The time of the event.
    pub fn now(self) -> i64 {
        self.0.now()
    }

    #[inline]
    pub fn session(self) -> Session<'a> {
        Session(self.0.record(0))
    }

    /// accepted in this session
    #[inline]
    pub fn messages(self) -> i64 {
        self.0.int(1)
    }

    /// quit, lost, timeout, error, shutdown, ...
    #[inline]
    pub fn reason(self) -> &'a str {
        self.0.text(2)
    }
}

/// HTTPField is one header field of a request or response.
#[derive(Clone, Copy)]
pub struct HttpFieldView<'a>(View<'a>);

impl<'a> HttpFieldView<'a> {
    #[inline]
    pub fn name(self) -> &'a str {
        self.0.text(0)
    }

    #[inline]
    pub fn value(self) -> &'a str {
        self.0.text(1)
    }
}

impl<'a> Element<'a> for HttpFieldView<'a> {
    fn of(v: View<'a>, slot: usize) -> Self {
        HttpFieldView(v.record(slot))
    }
}

/// HTTPField is one header field of a request or response.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpField<'a> {
    pub name: &'a str,
    pub value: &'a str,
}

impl<'a> HttpField<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.name.is_empty()
            && self.value.is_empty()
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.bytes(at + 0, self.name.as_bytes());
        w.bytes(at + 8, self.value.as_bytes());
    }
}

impl InList for HttpField<'_> {}

impl<'a> HttpFieldView<'a> {
    /// The same as a struct; texts stay where they are.
    pub fn to_plain(self, host: Host<'a>) -> HttpField<'a> {
        let _ = host;
        HttpField {
            name: self.name(),
            value: self.value(),
        }
    }
}

impl<'a> List<'a, HttpFieldView<'a>> {
    /// The same as a slice of structs.
    pub fn to_plain(self, host: Host<'a>) -> &'a [HttpField<'a>] {
        // SAFETY: the host is there as long as the hook.
        unsafe { crate::memory::slice(self.len(), |i| self.get(i).map_or(HttpField::default(), |v| v.to_plain(host))) }
    }
}

/// HTTPRequest is one request of `Host.HTTP`.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpRequest<'a> {
    /// empty: GET
    pub method: &'a str,
    /// http or https
    pub url: &'a str,
    pub header: &'a [HttpField<'a>],
    /// at most 1 MiB
    pub body: &'a [u8],
}

impl<'a> HttpRequest<'a> {
    #[allow(dead_code)]
    fn is_zero(&self) -> bool {
        self.method.is_empty()
            && self.url.is_empty()
            && self.header.is_empty()
            && self.body.is_empty()
    }

    fn put(&self, w: &mut Writer, at: usize) {
        w.bytes(at + 0, self.method.as_bytes());
        w.bytes(at + 8, self.url.as_bytes());
        if !self.header.is_empty() {
            let off = w.slots(at + 16, self.header.len());
            for (i, item) in self.header.iter().enumerate() {
                let el = w.slots(off + 8 * i, 2);
                item.put(w, el);
            }
        }
        w.bytes(at + 24, self.body);
    }
}

impl InList for HttpRequest<'_> {}

/// HTTPResponse is what came back, whatever its status.
#[derive(Clone, Copy)]
pub struct HttpResponse<'a>(View<'a>);

impl<'a> HttpResponse<'a> {
    #[inline]
    pub fn status(self) -> i64 {
        self.0.int(0)
    }

    #[inline]
    pub fn header(self) -> List<'a, HttpFieldView<'a>> {
        List::new(self.0.record(1))
    }

    /// at most 1 MiB; more is an error
    #[inline]
    pub fn body(self) -> &'a [u8] {
        self.0.bytes(2)
    }
}

/// MX is where mail for a domain goes.
#[derive(Clone, Copy)]
pub struct Mx<'a>(View<'a>);

impl<'a> Mx<'a> {
    /// Hosts are the exchangers in the order in which to try them. Empty means that there is none: see the other fields for the reason.
    #[inline]
    pub fn hosts(self) -> List<'a, &'a str> {
        List::new(self.0.record(0))
    }

    /// Null: the domain says that it takes no mail (RFC 7505).
    #[inline]
    pub fn null(self) -> bool {
        self.0.int(1) != 0
    }

    /// Implicit: there is no MX record, and Hosts is the domain itself.
    #[inline]
    pub fn implicit(self) -> bool {
        self.0.int(2) != 0
    }

    /// Loops: this relay is itself the best exchanger, so nothing is left.
    #[inline]
    pub fn loops(self) -> bool {
        self.0.int(3) != 0
    }

    /// NoDomain: the name does not exist, or exists without any address.
    #[inline]
    pub fn no_domain(self) -> bool {
        self.0.int(4) != 0
    }
}

/// NowResult is the relay's clock.
#[derive(Clone, Copy)]
pub struct NowResult<'a>(View<'a>);

impl<'a> NowResult<'a> {
    #[inline]
    pub fn time(self) -> i64 {
        self.0.int(0)
    }
}

/// RandomResult has them.
#[derive(Clone, Copy)]
pub struct RandomResult<'a>(View<'a>);

impl<'a> RandomResult<'a> {
    #[inline]
    pub fn data(self) -> &'a [u8] {
        self.0.bytes(0)
    }
}

/// KVGetResult is its value.
#[derive(Clone, Copy)]
pub struct KvGetResult<'a>(View<'a>);

impl<'a> KvGetResult<'a> {
    #[inline]
    pub fn found(self) -> bool {
        self.0.int(0) != 0
    }

    #[inline]
    pub fn value(self) -> &'a [u8] {
        self.0.bytes(1)
    }
}

/// KVSwapResult tells whether it was done.
#[derive(Clone, Copy)]
pub struct KvSwapResult<'a>(View<'a>);

impl<'a> KvSwapResult<'a> {
    #[inline]
    pub fn swapped(self) -> bool {
        self.0.int(0) != 0
    }
}

/// KVAddResult is the counter's new value.
#[derive(Clone, Copy)]
pub struct KvAddResult<'a>(View<'a>);

impl<'a> KvAddResult<'a> {
    #[inline]
    pub fn value(self) -> i64 {
        self.0.int(0)
    }
}

/// LookupResult has the records; none: no such name or record.
#[derive(Clone, Copy)]
pub struct LookupResult<'a>(View<'a>);

impl<'a> LookupResult<'a> {
    #[inline]
    pub fn values(self) -> List<'a, &'a str> {
        List::new(self.0.record(0))
    }
}

/// MXResult tells.
#[derive(Clone, Copy)]
pub struct MxResult<'a>(View<'a>);

impl<'a> MxResult<'a> {
    #[inline]
    pub fn mx(self) -> Mx<'a> {
        Mx(self.0.record(0))
    }
}

/// HTTPResult is what came back.
#[derive(Clone, Copy)]
pub struct HttpResult<'a>(View<'a>);

impl<'a> HttpResult<'a> {
    #[inline]
    pub fn response(self) -> HttpResponse<'a> {
        HttpResponse(self.0.record(0))
    }
}

/// ReadResult is the piece; empty at the end of the message.
#[derive(Clone, Copy)]
pub struct ReadResult<'a>(View<'a>);

impl<'a> ReadResult<'a> {
    #[inline]
    pub fn data(self) -> &'a [u8] {
        self.0.bytes(0)
    }
}

/// HeaderResult has their values, unfolded, from the top.
#[derive(Clone, Copy)]
pub struct HeaderResult<'a>(View<'a>);

impl<'a> HeaderResult<'a> {
    #[inline]
    pub fn values(self) -> List<'a, &'a str> {
        List::new(self.0.record(0))
    }
}

/// SendResult has one outcome for each recipient.
#[derive(Clone, Copy)]
pub struct SendResult<'a>(View<'a>);

impl<'a> SendResult<'a> {
    #[inline]
    pub fn outcomes(self) -> List<'a, OutcomeView<'a>> {
        List::new(self.0.record(0))
    }
}

#[cfg(target_arch = "wasm32")]
pub(crate) mod import {
    #[link(wasm_import_module = "mta1")]
    extern "C" {
        pub fn rest(result: *mut u8, capacity: usize) -> usize;
        pub fn log(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn now(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn random(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn metric(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn kv_get(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn kv_set(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn kv_swap(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn kv_add(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn kv_delete(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn lookup(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn mx(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn http(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn read(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn header(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
        pub fn send(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;
    }
}

/// Where there is no relay, no call is allowed.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod import {
    pub unsafe extern "C" fn rest(_: *mut u8, _: usize) -> usize {
        0
    }
    pub unsafe extern "C" fn log(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn now(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn random(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn metric(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn kv_get(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn kv_set(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn kv_swap(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn kv_add(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn kv_delete(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn lookup(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn mx(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn http(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn read(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn header(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
    pub unsafe extern "C" fn send(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {
        7 << 32
    }
}

impl<'a> Host<'a> {
    /// Writes one line to the relay's log.
    /// level: -4 debug, 0 info, 4 warning, 8 error
    /// text: at most 1 KiB is kept
    pub fn log(self, level: i64, text: &str) -> Result<(), CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(513, 2) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.int(at + 0, level);
        w.bytes(at + 8, text.as_bytes());
        self.ask("log", import::log, 769, writer).map(|_| ())
    }

    /// What time it is; without the grant, the time of the event. Its grant: clock.
    pub fn now(self) -> Result<NowResult<'a>, CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(514, 0) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        self.ask("now", import::now, 770, writer).map(NowResult)
    }

    /// Random octets.
    /// size: at most 4096
    pub fn random(self, size: i64) -> Result<RandomResult<'a>, CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(515, 1) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.int(at + 0, size);
        self.ask("random", import::random, 771, writer).map(RandomResult)
    }

    /// Adds to a counter or sets a gauge.
    /// gauge: set to Value; else add Value
    pub fn metric(self, name: &str, gauge: bool, value: f64) -> Result<(), CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(516, 3) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.bytes(at + 0, name.as_bytes());
        w.int(at + 8, gauge as i64);
        w.float(at + 16, value);
        self.ask("metric", import::metric, 772, writer).map(|_| ())
    }

    /// Reads a key. Its grant: kv.
    pub fn kv_get(self, key: &str) -> Result<KvGetResult<'a>, CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(517, 1) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.bytes(at + 0, key.as_bytes());
        self.ask("kv_get", import::kv_get, 773, writer).map(KvGetResult)
    }

    /// Writes a key. Its grant: kv.
    /// ttl: 0: for ever
    pub fn kv_set(self, key: &str, value: &[u8], ttl: i64) -> Result<(), CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(518, 3) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.bytes(at + 0, key.as_bytes());
        w.bytes(at + 8, value);
        w.int(at + 16, ttl);
        self.ask("kv_set", import::kv_set, 774, writer).map(|_| ())
    }

    /// Compare-and-swap. Its grant: kv.
    /// has_old: false: the key must be absent
    /// has_new: false: the key goes
    pub fn kv_swap(self, key: &str, has_old: bool, old: &[u8], has_new: bool, new: &[u8], ttl: i64) -> Result<KvSwapResult<'a>, CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(519, 6) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.bytes(at + 0, key.as_bytes());
        w.int(at + 8, has_old as i64);
        w.bytes(at + 16, old);
        w.int(at + 24, has_new as i64);
        w.bytes(at + 32, new);
        w.int(at + 40, ttl);
        self.ask("kv_swap", import::kv_swap, 775, writer).map(KvSwapResult)
    }

    /// Adds to a counter. Its grant: kv.
    /// ttl: counts from the first Add
    pub fn kv_add(self, key: &str, delta: i64, ttl: i64) -> Result<KvAddResult<'a>, CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(520, 3) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.bytes(at + 0, key.as_bytes());
        w.int(at + 8, delta);
        w.int(at + 16, ttl);
        self.ask("kv_add", import::kv_add, 776, writer).map(KvAddResult)
    }

    /// Removes a key. Its grant: kv.
    pub fn kv_delete(self, key: &str) -> Result<(), CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(521, 1) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.bytes(at + 0, key.as_bytes());
        self.ask("kv_delete", import::kv_delete, 777, writer).map(|_| ())
    }

    /// Asks the DNS. Its grant: dns.
    /// kind: A, AAAA, TXT, PTR (name is an IP address)
    pub fn lookup(self, kind: &str, name: &str) -> Result<LookupResult<'a>, CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(522, 2) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.bytes(at + 0, kind.as_bytes());
        w.bytes(at + 8, name.as_bytes());
        self.ask("lookup", import::lookup, 778, writer).map(LookupResult)
    }

    /// Asks where mail for a domain goes. Its grant: dns.
    pub fn mx(self, domain: &str) -> Result<MxResult<'a>, CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(523, 1) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.bytes(at + 0, domain.as_bytes());
        self.ask("mx", import::mx, 779, writer).map(MxResult)
    }

    /// Makes one HTTP request. Its grant: http.
    pub fn http(self, request: &HttpRequest) -> Result<HttpResult<'a>, CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(524, 1) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        if !request.is_zero() {
            let off = w.slots(at + 0, 4);
            request.put(w, off);
        }
        self.ask("http", import::http, 780, writer).map(HttpResult)
    }

    /// Reads a piece of the message; without the grant, of its header as far as it goes. Its grant: body.
    /// size: at most 256 KiB
    pub fn read(self, offset: i64, size: i64) -> Result<ReadResult<'a>, CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(525, 2) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.int(at + 0, offset);
        w.int(at + 8, size);
        self.ask("read", import::read, 781, writer).map(ReadResult)
    }

    /// Finds the header fields of one name. Its grant: headers.
    /// name: in any case
    pub fn header(self, name: &str) -> Result<HeaderResult<'a>, CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(526, 1) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        w.bytes(at + 0, name.as_bytes());
        self.ask("header", import::header, 782, writer).map(HeaderResult)
    }

    /// Delivers with the relay's own SMTP client. Its grant: send.
    /// from: the reverse-path
    pub fn send(self, route: &Route, recipients: &[Recipient], from: &str, lmtp: bool) -> Result<SendResult<'a>, CallError<'a>> {
        // SAFETY: self is there as long as the hook.
        let (writer, at) = unsafe { Writer::begin(527, 4) };
        let mut writer = writer;
        let w = &mut writer;
        let _ = (at, &w);
        if !route.is_zero() {
            let off = w.slots(at + 0, 10);
            route.put(w, off);
        }
        if !recipients.is_empty() {
            let off = w.slots(at + 8, recipients.len());
            for (i, item) in recipients.iter().enumerate() {
                let el = w.slots(off + 8 * i, 4);
                item.put(w, el);
            }
        }
        w.bytes(at + 16, from.as_bytes());
        w.int(at + 24, lmtp as i64);
        self.ask("send", import::send, 783, writer).map(SendResult)
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! export_hook {
    (connect, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_connect(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<$crate::Answer<'x>>::give($f($crate::ConnectEvent::new(v, h)), 257)
            }
            $crate::run(len, 1, hook)
        }
    };
    (helo, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_helo(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<$crate::Answer<'x>>::give($f($crate::HeloEvent::new(v, h)), 258)
            }
            $crate::run(len, 2, hook)
        }
    };
    (auth, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_auth(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<$crate::Answer<'x>>::give($f($crate::AuthEvent::new(v, h)), 259)
            }
            $crate::run(len, 3, hook)
        }
    };
    (mail, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_mail(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<$crate::Answer<'x>>::give($f($crate::MailEvent::new(v, h)), 260)
            }
            $crate::run(len, 4, hook)
        }
    };
    (rcpt, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_rcpt(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<$crate::Answer<'x>>::give($f($crate::RcptEvent::new(v, h)), 261)
            }
            $crate::run(len, 5, hook)
        }
    };
    (predata, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_predata(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<$crate::Answer<'x>>::give($f($crate::PredataEvent::new(v, h)), 262)
            }
            $crate::run(len, 6, hook)
        }
    };
    (data, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_data(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<$crate::Answer<'x>>::give($f($crate::DataEvent::new(v, h)), 263)
            }
            $crate::run(len, 7, hook)
        }
    };
    (route, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_route(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<$crate::RouteAnswer<'x>>::give($f($crate::RouteEvent::new(v, h)), 264)
            }
            $crate::run(len, 8, hook)
        }
    };
    (deliver, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_deliver(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<$crate::DeliverAnswer<'x>>::give($f($crate::DeliverEvent::new(v, h)), 265)
            }
            $crate::run(len, 9, hook)
        }
    };
    (outcome, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_outcome(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<$crate::OutcomeAnswer<'x>>::give($f($crate::OutcomeEvent::new(v, h)), 266)
            }
            $crate::run(len, 10, hook)
        }
    };
    (bounce, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_bounce(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<$crate::BounceAnswer<'x>>::give($f($crate::BounceEvent::new(v, h)), 267)
            }
            $crate::run(len, 11, hook)
        }
    };
    (disconnect, $f:path) => {
        #[no_mangle]
        extern "C" fn mta1_on_disconnect(len: u32) -> i64 {
            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {
                $crate::Returned::<()>::give($f($crate::DisconnectEvent::new(v, h)), 268)
            }
            $crate::run(len, 12, hook)
        }
    };
}
