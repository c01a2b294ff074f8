/*
 * mta.h in a native build, under the sanitizers: what it says about texts that
 * are known, and that no block makes it read outside of itself. The arguments are
 * blocks of events, by which the selfcheck plugin is fed, damaged in many ways.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../selfcheck/selfcheck.c"

uint8_t *mta_test_pages(uint32_t n) {
    uint8_t *p = malloc(n);
    if (p == NULL) abort();
    return p;
}

static uint64_t lines;

int64_t mta1_log(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity) {
    mta_view v;
    if (!mta_open(request, length, 512 + 1, &v) || capacity < MTA_HEADER) abort();
    mta_str s = mta_text(v, 1);
    for (uint32_t i = 0; i < s.len; i++) lines += (uint8_t)s.ptr[i] != 0; /* reads all of it */
    memset(result, 0, MTA_HEADER);
    result[0] = MTA_HEADER;
    result[8] = 1;
    result[9] = 3;
    return MTA_HEADER;
}

uint32_t mta1_rest(uint8_t *result, uint32_t capacity) {
    (void)result;
    (void)capacity;
    return 0;
}

static int failures;

static void check(bool good, const char *what) {
    if (good) return;
    failures++;
    printf("not so: %s\n", what);
}
#define CHECK(what) check(what, #what)

static bool is_ip(const char *in, const char *out) {
    mta_ip ip;
    if (!mta_ip_parse(in, &ip)) return out == NULL;
    return out != NULL && mta_eq(mta_ip_text(ip), out);
}

static bool is_duration(const char *in, int64_t want) {
    int64_t d;
    return mta_duration(in, &d) ? d == want : want == -1;
}

static bool is_text(const char *in, const char *want) {
    mta_str s = MTA_S(in);
    return mta_eq(mta_json_str(mta_json_value(&s)), want);
}

static bool is_num(const char *in, double want) {
    mta_str s = MTA_S(in);
    double d = -1;
    return mta_json_num(mta_json_value(&s), &d) && d == want;
}

static bool has_network(const char *network, const char *in, bool want) {
    mta_network n;
    mta_ip ip;
    return mta_network_parse(network, &n) && mta_ip_parse(in, &ip) && mta_network_has(n, ip) == want;
}

static bool no_network(const char *network) {
    mta_network n;
    return !mta_network_parse(network, &n);
}

static void words(void) {
    CHECK(is_ip("192.0.2.1", "192.0.2.1"));
    CHECK(is_ip("::ffff:10.1.2.3", "10.1.2.3"));
    CHECK(is_ip("2001:DB8::1", "2001:db8::1"));
    CHECK(is_ip("2001:db8:0:0:1:0:0:0", "2001:db8:0:0:1::"));
    CHECK(is_ip("fe80::1%eth0", "fe80::1"));
    CHECK(is_ip("::", "::"));
    CHECK(is_ip("1::", "1::"));
    CHECK(is_ip("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"));
    CHECK(is_ip("64:ff9b::192.0.2.33", "64:ff9b::c000:221"));
    CHECK(is_ip("192.0.2.01", NULL));
    CHECK(is_ip("192.0.2.256", NULL));
    CHECK(is_ip("192.0.2", NULL));
    CHECK(is_ip("192.0.2.1.", NULL));
    CHECK(is_ip("1:2:3:4:5:6:7", NULL));
    CHECK(is_ip("1:2:3:4:5:6:7:8:9", NULL));
    CHECK(is_ip("1::2::3", NULL));
    CHECK(is_ip("12345::", NULL));
    CHECK(is_ip("1:", NULL));
    CHECK(is_ip(":1", NULL));
    CHECK(is_ip("", NULL));
    CHECK(has_network("10.0.0.0/8", "10.255.1.2", true));
    CHECK(has_network("10.0.0.0/8", "11.0.0.0", false));
    CHECK(has_network("0.0.0.0/0", "2001:db8::1", false));
    CHECK(has_network("2001:db8::/33", "2001:db8:7fff::1", true));
    CHECK(has_network("2001:db8::/33", "2001:db8:8000::1", false));
    CHECK(no_network("10.0.0.1/8"));
    CHECK(no_network("10.0.0.0/33"));
    CHECK(no_network("10.0.0.0"));
    CHECK(is_duration("1h30m", 5400LL * MTA_SECOND));
    CHECK(is_duration("1.5s", 1500000000));
    CHECK(is_duration("300ms", 300000000));
    CHECK(is_duration("-5m", -300LL * MTA_SECOND));
    CHECK(is_duration("35d", 35 * 86400LL * MTA_SECOND));
    CHECK(is_duration("0", 0));
    CHECK(is_duration("5", -1));
    CHECK(is_duration("", -1));
    CHECK(is_duration("m", -1));
    CHECK(is_duration("5y", -1));
    CHECK(is_duration("99999999999h", -1));
    CHECK(is_text("\"plain\" rest", "plain"));
    CHECK(is_text("\"a\\\"b\\\\c\\n\\u00e9\\ud83d\\ude00\"", "a\"b\\c\n\xc3\xa9\xf0\x9f\x98\x80"));
    CHECK(is_text("12", ""));
    CHECK(is_num("-12.5", -12.5));
    CHECK(is_num("1e3", 1000));
    CHECK(is_num("25e-2", 0.25));
    CHECK(mta_eq(mta_duration_text(3600LL * MTA_SECOND), "1h0m0s"));
    CHECK(mta_eq(mta_duration_text(61LL * MTA_SECOND), "1m1s"));
    CHECK(mta_eq(mta_duration_text(0), "0s"));
    CHECK(mta_eq(mta_time_text(1767366245LL * MTA_SECOND), "2026-01-02 15:04:05"));
    CHECK(mta_eq(mta_time_text(951782400LL * MTA_SECOND), "2000-02-29 00:00:00"));
    CHECK(mta_eq(mta_time_text(-1), "1969-12-31 23:59:59"));
    CHECK(mta_eq(mta_itoa(INT64_MIN), "-9223372036854775808"));
    CHECK(mta_eq(mta_domain(MTA_S("\"a@b\"@example.org")), "example.org"));
    CHECK(mta_eq(mta_local_part(MTA_S("postmaster")), "postmaster"));
    CHECK(mta_find("abc", "bc") == 1 && mta_find("abc", "x") == -1 && mta_find("", "abc") == -1);
    CHECK(mta_ends("abc", "bc") && !mta_ends("c", "bc"));
    mta_str names[] = {MTA_S("Example.org"), MTA_S("a"), MTA_S("b"), MTA_S("")};
    mta_set set = mta_set_of(MTA_STRS(names));
    CHECK(mta_set_has(set, "example.ORG") && mta_set_has(set, "b") && !mta_set_has(set, "c") && !mta_set_has(set, ""));
    CHECK(!mta_set_has((mta_set){0}, "a"));
}

/* What a plugin is started with. */
static void starting(void) {
    static const char text[] = "{\"hostname\": \"mx\", \"name\": \"mine\", \"config\": {\"names\": [\"a\"], \"none\": [], \"wrong\": 1}}";
    uint32_t len = sizeof text - 1;
    memcpy(mta1_buffer(len), text, len);
    CHECK(mta_name().len == 0);
    CHECK(mta1_start(len) == 0);
    mta_reset();
    memset(mta_alloc(4096), 'x', 4096); /* the next hook does not write over it */
    CHECK(mta_eq(mta_name(), "mine"));
    mta_str s = mta_strn(text, len);
    mta_start start = {.config = mta_json_get(mta_json_value(&s), "config")};
    mta_str defaults[] = {MTA_S("d")};
    mta_set set = mta_set_of(MTA_STRS(defaults));
    mta_config_set(&start, "absent", &set);
    CHECK(mta_set_has(set, "d"));
    mta_config_set(&start, "names", &set);
    CHECK(mta_set_has(set, "a") && !mta_set_has(set, "d"));
    mta_config_set(&start, "none", &set);
    CHECK(!mta_set_has(set, "a"));
    CHECK(start.error.len == 0);
    mta_config_set(&start, "wrong", &set);
    CHECK(start.error.len != 0);
}

/* JSON that no relay sends: cut anywhere, or with any octet changed. */
static void damaged_json(void) {
    static const char good[] = "{\"a\": [\"x\\u00e9\", {\"b\": 1e5}], \"c\": \"\\ud83d\\ude00\", \"d\": true}";
    for (uint32_t n = 0; n < sizeof good; n++) {
        for (int c = 0; c < 256; c += n % 7 + 1) {
            char *copy = malloc(n + 1);
            memcpy(copy, good, n);
            if (n > 0) copy[n / 2] = (char)c;
            mta_str s = mta_strn(copy, n);
            mta_json all = mta_json_value(&s), k, v;
            while (mta_json_next(&all, &k) && mta_json_next(&all, &v)) {
                double d;
                lines += mta_json_str(k).len + mta_json_str(v).len + mta_json_num(v, &d);
                mta_json item;
                while (mta_json_next(&v, &item)) lines += mta_json_str(item).len;
            }
            free(copy);
            mta_reset();
        }
    }
}

static uint64_t seed = 88172645463325252ull;

static uint32_t pick(uint32_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

static int64_t (*const hooks[])(uint32_t) = {mta1_on_connect, mta1_on_helo,  mta1_on_auth,    mta1_on_mail,    mta1_on_rcpt,   mta1_on_predata,
                                             mta1_on_data,    mta1_on_route, mta1_on_deliver, mta1_on_outcome, mta1_on_bounce, mta1_on_disconnect};

/* ask calls the hook of a block with the block alone in a piece of memory, so
 * that one octet outside of it is found. */
static void ask(const uint8_t *block, uint32_t len, uint32_t kind) {
    mta_state.buffer = malloc(len);
    memcpy(mta_state.buffer, block, len);
    if (len >= 4) memcpy(mta_state.buffer, &len, 4);
    hooks[kind - 1](len);
    free(mta_state.buffer);
}

static void damaged_block(const char *path, int rounds) {
    static uint8_t good[1 << 16], bad[1 << 16];
    static const uint32_t words[] = {0, 1, 23, 24, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        check(false, path);
        return;
    }
    uint32_t len = (uint32_t)fread(good, 1, sizeof good, f);
    fclose(f);
    uint32_t kind = good[8] | (uint32_t)good[9] << 8;
    check(len >= MTA_HEADER && kind >= 1 && kind <= sizeof hooks / sizeof hooks[0], path);
    if (failures != 0) return;
    uint64_t before = lines;
    ask(good, len, kind);
    check(lines > before + 100, "an event that is whole is shown");
    for (uint32_t n = MTA_HEADER; n < len; n += 1 + n / 64) ask(good, n, kind);
    for (int i = 0; i < rounds; i++) {
        memcpy(bad, good, len);
        for (uint32_t k = pick(4) + 1; k > 0; k--) {
            uint32_t at = 4 + pick(len - 8);
            if (at < 10) at = 4;
            if (pick(2) == 0) {
                bad[at + (at == 4 ? 0 : pick(4))] = (uint8_t)pick(256);
            } else {
                uint32_t v = pick(2) == 0 ? words[pick(8)] : len - pick(64);
                memcpy(bad + (at & ~3u), &v, 4);
            }
        }
        bad[8] = (uint8_t)kind;
        bad[9] = 0;
        ask(bad, len, kind);
    }
}

int main(int argc, char **argv) {
    words();
    starting();
    damaged_json();
    int rounds = atoi(argv[1]);
    for (int i = 2; i < argc; i++) damaged_block(argv[i], rounds);
    return failures != 0;
}
