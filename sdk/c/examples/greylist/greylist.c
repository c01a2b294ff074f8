/*
 * Greylisting (RFC 6647): a sender that was not seen before is put off once. The
 * same behaviour, configuration and store as the relay's own plugin greylist,
 * whose README describes them.
 */
#include "sha256.h"

MTA_PLUGIN(.name = "greylist", .version = "1.0.0", .needs = "kv",
           .rcpt = "session.remote_ip session.login envelope.from recipient.addr")

static int64_t delay = 300LL * MTA_SECOND, window = 2 * 86400LL * MTA_SECOND, lifetime = 35 * 86400LL * MTA_SECOND;
static int64_t ipv4_prefix = 24, ipv6_prefix = 64;
static mta_set senders, recipients;
static mta_network *networks;
static uint32_t network_count;

MTA_START(s) {
    mta_str_list names = {0};
    mta_config_duration(s, "delay", &delay);
    mta_config_duration(s, "window", &window);
    mta_config_duration(s, "lifetime", &lifetime);
    mta_config_int(s, "ipv4_prefix", &ipv4_prefix);
    mta_config_int(s, "ipv6_prefix", &ipv6_prefix);
    mta_config_strs(s, "networks", &names);
    mta_config_set(s, "senders", &senders);
    mta_config_set(s, "recipients", &recipients);
    mta_str wrong = mta_config_end(s, "delay, window, lifetime, ipv4_prefix, ipv6_prefix, networks, senders, recipients");
    if (wrong.len != 0) return wrong;
    if (delay <= 0) return MTA_S("greylist: delay has to be longer than 0");
    if (window <= delay) return MTA_S("greylist: window has to be longer than delay, or nobody ever passes");
    if (lifetime < window) return MTA_S("greylist: lifetime has to be at least as long as window");
    if (ipv4_prefix < 1 || ipv4_prefix > 32) return MTA_S("greylist: ipv4_prefix is 1 to 32");
    if (ipv6_prefix < 1 || ipv6_prefix > 128) return MTA_S("greylist: ipv6_prefix is 1 to 128");
    networks = mta_alloc((names.len + 1) * (uint32_t)sizeof(mta_network));
    for (; network_count < names.len; network_count++) {
        mta_str name = mta_str_at(names, network_count);
        if (!mta_network_parse(name, &networks[network_count]))
            return mta_join("greylist: network \"", name, "\": write an address and the length of its prefix, \"10.0.0.0/8\"");
    }
    return MTA_S("");
}

static bool listed(mta_set names, mta_str addr) { return mta_set_has(names, addr) || mta_set_has(names, mta_domain(addr)); }

static mta_answer because(mta_str reason) {
    mta_answer a = mta_continue();
    a.reason = reason;
    return a;
}

static mta_answer put_off(int64_t wait) {
    wait = (wait + MTA_SECOND - 1) / MTA_SECOND * MTA_SECOND;
    mta_answer a = mta_defer("4.7.1", mta_join("greylisted, please try again in ", mta_duration_text(wait)));
    a.reply.code = 451;
    a.reason = MTA_S("not seen before, or too early");
    return a;
}

/* A value holds when it was first seen and when it was last written, in seconds. */
typedef struct {
    int64_t first, written;
} record;

static mta_str octets(record *r) { return mta_strn((const char *)r, sizeof *r); }

/* Of two first attempts at once one is the first. */
static mta_answer remember(mta_str key, int64_t now, const mta_kv_get_result *old) {
    record r = {now / MTA_SECOND, now / MTA_SECOND};
    mta_kv_swap_result done;
    mta_call_code code = mta_kv_swap(key, old->found, old->value, true, octets(&r), window, &done);
    if (code == MTA_CALL_LIMIT) return because(MTA_S("the store is full, so nobody new is put off"));
    if (code != MTA_CALL_OK) return mta_broken(mta_join("kv_swap: ", mta_why()));
    return put_off(delay);
}

static mta_answer judge(mta_str key, int64_t now) {
    mta_kv_get_result got;
    if (mta_kv_get(key, &got) != MTA_CALL_OK) return mta_broken(mta_join("kv_get: ", mta_why()));
    record r;
    if (!got.found || got.value.len != sizeof r) return remember(key, now, &got);
    mta_copy(&r, got.value.ptr, sizeof r);
    int64_t wait = r.first * MTA_SECOND + delay - now;
    if (wait > 0) return put_off(wait);
    /* Once a day keeps it alive, and at once when it passes for the first time. */
    if (r.written == r.first || now - r.written * MTA_SECOND > 86400LL * MTA_SECOND) {
        record next = {r.first, now / MTA_SECOND};
        mta_call_code code = mta_kv_set(key, octets(&next), lifetime);
        if (code != MTA_CALL_OK && code != MTA_CALL_LIMIT) return mta_broken(mta_join("kv_set: ", mta_why()));
    }
    return because(mta_join("known since ", mta_time_text(r.first * MTA_SECOND)));
}

MTA_ON_RCPT(ev) {
    if (ev->session.login.len != 0) return because(MTA_S("the client has logged in"));
    mta_str from = mta_to_lower(ev->envelope.from), to = mta_to_lower(ev->recipient.addr), client = ev->session.remote_ip;
    if (listed(senders, from) || listed(recipients, to)) return because(MTA_S("sender or recipient is excepted"));
    mta_ip ip;
    if (mta_ip_parse(client, &ip)) {
        for (uint32_t i = 0; i < network_count; i++)
            if (mta_network_has(networks[i], ip)) return because(MTA_S("the client is excepted"));
        /* Big senders come again from another machine of the same network. */
        uint32_t bits = (uint32_t)(ip.len == 4 ? ipv4_prefix : ipv6_prefix);
        client = mta_join(mta_ip_text(mta_ip_masked(ip, bits)), "/", mta_itoa(bits));
    }
    mta_str nul = mta_strn("", 1);
    return judge(mta_join("t.", sha256_hex(mta_join(client, nul, from, nul, to), 16)), ev->now);
}
