/*
 * dnsbl refuses clients that lists in the DNS name (RFC 5782). Each list has a
 * weight; who reaches the threshold is told which list it was, and what the list
 * says about it.
 *
 * It never accepts, and what a list does not answer counts for nothing: a list
 * that is down, or that has begun to name everybody, keeps no mail away.
 */
#include "mta.h"

MTA_PLUGIN(.name = "dnsbl", .version = "1.0.0", .needs = "dns",
           .connect = "session.remote_ip session.profile",
           .rcpt = "session.remote_ip session.profile session.login recipient.addr")

#define KEYS "zones, threshold, at, networks, recipients, profiles"

typedef struct {
    mta_str zone;
    int64_t weight;
    uint32_t codes[4][8]; /* bit n of row i: octet i of the answer may be n */
} list;

static list *lists;
static uint32_t list_count;
static mta_network *own;
static uint32_t own_count;
static mta_set recipients, profiles;
static int64_t threshold = 1;
static bool at_connect;

/* ---- the configuration ---- */

static void allow(uint32_t *row, uint32_t from, uint32_t to) {
    for (; from <= to; from++) row[from / 32] |= 1u << from % 32;
}

/* octet reads "2" or "[2;4..7]" from the front of a pattern. */
static bool octet(mta_str *s, uint32_t *row) {
    bool many = mta_starts(*s, "[");
    if (many) *s = mta_cut(*s, 1);
    for (;;) {
        uint32_t from, to;
        if (!mta_number(s, 255, &from)) return false;
        to = from;
        if (many && mta_starts(*s, "..")) {
            *s = mta_cut(*s, 2);
            if (!mta_number(s, 255, &to) || to < from) return false;
        }
        allow(row, from, to);
        if (!many) return true;
        bool more = mta_starts(*s, ";"), end = mta_starts(*s, "]");
        if (!more && !end) return false;
        *s = mta_cut(*s, 1);
        if (end) return true;
    }
}

/* is_zone leaves room for an address in front: 64 octets of 253. */
static bool is_zone(mta_str s) {
    if (s.len == 0 || s.len > 189 || mta_find(s, ".") <= 0 || mta_ends(s, ".") || mta_find(s, "..") >= 0) return false;
    for (uint32_t i = 0; i < s.len; i++) {
        char c = mta_lower(s.ptr[i]);
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.') return false;
    }
    return true;
}

/* parse reads "ZONE", "ZONE=127.0.0.[2..11]", each perhaps with "*WEIGHT". */
static bool parse(mta_str s, list *l) {
    l->weight = 1;
    __builtin_memset(l->codes, 0, sizeof l->codes);
    uint32_t n = 0;
    while (n < s.len && s.ptr[n] != '=' && s.ptr[n] != '*') n++;
    l->zone = mta_strn(s.ptr, n);
    s = mta_cut(s, n);
    if (mta_starts(s, "=")) {
        s = mta_cut(s, 1);
        for (uint32_t i = 0; i < 4; i++) {
            if (i > 0 && !mta_starts(s, ".")) return false;
            if (i > 0) s = mta_cut(s, 1);
            if (!octet(&s, l->codes[i])) return false;
        }
    } else {
        for (uint32_t i = 0; i < 4; i++) allow(l->codes[i], 0, 255);
    }
    if (mta_starts(s, "*")) {
        uint32_t weight;
        bool minus = mta_starts(s, "*-");
        s = mta_cut(s, minus ? 2 : 1);
        if (!mta_number(&s, 999, &weight) || weight == 0) return false;
        l->weight = minus ? -(int64_t)weight : (int64_t)weight;
    }
    return s.len == 0 && is_zone(l->zone);
}

/* Nobody lists what is not of the public Internet. */
static const char *const private[] = {"0.0.0.0/8",   "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                                      "192.168.0.0/16", "::/127",     "fc00::/7",      "fe80::/10"};
enum { PRIVATE = sizeof private / sizeof *private };

MTA_START(s) {
    static const mta_str roles[] = {{"postmaster", 10}, {"abuse", 5}}, outside[] = {{"mx", 2}};
    mta_str_list zones = {0}, networks = {0}, listeners = MTA_STRS(outside);
    mta_str_list excepted = MTA_STRS(roles); /* RFC 5321 §4.5.1, RFC 2142 §4 */
    mta_str at = MTA_S("rcpt");
    mta_config_strs(s, "zones", &zones);
    mta_config_int(s, "threshold", &threshold);
    mta_config_str(s, "at", &at);
    mta_config_strs(s, "networks", &networks);
    mta_config_strs(s, "recipients", &excepted);
    mta_config_strs(s, "profiles", &listeners);
    mta_str wrong = mta_config_end(s, KEYS);
    if (wrong.len != 0) return wrong;
    recipients = mta_set_of(excepted);
    profiles = mta_set_of(listeners);
    if (zones.len == 0) return MTA_S("dnsbl: there are no zones; write zones = [\"bl.example.org\"]");
    if (threshold < 1) return MTA_S("dnsbl: threshold is the weight from which on a client is refused, 1 or more");
    at_connect = mta_eq(at, "connect");
    if (!at_connect && !mta_eq(at, "rcpt")) return mta_join("dnsbl: at is \"rcpt\" or \"connect\", not \"", at, "\"");
    lists = mta_alloc(zones.len * (uint32_t)sizeof(list));
    for (; list_count < zones.len; list_count++) {
        mta_str zone = mta_str_at(zones, list_count);
        if (!parse(zone, &lists[list_count]))
            return mta_join("dnsbl: zone \"", zone, "\": write \"bl.example.org\", or with codes and weight \"bl.example.org=127.0.0.[2;4..11]*3\"");
    }
    own = mta_alloc((PRIVATE + networks.len) * (uint32_t)sizeof(mta_network));
    for (; own_count < PRIVATE; own_count++) mta_network_parse(private[own_count], &own[own_count]);
    for (uint32_t i = 0; i < networks.len; i++)
        if (!mta_network_parse(mta_str_at(networks, i), &own[own_count++]))
            return mta_join("dnsbl: network \"", mta_str_at(networks, i), "\": write an address and the length of its prefix, \"203.0.113.0/24\"");
    return MTA_S("");
}

/* ---- asking ---- */

/* question is an address backwards in front of a zone (RFC 5782 §2.1, §2.4). */
static mta_str question(mta_ip ip, mta_str zone) {
    if (ip.len == 4) return mta_join(mta_itoa(ip.b[3]), ".", mta_itoa(ip.b[2]), ".", mta_itoa(ip.b[1]), ".", mta_itoa(ip.b[0]), ".", zone);
    char *p = mta_alloc(64);
    for (uint32_t i = 0; i < 16; i++) {
        uint8_t b = ip.b[15 - i];
        p[4 * i] = "0123456789abcdef"[b & 15];
        p[4 * i + 2] = "0123456789abcdef"[b >> 4];
        p[4 * i + 1] = p[4 * i + 3] = '.';
    }
    return mta_join(mta_strn(p, 64), zone);
}

static bool ask(const char *kind, mta_ip ip, mta_str zone, mta_str_list *out) {
    mta_lookup_result got;
    if (mta_lookup(kind, question(ip, zone), &got) != MTA_CALL_OK) {
        mta_warn(mta_join("dnsbl: ", zone, " does not answer about ", mta_ip_text(ip), ", which counts as not listed: ", mta_why()));
        mta_count("unanswered", 1);
        return false;
    }
    *out = got.values;
    return true;
}

/* fits tells whether one of the answers is a code that counts. Beyond 127.0.0.0/8
 * a zone has no codes (RFC 5782 §2.1): somebody else answers for it. With
 * 127.255.255.0/24 the big lists say that they were asked in a wrong way. */
static bool fits(const list *l, mta_str_list answers) {
    for (uint32_t i = 0; i < answers.len; i++) {
        mta_ip code;
        if (!mta_ip_parse(mta_str_at(answers, i), &code) || code.len != 4) continue;
        if (code.b[0] != 127 || (code.b[1] == 255 && code.b[2] == 255)) {
            mta_warn(mta_join("dnsbl: ", l->zone, " answers ", mta_ip_text(code), ", which is no code of a list and counts for nothing"));
            continue;
        }
        bool good = true;
        for (uint32_t n = 0; n < 4; n++) good = good && (l->codes[n][code.b[n] / 32] >> code.b[n] % 32 & 1) != 0;
        if (good) return true;
    }
    return false;
}

/* names_all tells whether a zone lists an address that no list may have, as one
 * does whose domain was given up: it names everybody (RFC 5782 §5). */
static bool names_all(const list *l, mta_ip client) {
    mta_ip nobody = {{127, 0, 0, 1}, 4}, nobody6 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1}, 16};
    mta_str_list got = {0};
    if (!ask("A", client.len == 4 ? nobody : nobody6, l->zone, &got) || got.len == 0) return false;
    mta_warn(mta_join("dnsbl: ", l->zone, " lists 127.0.0.1, so it lists everybody: it counts for nothing, take it out"));
    return true;
}

/* ---- judging ---- */

static mta_answer because(mta_str reason) {
    mta_answer a = mta_continue();
    a.reason = reason;
    return a;
}

/* refusal names the list, with what it says about the client. */
static mta_answer refusal(mta_ip ip, const list *by, int64_t score, mta_str found) {
    mta_str_list says = {0};
    mta_str text = mta_join("client [", mta_ip_text(ip), "] is listed by ", by->zone);
    if (ask("TXT", ip, by->zone, &says) && says.len > 0) {
        mta_str first = mta_keep(mta_str_at(says, 0));
        if (first.len > 200) first.len = 200;
        for (uint32_t i = 0; i < first.len; i++) /* a stranger wrote it */
            if (first.ptr[i] < ' ' || first.ptr[i] > '~') ((char *)(uintptr_t)first.ptr)[i] = '?';
        text = mta_join(text, ": ", first);
    }
    mta_answer a = mta_reject("5.7.1", text);
    a.reply.code = 554;
    a.reason = mta_join("weight ", mta_itoa(score), " of ", mta_itoa(threshold), ":", found);
    mta_count("refused", 1);
    return a;
}

static mta_answer judge(mta_str client) {
    mta_ip ip;
    if (!mta_ip_parse(client, &ip)) return because(MTA_S("the client has no address"));
    for (uint32_t i = 0; i < own_count; i++)
        if (mta_network_has(own[i], ip)) return because(MTA_S("the client is of our own networks"));
    int64_t score = 0;
    const list *by = NULL;
    mta_str found = MTA_S("");
    mta_str_list answers = {0};
    for (uint32_t i = 0; i < list_count; i++) {
        const list *l = &lists[i];
        /* Lines about one zone with several codes stand together: one question. */
        bool same = i > 0 && mta_eqfold(l->zone, lists[i - 1].zone);
        if (!same) {
            answers = (mta_str_list){0};
            ask("A", ip, l->zone, &answers);
        }
        if (!fits(l, answers) || names_all(l, ip)) continue;
        score += l->weight;
        found = mta_join(found, " ", l->zone, l->weight < 0 ? "" : "+", mta_itoa(l->weight));
        if (by == NULL || l->weight > by->weight) by = l;
    }
    if (score >= threshold) return refusal(ip, by, score, found);
    if (found.len == 0) return mta_continue();
    mta_answer a = because(mta_join("weight ", mta_itoa(score), " of ", mta_itoa(threshold), ":", found));
    mta_note(&a.edits, "score", mta_itoa(score));
    return a;
}

MTA_ON_CONNECT(ev) {
    if (!at_connect || !mta_set_has(profiles, ev->session.profile)) return mta_continue();
    return judge(ev->session.remote_ip);
}

MTA_ON_RCPT(ev) {
    if (at_connect || !mta_set_has(profiles, ev->session.profile)) return mta_continue();
    if (ev->session.login.len != 0) return because(MTA_S("the client has logged in"));
    mta_str to = ev->recipient.addr;
    if (mta_set_has(recipients, to) || mta_set_has(recipients, mta_local_part(to))) return because(MTA_S("the recipient is excepted"));
    return judge(ev->session.remote_ip);
}
