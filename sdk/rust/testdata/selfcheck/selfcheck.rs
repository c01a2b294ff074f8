// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.
#![no_std]
#![allow(dead_code)]

extern crate alloc;

#[path = "check.rs"]
mod check;
use alloc::{format, string::String};
use check::*;
use mta::*;

fn show_session(h: Host, path: &str, r: Session) {
    let path: String = below(path);
    show_bytes(h, &format!("{}id", path), r.id().as_bytes());
    show_bytes(h, &format!("{}profile", path), r.profile().as_bytes());
    show_bytes(h, &format!("{}local_addr", path), r.local_addr().as_bytes());
    show_bytes(h, &format!("{}remote_ip", path), r.remote_ip().as_bytes());
    show_int(h, &format!("{}remote_port", path), r.remote_port() as i64);
    show_bytes(h, &format!("{}remote_name", path), r.remote_name().as_bytes());
    show_bytes(h, &format!("{}helo", path), r.helo().as_bytes());
    show_bytes(h, &format!("{}protocol", path), r.protocol().as_bytes());
    show_bytes(h, &format!("{}tls", path), r.tls().as_bytes());
    show_bytes(h, &format!("{}login", path), r.login().as_bytes());
    show_int(h, &format!("{}started", path), r.started() as i64);
    show_notes(h, &format!("{}notes", path), r.notes());
}

fn show_recipient(h: Host, path: &str, r: RecipientView) {
    let path: String = below(path);
    show_bytes(h, &format!("{}addr", path), r.addr().as_bytes());
    show_bytes(h, &format!("{}orig", path), r.orig().as_bytes());
    show_int(h, &format!("{}notify", path), r.notify().0 as i64);
    show_bytes(h, &format!("{}orcpt", path), r.orcpt().as_bytes());
}

fn fill_recipient<'a>(h: Host<'a>, path: &str) -> Recipient<'a> {
    let path: String = below(path);
    Recipient {
        addr: h.keep(&format!("{}addr", path)),
        orig: h.keep(&format!("{}orig", path)),
        notify: Notify(1),
        orcpt: h.keep(&format!("{}orcpt", path)),
    }
}

fn show_origin(h: Host, path: &str, r: Origin) {
    let path: String = below(path);
    show_bytes(h, &format!("{}ip", path), r.ip().as_bytes());
    show_bytes(h, &format!("{}name", path), r.name().as_bytes());
    show_bytes(h, &format!("{}helo", path), r.helo().as_bytes());
    show_bytes(h, &format!("{}protocol", path), r.protocol().as_bytes());
    show_bytes(h, &format!("{}login", path), r.login().as_bytes());
    show_bytes(h, &format!("{}profile", path), r.profile().as_bytes());
}

fn show_envelope(h: Host, path: &str, r: Envelope) {
    let path: String = below(path);
    show_bytes(h, &format!("{}id", path), r.id().as_bytes());
    show_bytes(h, &format!("{}from", path), r.from().as_bytes());
    for (i, v) in r.recipients().iter().enumerate() {
        let item = format!("{}recipients.{}", path, i);
        show_recipient(h, &item, v);
    }
    show_int(h, &format!("{}size", path), r.size() as i64);
    show_bytes(h, &format!("{}body", path), r.body().as_bytes());
    show_int(h, &format!("{}smtputf8", path), r.smtputf8() as i64);
    show_int(h, &format!("{}require_tls", path), r.require_tls() as i64);
    show_bytes(h, &format!("{}ret", path), r.ret().as_bytes());
    show_bytes(h, &format!("{}env_id", path), r.env_id().as_bytes());
    show_int(h, &format!("{}arrived", path), r.arrived() as i64);
    show_origin(h, &format!("{}origin", path), r.origin());
    show_notes(h, &format!("{}notes", path), r.notes());
}

fn show_message(h: Host, path: &str, r: Message) {
    let path: String = below(path);
    show_bytes(h, &format!("{}id", path), r.id().as_bytes());
    show_int(h, &format!("{}size", path), r.size() as i64);
}

fn show_reply(h: Host, path: &str, r: ReplyView) {
    let path: String = below(path);
    show_int(h, &format!("{}code", path), r.code() as i64);
    show_bytes(h, &format!("{}enhanced", path), r.enhanced().as_bytes());
    show_bytes(h, &format!("{}text", path), r.text().as_bytes());
}

fn fill_reply<'a>(h: Host<'a>, path: &str) -> Reply<'a> {
    let path: String = below(path);
    Reply {
        code: 1000,
        enhanced: h.keep(&format!("{}enhanced", path)),
        text: h.keep(&format!("{}text", path)),
    }
}

fn fill_edit<'a>(h: Host<'a>, path: &str) -> Edit<'a> {
    let path: String = below(path);
    Edit {
        op: Op(1),
        name: h.keep(&format!("{}name", path)),
        value: h.keep(&format!("{}value", path)),
        index: 1003,
        data: h.keep(&format!("{}data", path)).as_bytes(),
    }
}

fn fill_verdict<'a>(h: Host<'a>, path: &str) -> Verdict<'a> {
    let path: String = below(path);
    Verdict {
        action: Action(1),
        reply: fill_reply(h, &format!("{}reply", path)),
        reason: h.keep(&format!("{}reason", path)),
    }
}

fn fill_answer<'a>(h: Host<'a>, path: &str) -> Answer<'a> {
    let path: String = below(path);
    Answer {
        action: Action(1),
        reply: fill_reply(h, &format!("{}reply", path)),
        reason: h.keep(&format!("{}reason", path)),
        edits: h.list(&[0, 1, 2, 3, 4, 5].map(|i| fill_edit(h, &format!("{}edits.{}", path, i)))),
        identity: h.keep(&format!("{}identity", path)),
        recipients: h.list(&[0, 1, 2, 3, 4, 5].map(|i| fill_verdict(h, &format!("{}recipients.{}", path, i)))),
    }
}

fn show_route(h: Host, path: &str, r: RouteView) {
    let path: String = below(path);
    show_bytes(h, &format!("{}via", path), r.via().as_bytes());
    for (i, v) in r.hosts().iter().enumerate() {
        let item = format!("{}hosts.{}", path, i);
        show_bytes(h, &item, v.as_bytes());
    }
    show_int(h, &format!("{}mx", path), r.mx() as i64);
    show_bytes(h, &format!("{}tls", path), r.tls().as_bytes());
    show_bytes(h, &format!("{}source", path), r.source().as_bytes());
    show_bytes(h, &format!("{}pool", path), r.pool().as_bytes());
    show_bytes(h, &format!("{}key", path), r.key().as_bytes());
    show_bytes(h, &format!("{}user", path), r.user().as_bytes());
    show_bytes(h, &format!("{}password_file", path), r.password_file().as_bytes());
    show_bytes(h, &format!("{}rule", path), r.rule().as_bytes());
}

fn fill_route<'a>(h: Host<'a>, path: &str) -> Route<'a> {
    let path: String = below(path);
    Route {
        via: h.keep(&format!("{}via", path)),
        hosts: fill_texts(h, &format!("{}hosts", path)),
        mx: true,
        tls: h.keep(&format!("{}tls", path)),
        source: h.keep(&format!("{}source", path)),
        pool: h.keep(&format!("{}pool", path)),
        key: h.keep(&format!("{}key", path)),
        user: h.keep(&format!("{}user", path)),
        password_file: h.keep(&format!("{}password_file", path)),
        rule: h.keep(&format!("{}rule", path)),
    }
}

fn fill_route_answer<'a>(h: Host<'a>, path: &str) -> RouteAnswer<'a> {
    let path: String = below(path);
    RouteAnswer {
        action: RouteAction(1),
        route: fill_route(h, &format!("{}route", path)),
        reply: fill_reply(h, &format!("{}reply", path)),
        reason: h.keep(&format!("{}reason", path)),
        not_before: 1004,
    }
}

fn show_outcome(h: Host, path: &str, r: OutcomeView) {
    let path: String = below(path);
    show_int(h, &format!("{}status", path), r.status().0 as i64);
    show_reply(h, &format!("{}reply", path), r.reply());
    show_bytes(h, &format!("{}remote", path), r.remote().as_bytes());
    show_bytes(h, &format!("{}tls", path), r.tls().as_bytes());
    show_int(h, &format!("{}remote_reply", path), r.remote_reply() as i64);
    show_int(h, &format!("{}dsn_relayed", path), r.dsn_relayed() as i64);
    show_int(h, &format!("{}maybe_duplicate", path), r.maybe_duplicate() as i64);
    show_int(h, &format!("{}unreachable", path), r.unreachable() as i64);
    show_int(h, &format!("{}setup", path), r.setup() as i64);
    show_int(h, &format!("{}transfer", path), r.transfer() as i64);
    show_int(h, &format!("{}hold", path), r.hold() as i64);
}

fn fill_outcome<'a>(h: Host<'a>, path: &str) -> Outcome<'a> {
    let path: String = below(path);
    Outcome {
        status: Status(1),
        reply: fill_reply(h, &format!("{}reply", path)),
        remote: h.keep(&format!("{}remote", path)),
        tls: h.keep(&format!("{}tls", path)),
        remote_reply: true,
        dsn_relayed: true,
        maybe_duplicate: true,
        unreachable: true,
        setup: 1008,
        transfer: 1009,
        hold: true,
    }
}

fn fill_deliver_answer<'a>(h: Host<'a>, path: &str) -> DeliverAnswer<'a> {
    let path: String = below(path);
    DeliverAnswer {
        outcomes: h.list(&[0, 1, 2, 3, 4, 5].map(|i| fill_outcome(h, &format!("{}outcomes.{}", path, i)))),
    }
}

fn fill_outcome_answer<'a>(h: Host<'a>, path: &str) -> OutcomeAnswer<'a> {
    let path: String = below(path);
    OutcomeAnswer {
        status: Status(1),
        delay: 1001,
        reply: fill_reply(h, &format!("{}reply", path)),
        reason: h.keep(&format!("{}reason", path)),
        hold: true,
    }
}

fn fill_bounce_answer<'a>(h: Host<'a>, path: &str) -> BounceAnswer<'a> {
    let path: String = below(path);
    BounceAnswer {
        suppress: true,
        reason: h.keep(&format!("{}reason", path)),
        edits: h.list(&[0, 1, 2, 3, 4, 5].map(|i| fill_edit(h, &format!("{}edits.{}", path, i)))),
        defer: true,
        hold: true,
    }
}

fn show_connect_event(h: Host, path: &str, r: ConnectEvent) {
    let path: String = below(path);
    show_session(h, &format!("{}session", path), r.session());
}

fn show_helo_event(h: Host, path: &str, r: HeloEvent) {
    let path: String = below(path);
    show_session(h, &format!("{}session", path), r.session());
    show_int(h, &format!("{}extended", path), r.extended() as i64);
}

fn show_auth_event(h: Host, path: &str, r: AuthEvent) {
    let path: String = below(path);
    show_session(h, &format!("{}session", path), r.session());
    show_bytes(h, &format!("{}mechanism", path), r.mechanism().as_bytes());
    show_bytes(h, &format!("{}username", path), r.username().as_bytes());
    show_bytes(h, &format!("{}password", path), r.password().as_bytes());
    show_bytes(h, &format!("{}authz_id", path), r.authz_id().as_bytes());
}

fn show_mail_event(h: Host, path: &str, r: MailEvent) {
    let path: String = below(path);
    show_session(h, &format!("{}session", path), r.session());
    show_envelope(h, &format!("{}envelope", path), r.envelope());
}

fn show_rcpt_event(h: Host, path: &str, r: RcptEvent) {
    let path: String = below(path);
    show_session(h, &format!("{}session", path), r.session());
    show_envelope(h, &format!("{}envelope", path), r.envelope());
    show_recipient(h, &format!("{}recipient", path), r.recipient());
}

fn show_predata_event(h: Host, path: &str, r: PredataEvent) {
    let path: String = below(path);
    show_session(h, &format!("{}session", path), r.session());
    show_envelope(h, &format!("{}envelope", path), r.envelope());
}

fn show_data_event(h: Host, path: &str, r: DataEvent) {
    let path: String = below(path);
    show_session(h, &format!("{}session", path), r.session());
    show_envelope(h, &format!("{}envelope", path), r.envelope());
    show_message(h, &format!("{}message", path), r.message());
}

fn show_route_event(h: Host, path: &str, r: RouteEvent) {
    let path: String = below(path);
    show_envelope(h, &format!("{}envelope", path), r.envelope());
    show_recipient(h, &format!("{}recipient", path), r.recipient());
    show_int(h, &format!("{}attempt", path), r.attempt() as i64);
    show_outcome(h, &format!("{}last", path), r.last());
}

fn show_deliver_event(h: Host, path: &str, r: DeliverEvent) {
    let path: String = below(path);
    show_envelope(h, &format!("{}envelope", path), r.envelope());
    show_message(h, &format!("{}message", path), r.message());
    for (i, v) in r.recipients().iter().enumerate() {
        let item = format!("{}recipients.{}", path, i);
        show_recipient(h, &item, v);
    }
    show_route(h, &format!("{}route", path), r.route());
    show_int(h, &format!("{}attempt", path), r.attempt() as i64);
}

fn show_outcome_event(h: Host, path: &str, r: OutcomeEvent) {
    let path: String = below(path);
    show_envelope(h, &format!("{}envelope", path), r.envelope());
    show_recipient(h, &format!("{}recipient", path), r.recipient());
    show_route(h, &format!("{}route", path), r.route());
    show_int(h, &format!("{}attempt", path), r.attempt() as i64);
    show_outcome(h, &format!("{}outcome", path), r.outcome());
    show_int(h, &format!("{}next", path), r.next() as i64);
}

fn show_bounce_event(h: Host, path: &str, r: BounceEvent) {
    let path: String = below(path);
    show_envelope(h, &format!("{}envelope", path), r.envelope());
    show_int(h, &format!("{}kind", path), r.kind().0 as i64);
    for (i, v) in r.recipients().iter().enumerate() {
        let item = format!("{}recipients.{}", path, i);
        show_recipient(h, &item, v);
    }
    for (i, v) in r.outcomes().iter().enumerate() {
        let item = format!("{}outcomes.{}", path, i);
        show_outcome(h, &item, v);
    }
    show_message(h, &format!("{}message", path), r.message());
    show_bytes(h, &format!("{}to", path), r.to().as_bytes());
}

fn show_disconnect_event(h: Host, path: &str, r: DisconnectEvent) {
    let path: String = below(path);
    show_session(h, &format!("{}session", path), r.session());
    show_int(h, &format!("{}messages", path), r.messages() as i64);
    show_bytes(h, &format!("{}reason", path), r.reason().as_bytes());
}

fn show_http_field(h: Host, path: &str, r: HttpFieldView) {
    let path: String = below(path);
    show_bytes(h, &format!("{}name", path), r.name().as_bytes());
    show_bytes(h, &format!("{}value", path), r.value().as_bytes());
}

fn fill_http_field<'a>(h: Host<'a>, path: &str) -> HttpField<'a> {
    let path: String = below(path);
    HttpField {
        name: h.keep(&format!("{}name", path)),
        value: h.keep(&format!("{}value", path)),
    }
}

fn fill_http_request<'a>(h: Host<'a>, path: &str) -> HttpRequest<'a> {
    let path: String = below(path);
    HttpRequest {
        method: h.keep(&format!("{}method", path)),
        url: h.keep(&format!("{}url", path)),
        header: h.list(&[0, 1, 2, 3, 4, 5].map(|i| fill_http_field(h, &format!("{}header.{}", path, i)))),
        body: h.keep(&format!("{}body", path)).as_bytes(),
    }
}

fn show_http_response(h: Host, path: &str, r: HttpResponse) {
    let path: String = below(path);
    show_int(h, &format!("{}status", path), r.status() as i64);
    for (i, v) in r.header().iter().enumerate() {
        let item = format!("{}header.{}", path, i);
        show_http_field(h, &item, v);
    }
    show_bytes(h, &format!("{}body", path), r.body());
}

fn show_mx(h: Host, path: &str, r: Mx) {
    let path: String = below(path);
    for (i, v) in r.hosts().iter().enumerate() {
        let item = format!("{}hosts.{}", path, i);
        show_bytes(h, &item, v.as_bytes());
    }
    show_int(h, &format!("{}null", path), r.null() as i64);
    show_int(h, &format!("{}implicit", path), r.implicit() as i64);
    show_int(h, &format!("{}loops", path), r.loops() as i64);
    show_int(h, &format!("{}no_domain", path), r.no_domain() as i64);
}

fn show_now_result(h: Host, path: &str, r: NowResult) {
    let path: String = below(path);
    show_int(h, &format!("{}time", path), r.time() as i64);
}

fn show_random_result(h: Host, path: &str, r: RandomResult) {
    let path: String = below(path);
    show_bytes(h, &format!("{}data", path), r.data());
}

fn show_kv_get_result(h: Host, path: &str, r: KvGetResult) {
    let path: String = below(path);
    show_int(h, &format!("{}found", path), r.found() as i64);
    show_bytes(h, &format!("{}value", path), r.value());
}

fn show_kv_swap_result(h: Host, path: &str, r: KvSwapResult) {
    let path: String = below(path);
    show_int(h, &format!("{}swapped", path), r.swapped() as i64);
}

fn show_kv_add_result(h: Host, path: &str, r: KvAddResult) {
    let path: String = below(path);
    show_int(h, &format!("{}value", path), r.value() as i64);
}

fn show_lookup_result(h: Host, path: &str, r: LookupResult) {
    let path: String = below(path);
    for (i, v) in r.values().iter().enumerate() {
        let item = format!("{}values.{}", path, i);
        show_bytes(h, &item, v.as_bytes());
    }
}

fn show_mx_result(h: Host, path: &str, r: MxResult) {
    let path: String = below(path);
    show_mx(h, &format!("{}mx", path), r.mx());
}

fn show_http_result(h: Host, path: &str, r: HttpResult) {
    let path: String = below(path);
    show_http_response(h, &format!("{}response", path), r.response());
}

fn show_read_result(h: Host, path: &str, r: ReadResult) {
    let path: String = below(path);
    show_bytes(h, &format!("{}data", path), r.data());
}

fn show_header_result(h: Host, path: &str, r: HeaderResult) {
    let path: String = below(path);
    for (i, v) in r.values().iter().enumerate() {
        let item = format!("{}values.{}", path, i);
        show_bytes(h, &item, v.as_bytes());
    }
}

fn show_send_result(h: Host, path: &str, r: SendResult) {
    let path: String = below(path);
    for (i, v) in r.outcomes().iter().enumerate() {
        let item = format!("{}outcomes.{}", path, i);
        show_outcome(h, &item, v);
    }
}

plugin! {
    name: "selfcheck", version: "1.0.0",
    selftest: on_selftest,
    hooks: {
        connect: on_connect [*],
        helo: on_helo [*],
        auth: on_auth [*],
        mail: on_mail [*],
        rcpt: on_rcpt [*],
        predata: on_predata [*],
        data: on_data [*],
        route: on_route [*],
        deliver: on_deliver [*],
        outcome: on_outcome [*],
        bounce: on_bounce [*],
        disconnect: on_disconnect [*],
    }
}

fn on_connect(ev: ConnectEvent) -> Answer {
    show_connect_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
    fill_answer(ev.host(), "")
}

fn on_helo(ev: HeloEvent) -> Answer {
    show_helo_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
    fill_answer(ev.host(), "")
}

fn on_auth(ev: AuthEvent) -> Answer {
    show_auth_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
    fill_answer(ev.host(), "")
}

fn on_mail(ev: MailEvent) -> Answer {
    show_mail_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
    fill_answer(ev.host(), "")
}

fn on_rcpt(ev: RcptEvent) -> Answer {
    show_rcpt_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
    fill_answer(ev.host(), "")
}

fn on_predata(ev: PredataEvent) -> Answer {
    show_predata_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
    fill_answer(ev.host(), "")
}

fn on_data(ev: DataEvent) -> Answer {
    show_data_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
    fill_answer(ev.host(), "")
}

fn on_route(ev: RouteEvent) -> RouteAnswer {
    show_route_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
    fill_route_answer(ev.host(), "")
}

fn on_deliver(ev: DeliverEvent) -> DeliverAnswer {
    show_deliver_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
    fill_deliver_answer(ev.host(), "")
}

fn on_outcome(ev: OutcomeEvent) -> OutcomeAnswer {
    show_outcome_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
    fill_outcome_answer(ev.host(), "")
}

fn on_bounce(ev: BounceEvent) -> BounceAnswer {
    show_bounce_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
    fill_bounce_answer(ev.host(), "")
}

fn on_disconnect(ev: DisconnectEvent) {
    show_disconnect_event(ev.host(), "", ev);
    show_int(ev.host(), "now", ev.now());
}

fn on_selftest(h: Host) {
    match h.now() {
        Ok(r) => {
            show_int(h, "now.code", 0);
            let _ = r;
            show_now_result(h, "now", r)
        }
        Err(e) => {
            show_int(h, "now.code", e.code.0 as i64);
            show_bytes(h, "now.why", e.text.as_bytes());
        }
    }
    match h.random(1000) {
        Ok(r) => {
            show_int(h, "random.code", 0);
            let _ = r;
            show_random_result(h, "random", r)
        }
        Err(e) => {
            show_int(h, "random.code", e.code.0 as i64);
            show_bytes(h, "random.why", e.text.as_bytes());
        }
    }
    match h.metric("metric.name", true, 1002.0) {
        Ok(r) => {
            show_int(h, "metric.code", 0);
            let _ = r;
            
        }
        Err(e) => {
            show_int(h, "metric.code", e.code.0 as i64);
            show_bytes(h, "metric.why", e.text.as_bytes());
        }
    }
    match h.kv_get("kv_get.key") {
        Ok(r) => {
            show_int(h, "kv_get.code", 0);
            let _ = r;
            show_kv_get_result(h, "kv_get", r)
        }
        Err(e) => {
            show_int(h, "kv_get.code", e.code.0 as i64);
            show_bytes(h, "kv_get.why", e.text.as_bytes());
        }
    }
    match h.kv_set("kv_set.key", b"kv_set.value", 1002) {
        Ok(r) => {
            show_int(h, "kv_set.code", 0);
            let _ = r;
            
        }
        Err(e) => {
            show_int(h, "kv_set.code", e.code.0 as i64);
            show_bytes(h, "kv_set.why", e.text.as_bytes());
        }
    }
    match h.kv_swap("kv_swap.key", true, b"kv_swap.old", true, b"kv_swap.new", 1005) {
        Ok(r) => {
            show_int(h, "kv_swap.code", 0);
            let _ = r;
            show_kv_swap_result(h, "kv_swap", r)
        }
        Err(e) => {
            show_int(h, "kv_swap.code", e.code.0 as i64);
            show_bytes(h, "kv_swap.why", e.text.as_bytes());
        }
    }
    match h.kv_add("kv_add.key", 1001, 1002) {
        Ok(r) => {
            show_int(h, "kv_add.code", 0);
            let _ = r;
            show_kv_add_result(h, "kv_add", r)
        }
        Err(e) => {
            show_int(h, "kv_add.code", e.code.0 as i64);
            show_bytes(h, "kv_add.why", e.text.as_bytes());
        }
    }
    match h.kv_delete("kv_delete.key") {
        Ok(r) => {
            show_int(h, "kv_delete.code", 0);
            let _ = r;
            
        }
        Err(e) => {
            show_int(h, "kv_delete.code", e.code.0 as i64);
            show_bytes(h, "kv_delete.why", e.text.as_bytes());
        }
    }
    match h.lookup("lookup.kind", "lookup.name") {
        Ok(r) => {
            show_int(h, "lookup.code", 0);
            let _ = r;
            show_lookup_result(h, "lookup", r)
        }
        Err(e) => {
            show_int(h, "lookup.code", e.code.0 as i64);
            show_bytes(h, "lookup.why", e.text.as_bytes());
        }
    }
    match h.mx("mx.domain") {
        Ok(r) => {
            show_int(h, "mx.code", 0);
            let _ = r;
            show_mx_result(h, "mx", r)
        }
        Err(e) => {
            show_int(h, "mx.code", e.code.0 as i64);
            show_bytes(h, "mx.why", e.text.as_bytes());
        }
    }
    match h.http(&fill_http_request(h, "http.request")) {
        Ok(r) => {
            show_int(h, "http.code", 0);
            let _ = r;
            show_http_result(h, "http", r)
        }
        Err(e) => {
            show_int(h, "http.code", e.code.0 as i64);
            show_bytes(h, "http.why", e.text.as_bytes());
        }
    }
    match h.read(1000, 1001) {
        Ok(r) => {
            show_int(h, "read.code", 0);
            let _ = r;
            show_read_result(h, "read", r)
        }
        Err(e) => {
            show_int(h, "read.code", e.code.0 as i64);
            show_bytes(h, "read.why", e.text.as_bytes());
        }
    }
    match h.header("header.name") {
        Ok(r) => {
            show_int(h, "header.code", 0);
            let _ = r;
            show_header_result(h, "header", r)
        }
        Err(e) => {
            show_int(h, "header.code", e.code.0 as i64);
            show_bytes(h, "header.why", e.text.as_bytes());
        }
    }
    match h.send(&fill_route(h, "send.route"), h.list(&[0, 1, 2, 3, 4, 5].map(|i| fill_recipient(h, &format!("send.recipients.{}", i)))), "send.from", true) {
        Ok(r) => {
            show_int(h, "send.code", 0);
            let _ = r;
            show_send_result(h, "send", r)
        }
        Err(e) => {
            show_int(h, "send.code", e.code.0 as i64);
            show_bytes(h, "send.why", e.text.as_bytes());
        }
    }
}
