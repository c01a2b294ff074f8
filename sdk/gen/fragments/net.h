
/* ---- addresses and networks ---- */

/* An IP address: 4 or 16 octets. An IPv4 address mapped into IPv6 is IPv4. */
typedef struct {
    uint8_t b[16];
    uint32_t len; /* 4 or 16 */
} mta_ip;

/* mta_number reads a decimal number of 1 to 3 digits without leading zeros. */
static inline bool mta_number(mta_str *s, uint32_t most, uint32_t *out) {
    uint32_t n = 0, v = 0;
    while (n < s->len && n < 4 && s->ptr[n] >= '0' && s->ptr[n] <= '9') v = v * 10 + (uint32_t)(s->ptr[n++] - '0');
    if (n == 0 || n > 3 || v > most || (n > 1 && *s->ptr == '0')) return false;
    *s = mta_cut(*s, n);
    *out = v;
    return true;
}

static inline bool mta_ip4(mta_str s, uint8_t *b) {
    for (uint32_t i = 0, v; i < 4; i++) {
        if (i > 0) {
            if (!mta_starts(s, ".")) return false;
            s = mta_cut(s, 1);
        }
        if (!mta_number(&s, 255, &v)) return false;
        b[i] = (uint8_t)v;
    }
    return s.len == 0;
}

static inline bool mta_ip6(mta_str s, uint8_t *b) {
    uint32_t at = 0, gap = 99;
    if (mta_starts(s, "::")) {
        gap = 0;
        s = mta_cut(s, 2);
    }
    while (s.len > 0) {
        uint32_t n = 0, v = 0;
        if (at > 14) return false;
        if (at <= 12 && mta_find(s, ":") < 0 && mta_find(s, ".") >= 0) {
            if (!mta_ip4(s, b + at)) return false;
            at += 4;
            break;
        }
        for (; n < s.len && n < 5; n++) {
            char c = mta_lower(s.ptr[n]);
            if (c >= '0' && c <= '9') v = v << 4 | (uint32_t)(c - '0');
            else if (c >= 'a' && c <= 'f') v = v << 4 | (uint32_t)(c - 'a' + 10);
            else break;
        }
        if (n == 0 || n > 4) return false;
        b[at++] = (uint8_t)(v >> 8);
        b[at++] = (uint8_t)v;
        s = mta_cut(s, n);
        if (s.len == 0) break;
        if (*s.ptr != ':' || s.len == 1) return false;
        s = mta_cut(s, 1);
        if (*s.ptr == ':') {
            if (gap != 99) return false;
            gap = at;
            s = mta_cut(s, 1);
        }
    }
    if (gap == 99) return at == 16;
    if (at > 14) return false;
    for (uint32_t i = 0; i < at - gap; i++) {
        b[15 - i] = b[at - 1 - i];
        b[at - 1 - i] = 0;
    }
    return true;
}

/* mta_ip_parse reads an address; false: it is none. A zone is cut off. */
static inline bool mta_ip_parse_(mta_str s, mta_ip *out) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    mta_ip ip = {{0}, 4};
    *out = ip;
    if (mta_find(s, ":") < 0) return mta_ip4(s, out->b);
    int64_t zone = mta_find(s, "%");
    if (zone >= 0) s.len = (uint32_t)zone;
    if (!mta_ip6(s, ip.b)) return false;
    ip.len = 16;
    *out = ip;
    if (mta_eq(mta_strn((const char *)ip.b, 12), mta_strn((const char *)mapped, 12))) {
        for (uint32_t i = 0; i < 16; i++) out->b[i] = i < 4 ? ip.b[12 + i] : 0;
        out->len = 4;
    }
    return true;
}
#define mta_ip_parse(s, out) mta_ip_parse_(MTA_S(s), out)

/* mta_ip_masked is an address with all bits behind the first n cleared. */
static inline mta_ip mta_ip_masked(mta_ip ip, uint32_t n) {
    for (uint32_t i = 0; i < ip.len; i++) {
        uint32_t keep = n >= 8 * i + 8 ? 8 : n <= 8 * i ? 0 : n - 8 * i;
        ip.b[i] &= (uint8_t)(0xff00 >> keep);
    }
    return ip;
}

static inline bool mta_ip_same(mta_ip a, mta_ip b) {
    return mta_eq(mta_strn((const char *)a.b, a.len), mta_strn((const char *)b.b, b.len));
}

static inline mta_str mta_hex(uint32_t v) {
    char *p = mta_alloc(8);
    uint32_t at = 8;
    do {
        p[--at] = "0123456789abcdef"[v & 15];
        v >>= 4;
    } while (v != 0);
    return mta_strn(p + at, 8 - at);
}

/* mta_ip_text writes an address, IPv6 as in RFC 5952. */
static inline mta_str mta_ip_text(mta_ip ip) {
    if (ip.len == 4) return mta_join(mta_itoa(ip.b[0]), ".", mta_itoa(ip.b[1]), ".", mta_itoa(ip.b[2]), ".", mta_itoa(ip.b[3]));
    uint32_t best = 8, most = 1;
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t n = 0;
        while (i + n < 8 && ip.b[2 * (i + n)] == 0 && ip.b[2 * (i + n) + 1] == 0) n++;
        if (n > most) best = i, most = n;
    }
    mta_str out = mta_strn(NULL, 0);
    for (uint32_t i = 0; i < 8; i++) {
        if (i == best) {
            out = mta_join(out, "::");
            i += most - 1;
            continue;
        }
        bool colon = i > 0 && i != best + most;
        out = mta_join(out, colon ? ":" : "", mta_hex((uint32_t)ip.b[2 * i] << 8 | ip.b[2 * i + 1]));
    }
    return out;
}

/* A network: an address whose other bits are 0, and how many bits count. */
typedef struct {
    mta_ip ip;
    uint32_t bits;
} mta_network;

/* mta_network_parse reads "192.0.2.0/24" or "2001:db8::/32"; false: it is none,
 * or bits behind its prefix are set. */
static inline bool mta_network_parse_(mta_str s, mta_network *out) {
    int64_t slash = mta_find(s, "/");
    if (slash < 0 || !mta_ip_parse_(mta_strn(s.ptr, (uint32_t)slash), &out->ip)) return false;
    s = mta_cut(s, (uint32_t)slash + 1);
    return mta_number(&s, 8 * out->ip.len, &out->bits) && s.len == 0 && mta_ip_same(out->ip, mta_ip_masked(out->ip, out->bits));
}
#define mta_network_parse(s, out) mta_network_parse_(MTA_S(s), out)

static inline bool mta_network_has(mta_network n, mta_ip ip) {
    return n.ip.len == ip.len && mta_ip_same(n.ip, mta_ip_masked(ip, n.bits));
}

/* ---- times for people ---- */

enum { MTA_SECOND = 1000000000 };

/* mta_duration_text writes nanoseconds, in whole seconds: "1h0m0s", "5m0s", "4s". */
static inline mta_str mta_duration_text(int64_t ns) {
    int64_t s = ns / MTA_SECOND;
    if (s < 0) return mta_join("-", mta_duration_text(-ns));
    mta_str out = mta_join(mta_itoa(s % 60), "s");
    if (s >= 60) out = mta_join(mta_itoa(s / 60 % 60), "m", out);
    if (s >= 3600) out = mta_join(mta_itoa(s / 3600), "h", out);
    return out;
}

static inline mta_str mta_two(int64_t v) { return mta_join(v < 10 ? "0" : "", mta_itoa(v)); }

/* mta_time_text writes a time as "2006-01-02 15:04:05", UTC. */
static inline mta_str mta_time_text(int64_t ns) {
    int64_t s = ns / MTA_SECOND - (ns % MTA_SECOND < 0);
    int64_t days = s / 86400 - (s % 86400 < 0), clock = s - days * 86400;
    /* Years begin in March here, so that the leap day is the last of its year;
     * 719468 days lie between 0000-03-01 and 1970-01-01. */
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;
    return mta_join(mta_itoa(yoe + era * 400 + (month <= 2)), "-", mta_two(month), "-", mta_two(doy - (153 * mp + 2) / 5 + 1),
                    " ", mta_two(clock / 3600), ":", mta_two(clock / 60 % 60), ":", mta_two(clock % 60));
}

/* ---- sets of names ---- */

/* A set of names, in which A to Z are as a to z: domains, addresses. */
typedef struct {
    mta_str *slots;
    uint32_t mask;
} mta_set;

static inline uint32_t mta_fold_hash(mta_str s) {
    uint32_t h = 2166136261u;
    for (uint32_t i = 0; i < s.len; i++) h = (h ^ (uint8_t)mta_lower(s.ptr[i])) * 16777619u;
    return h;
}

/* mta_set_find is the slot where a name is, or would be. */
static inline mta_str *mta_set_find(mta_set set, mta_str name) {
    uint32_t i = mta_fold_hash(name) & set.mask;
    while (set.slots[i].len != 0 && !mta_eqfold_(set.slots[i], name)) i = (i + 1) & set.mask;
    return &set.slots[i];
}

static inline mta_set mta_set_of(mta_str_list names) {
    mta_set set = {NULL, 0};
    while (set.mask < 2 * names.len) set.mask = 2 * set.mask + 1;
    set.slots = mta_alloc((set.mask + 1) * (uint32_t)sizeof(mta_str));
    for (uint32_t i = 0; i <= set.mask; i++) set.slots[i] = mta_strn(NULL, 0);
    for (uint32_t i = 0; i < names.len; i++) *mta_set_find(set, mta_str_at(names, i)) = mta_str_at(names, i);
    return set;
}

static inline bool mta_set_has_(mta_set set, mta_str name) {
    return set.slots != NULL && name.len != 0 && mta_set_find(set, name)->len != 0;
}
#define mta_set_has(set, name) mta_set_has_(set, MTA_S(name))
