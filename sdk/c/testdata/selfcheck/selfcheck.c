/* Code generated from the types of the sdk by sdk/gen; DO NOT EDIT. */
#include "check.h"

SHOW void show_session(mta_str path, mta_session r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_str(mta_join(path, "id"), r.id);
    show_str(mta_join(path, "profile"), r.profile);
    show_str(mta_join(path, "local_addr"), r.local_addr);
    show_str(mta_join(path, "remote_ip"), r.remote_ip);
    show_int(mta_join(path, "remote_port"), (int64_t)r.remote_port);
    show_str(mta_join(path, "remote_name"), r.remote_name);
    show_str(mta_join(path, "helo"), r.helo);
    show_str(mta_join(path, "protocol"), r.protocol);
    show_str(mta_join(path, "tls"), r.tls);
    show_str(mta_join(path, "login"), r.login);
    show_int(mta_join(path, "started"), (int64_t)r.started);
    show_notes(mta_join(path, "notes"), r.notes);
}

SHOW void show_recipient(mta_str path, mta_recipient r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_str(mta_join(path, "addr"), r.addr);
    show_str(mta_join(path, "orig"), r.orig);
    show_int(mta_join(path, "notify"), (int64_t)r.notify);
    show_str(mta_join(path, "orcpt"), r.orcpt);
}

SHOW mta_recipient fill_recipient(mta_str path) {
    mta_recipient r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.addr = mta_join(path, "addr");
    r.orig = mta_join(path, "orig");
    r.notify = (mta_notify)1;
    r.orcpt = mta_join(path, "orcpt");
    return r;
}

SHOW void show_origin(mta_str path, mta_origin r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_str(mta_join(path, "ip"), r.ip);
    show_str(mta_join(path, "name"), r.name);
    show_str(mta_join(path, "helo"), r.helo);
    show_str(mta_join(path, "protocol"), r.protocol);
    show_str(mta_join(path, "login"), r.login);
    show_str(mta_join(path, "profile"), r.profile);
}

SHOW void show_envelope(mta_str path, mta_envelope r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_str(mta_join(path, "id"), r.id);
    show_str(mta_join(path, "from"), r.from);
    for (uint32_t i = 0; i < r.recipients.len; i++) {
        mta_str item = mta_join(path, "recipients.", mta_itoa(i));
        show_recipient(item, mta_recipient_at(r.recipients, i));
    }
    show_int(mta_join(path, "size"), (int64_t)r.size);
    show_str(mta_join(path, "body"), r.body);
    show_int(mta_join(path, "smtputf8"), (int64_t)r.smtputf8);
    show_int(mta_join(path, "require_tls"), (int64_t)r.require_tls);
    show_str(mta_join(path, "ret"), r.ret);
    show_str(mta_join(path, "env_id"), r.env_id);
    show_int(mta_join(path, "arrived"), (int64_t)r.arrived);
    show_origin(mta_join(path, "origin"), r.origin);
    show_notes(mta_join(path, "notes"), r.notes);
}

SHOW void show_message(mta_str path, mta_message r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_str(mta_join(path, "id"), r.id);
    show_int(mta_join(path, "size"), (int64_t)r.size);
}

SHOW void show_reply(mta_str path, mta_reply r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_int(mta_join(path, "code"), (int64_t)r.code);
    show_str(mta_join(path, "enhanced"), r.enhanced);
    show_str(mta_join(path, "text"), r.text);
}

SHOW mta_reply fill_reply(mta_str path) {
    mta_reply r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.code = 1000;
    r.enhanced = mta_join(path, "enhanced");
    r.text = mta_join(path, "text");
    return r;
}

SHOW mta_edit fill_edit(mta_str path) {
    mta_edit r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.op = (mta_op)1;
    r.name = mta_join(path, "name");
    r.value = mta_join(path, "value");
    r.index = 1003;
    r.data = mta_join(path, "data");
    return r;
}

SHOW mta_verdict fill_verdict(mta_str path) {
    mta_verdict r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.action = (mta_action)1;
    r.reply = fill_reply(mta_join(path, "reply"));
    r.reason = mta_join(path, "reason");
    return r;
}

SHOW mta_answer fill_answer(mta_str path) {
    mta_answer r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.action = (mta_action)1;
    r.reply = fill_reply(mta_join(path, "reply"));
    r.reason = mta_join(path, "reason");
    for (uint32_t i = 0; i < 6; i++) mta_edit_add(&r.edits, fill_edit(mta_join(path, "edits.", mta_itoa(i))));
    r.identity = mta_join(path, "identity");
    for (uint32_t i = 0; i < 6; i++) mta_verdict_add(&r.recipients, fill_verdict(mta_join(path, "recipients.", mta_itoa(i))));
    return r;
}

SHOW void show_route(mta_str path, mta_route r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_str(mta_join(path, "via"), r.via);
    for (uint32_t i = 0; i < r.hosts.len; i++) {
        mta_str item = mta_join(path, "hosts.", mta_itoa(i));
        show_str(item, mta_str_at(r.hosts, i));
    }
    show_int(mta_join(path, "mx"), (int64_t)r.mx);
    show_str(mta_join(path, "tls"), r.tls);
    show_str(mta_join(path, "source"), r.source);
    show_str(mta_join(path, "pool"), r.pool);
    show_str(mta_join(path, "key"), r.key);
    show_str(mta_join(path, "user"), r.user);
    show_str(mta_join(path, "password_file"), r.password_file);
    show_str(mta_join(path, "rule"), r.rule);
}

SHOW mta_route fill_route(mta_str path) {
    mta_route r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.via = mta_join(path, "via");
    r.hosts = fill_strs(mta_join(path, "hosts"));
    r.mx = true;
    r.tls = mta_join(path, "tls");
    r.source = mta_join(path, "source");
    r.pool = mta_join(path, "pool");
    r.key = mta_join(path, "key");
    r.user = mta_join(path, "user");
    r.password_file = mta_join(path, "password_file");
    r.rule = mta_join(path, "rule");
    return r;
}

SHOW mta_route_answer fill_route_answer(mta_str path) {
    mta_route_answer r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.action = (mta_route_action)1;
    r.route = fill_route(mta_join(path, "route"));
    r.reply = fill_reply(mta_join(path, "reply"));
    r.reason = mta_join(path, "reason");
    r.not_before = 1004;
    return r;
}

SHOW void show_outcome(mta_str path, mta_outcome r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_int(mta_join(path, "status"), (int64_t)r.status);
    show_reply(mta_join(path, "reply"), r.reply);
    show_str(mta_join(path, "remote"), r.remote);
    show_str(mta_join(path, "tls"), r.tls);
    show_int(mta_join(path, "remote_reply"), (int64_t)r.remote_reply);
    show_int(mta_join(path, "dsn_relayed"), (int64_t)r.dsn_relayed);
    show_int(mta_join(path, "maybe_duplicate"), (int64_t)r.maybe_duplicate);
    show_int(mta_join(path, "unreachable"), (int64_t)r.unreachable);
    show_int(mta_join(path, "setup"), (int64_t)r.setup);
    show_int(mta_join(path, "transfer"), (int64_t)r.transfer);
    show_int(mta_join(path, "hold"), (int64_t)r.hold);
}

SHOW mta_outcome fill_outcome(mta_str path) {
    mta_outcome r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.status = (mta_status)1;
    r.reply = fill_reply(mta_join(path, "reply"));
    r.remote = mta_join(path, "remote");
    r.tls = mta_join(path, "tls");
    r.remote_reply = true;
    r.dsn_relayed = true;
    r.maybe_duplicate = true;
    r.unreachable = true;
    r.setup = 1008;
    r.transfer = 1009;
    r.hold = true;
    return r;
}

SHOW mta_deliver_answer fill_deliver_answer(mta_str path) {
    mta_deliver_answer r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    for (uint32_t i = 0; i < 6; i++) mta_outcome_add(&r.outcomes, fill_outcome(mta_join(path, "outcomes.", mta_itoa(i))));
    return r;
}

SHOW mta_outcome_answer fill_outcome_answer(mta_str path) {
    mta_outcome_answer r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.status = (mta_status)1;
    r.delay = 1001;
    r.reply = fill_reply(mta_join(path, "reply"));
    r.reason = mta_join(path, "reason");
    r.hold = true;
    return r;
}

SHOW mta_bounce_answer fill_bounce_answer(mta_str path) {
    mta_bounce_answer r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.suppress = true;
    r.reason = mta_join(path, "reason");
    for (uint32_t i = 0; i < 6; i++) mta_edit_add(&r.edits, fill_edit(mta_join(path, "edits.", mta_itoa(i))));
    r.defer = true;
    r.hold = true;
    return r;
}

SHOW void show_connect_event(mta_str path, mta_connect_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_session(mta_join(path, "session"), r.session);
}

SHOW void show_helo_event(mta_str path, mta_helo_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_session(mta_join(path, "session"), r.session);
    show_int(mta_join(path, "extended"), (int64_t)r.extended);
}

SHOW void show_auth_event(mta_str path, mta_auth_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_session(mta_join(path, "session"), r.session);
    show_str(mta_join(path, "mechanism"), r.mechanism);
    show_str(mta_join(path, "username"), r.username);
    show_str(mta_join(path, "password"), r.password);
    show_str(mta_join(path, "authz_id"), r.authz_id);
}

SHOW void show_mail_event(mta_str path, mta_mail_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_session(mta_join(path, "session"), r.session);
    show_envelope(mta_join(path, "envelope"), r.envelope);
}

SHOW void show_rcpt_event(mta_str path, mta_rcpt_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_session(mta_join(path, "session"), r.session);
    show_envelope(mta_join(path, "envelope"), r.envelope);
    show_recipient(mta_join(path, "recipient"), r.recipient);
}

SHOW void show_predata_event(mta_str path, mta_predata_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_session(mta_join(path, "session"), r.session);
    show_envelope(mta_join(path, "envelope"), r.envelope);
}

SHOW void show_data_event(mta_str path, mta_data_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_session(mta_join(path, "session"), r.session);
    show_envelope(mta_join(path, "envelope"), r.envelope);
    show_message(mta_join(path, "message"), r.message);
}

SHOW void show_route_event(mta_str path, mta_route_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_envelope(mta_join(path, "envelope"), r.envelope);
    show_recipient(mta_join(path, "recipient"), r.recipient);
    show_int(mta_join(path, "attempt"), (int64_t)r.attempt);
    show_outcome(mta_join(path, "last"), r.last);
}

SHOW void show_deliver_event(mta_str path, mta_deliver_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_envelope(mta_join(path, "envelope"), r.envelope);
    show_message(mta_join(path, "message"), r.message);
    for (uint32_t i = 0; i < r.recipients.len; i++) {
        mta_str item = mta_join(path, "recipients.", mta_itoa(i));
        show_recipient(item, mta_recipient_at(r.recipients, i));
    }
    show_route(mta_join(path, "route"), r.route);
    show_int(mta_join(path, "attempt"), (int64_t)r.attempt);
}

SHOW void show_outcome_event(mta_str path, mta_outcome_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_envelope(mta_join(path, "envelope"), r.envelope);
    show_recipient(mta_join(path, "recipient"), r.recipient);
    show_route(mta_join(path, "route"), r.route);
    show_int(mta_join(path, "attempt"), (int64_t)r.attempt);
    show_outcome(mta_join(path, "outcome"), r.outcome);
    show_int(mta_join(path, "next"), (int64_t)r.next);
}

SHOW void show_bounce_event(mta_str path, mta_bounce_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_envelope(mta_join(path, "envelope"), r.envelope);
    show_int(mta_join(path, "kind"), (int64_t)r.kind);
    for (uint32_t i = 0; i < r.recipients.len; i++) {
        mta_str item = mta_join(path, "recipients.", mta_itoa(i));
        show_recipient(item, mta_recipient_at(r.recipients, i));
    }
    for (uint32_t i = 0; i < r.outcomes.len; i++) {
        mta_str item = mta_join(path, "outcomes.", mta_itoa(i));
        show_outcome(item, mta_outcome_at(r.outcomes, i));
    }
    show_message(mta_join(path, "message"), r.message);
    show_str(mta_join(path, "to"), r.to);
}

SHOW void show_disconnect_event(mta_str path, mta_disconnect_event r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_session(mta_join(path, "session"), r.session);
    show_int(mta_join(path, "messages"), (int64_t)r.messages);
    show_str(mta_join(path, "reason"), r.reason);
}

SHOW void show_http_field(mta_str path, mta_http_field r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_str(mta_join(path, "name"), r.name);
    show_str(mta_join(path, "value"), r.value);
}

SHOW mta_http_field fill_http_field(mta_str path) {
    mta_http_field r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.name = mta_join(path, "name");
    r.value = mta_join(path, "value");
    return r;
}

SHOW mta_http_request fill_http_request(mta_str path) {
    mta_http_request r = {0};
    if (path.len != 0) path = mta_join(path, ".");
    r.method = mta_join(path, "method");
    r.url = mta_join(path, "url");
    for (uint32_t i = 0; i < 6; i++) mta_http_field_add(&r.header, fill_http_field(mta_join(path, "header.", mta_itoa(i))));
    r.body = mta_join(path, "body");
    return r;
}

SHOW void show_http_response(mta_str path, mta_http_response r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_int(mta_join(path, "status"), (int64_t)r.status);
    for (uint32_t i = 0; i < r.header.len; i++) {
        mta_str item = mta_join(path, "header.", mta_itoa(i));
        show_http_field(item, mta_http_field_at(r.header, i));
    }
    show_str(mta_join(path, "body"), r.body);
}

SHOW void show_mx(mta_str path, mta_mx r) {
    if (path.len != 0) path = mta_join(path, ".");
    for (uint32_t i = 0; i < r.hosts.len; i++) {
        mta_str item = mta_join(path, "hosts.", mta_itoa(i));
        show_str(item, mta_str_at(r.hosts, i));
    }
    show_int(mta_join(path, "null"), (int64_t)r.null);
    show_int(mta_join(path, "implicit"), (int64_t)r.implicit);
    show_int(mta_join(path, "loops"), (int64_t)r.loops);
    show_int(mta_join(path, "no_domain"), (int64_t)r.no_domain);
}

SHOW void show_now_result(mta_str path, mta_now_result r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_int(mta_join(path, "time"), (int64_t)r.time);
}

SHOW void show_random_result(mta_str path, mta_random_result r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_str(mta_join(path, "data"), r.data);
}

SHOW void show_kv_get_result(mta_str path, mta_kv_get_result r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_int(mta_join(path, "found"), (int64_t)r.found);
    show_str(mta_join(path, "value"), r.value);
}

SHOW void show_kv_swap_result(mta_str path, mta_kv_swap_result r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_int(mta_join(path, "swapped"), (int64_t)r.swapped);
}

SHOW void show_kv_add_result(mta_str path, mta_kv_add_result r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_int(mta_join(path, "value"), (int64_t)r.value);
}

SHOW void show_lookup_result(mta_str path, mta_lookup_result r) {
    if (path.len != 0) path = mta_join(path, ".");
    for (uint32_t i = 0; i < r.values.len; i++) {
        mta_str item = mta_join(path, "values.", mta_itoa(i));
        show_str(item, mta_str_at(r.values, i));
    }
}

SHOW void show_mx_result(mta_str path, mta_mx_result r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_mx(mta_join(path, "mx"), r.mx);
}

SHOW void show_http_result(mta_str path, mta_http_result r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_http_response(mta_join(path, "response"), r.response);
}

SHOW void show_read_result(mta_str path, mta_read_result r) {
    if (path.len != 0) path = mta_join(path, ".");
    show_str(mta_join(path, "data"), r.data);
}

SHOW void show_header_result(mta_str path, mta_header_result r) {
    if (path.len != 0) path = mta_join(path, ".");
    for (uint32_t i = 0; i < r.values.len; i++) {
        mta_str item = mta_join(path, "values.", mta_itoa(i));
        show_str(item, mta_str_at(r.values, i));
    }
}

SHOW void show_send_result(mta_str path, mta_send_result r) {
    if (path.len != 0) path = mta_join(path, ".");
    for (uint32_t i = 0; i < r.outcomes.len; i++) {
        mta_str item = mta_join(path, "outcomes.", mta_itoa(i));
        show_outcome(item, mta_outcome_at(r.outcomes, i));
    }
}

MTA_PLUGIN(.name = "selfcheck", .version = "1.0.0", .connect = "*", .helo = "*", .auth = "*", .mail = "*", .rcpt = "*", .predata = "*", .data = "*", .route = "*", .deliver = "*", .outcome = "*", .bounce = "*", .disconnect = "*")

MTA_ON_CONNECT(ev) {
    show_connect_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
    return fill_answer(mta_cstr(""));
}

MTA_ON_HELO(ev) {
    show_helo_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
    return fill_answer(mta_cstr(""));
}

MTA_ON_AUTH(ev) {
    show_auth_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
    return fill_answer(mta_cstr(""));
}

MTA_ON_MAIL(ev) {
    show_mail_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
    return fill_answer(mta_cstr(""));
}

MTA_ON_RCPT(ev) {
    show_rcpt_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
    return fill_answer(mta_cstr(""));
}

MTA_ON_PREDATA(ev) {
    show_predata_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
    return fill_answer(mta_cstr(""));
}

MTA_ON_DATA(ev) {
    show_data_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
    return fill_answer(mta_cstr(""));
}

MTA_ON_ROUTE(ev) {
    show_route_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
    return fill_route_answer(mta_cstr(""));
}

MTA_ON_DELIVER(ev) {
    show_deliver_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
    return fill_deliver_answer(mta_cstr(""));
}

MTA_ON_OUTCOME(ev) {
    show_outcome_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
    return fill_outcome_answer(mta_cstr(""));
}

MTA_ON_BOUNCE(ev) {
    show_bounce_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
    return fill_bounce_answer(mta_cstr(""));
}

MTA_ON_DISCONNECT(ev) {
    show_disconnect_event(mta_cstr(""), *ev);
    show_int(mta_cstr("now"), ev->now);
}

#if defined(__wasm__) /* elsewhere there is nobody to ask */
MTA_SELFTEST() {
    {
        mta_now_result out;
        mta_call_code code = mta_now(&out);
        show_int(mta_cstr("now.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("now.why"), mta_why());
        if (code == MTA_CALL_OK) show_now_result(mta_cstr("now"), out);
    }
    {
        mta_random_result out;
        mta_call_code code = mta_random(1000, &out);
        show_int(mta_cstr("random.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("random.why"), mta_why());
        if (code == MTA_CALL_OK) show_random_result(mta_cstr("random"), out);
    }
    {
        mta_call_code code = mta_metric(mta_cstr("metric.name"), true, 1002);
        show_int(mta_cstr("metric.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("metric.why"), mta_why());
    }
    {
        mta_kv_get_result out;
        mta_call_code code = mta_kv_get(mta_cstr("kv_get.key"), &out);
        show_int(mta_cstr("kv_get.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("kv_get.why"), mta_why());
        if (code == MTA_CALL_OK) show_kv_get_result(mta_cstr("kv_get"), out);
    }
    {
        mta_call_code code = mta_kv_set(mta_cstr("kv_set.key"), mta_cstr("kv_set.value"), 1002);
        show_int(mta_cstr("kv_set.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("kv_set.why"), mta_why());
    }
    {
        mta_kv_swap_result out;
        mta_call_code code = mta_kv_swap(mta_cstr("kv_swap.key"), true, mta_cstr("kv_swap.old"), true, mta_cstr("kv_swap.new"), 1005, &out);
        show_int(mta_cstr("kv_swap.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("kv_swap.why"), mta_why());
        if (code == MTA_CALL_OK) show_kv_swap_result(mta_cstr("kv_swap"), out);
    }
    {
        mta_kv_add_result out;
        mta_call_code code = mta_kv_add(mta_cstr("kv_add.key"), 1001, 1002, &out);
        show_int(mta_cstr("kv_add.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("kv_add.why"), mta_why());
        if (code == MTA_CALL_OK) show_kv_add_result(mta_cstr("kv_add"), out);
    }
    {
        mta_call_code code = mta_kv_delete(mta_cstr("kv_delete.key"));
        show_int(mta_cstr("kv_delete.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("kv_delete.why"), mta_why());
    }
    {
        mta_lookup_result out;
        mta_call_code code = mta_lookup(mta_cstr("lookup.kind"), mta_cstr("lookup.name"), &out);
        show_int(mta_cstr("lookup.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("lookup.why"), mta_why());
        if (code == MTA_CALL_OK) show_lookup_result(mta_cstr("lookup"), out);
    }
    {
        mta_mx_result out;
        mta_call_code code = mta_find_mx(mta_cstr("mx.domain"), &out);
        show_int(mta_cstr("mx.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("mx.why"), mta_why());
        if (code == MTA_CALL_OK) show_mx_result(mta_cstr("mx"), out);
    }
    {
        mta_http_request request = fill_http_request(mta_cstr("http.request"));
        mta_http_result out;
        mta_call_code code = mta_http(&request, &out);
        show_int(mta_cstr("http.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("http.why"), mta_why());
        if (code == MTA_CALL_OK) show_http_result(mta_cstr("http"), out);
    }
    {
        mta_read_result out;
        mta_call_code code = mta_read(1000, 1001, &out);
        show_int(mta_cstr("read.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("read.why"), mta_why());
        if (code == MTA_CALL_OK) show_read_result(mta_cstr("read"), out);
    }
    {
        mta_header_result out;
        mta_call_code code = mta_header(mta_cstr("header.name"), &out);
        show_int(mta_cstr("header.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("header.why"), mta_why());
        if (code == MTA_CALL_OK) show_header_result(mta_cstr("header"), out);
    }
    {
        mta_route route = fill_route(mta_cstr("send.route"));
        mta_recipient_list recipients = {0};
        for (uint32_t i = 0; i < 6; i++) mta_recipient_add(&recipients, fill_recipient(mta_join(mta_cstr("send.recipients"), ".", mta_itoa(i))));
        mta_send_result out;
        mta_call_code code = mta_send(&route, recipients, mta_cstr("send.from"), true, &out);
        show_int(mta_cstr("send.code"), code);
        if (code != MTA_CALL_OK) show_str(mta_cstr("send.why"), mta_why());
        if (code == MTA_CALL_OK) show_send_result(mta_cstr("send"), out);
    }
    return mta_cstr("");
}
#endif
