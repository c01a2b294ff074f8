/* Code generated from the types of the sdk by sdk/gen; DO NOT EDIT. */
/*
 * mta.h - write a plugin for the relay in C.
 *
 * Copy this one file beside your source, include it in one .c file, and build
 * that for wasm32. It needs neither a libc nor anything else; with wasi-libc it
 * works as well. C11.
 *
 *     #include "mta.h"
 *
 *     MTA_PLUGIN(.name = "hello", .version = "1.0.0",
 *                .rcpt = "session.remote_ip recipient.addr")
 *
 *     MTA_ON_RCPT(ev) {
 *         if (mta_eq(ev->session.remote_ip, "192.0.2.66"))
 *             return mta_reject("5.7.1", mta_join("no mail from you to ", ev->recipient.addr));
 *         return mta_continue();
 *     }
 *
 * - An event, a result and an answer are plain structs with the fields of the
 *   documentation. Absent is zero. Times and durations are nanoseconds.
 * - Strings are mta_str: pointer and length, not ended by a NUL. Where a function
 *   takes a string, a "literal" or a char * does as well.
 * - A list is read with its _at function: mta_recipient_at(ev->envelope.recipients, i).
 * - What an event, a call or mta_alloc gives is good until the hook returns; what
 *   MTA_START allocates is kept for ever. There is no free.
 * - When memory runs out the plugin traps, and the relay starts another instance.
 *   Nothing here returns NULL.
 */
#ifndef MTA_H
#define MTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__wasm__)
#define MTA_EXPORT(name) __attribute__((export_name(name), used))
#define MTA_IMPORT(name) __attribute__((import_module("mta1"), import_name(name)))
#else /* a build for tests on another machine, which supplies the calls itself */
#define MTA_EXPORT(name) __attribute__((used))
#define MTA_IMPORT(name)
#endif

/* Octets of memory that are there from the start, for results, answers and
 * mta_alloc. More is taken from the system when a hook needs more. */
#ifndef MTA_ARENA
#define MTA_ARENA 65536
#endif

/* Octets of an event that fit without asking the system for memory. */
#ifndef MTA_BUFFER
#define MTA_BUFFER 65536
#endif

enum { MTA_MINOR = 1, MTA_HEADER = 24 };

/* ---- strings ---- */

typedef struct {
    const char *ptr;
    uint32_t len;
} mta_str;

static inline mta_str mta_strn(const char *ptr, uint32_t len) {
    mta_str s = {ptr, len};
    return s;
}

static inline mta_str mta_cstr(const char *s) {
    uint32_t n = 0;
    while (s != NULL && s[n] != 0) n++;
    return mta_strn(s, n);
}

static inline mta_str mta_same(mta_str s) { return s; }

/* MTA_S makes a mta_str of a literal, a char * or a mta_str. */
#define MTA_S(s) _Generic((s), char *: mta_cstr, const char *: mta_cstr, mta_str: mta_same)(s)

static inline void mta_copy(void *to, const void *from, uint32_t n) {
    if (n != 0) __builtin_memcpy(to, from, n);
}

static inline bool mta_eq_(mta_str a, mta_str b) {
    if (a.len != b.len) return false;
    for (uint32_t i = 0; i < a.len; i++)
        if (a.ptr[i] != b.ptr[i]) return false;
    return true;
}

static inline char mta_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

/* Domains and header names are the same in upper and lower case. */
static inline bool mta_eqfold_(mta_str a, mta_str b) {
    if (a.len != b.len) return false;
    for (uint32_t i = 0; i < a.len; i++)
        if (mta_lower(a.ptr[i]) != mta_lower(b.ptr[i])) return false;
    return true;
}

/* mta_cut is what lies from octet i to the end; empty behind the end. */
static inline mta_str mta_cut(mta_str s, uint32_t i) {
    return i < s.len ? mta_strn(s.ptr + i, s.len - i) : mta_strn(s.ptr, 0);
}

static inline bool mta_starts_(mta_str s, mta_str prefix) {
    return s.len >= prefix.len && mta_eq_(mta_strn(s.ptr, prefix.len), prefix);
}

static inline bool mta_ends_(mta_str s, mta_str suffix) {
    return s.len >= suffix.len && mta_eq_(mta_cut(s, s.len - suffix.len), suffix);
}

/* mta_find is where part first lies in s; -1: nowhere. */
static inline int64_t mta_find_(mta_str s, mta_str part) {
    for (uint32_t i = 0; i + part.len <= s.len; i++)
        if (mta_eq_(mta_strn(s.ptr + i, part.len), part)) return i;
    return -1;
}

#define mta_eq(a, b) mta_eq_(MTA_S(a), MTA_S(b))
#define mta_eqfold(a, b) mta_eqfold_(MTA_S(a), MTA_S(b))
#define mta_starts(s, prefix) mta_starts_(MTA_S(s), MTA_S(prefix))
#define mta_ends(s, suffix) mta_ends_(MTA_S(s), MTA_S(suffix))
#define mta_find(s, part) mta_find_(MTA_S(s), MTA_S(part))

/* mta_domain is the part of an address behind its last "@"; empty if it has none. */
static inline mta_str mta_domain(mta_str addr) {
    for (uint32_t i = addr.len; i > 0; i--)
        if (addr.ptr[i - 1] == '@') return mta_cut(addr, i);
    return mta_strn(addr.ptr, 0);
}

/* mta_local_part is the part before it, or all. */
static inline mta_str mta_local_part(mta_str addr) {
    for (uint32_t i = addr.len; i > 0; i--)
        if (addr.ptr[i - 1] == '@') return mta_strn(addr.ptr, i - 1);
    return addr;
}

/* ---- memory: chunks, filled from the front, all emptied before each hook ---- */

typedef struct mta_chunk {
    struct mta_chunk *next;
    uint8_t *at;
    uint32_t size;
} mta_chunk;

static struct {
    _Alignas(16) uint8_t first[MTA_ARENA];
    _Alignas(16) uint8_t event[MTA_BUFFER];
    mta_chunk head;
    mta_chunk *chunk; /* that is being filled */
    uint32_t used;    /* of it */
    mta_chunk *floor; /* what MTA_START has allocated ends here */
    uint32_t floor_used;
    uint8_t *buffer; /* where the relay writes events */
    uint32_t buffer_size;
    mta_str why;  /* the last call failed */
    mta_str name; /* of the plugin, in the configuration */
} mta_state;

/* mta_pages gets n octets from the system, or traps. */
static inline uint8_t *mta_pages(uint32_t n) {
#if defined(__wasm__)
    uint32_t pages = n / 65536 + (n % 65536 != 0);
    size_t at = __builtin_wasm_memory_grow(0, pages);
    if (at == (size_t)-1) __builtin_trap();
    return (uint8_t *)(at * 65536);
#else
    uint8_t *mta_test_pages(uint32_t);
    return mta_test_pages(n);
#endif
}

static inline void mta_reset(void) {
    if (mta_state.floor == NULL) {
        mta_state.head.at = mta_state.first;
        mta_state.head.size = MTA_ARENA;
        mta_state.floor = &mta_state.head;
    }
    mta_state.chunk = mta_state.floor;
    mta_state.used = mta_state.floor_used;
    mta_state.why = mta_strn(NULL, 0);
}

__attribute__((noinline, unused)) static uint8_t *mta_alloc_more(uint32_t n) {
    if (n > UINT32_MAX - 65536) __builtin_trap();
    if (mta_state.chunk == NULL) mta_reset();
    while (mta_state.chunk->next != NULL && mta_state.chunk->next->size < n) mta_state.chunk = mta_state.chunk->next;
    mta_chunk *c = mta_state.chunk->next;
    if (c == NULL) {
        uint32_t head = (sizeof(mta_chunk) + 15) & ~15u;
        uint32_t size = n + head < MTA_ARENA ? MTA_ARENA : (n + head + 65535) & ~65535u;
        c = (mta_chunk *)(void *)mta_pages(size);
        c->next = NULL;
        c->at = (uint8_t *)c + head;
        c->size = size - head;
        mta_state.chunk->next = c;
    }
    mta_state.chunk = c;
    mta_state.used = n;
    return c->at;
}

/* mta_alloc gives n octets, 8-aligned, not cleared, until the hook returns. */
static inline void *mta_alloc(uint32_t n) {
    if (n > UINT32_MAX - 65536) __builtin_trap();
    n = (n + 7) & ~7u;
    if (mta_state.chunk != NULL && n <= mta_state.chunk->size - mta_state.used) {
        uint8_t *p = mta_state.chunk->at + mta_state.used;
        mta_state.used += n;
        return p;
    }
    return mta_alloc_more(n);
}

/* mta_keep copies a string, so that it may lie in an array of the caller. */
static inline mta_str mta_keep_(mta_str s) {
    char *p = mta_alloc(s.len);
    mta_copy(p, s.ptr, s.len);
    return mta_strn(p, s.len);
}
#define mta_keep(s) mta_keep_(MTA_S(s))

/* mta_to_lower is a copy with A to Z as a to z. */
static inline mta_str mta_to_lower(mta_str s) {
    char *p = mta_alloc(s.len);
    for (uint32_t i = 0; i < s.len; i++) p[i] = mta_lower(s.ptr[i]);
    return mta_strn(p, s.len);
}

static inline mta_str mta_join_(const mta_str *part, uint32_t n) {
    uint64_t len = 0;
    for (uint32_t i = 0; i < n; i++) len += part[i].len;
    if (len > UINT32_MAX) __builtin_trap();
    char *p = mta_alloc((uint32_t)len);
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        mta_copy(p + at, part[i].ptr, part[i].len);
        at += part[i].len;
    }
    return mta_strn(p, at);
}

/* mta_join makes one string of 1 to 12. */
#define mta_join(...) \
    mta_join_((const mta_str[]){MTA_EACH(__VA_ARGS__)}, sizeof((const mta_str[]){MTA_EACH(__VA_ARGS__)}) / sizeof(mta_str))
#define MTA_EACH(...) MTA_PICK(__VA_ARGS__, MTA_12, MTA_11, MTA_10, MTA_9, MTA_8, MTA_7, MTA_6, MTA_5, MTA_4, MTA_3, MTA_2, MTA_1, 0)(__VA_ARGS__)
#define MTA_PICK(a, b, c, d, e, f, g, h, i, j, k, l, pick, ...) pick
#define MTA_1(a) MTA_S(a)
#define MTA_2(a, ...) MTA_S(a), MTA_1(__VA_ARGS__)
#define MTA_3(a, ...) MTA_S(a), MTA_2(__VA_ARGS__)
#define MTA_4(a, ...) MTA_S(a), MTA_3(__VA_ARGS__)
#define MTA_5(a, ...) MTA_S(a), MTA_4(__VA_ARGS__)
#define MTA_6(a, ...) MTA_S(a), MTA_5(__VA_ARGS__)
#define MTA_7(a, ...) MTA_S(a), MTA_6(__VA_ARGS__)
#define MTA_8(a, ...) MTA_S(a), MTA_7(__VA_ARGS__)
#define MTA_9(a, ...) MTA_S(a), MTA_8(__VA_ARGS__)
#define MTA_10(a, ...) MTA_S(a), MTA_9(__VA_ARGS__)
#define MTA_11(a, ...) MTA_S(a), MTA_10(__VA_ARGS__)
#define MTA_12(a, ...) MTA_S(a), MTA_11(__VA_ARGS__)

/* mta_itoa writes a number in decimal. */
static inline mta_str mta_itoa(int64_t v) {
    char *p = mta_alloc(24);
    uint64_t n = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    uint32_t at = 24;
    do {
        p[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    if (v < 0) p[--at] = '-';
    return mta_strn(p + at, 24 - at);
}

/* ---- reading a block ---- */

/* A record in a block whose header was checked: the slots at offset at. Slots
 * that are not there, and what points outside of the block, read as absent. */
typedef struct {
    const uint8_t *block;
    uint32_t at, n;
} mta_view;

static inline uint32_t mta_load32(const uint8_t *p) {
    uint32_t v;
    __builtin_memcpy(&v, p, 4);
    return v;
}

static inline uint64_t mta_load64(const uint8_t *p) {
    uint64_t v;
    __builtin_memcpy(&v, p, 8);
    return v;
}

static inline mta_view mta_table(const uint8_t *block, uint32_t at, uint32_t n) {
    mta_view none = {block, 0, 0}, v = {block, at, n};
    uint32_t size = mta_load32(block);
    return at < MTA_HEADER || at > size || n > (size - at) / 8 ? none : v;
}

/* mta_open checks the header of a block of len octets; an empty record in its
 * place tells that it is none of this kind. */
static inline bool mta_open(const uint8_t *block, uint32_t len, uint32_t kind, mta_view *v) {
    v->block = block;
    v->at = v->n = 0;
    if (len < MTA_HEADER || mta_load32(block) != len || (mta_load32(block + 8) & 0xffff) != kind) return false;
    *v = mta_table(block, MTA_HEADER, mta_load32(block + 4));
    return v->n == mta_load32(block + 4);
}

static inline int64_t mta_int(mta_view v, uint32_t slot) {
    return slot < v.n ? (int64_t)mta_load64(v.block + v.at + 8 * slot) : 0;
}

static inline double mta_float(mta_view v, uint32_t slot) {
    int64_t n = mta_int(v, slot);
    double d;
    __builtin_memcpy(&d, &n, 8);
    return d;
}

static inline mta_str mta_text(mta_view v, uint32_t slot) {
    uint64_t pair = (uint64_t)mta_int(v, slot);
    uint32_t at = (uint32_t)pair, n = (uint32_t)(pair >> 32);
    if (pair == 0) return mta_strn(NULL, 0);
    uint32_t size = mta_load32(v.block);
    if (at < MTA_HEADER || at > size || n > size - at) return mta_strn(NULL, 0);
    return mta_strn((const char *)v.block + at, n);
}

static inline mta_view mta_sub(mta_view v, uint32_t slot) {
    uint64_t pair = (uint64_t)mta_int(v, slot);
    mta_view none = {v.block, 0, 0};
    return pair == 0 ? none : mta_table(v.block, (uint32_t)pair, (uint32_t)(pair >> 32));
}

/* ---- writing a block ---- */

typedef struct {
    uint8_t *p;
    uint32_t len, cap;
} mta_writer;

static inline void mta_room(mta_writer *w, uint32_t n) {
    if (n <= w->cap - w->len) return;
    uint64_t cap = (uint64_t)w->len + n + (w->cap < (1u << 20) ? w->cap : 1u << 20);
    if (cap > UINT32_MAX / 2) __builtin_trap();
    uint8_t *p = mta_alloc((uint32_t)cap);
    mta_copy(p, w->p, w->len);
    w->p = p;
    w->cap = (uint32_t)cap;
}

static inline void mta_put64(mta_writer *w, uint32_t at, uint64_t v) { __builtin_memcpy(w->p + at, &v, 8); }

static inline void mta_clear(mta_writer *w, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) mta_put64(w, w->len + 8 * i, 0);
    w->len += 8 * n;
}

static inline uint32_t mta_begin(mta_writer *w, uint32_t kind, uint32_t n) {
    w->cap = 512;
    w->p = mta_alloc(w->cap);
    w->len = 0;
    mta_room(w, MTA_HEADER + 8 * n);
    mta_clear(w, 3 + n);
    mta_put64(w, 0, (uint64_t)n << 32);
    mta_put64(w, 8, kind | (uint64_t)MTA_MINOR << 16);
    return MTA_HEADER;
}

static inline void mta_end(mta_writer *w) { __builtin_memcpy(w->p, &w->len, 4); }

/* mta_slots makes room for n slots and writes into the slot at where they are. */
static inline uint32_t mta_slots(mta_writer *w, uint32_t at, uint32_t n) {
    if (n > (1u << 24)) __builtin_trap();
    mta_room(w, 8 * n + 8);
    while (w->len % 8 != 0) w->p[w->len++] = 0;
    uint32_t off = w->len;
    mta_clear(w, n);
    mta_put64(w, at, off | (uint64_t)n << 32);
    return off;
}

static inline void mta_put_str(mta_writer *w, uint32_t at, mta_str s) {
    if (s.len == 0) return;
    mta_room(w, s.len);
    mta_copy(w->p + w->len, s.ptr, s.len);
    mta_put64(w, at, w->len | (uint64_t)s.len << 32);
    w->len += s.len;
}

static inline void mta_put_float(mta_writer *w, uint32_t at, double d) { __builtin_memcpy(w->p + at, &d, 8); }

/* A list of strings: an array of yours, or one in a block. */
typedef struct {
    const mta_str *items; /* an array, or NULL */
    uint32_t len;
    mta_view in; /* the block it is in, when items is NULL */
} mta_str_list;

static inline mta_str mta_str_at(mta_str_list l, uint32_t i) {
    if (i >= l.len) return mta_strn(NULL, 0);
    return l.items != NULL ? l.items[i] : mta_text(l.in, i);
}

/* MTA_STRS makes a list of strings of an array of mta_str. */
#define MTA_STRS(array) ((mta_str_list){.items = (array), .len = sizeof(array) / sizeof((array)[0])})

static inline mta_str_list mta_get_strs(mta_view v, uint32_t slot) {
    mta_view in = mta_sub(v, slot);
    mta_str_list l = {NULL, in.n, in};
    return l;
}

static inline void mta_put_strs(mta_writer *w, uint32_t at, mta_str_list l) {
    if (l.len == 0) return;
    uint32_t off = mta_slots(w, at, l.len);
    for (uint32_t i = 0; i < l.len; i++) mta_put_str(w, off + 8 * i, mta_str_at(l, i));
}

/* Notes: key, value, key, value, sorted by key. */
typedef struct {
    uint32_t len; /* pairs */
    mta_view in;
} mta_notes;

static inline mta_notes mta_get_notes(mta_view v, uint32_t slot) {
    mta_view in = mta_sub(v, slot);
    mta_notes n = {in.n / 2, in};
    return n;
}

static inline mta_str mta_note_key(mta_notes n, uint32_t i) { return i < n.len ? mta_text(n.in, 2 * i) : mta_strn(NULL, 0); }
static inline mta_str mta_note_value(mta_notes n, uint32_t i) { return i < n.len ? mta_text(n.in, 2 * i + 1) : mta_strn(NULL, 0); }

/* mta_note_get is the value of a key "plugin.key"; empty: there is none. */
static inline mta_str mta_note_get_(mta_notes n, mta_str key) {
    for (uint32_t i = 0; i < n.len; i++)
        if (mta_eq_(mta_note_key(n, i), key)) return mta_note_value(n, i);
    return mta_strn(NULL, 0);
}
#define mta_note_get(notes, key) mta_note_get_(notes, MTA_S(key))

/* What an export returns: see the end of this file. */
static inline int64_t mta_at(const void *p, uint32_t low);
static inline int64_t mta_fail(mta_str text);

/* ---- enumerations ---- */

/* Notify is the set of NOTIFY conditions of RFC 3461 §4.1. */
typedef enum {
    MTA_NOTIFY_NEVER = 1, /* alone */
    MTA_NOTIFY_SUCCESS = 2, /* tell when it was delivered */
    MTA_NOTIFY_FAILURE = 4, /* tell when it failed */
    MTA_NOTIFY_DELAY = 8, /* tell when it is delayed */
} mta_notify;

/* Action is what a decision asks the core to do. */
typedef enum {
    MTA_CONTINUE = 0, /* go on with the next plugin; the zero value */
    MTA_ACCEPT = 1, /* yes, and ask nobody else */
    MTA_DEFER = 2, /* 4xx: try again later */
    MTA_REJECT = 3, /* 5xx: no */
    MTA_DISCONNECT = 4, /* 421, and close the connection */
    MTA_DISCARD = 5, /* say yes, and throw away; the reason is recorded */
    MTA_HOLD = 6, /* say yes, and keep until an operator releases it */
} mta_action;

/* Op is an edit operation. */
typedef enum {
    MTA_OP_NOTE = 1, /* Notes["plugin."+Name] = Value; Name is 1 to 64 of a-z 0-9 _ . -; an empty Value removes it */
    MTA_OP_SET_SENDER = 2, /* the reverse-path becomes Value */
    MTA_OP_ADD_RECIPIENT = 3, /* Value becomes one more recipient */
    MTA_OP_REMOVE_RECIPIENT = 4, /* the recipient Name goes */
    MTA_OP_REPLACE_RECIPIENT = 5, /* the recipient Name becomes Value; several of one Name: becomes all of them */
    MTA_OP_PREPEND_HEADER = 6, /* "Name: Value" goes on top, below our Received */
    MTA_OP_APPEND_HEADER = 7, /* "Name: Value" goes to the end of the header */
    MTA_OP_REPLACE_HEADER = 8, /* the Index-th (from 1) field Name gets Value; Index 0: all of them become one, or a new one at the end */
    MTA_OP_REMOVE_HEADER = 9, /* the Index-th (from 1) field Name goes; Index 0: all of them; none there: nothing changes */
    MTA_OP_REPLACE_BODY = 10, /* everything behind the header becomes Data */
} mta_op;

/* RouteAction is what a route answer says. */
typedef enum {
    MTA_ROUTE_NONE = 0, /* not mine: ask the next plugin; the zero value */
    MTA_ROUTE_USE = 1, /* deliver by Route */
    MTA_ROUTE_DEFER = 2, /* not now: keep, with Reply as the reason */
    MTA_ROUTE_FAIL = 3, /* never: the recipient fails with Reply */
    MTA_ROUTE_HOLD = 4, /* keep until an operator releases it */
} mta_route_action;

/* Status is how a recipient of an attempt came out. */
typedef enum {
    MTA_STATUS_NONE = 0,
    MTA_STATUS_DELIVERED = 1, /* the next hop is responsible now */
    MTA_STATUS_DEFERRED = 2, /* temporary: try again */
    MTA_STATUS_FAILED = 3, /* permanent: tell the sender */
} mta_status;

/* DSNKind is why a DSN is made. */
typedef enum {
    MTA_DSN_FAILED = 1,
    MTA_DSN_DELAYED = 2,
    MTA_DSN_SUCCESS = 3, /* delivered, relayed or expanded */
} mta_dsn_kind;

/* CallCode says why a call failed. */
typedef enum {
    MTA_CALL_OK = 0,
    MTA_NOT_GRANTED = 1, /* the configuration does not allow it */
    MTA_CALL_INVALID = 2, /* the request itself is wrong */
    MTA_CALL_LIMIT = 3, /* a quota, a size, a number of calls */
    MTA_CALL_TIMEOUT = 4, /* the deadline of the hook has come */
    MTA_CALL_TEMPORARY = 5, /* asking again later may help */
    MTA_CALL_FAILED = 6, /* it will not */
    MTA_CALL_NOT_ALLOWED = 7, /* not now: there is no message, or the hook has ended */
} mta_call_code;

/* Session is one connection from a client, as far as it has come. */
typedef struct {
    mta_str id; /* unique in the life of the spool; joins log lines of one connection */
    mta_str profile; /* of the listener: mx, submission, submissions, lmtp */
    mta_str local_addr; /* address:port that the client connected to */
    mta_str remote_ip; /* the client's address, without port and brackets */
    int64_t remote_port; /* the client's port */
    mta_str remote_name; /* the client's name, confirmed in both directions; empty: unknown */
    mta_str helo; /* the name given in HELO/EHLO/LHLO; empty: not yet */
    mta_str protocol; /* RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPA, LMTP, UTF8SMTP, ... */
    mta_str tls; /* version and cipher suite; empty: in the clear */
    mta_str login; /* the authenticated identity; empty: none */
    int64_t started; /* when the connection was accepted */
    mta_notes notes; /* what plugins left on the session */
} mta_session;

__attribute__((always_inline)) static inline mta_session mta_get_session(mta_view v) {
    mta_session r = {0};
    r.id = mta_text(v, 0);
    r.profile = mta_text(v, 1);
    r.local_addr = mta_text(v, 2);
    r.remote_ip = mta_text(v, 3);
    r.remote_port = mta_int(v, 4);
    r.remote_name = mta_text(v, 5);
    r.helo = mta_text(v, 6);
    r.protocol = mta_text(v, 7);
    r.tls = mta_text(v, 8);
    r.login = mta_text(v, 9);
    r.started = mta_int(v, 10);
    r.notes = mta_get_notes(v, 11);
    return r;
}

/* Recipient is one forward-path of a message. */
typedef struct {
    mta_str addr; /* where the message goes */
    mta_str orig; /* as the client gave it, when a plugin changed it; else empty */
    mta_notify notify; /* RFC 3461 NOTIFY */
    mta_str orcpt; /* RFC 3461 ORCPT, decoded: "rfc822;user@example.org"; empty: none */
} mta_recipient;

typedef struct {
    const mta_recipient *items; /* an array, or NULL */
    uint32_t len;
    uint32_t room; /* of an array that grows */
    mta_view in;   /* the block it is in, when items is NULL */
} mta_recipient_list;

__attribute__((always_inline)) static inline mta_recipient mta_get_recipient(mta_view v) {
    mta_recipient r = {0};
    r.addr = mta_text(v, 0);
    r.orig = mta_text(v, 1);
    r.notify = (mta_notify)mta_int(v, 2);
    r.orcpt = mta_text(v, 3);
    return r;
}

/* mta_recipient_at is element i of a list; zero behind its end. */
static inline mta_recipient mta_recipient_at(mta_recipient_list l, uint32_t i) {
    mta_recipient none = {0};
    if (i >= l.len) return none;
    if (l.items != NULL) return l.items[i];
    return mta_get_recipient(mta_sub(l.in, i));
}

/* mta_recipient_add adds to the end of a list. */
static inline void mta_recipient_add(mta_recipient_list *l, mta_recipient item) {
    if (l->len == l->room || l->room == 0) {
        if (l->len > (1u << 16)) __builtin_trap();
        uint32_t room = 2 * l->len + 4;
        mta_recipient *items = mta_alloc(room * (uint32_t)sizeof(mta_recipient));
        for (uint32_t i = 0; i < l->len; i++) items[i] = mta_recipient_at(*l, i);
        l->items = items;
        l->room = room;
    }
    ((mta_recipient *)(uintptr_t)l->items)[l->len++] = item;
}

static inline bool mta_zero_recipient(const mta_recipient *r) {
    return r->addr.len == 0 && r->orig.len == 0 && r->notify == 0 && r->orcpt.len == 0;
}

static inline void mta_put_recipient(mta_writer *w, uint32_t at, const mta_recipient *r) {
    mta_put_str(w, at + 0, r->addr);
    mta_put_str(w, at + 8, r->orig);
    mta_put64(w, at + 16, (uint64_t)r->notify);
    mta_put_str(w, at + 24, r->orcpt);
}

/* Origin tells how a message came to the relay. It is kept with the message, so that a route can depend on it days later. */
typedef struct {
    mta_str ip; /* the client's address; empty: made by the relay itself */
    mta_str name; /* its confirmed name */
    mta_str helo; /* its HELO name */
    mta_str protocol; /* RFC 3848 */
    mta_str login; /* the authenticated identity */
    mta_str profile; /* of the listener */
} mta_origin;

__attribute__((always_inline)) static inline mta_origin mta_get_origin(mta_view v) {
    mta_origin r = {0};
    r.ip = mta_text(v, 0);
    r.name = mta_text(v, 1);
    r.helo = mta_text(v, 2);
    r.protocol = mta_text(v, 3);
    r.login = mta_text(v, 4);
    r.profile = mta_text(v, 5);
    return r;
}

/* Envelope is a message without its content: from whom, to whom, and on which terms. It is kept in the queue until every recipient has ended. */
typedef struct {
    mta_str id; /* the queue ID, from MAIL to the last log line */
    mta_str from; /* the reverse-path; empty is the null reverse-path */
    mta_recipient_list recipients; /* in the order in which they were accepted */
    int64_t size; /* octets of the message; 0 before it was received */
    mta_str body; /* BODY= of RFC 6152/3030: "", 7BIT, 8BITMIME, BINARYMIME */
    bool smtputf8; /* RFC 6531 */
    bool require_tls; /* RFC 8689 */
    mta_str ret; /* RFC 3461 RET: "", FULL, HDRS */
    mta_str env_id; /* RFC 3461 ENVID, decoded */
    int64_t arrived; /* when the transaction began */
    mta_origin origin; /* how it came to us */
    mta_notes notes; /* what plugins left on the message */
} mta_envelope;

__attribute__((always_inline)) static inline mta_envelope mta_get_envelope(mta_view v) {
    mta_envelope r = {0};
    r.id = mta_text(v, 0);
    r.from = mta_text(v, 1);
    r.recipients.in = mta_sub(v, 2);
    r.recipients.len = r.recipients.in.n;
    r.size = mta_int(v, 3);
    r.body = mta_text(v, 4);
    r.smtputf8 = mta_int(v, 5) != 0;
    r.require_tls = mta_int(v, 6) != 0;
    r.ret = mta_text(v, 7);
    r.env_id = mta_text(v, 8);
    r.arrived = mta_int(v, 9);
    r.origin = mta_get_origin(mta_sub(v, 10));
    r.notes = mta_get_notes(v, 11);
    return r;
}

/* Message is a handle on the content of a message. The content is read only when a plugin asks for it, in the pieces in which it asks. */
typedef struct {
    mta_str id; /* the queue ID */
    int64_t size; /* octets, with the trace fields that the relay has added */
} mta_message;

__attribute__((always_inline)) static inline mta_message mta_get_message(mta_view v) {
    mta_message r = {0};
    r.id = mta_text(v, 0);
    r.size = mta_int(v, 1);
    return r;
}

/* Reply is what a client is told. The zero value lets the core choose the words that fit the hook and the action. It goes with Defer (4yz), Reject (5yz) and Disconnect (either); with any other action it is a fault. The classes of Code and Enhanced agree. */
typedef struct {
    int64_t code; /* 4yz or 5yz in an answer; 0: the core's choice */
    mta_str enhanced; /* RFC 3463, "5.7.1"; empty: the core's choice */
    mta_str text; /* one line, or up to ten with "\n" between them, of 400 octets each; empty: the core's choice */
} mta_reply;

__attribute__((always_inline)) static inline mta_reply mta_get_reply(mta_view v) {
    mta_reply r = {0};
    r.code = mta_int(v, 0);
    r.enhanced = mta_text(v, 1);
    r.text = mta_text(v, 2);
    return r;
}

static inline bool mta_zero_reply(const mta_reply *r) {
    return r->code == 0 && r->enhanced.len == 0 && r->text.len == 0;
}

static inline void mta_put_reply(mta_writer *w, uint32_t at, const mta_reply *r) {
    mta_put64(w, at + 0, (uint64_t)r->code);
    mta_put_str(w, at + 8, r->enhanced);
    mta_put_str(w, at + 16, r->text);
}

/* Edit is one operation on a session or message. */
typedef struct {
    mta_op op;
    mta_str name;
    mta_str value;
    int64_t index;
    mta_str data;
} mta_edit;

typedef struct {
    const mta_edit *items; /* an array, or NULL */
    uint32_t len;
    uint32_t room; /* of an array that grows */
    mta_view in;   /* the block it is in, when items is NULL */
} mta_edit_list;

/* mta_edit_at is element i of a list; zero behind its end. */
static inline mta_edit mta_edit_at(mta_edit_list l, uint32_t i) {
    mta_edit none = {0};
    if (i >= l.len) return none;
    if (l.items != NULL) return l.items[i];
    return none;
}

/* mta_edit_add adds to the end of a list. */
static inline void mta_edit_add(mta_edit_list *l, mta_edit item) {
    if (l->len == l->room || l->room == 0) {
        if (l->len > (1u << 16)) __builtin_trap();
        uint32_t room = 2 * l->len + 4;
        mta_edit *items = mta_alloc(room * (uint32_t)sizeof(mta_edit));
        for (uint32_t i = 0; i < l->len; i++) items[i] = mta_edit_at(*l, i);
        l->items = items;
        l->room = room;
    }
    ((mta_edit *)(uintptr_t)l->items)[l->len++] = item;
}

static inline bool mta_zero_edit(const mta_edit *r) {
    return r->op == 0 && r->name.len == 0 && r->value.len == 0 && r->index == 0 && r->data.len == 0;
}

static inline void mta_put_edit(mta_writer *w, uint32_t at, const mta_edit *r) {
    mta_put64(w, at + 0, (uint64_t)r->op);
    mta_put_str(w, at + 8, r->name);
    mta_put_str(w, at + 16, r->value);
    mta_put64(w, at + 24, (uint64_t)r->index);
    mta_put_str(w, at + 32, r->data);
}

/* Verdict is a decision about one recipient of a message. */
typedef struct {
    mta_action action; /* Continue, Accept, Defer, Reject, Discard */
    mta_reply reply;
    mta_str reason;
} mta_verdict;

typedef struct {
    const mta_verdict *items; /* an array, or NULL */
    uint32_t len;
    uint32_t room; /* of an array that grows */
    mta_view in;   /* the block it is in, when items is NULL */
} mta_verdict_list;

/* mta_verdict_at is element i of a list; zero behind its end. */
static inline mta_verdict mta_verdict_at(mta_verdict_list l, uint32_t i) {
    mta_verdict none = {0};
    if (i >= l.len) return none;
    if (l.items != NULL) return l.items[i];
    return none;
}

/* mta_verdict_add adds to the end of a list. */
static inline void mta_verdict_add(mta_verdict_list *l, mta_verdict item) {
    if (l->len == l->room || l->room == 0) {
        if (l->len > (1u << 16)) __builtin_trap();
        uint32_t room = 2 * l->len + 4;
        mta_verdict *items = mta_alloc(room * (uint32_t)sizeof(mta_verdict));
        for (uint32_t i = 0; i < l->len; i++) items[i] = mta_verdict_at(*l, i);
        l->items = items;
        l->room = room;
    }
    ((mta_verdict *)(uintptr_t)l->items)[l->len++] = item;
}

static inline bool mta_zero_verdict(const mta_verdict *r) {
    return r->action == 0 && mta_zero_reply(&r->reply) && r->reason.len == 0;
}

static inline void mta_put_verdict(mta_writer *w, uint32_t at, const mta_verdict *r) {
    mta_put64(w, at + 0, (uint64_t)r->action);
    if (!mta_zero_reply(&r->reply)) mta_put_reply(w, mta_slots(w, at + 8, 3), &r->reply);
    mta_put_str(w, at + 16, r->reason);
}

/* Answer is what a session hook (connect to data) returns. The zero value is "continue". */
typedef struct {
    mta_action action;
    mta_reply reply;
    mta_str reason; /* Reason is for log and trace only; no client ever sees it. */
    mta_edit_list edits; /* Edits are applied in order, all or none. With Defer, Reject and Disconnect only the notes among them are: nothing is left to be edited. */
    mta_str identity; /* Identity is who the client is; auth hook only, with Accept, where it must not be empty. */
    mta_verdict_list recipients; /* Recipients are verdicts on single recipients, in the order of the envelope; data hook only, and either empty or one for each. A recipient that is not Continue or Accept is removed: on LMTP it gets its own reply, on SMTP a DSN. */
    mta_str error; /* not empty: the plugin is broken, and this is how; nothing else counts */
} mta_answer;

static inline bool mta_zero_answer(const mta_answer *r) {
    return r->action == 0 && mta_zero_reply(&r->reply) && r->reason.len == 0 && r->edits.len == 0 && r->identity.len == 0 && r->recipients.len == 0;
}

static inline void mta_put_answer(mta_writer *w, uint32_t at, const mta_answer *r) {
    mta_put64(w, at + 0, (uint64_t)r->action);
    if (!mta_zero_reply(&r->reply)) mta_put_reply(w, mta_slots(w, at + 8, 3), &r->reply);
    mta_put_str(w, at + 16, r->reason);
    if (r->edits.len != 0) {
        uint32_t off = mta_slots(w, at + 24, r->edits.len);
        for (uint32_t i = 0; i < r->edits.len; i++) {
            mta_edit item = mta_edit_at(r->edits, i);
            mta_put_edit(w, mta_slots(w, off + 8 * i, 5), &item);
        }
    }
    mta_put_str(w, at + 32, r->identity);
    if (r->recipients.len != 0) {
        uint32_t off = mta_slots(w, at + 40, r->recipients.len);
        for (uint32_t i = 0; i < r->recipients.len; i++) {
            mta_verdict item = mta_verdict_at(r->recipients, i);
            mta_put_verdict(w, mta_slots(w, off + 8 * i, 3), &item);
        }
    }
}

static inline int64_t mta_block_of_answer(const mta_answer *a, uint32_t kind) {
    mta_writer w;
    uint32_t at = mta_begin(&w, kind, 6);
    mta_put_answer(&w, at, a);
    mta_end(&w);
    return mta_at(w.p, w.len);
}

__attribute__((always_inline)) static inline int64_t mta_return_answer(const mta_answer *a, uint32_t kind) {
    if (a->error.len != 0) return mta_fail(a->error);
    mta_answer rest = *a; /* the action and its code alone need no block */
    rest.action = 0;
    rest.reply.code = 0;
    if (mta_zero_answer(&rest) && a->reply.code >= 0 && a->reply.code < 65536) return (int64_t)a->action | a->reply.code << 16;
    return mta_block_of_answer(a, kind);
}

/* Route is how a recipient is reached. */
typedef struct {
    mta_str via; /* Via names the transport: "smtp", "lmtp", or a plugin with a deliver hook. */
    mta_str_list hosts; /* Hosts are the next hops in the order in which to try them: "host", "host:port", "192.0.2.1:25", "[2001:db8::1]:25"; for LMTP also "unix:/path". The port defaults to 25, for LMTP to 24. */
    bool mx; /* MX: the DNS named the hosts, so loopback and other addresses that no stranger may choose for us are not connected to. */
    mta_str tls; /* TLS is the policy towards the next hop: none, may, encrypt, verify, dane. Empty is may. */
    mta_str source; /* Source and Pool choose where the connection comes from; empty: the system. */
    mta_str pool;
    mta_str key; /* Key names what shares concurrency, back-off and connections. Empty: made from Via, Hosts, TLS, Source, Pool and User. */
    mta_str user; /* User and PasswordFile log in at the next hop. Only a plugin that is compiled into the relay may name a file. */
    mta_str password_file;
    mta_str rule; /* Rule says what chose the route, for people: "route 2: to *.example". */
} mta_route;

__attribute__((always_inline)) static inline mta_route mta_get_route(mta_view v) {
    mta_route r = {0};
    r.via = mta_text(v, 0);
    r.hosts = mta_get_strs(v, 1);
    r.mx = mta_int(v, 2) != 0;
    r.tls = mta_text(v, 3);
    r.source = mta_text(v, 4);
    r.pool = mta_text(v, 5);
    r.key = mta_text(v, 6);
    r.user = mta_text(v, 7);
    r.password_file = mta_text(v, 8);
    r.rule = mta_text(v, 9);
    return r;
}

static inline bool mta_zero_route(const mta_route *r) {
    return r->via.len == 0 && r->hosts.len == 0 && !r->mx && r->tls.len == 0 && r->source.len == 0 && r->pool.len == 0 && r->key.len == 0 && r->user.len == 0 && r->password_file.len == 0 && r->rule.len == 0;
}

static inline void mta_put_route(mta_writer *w, uint32_t at, const mta_route *r) {
    mta_put_str(w, at + 0, r->via);
    mta_put_strs(w, at + 8, r->hosts);
    mta_put64(w, at + 16, (uint64_t)r->mx);
    mta_put_str(w, at + 24, r->tls);
    mta_put_str(w, at + 32, r->source);
    mta_put_str(w, at + 40, r->pool);
    mta_put_str(w, at + 48, r->key);
    mta_put_str(w, at + 56, r->user);
    mta_put_str(w, at + 64, r->password_file);
    mta_put_str(w, at + 72, r->rule);
}

/* RouteAnswer is what a route hook returns for one recipient at one attempt. */
typedef struct {
    mta_route_action action;
    mta_route route; /* for RouteUse */
    mta_reply reply; /* for RouteDefer and RouteFail */
    mta_str reason; /* for log and trace */
    int64_t not_before; /* NotBefore: with RouteDefer, the earliest time of the next attempt; zero: the usual retry time. */
    mta_str error; /* not empty: the plugin is broken, and this is how; nothing else counts */
} mta_route_answer;

static inline bool mta_zero_route_answer(const mta_route_answer *r) {
    return r->action == 0 && mta_zero_route(&r->route) && mta_zero_reply(&r->reply) && r->reason.len == 0 && r->not_before == 0;
}

static inline void mta_put_route_answer(mta_writer *w, uint32_t at, const mta_route_answer *r) {
    mta_put64(w, at + 0, (uint64_t)r->action);
    if (!mta_zero_route(&r->route)) mta_put_route(w, mta_slots(w, at + 8, 10), &r->route);
    if (!mta_zero_reply(&r->reply)) mta_put_reply(w, mta_slots(w, at + 16, 3), &r->reply);
    mta_put_str(w, at + 24, r->reason);
    mta_put64(w, at + 32, (uint64_t)r->not_before);
}

static inline int64_t mta_block_of_route_answer(const mta_route_answer *a, uint32_t kind) {
    mta_writer w;
    uint32_t at = mta_begin(&w, kind, 5);
    mta_put_route_answer(&w, at, a);
    mta_end(&w);
    return mta_at(w.p, w.len);
}

__attribute__((always_inline)) static inline int64_t mta_return_route_answer(const mta_route_answer *a, uint32_t kind) {
    if (a->error.len != 0) return mta_fail(a->error);
    mta_route_answer rest = *a; /* the action and its code alone need no block */
    rest.action = 0;
    rest.reply.code = 0;
    if (mta_zero_route_answer(&rest) && a->reply.code >= 0 && a->reply.code < 65536) return (int64_t)a->action | a->reply.code << 16;
    return mta_block_of_route_answer(a, kind);
}

/* Outcome is the result of an attempt for one recipient. */
typedef struct {
    mta_status status;
    mta_reply reply; /* of the next hop, or the words of whoever decided */
    mta_str remote; /* who answered: "mx1.example.org[192.0.2.1]:25"; empty: nobody did */
    mta_str tls; /* version and cipher suite of the conversation; empty: clear */
    bool remote_reply; /* RemoteReply: Reply was spoken by the peer named in Remote, so a DSN may show it as Diagnostic-Code (RFC 3464 §2.3.6). */
    bool dsn_relayed; /* DSNRelayed: the next hop took over the RFC 3461 parameters, so success is reported by it and not by us. */
    bool maybe_duplicate; /* MaybeDuplicate: the connection was lost between the end of the message and the reply; the next hop may have it nevertheless (RFC 1047). */
    bool unreachable; /* Unreachable: no conversation about this message was begun: no connection, no greeting, no EHLO. The whole destination is slow or down. */
    int64_t setup; /* Setup is the time for DNS, connect, EHLO and TLS; Transfer that for the message. */
    int64_t transfer;
    bool hold; /* Hold: with StatusDeferred, keep until an operator releases it. */
} mta_outcome;

typedef struct {
    const mta_outcome *items; /* an array, or NULL */
    uint32_t len;
    uint32_t room; /* of an array that grows */
    mta_view in;   /* the block it is in, when items is NULL */
} mta_outcome_list;

__attribute__((always_inline)) static inline mta_outcome mta_get_outcome(mta_view v) {
    mta_outcome r = {0};
    r.status = (mta_status)mta_int(v, 0);
    r.reply = mta_get_reply(mta_sub(v, 1));
    r.remote = mta_text(v, 2);
    r.tls = mta_text(v, 3);
    r.remote_reply = mta_int(v, 4) != 0;
    r.dsn_relayed = mta_int(v, 5) != 0;
    r.maybe_duplicate = mta_int(v, 6) != 0;
    r.unreachable = mta_int(v, 7) != 0;
    r.setup = mta_int(v, 8);
    r.transfer = mta_int(v, 9);
    r.hold = mta_int(v, 10) != 0;
    return r;
}

/* mta_outcome_at is element i of a list; zero behind its end. */
static inline mta_outcome mta_outcome_at(mta_outcome_list l, uint32_t i) {
    mta_outcome none = {0};
    if (i >= l.len) return none;
    if (l.items != NULL) return l.items[i];
    return mta_get_outcome(mta_sub(l.in, i));
}

/* mta_outcome_add adds to the end of a list. */
static inline void mta_outcome_add(mta_outcome_list *l, mta_outcome item) {
    if (l->len == l->room || l->room == 0) {
        if (l->len > (1u << 16)) __builtin_trap();
        uint32_t room = 2 * l->len + 4;
        mta_outcome *items = mta_alloc(room * (uint32_t)sizeof(mta_outcome));
        for (uint32_t i = 0; i < l->len; i++) items[i] = mta_outcome_at(*l, i);
        l->items = items;
        l->room = room;
    }
    ((mta_outcome *)(uintptr_t)l->items)[l->len++] = item;
}

static inline bool mta_zero_outcome(const mta_outcome *r) {
    return r->status == 0 && mta_zero_reply(&r->reply) && r->remote.len == 0 && r->tls.len == 0 && !r->remote_reply && !r->dsn_relayed && !r->maybe_duplicate && !r->unreachable && r->setup == 0 && r->transfer == 0 && !r->hold;
}

static inline void mta_put_outcome(mta_writer *w, uint32_t at, const mta_outcome *r) {
    mta_put64(w, at + 0, (uint64_t)r->status);
    if (!mta_zero_reply(&r->reply)) mta_put_reply(w, mta_slots(w, at + 8, 3), &r->reply);
    mta_put_str(w, at + 16, r->remote);
    mta_put_str(w, at + 24, r->tls);
    mta_put64(w, at + 32, (uint64_t)r->remote_reply);
    mta_put64(w, at + 40, (uint64_t)r->dsn_relayed);
    mta_put64(w, at + 48, (uint64_t)r->maybe_duplicate);
    mta_put64(w, at + 56, (uint64_t)r->unreachable);
    mta_put64(w, at + 64, (uint64_t)r->setup);
    mta_put64(w, at + 72, (uint64_t)r->transfer);
    mta_put64(w, at + 80, (uint64_t)r->hold);
}

/* DeliverAnswer is what a deliver hook returns: one outcome for each recipient of the event, in its order. */
typedef struct {
    mta_outcome_list outcomes;
    mta_str error; /* not empty: the plugin is broken, and this is how; nothing else counts */
} mta_deliver_answer;

static inline bool mta_zero_deliver_answer(const mta_deliver_answer *r) {
    return r->outcomes.len == 0;
}

static inline void mta_put_deliver_answer(mta_writer *w, uint32_t at, const mta_deliver_answer *r) {
    if (r->outcomes.len != 0) {
        uint32_t off = mta_slots(w, at + 0, r->outcomes.len);
        for (uint32_t i = 0; i < r->outcomes.len; i++) {
            mta_outcome item = mta_outcome_at(r->outcomes, i);
            mta_put_outcome(w, mta_slots(w, off + 8 * i, 11), &item);
        }
    }
}

static inline int64_t mta_block_of_deliver_answer(const mta_deliver_answer *a, uint32_t kind) {
    mta_writer w;
    uint32_t at = mta_begin(&w, kind, 1);
    mta_put_deliver_answer(&w, at, a);
    mta_end(&w);
    return mta_at(w.p, w.len);
}

__attribute__((always_inline)) static inline int64_t mta_return_deliver_answer(const mta_deliver_answer *a, uint32_t kind) {
    if (a->error.len != 0) return mta_fail(a->error);
    return mta_block_of_deliver_answer(a, kind);
}

/* OutcomeAnswer may change what an attempt meant, never undo or delete it. The zero value changes nothing. */
typedef struct {
    mta_status status; /* Status: StatusDeferred or StatusFailed instead of the other; StatusNone keeps it. A delivered recipient stays delivered. */
    int64_t delay; /* Delay: for a deferred recipient, the time until the next attempt. */
    mta_reply reply; /* shown to people instead of the original; zero keeps it */
    mta_str reason;
    bool hold; /* Hold: keep a recipient that was not delivered until an operator releases it. */
    mta_str error; /* not empty: the plugin is broken, and this is how; nothing else counts */
} mta_outcome_answer;

static inline bool mta_zero_outcome_answer(const mta_outcome_answer *r) {
    return r->status == 0 && r->delay == 0 && mta_zero_reply(&r->reply) && r->reason.len == 0 && !r->hold;
}

static inline void mta_put_outcome_answer(mta_writer *w, uint32_t at, const mta_outcome_answer *r) {
    mta_put64(w, at + 0, (uint64_t)r->status);
    mta_put64(w, at + 8, (uint64_t)r->delay);
    if (!mta_zero_reply(&r->reply)) mta_put_reply(w, mta_slots(w, at + 16, 3), &r->reply);
    mta_put_str(w, at + 24, r->reason);
    mta_put64(w, at + 32, (uint64_t)r->hold);
}

static inline int64_t mta_block_of_outcome_answer(const mta_outcome_answer *a, uint32_t kind) {
    mta_writer w;
    uint32_t at = mta_begin(&w, kind, 5);
    mta_put_outcome_answer(&w, at, a);
    mta_end(&w);
    return mta_at(w.p, w.len);
}

__attribute__((always_inline)) static inline int64_t mta_return_outcome_answer(const mta_outcome_answer *a, uint32_t kind) {
    if (a->error.len != 0) return mta_fail(a->error);
    if (mta_zero_outcome_answer(a)) return 0;
    return mta_block_of_outcome_answer(a, kind);
}

/* BounceAnswer may edit, suppress or put off a DSN. The zero value changes nothing. At most one of Suppress, Defer and Hold is set. */
typedef struct {
    bool suppress; /* Suppress: send no DSN. It is recorded with the plugin's name. */
    mta_str reason;
    mta_edit_list edits; /* OpPrependHeader, OpAppendHeader, OpReplaceHeader, OpNote */
    bool defer; /* Defer: not now. The recipients stay in the queue as deferred, and the hook is asked again after their next attempt. */
    bool hold; /* Hold: no DSN now, and the recipients stay until an operator releases them. */
    mta_str error; /* not empty: the plugin is broken, and this is how; nothing else counts */
} mta_bounce_answer;

static inline bool mta_zero_bounce_answer(const mta_bounce_answer *r) {
    return !r->suppress && r->reason.len == 0 && r->edits.len == 0 && !r->defer && !r->hold;
}

static inline void mta_put_bounce_answer(mta_writer *w, uint32_t at, const mta_bounce_answer *r) {
    mta_put64(w, at + 0, (uint64_t)r->suppress);
    mta_put_str(w, at + 8, r->reason);
    if (r->edits.len != 0) {
        uint32_t off = mta_slots(w, at + 16, r->edits.len);
        for (uint32_t i = 0; i < r->edits.len; i++) {
            mta_edit item = mta_edit_at(r->edits, i);
            mta_put_edit(w, mta_slots(w, off + 8 * i, 5), &item);
        }
    }
    mta_put64(w, at + 24, (uint64_t)r->defer);
    mta_put64(w, at + 32, (uint64_t)r->hold);
}

static inline int64_t mta_block_of_bounce_answer(const mta_bounce_answer *a, uint32_t kind) {
    mta_writer w;
    uint32_t at = mta_begin(&w, kind, 5);
    mta_put_bounce_answer(&w, at, a);
    mta_end(&w);
    return mta_at(w.p, w.len);
}

__attribute__((always_inline)) static inline int64_t mta_return_bounce_answer(const mta_bounce_answer *a, uint32_t kind) {
    if (a->error.len != 0) return mta_fail(a->error);
    if (mta_zero_bounce_answer(a)) return 0;
    return mta_block_of_bounce_answer(a, kind);
}

/* ConnectEvent: a client has connected; nothing was said yet. */
typedef struct {
    mta_session session;
    int64_t now; /* the time of the event */
} mta_connect_event;

__attribute__((always_inline)) static inline mta_connect_event mta_get_connect_event(mta_view v) {
    mta_connect_event r = {0};
    r.session = mta_get_session(mta_sub(v, 0));
    return r;
}

/* HeloEvent: HELO, EHLO or LHLO was given, the first time or again. */
typedef struct {
    mta_session session; /* Session.Helo already holds the name */
    bool extended; /* EHLO or LHLO */
    int64_t now; /* the time of the event */
} mta_helo_event;

__attribute__((always_inline)) static inline mta_helo_event mta_get_helo_event(mta_view v) {
    mta_helo_event r = {0};
    r.session = mta_get_session(mta_sub(v, 0));
    r.extended = mta_int(v, 1) != 0;
    return r;
}

/* AuthEvent: a client presents credentials. A plugin that knows the user answers Accept with Identity, or Reject; Continue leaves it to the next. */
typedef struct {
    mta_session session;
    mta_str mechanism; /* PLAIN, LOGIN, ... */
    mta_str username;
    mta_str password; /* empty for mechanisms that do not reveal it */
    mta_str authz_id;
    int64_t now; /* the time of the event */
} mta_auth_event;

__attribute__((always_inline)) static inline mta_auth_event mta_get_auth_event(mta_view v) {
    mta_auth_event r = {0};
    r.session = mta_get_session(mta_sub(v, 0));
    r.mechanism = mta_text(v, 1);
    r.username = mta_text(v, 2);
    r.password = mta_text(v, 3);
    r.authz_id = mta_text(v, 4);
    return r;
}

/* MailEvent: MAIL FROM was given. Envelope has no recipients yet. */
typedef struct {
    mta_session session;
    mta_envelope envelope;
    int64_t now; /* the time of the event */
} mta_mail_event;

__attribute__((always_inline)) static inline mta_mail_event mta_get_mail_event(mta_view v) {
    mta_mail_event r = {0};
    r.session = mta_get_session(mta_sub(v, 0));
    r.envelope = mta_get_envelope(mta_sub(v, 1));
    return r;
}

/* RcptEvent: RCPT TO was given. Envelope holds the recipients accepted so far. */
typedef struct {
    mta_session session;
    mta_envelope envelope;
    mta_recipient recipient;
    int64_t now; /* the time of the event */
} mta_rcpt_event;

__attribute__((always_inline)) static inline mta_rcpt_event mta_get_rcpt_event(mta_view v) {
    mta_rcpt_event r = {0};
    r.session = mta_get_session(mta_sub(v, 0));
    r.envelope = mta_get_envelope(mta_sub(v, 1));
    r.recipient = mta_get_recipient(mta_sub(v, 2));
    return r;
}

/* PredataEvent: DATA or the first BDAT was given; 354 was not said yet. */
typedef struct {
    mta_session session;
    mta_envelope envelope;
    int64_t now; /* the time of the event */
} mta_predata_event;

__attribute__((always_inline)) static inline mta_predata_event mta_get_predata_event(mta_view v) {
    mta_predata_event r = {0};
    r.session = mta_get_session(mta_sub(v, 0));
    r.envelope = mta_get_envelope(mta_sub(v, 1));
    return r;
}

/* DataEvent: the whole message was received; the 250 was not said yet. */
typedef struct {
    mta_session session;
    mta_envelope envelope;
    mta_message message;
    int64_t now; /* the time of the event */
} mta_data_event;

__attribute__((always_inline)) static inline mta_data_event mta_get_data_event(mta_view v) {
    mta_data_event r = {0};
    r.session = mta_get_session(mta_sub(v, 0));
    r.envelope = mta_get_envelope(mta_sub(v, 1));
    r.message = mta_get_message(mta_sub(v, 2));
    return r;
}

/* RouteEvent asks where one recipient goes, at each attempt anew. */
typedef struct {
    mta_envelope envelope;
    mta_recipient recipient;
    int64_t attempt; /* 1 for the first */
    mta_outcome last; /* of the attempt before; zero at the first */
    int64_t now; /* the time of the event */
} mta_route_event;

__attribute__((always_inline)) static inline mta_route_event mta_get_route_event(mta_view v) {
    mta_route_event r = {0};
    r.envelope = mta_get_envelope(mta_sub(v, 0));
    r.recipient = mta_get_recipient(mta_sub(v, 1));
    r.attempt = mta_int(v, 2);
    r.last = mta_get_outcome(mta_sub(v, 3));
    return r;
}

/* DeliverEvent asks a transport to deliver one message to some of its recipients: those that share a route. */
typedef struct {
    mta_envelope envelope;
    mta_message message;
    mta_recipient_list recipients;
    mta_route route;
    int64_t attempt;
    int64_t now; /* the time of the event */
} mta_deliver_event;

__attribute__((always_inline)) static inline mta_deliver_event mta_get_deliver_event(mta_view v) {
    mta_deliver_event r = {0};
    r.envelope = mta_get_envelope(mta_sub(v, 0));
    r.message = mta_get_message(mta_sub(v, 1));
    r.recipients.in = mta_sub(v, 2);
    r.recipients.len = r.recipients.in.n;
    r.route = mta_get_route(mta_sub(v, 3));
    r.attempt = mta_int(v, 4);
    return r;
}

/* OutcomeEvent: an attempt ended; nothing of it was written down yet. */
typedef struct {
    mta_envelope envelope;
    mta_recipient recipient;
    mta_route route;
    int64_t attempt;
    mta_outcome outcome;
    int64_t next; /* when a deferred recipient is tried again */
    int64_t now; /* the time of the event */
} mta_outcome_event;

__attribute__((always_inline)) static inline mta_outcome_event mta_get_outcome_event(mta_view v) {
    mta_outcome_event r = {0};
    r.envelope = mta_get_envelope(mta_sub(v, 0));
    r.recipient = mta_get_recipient(mta_sub(v, 1));
    r.route = mta_get_route(mta_sub(v, 2));
    r.attempt = mta_int(v, 3);
    r.outcome = mta_get_outcome(mta_sub(v, 4));
    r.next = mta_int(v, 5);
    return r;
}

/* BounceEvent: a DSN about Envelope is about to be queued. */
typedef struct {
    mta_envelope envelope; /* the message it is about */
    mta_dsn_kind kind;
    mta_recipient_list recipients; /* those it tells about */
    mta_outcome_list outcomes; /* the last of each */
    mta_message message; /* the DSN itself */
    mta_str to; /* where it goes: the reverse-path of Envelope */
    int64_t now; /* the time of the event */
} mta_bounce_event;

__attribute__((always_inline)) static inline mta_bounce_event mta_get_bounce_event(mta_view v) {
    mta_bounce_event r = {0};
    r.envelope = mta_get_envelope(mta_sub(v, 0));
    r.kind = (mta_dsn_kind)mta_int(v, 1);
    r.recipients.in = mta_sub(v, 2);
    r.recipients.len = r.recipients.in.n;
    r.outcomes.in = mta_sub(v, 3);
    r.outcomes.len = r.outcomes.in.n;
    r.message = mta_get_message(mta_sub(v, 4));
    r.to = mta_text(v, 5);
    return r;
}

/* DisconnectEvent: a session has ended. */
typedef struct {
    mta_session session;
    int64_t messages; /* accepted in this session */
    mta_str reason; /* quit, lost, timeout, error, shutdown, ... */
    int64_t now; /* the time of the event */
} mta_disconnect_event;

__attribute__((always_inline)) static inline mta_disconnect_event mta_get_disconnect_event(mta_view v) {
    mta_disconnect_event r = {0};
    r.session = mta_get_session(mta_sub(v, 0));
    r.messages = mta_int(v, 1);
    r.reason = mta_text(v, 2);
    return r;
}

/* HTTPField is one header field of a request or response. */
typedef struct {
    mta_str name;
    mta_str value;
} mta_http_field;

typedef struct {
    const mta_http_field *items; /* an array, or NULL */
    uint32_t len;
    uint32_t room; /* of an array that grows */
    mta_view in;   /* the block it is in, when items is NULL */
} mta_http_field_list;

__attribute__((always_inline)) static inline mta_http_field mta_get_http_field(mta_view v) {
    mta_http_field r = {0};
    r.name = mta_text(v, 0);
    r.value = mta_text(v, 1);
    return r;
}

/* mta_http_field_at is element i of a list; zero behind its end. */
static inline mta_http_field mta_http_field_at(mta_http_field_list l, uint32_t i) {
    mta_http_field none = {0};
    if (i >= l.len) return none;
    if (l.items != NULL) return l.items[i];
    return mta_get_http_field(mta_sub(l.in, i));
}

/* mta_http_field_add adds to the end of a list. */
static inline void mta_http_field_add(mta_http_field_list *l, mta_http_field item) {
    if (l->len == l->room || l->room == 0) {
        if (l->len > (1u << 16)) __builtin_trap();
        uint32_t room = 2 * l->len + 4;
        mta_http_field *items = mta_alloc(room * (uint32_t)sizeof(mta_http_field));
        for (uint32_t i = 0; i < l->len; i++) items[i] = mta_http_field_at(*l, i);
        l->items = items;
        l->room = room;
    }
    ((mta_http_field *)(uintptr_t)l->items)[l->len++] = item;
}

static inline bool mta_zero_http_field(const mta_http_field *r) {
    return r->name.len == 0 && r->value.len == 0;
}

static inline void mta_put_http_field(mta_writer *w, uint32_t at, const mta_http_field *r) {
    mta_put_str(w, at + 0, r->name);
    mta_put_str(w, at + 8, r->value);
}

/* HTTPRequest is one request of [Host.HTTP]. */
typedef struct {
    mta_str method; /* empty: GET */
    mta_str url; /* http or https */
    mta_http_field_list header;
    mta_str body; /* at most 1 MiB */
} mta_http_request;

static inline bool mta_zero_http_request(const mta_http_request *r) {
    return r->method.len == 0 && r->url.len == 0 && r->header.len == 0 && r->body.len == 0;
}

static inline void mta_put_http_request(mta_writer *w, uint32_t at, const mta_http_request *r) {
    mta_put_str(w, at + 0, r->method);
    mta_put_str(w, at + 8, r->url);
    if (r->header.len != 0) {
        uint32_t off = mta_slots(w, at + 16, r->header.len);
        for (uint32_t i = 0; i < r->header.len; i++) {
            mta_http_field item = mta_http_field_at(r->header, i);
            mta_put_http_field(w, mta_slots(w, off + 8 * i, 2), &item);
        }
    }
    mta_put_str(w, at + 24, r->body);
}

/* HTTPResponse is what came back, whatever its status. */
typedef struct {
    int64_t status;
    mta_http_field_list header;
    mta_str body; /* at most 1 MiB; more is an error */
} mta_http_response;

__attribute__((always_inline)) static inline mta_http_response mta_get_http_response(mta_view v) {
    mta_http_response r = {0};
    r.status = mta_int(v, 0);
    r.header.in = mta_sub(v, 1);
    r.header.len = r.header.in.n;
    r.body = mta_text(v, 2);
    return r;
}

/* MX is where mail for a domain goes. */
typedef struct {
    mta_str_list hosts; /* Hosts are the exchangers in the order in which to try them. Empty means that there is none: see the other fields for the reason. */
    bool null; /* Null: the domain says that it takes no mail (RFC 7505). */
    bool implicit; /* Implicit: there is no MX record, and Hosts is the domain itself. */
    bool loops; /* Loops: this relay is itself the best exchanger, so nothing is left. */
    bool no_domain; /* NoDomain: the name does not exist, or exists without any address. */
} mta_mx;

__attribute__((always_inline)) static inline mta_mx mta_get_mx(mta_view v) {
    mta_mx r = {0};
    r.hosts = mta_get_strs(v, 0);
    r.null = mta_int(v, 1) != 0;
    r.implicit = mta_int(v, 2) != 0;
    r.loops = mta_int(v, 3) != 0;
    r.no_domain = mta_int(v, 4) != 0;
    return r;
}

/* NowResult is the relay's clock. */
typedef struct {
    int64_t time;
} mta_now_result;

__attribute__((always_inline)) static inline mta_now_result mta_get_now_result(mta_view v) {
    mta_now_result r = {0};
    r.time = mta_int(v, 0);
    return r;
}

/* RandomResult has them. */
typedef struct {
    mta_str data;
} mta_random_result;

__attribute__((always_inline)) static inline mta_random_result mta_get_random_result(mta_view v) {
    mta_random_result r = {0};
    r.data = mta_text(v, 0);
    return r;
}

/* KVGetResult is its value. */
typedef struct {
    bool found;
    mta_str value;
} mta_kv_get_result;

__attribute__((always_inline)) static inline mta_kv_get_result mta_get_kv_get_result(mta_view v) {
    mta_kv_get_result r = {0};
    r.found = mta_int(v, 0) != 0;
    r.value = mta_text(v, 1);
    return r;
}

/* KVSwapResult tells whether it was done. */
typedef struct {
    bool swapped;
} mta_kv_swap_result;

__attribute__((always_inline)) static inline mta_kv_swap_result mta_get_kv_swap_result(mta_view v) {
    mta_kv_swap_result r = {0};
    r.swapped = mta_int(v, 0) != 0;
    return r;
}

/* KVAddResult is the counter's new value. */
typedef struct {
    int64_t value;
} mta_kv_add_result;

__attribute__((always_inline)) static inline mta_kv_add_result mta_get_kv_add_result(mta_view v) {
    mta_kv_add_result r = {0};
    r.value = mta_int(v, 0);
    return r;
}

/* LookupResult has the records; none: no such name or record. */
typedef struct {
    mta_str_list values;
} mta_lookup_result;

__attribute__((always_inline)) static inline mta_lookup_result mta_get_lookup_result(mta_view v) {
    mta_lookup_result r = {0};
    r.values = mta_get_strs(v, 0);
    return r;
}

/* MXResult tells. */
typedef struct {
    mta_mx mx;
} mta_mx_result;

__attribute__((always_inline)) static inline mta_mx_result mta_get_mx_result(mta_view v) {
    mta_mx_result r = {0};
    r.mx = mta_get_mx(mta_sub(v, 0));
    return r;
}

/* HTTPResult is what came back. */
typedef struct {
    mta_http_response response;
} mta_http_result;

__attribute__((always_inline)) static inline mta_http_result mta_get_http_result(mta_view v) {
    mta_http_result r = {0};
    r.response = mta_get_http_response(mta_sub(v, 0));
    return r;
}

/* ReadResult is the piece; empty at the end of the message. */
typedef struct {
    mta_str data;
} mta_read_result;

__attribute__((always_inline)) static inline mta_read_result mta_get_read_result(mta_view v) {
    mta_read_result r = {0};
    r.data = mta_text(v, 0);
    return r;
}

/* HeaderResult has their values, unfolded, from the top. */
typedef struct {
    mta_str_list values;
} mta_header_result;

__attribute__((always_inline)) static inline mta_header_result mta_get_header_result(mta_view v) {
    mta_header_result r = {0};
    r.values = mta_get_strs(v, 0);
    return r;
}

/* SendResult has one outcome for each recipient. */
typedef struct {
    mta_outcome_list outcomes;
} mta_send_result;

__attribute__((always_inline)) static inline mta_send_result mta_get_send_result(mta_view v) {
    mta_send_result r = {0};
    r.outcomes.in = mta_sub(v, 0);
    r.outcomes.len = r.outcomes.in.n;
    return r;
}

/* ---- calls: what a plugin may ask of the relay ---- */

MTA_IMPORT("rest") uint32_t mta1_rest(uint8_t *result, uint32_t capacity);

typedef int64_t (*mta_import)(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

__attribute__((always_inline)) static inline mta_call_code mta_ask(mta_import ask, uint32_t kind, const mta_writer *w, mta_view *v) {
    uint32_t cap = 1024;
    uint8_t *p = mta_alloc(cap);
    uint64_t got = (uint64_t)ask(w->p, w->len, p, cap);
    uint32_t code = (uint32_t)(got >> 32), len = (uint32_t)got;
    v->block = p;
    v->at = v->n = 0;
    if (len > cap) {
        p = mta_alloc(len);
        if (mta1_rest(p, len) != len) code = MTA_CALL_FAILED, len = 0;
    }
    if (code == MTA_CALL_OK && !mta_open(p, len, kind, v)) {
        mta_state.why = mta_cstr("the relay answered with another block");
        return MTA_CALL_FAILED;
    }
    if (code != MTA_CALL_OK) mta_state.why = mta_strn((const char *)p, len);
    return (mta_call_code)code;
}

/* mta_why says why the last call that failed did so. */
static inline mta_str mta_why(void) { return mta_state.why; }

/* mta_log writes one line to the relay's log.
 * level: -4 debug, 0 info, 4 warning, 8 error
 * text: at most 1 KiB is kept */
MTA_IMPORT("log") int64_t mta1_log(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_log_(int64_t level, mta_str text) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 513, 2);
    (void)at;
    mta_put64(w, at + 0, (uint64_t)level);
    mta_put_str(w, at + 8, text);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_log, 769, w, &v);
    return code;
}
#define mta_log(level, text) mta_log_(level, MTA_S(text))

/* mta_now what time it is; without the grant, the time of the event. Its grant: clock. */
MTA_IMPORT("now") int64_t mta1_now(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_now_(mta_now_result *out) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 514, 0);
    (void)at;
    mta_end(w);
    mta_call_code code = mta_ask(mta1_now, 770, w, &v);
    if (out != NULL) *out = mta_get_now_result(v);
    return code;
}
#define mta_now(out) mta_now_(out)

/* mta_random random octets.
 * size: at most 4096 */
MTA_IMPORT("random") int64_t mta1_random(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_random_(int64_t size, mta_random_result *out) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 515, 1);
    (void)at;
    mta_put64(w, at + 0, (uint64_t)size);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_random, 771, w, &v);
    if (out != NULL) *out = mta_get_random_result(v);
    return code;
}
#define mta_random(size, out) mta_random_(size, out)

/* mta_metric adds to a counter or sets a gauge.
 * gauge: set to Value; else add Value */
MTA_IMPORT("metric") int64_t mta1_metric(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_metric_(mta_str name, bool gauge, double value) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 516, 3);
    (void)at;
    mta_put_str(w, at + 0, name);
    mta_put64(w, at + 8, (uint64_t)gauge);
    mta_put_float(w, at + 16, value);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_metric, 772, w, &v);
    return code;
}
#define mta_metric(name, gauge, value) mta_metric_(MTA_S(name), gauge, value)

/* mta_kv_get reads a key. Its grant: kv. */
MTA_IMPORT("kv_get") int64_t mta1_kv_get(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_kv_get_(mta_str key, mta_kv_get_result *out) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 517, 1);
    (void)at;
    mta_put_str(w, at + 0, key);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_kv_get, 773, w, &v);
    if (out != NULL) *out = mta_get_kv_get_result(v);
    return code;
}
#define mta_kv_get(key, out) mta_kv_get_(MTA_S(key), out)

/* mta_kv_set writes a key. Its grant: kv.
 * ttl: 0: for ever */
MTA_IMPORT("kv_set") int64_t mta1_kv_set(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_kv_set_(mta_str key, mta_str value, int64_t ttl) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 518, 3);
    (void)at;
    mta_put_str(w, at + 0, key);
    mta_put_str(w, at + 8, value);
    mta_put64(w, at + 16, (uint64_t)ttl);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_kv_set, 774, w, &v);
    return code;
}
#define mta_kv_set(key, value, ttl) mta_kv_set_(MTA_S(key), MTA_S(value), ttl)

/* mta_kv_swap compare-and-swap. Its grant: kv.
 * has_old: false: the key must be absent
 * has_new: false: the key goes */
MTA_IMPORT("kv_swap") int64_t mta1_kv_swap(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_kv_swap_(mta_str key, bool has_old, mta_str old, bool has_new, mta_str new, int64_t ttl, mta_kv_swap_result *out) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 519, 6);
    (void)at;
    mta_put_str(w, at + 0, key);
    mta_put64(w, at + 8, (uint64_t)has_old);
    mta_put_str(w, at + 16, old);
    mta_put64(w, at + 24, (uint64_t)has_new);
    mta_put_str(w, at + 32, new);
    mta_put64(w, at + 40, (uint64_t)ttl);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_kv_swap, 775, w, &v);
    if (out != NULL) *out = mta_get_kv_swap_result(v);
    return code;
}
#define mta_kv_swap(key, has_old, old, has_new, new, ttl, out) mta_kv_swap_(MTA_S(key), has_old, MTA_S(old), has_new, MTA_S(new), ttl, out)

/* mta_kv_add adds to a counter. Its grant: kv.
 * ttl: counts from the first Add */
MTA_IMPORT("kv_add") int64_t mta1_kv_add(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_kv_add_(mta_str key, int64_t delta, int64_t ttl, mta_kv_add_result *out) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 520, 3);
    (void)at;
    mta_put_str(w, at + 0, key);
    mta_put64(w, at + 8, (uint64_t)delta);
    mta_put64(w, at + 16, (uint64_t)ttl);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_kv_add, 776, w, &v);
    if (out != NULL) *out = mta_get_kv_add_result(v);
    return code;
}
#define mta_kv_add(key, delta, ttl, out) mta_kv_add_(MTA_S(key), delta, ttl, out)

/* mta_kv_delete removes a key. Its grant: kv. */
MTA_IMPORT("kv_delete") int64_t mta1_kv_delete(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_kv_delete_(mta_str key) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 521, 1);
    (void)at;
    mta_put_str(w, at + 0, key);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_kv_delete, 777, w, &v);
    return code;
}
#define mta_kv_delete(key) mta_kv_delete_(MTA_S(key))

/* mta_lookup asks the DNS. Its grant: dns.
 * kind: A, AAAA, TXT, PTR (name is an IP address) */
MTA_IMPORT("lookup") int64_t mta1_lookup(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_lookup_(mta_str kind, mta_str name, mta_lookup_result *out) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 522, 2);
    (void)at;
    mta_put_str(w, at + 0, kind);
    mta_put_str(w, at + 8, name);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_lookup, 778, w, &v);
    if (out != NULL) *out = mta_get_lookup_result(v);
    return code;
}
#define mta_lookup(kind, name, out) mta_lookup_(MTA_S(kind), MTA_S(name), out)

/* mta_find_mx asks where mail for a domain goes. Its grant: dns. */
MTA_IMPORT("mx") int64_t mta1_mx(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_find_mx_(mta_str domain, mta_mx_result *out) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 523, 1);
    (void)at;
    mta_put_str(w, at + 0, domain);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_mx, 779, w, &v);
    if (out != NULL) *out = mta_get_mx_result(v);
    return code;
}
#define mta_find_mx(domain, out) mta_find_mx_(MTA_S(domain), out)

/* mta_http makes one HTTP request. Its grant: http. */
MTA_IMPORT("http") int64_t mta1_http(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_http_(const mta_http_request *request, mta_http_result *out) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 524, 1);
    (void)at;
    if (!mta_zero_http_request(&(*request))) mta_put_http_request(w, mta_slots(w, at + 0, 4), &(*request));
    mta_end(w);
    mta_call_code code = mta_ask(mta1_http, 780, w, &v);
    if (out != NULL) *out = mta_get_http_result(v);
    return code;
}
#define mta_http(request, out) mta_http_(request, out)

/* mta_read reads a piece of the message; without the grant, of its header as far as it goes. Its grant: body.
 * size: at most 256 KiB */
MTA_IMPORT("read") int64_t mta1_read(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_read_(int64_t offset, int64_t size, mta_read_result *out) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 525, 2);
    (void)at;
    mta_put64(w, at + 0, (uint64_t)offset);
    mta_put64(w, at + 8, (uint64_t)size);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_read, 781, w, &v);
    if (out != NULL) *out = mta_get_read_result(v);
    return code;
}
#define mta_read(offset, size, out) mta_read_(offset, size, out)

/* mta_header finds the header fields of one name. Its grant: headers.
 * name: in any case */
MTA_IMPORT("header") int64_t mta1_header(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_header_(mta_str name, mta_header_result *out) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 526, 1);
    (void)at;
    mta_put_str(w, at + 0, name);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_header, 782, w, &v);
    if (out != NULL) *out = mta_get_header_result(v);
    return code;
}
#define mta_header(name, out) mta_header_(MTA_S(name), out)

/* mta_send delivers with the relay's own SMTP client. Its grant: send.
 * from: the reverse-path */
MTA_IMPORT("send") int64_t mta1_send(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

static inline mta_call_code mta_send_(const mta_route *route, mta_recipient_list recipients, mta_str from, bool lmtp, mta_send_result *out) {
    mta_writer writer, *w = &writer;
    mta_view v;
    uint32_t at = mta_begin(w, 527, 4);
    (void)at;
    if (!mta_zero_route(&(*route))) mta_put_route(w, mta_slots(w, at + 0, 10), &(*route));
    if (recipients.len != 0) {
        uint32_t off = mta_slots(w, at + 8, recipients.len);
        for (uint32_t i = 0; i < recipients.len; i++) {
            mta_recipient item = mta_recipient_at(recipients, i);
            mta_put_recipient(w, mta_slots(w, off + 8 * i, 4), &item);
        }
    }
    mta_put_str(w, at + 16, from);
    mta_put64(w, at + 24, (uint64_t)lmtp);
    mta_end(w);
    mta_call_code code = mta_ask(mta1_send, 783, w, &v);
    if (out != NULL) *out = mta_get_send_result(v);
    return code;
}
#define mta_send(route, recipients, from, lmtp, out) mta_send_(route, recipients, MTA_S(from), lmtp, out)

/* ---- what a plugin says of itself ---- */

typedef struct {
    const char *name;
    const char *version;
    const char *needs; /* grants without which it cannot work: "kv dns" */
    const char *wants; /* grants without which it can do less */
    const char *connect; /* before the banner */
    const char *helo; /* EHLO/HELO, again after STARTTLS */
    const char *auth; /* credentials presented */
    const char *mail; /* MAIL FROM */
    const char *rcpt; /* each RCPT TO; nobody accepts: 550 5.7.1 */
    const char *predata; /* DATA/BDAT asked for, before 354 */
    const char *data; /* whole message received, before 250 */
    const char *route; /* per recipient, at each attempt */
    const char *deliver; /* a group of recipients of one message for one route */
    const char *outcome; /* after an attempt, before it is settled */
    const char *bounce; /* a DSN is about to be made */
    const char *disconnect; /* session over; report only */
} mta_description;

static inline mta_str mta_words(mta_str json, const char *key, const char *words);

static inline mta_str mta_describe_json(const mta_description *d) {
    mta_str hooks = mta_strn(NULL, 0);
    hooks = mta_words(hooks, "connect", d->connect);
    hooks = mta_words(hooks, "helo", d->helo);
    hooks = mta_words(hooks, "auth", d->auth);
    hooks = mta_words(hooks, "mail", d->mail);
    hooks = mta_words(hooks, "rcpt", d->rcpt);
    hooks = mta_words(hooks, "predata", d->predata);
    hooks = mta_words(hooks, "data", d->data);
    hooks = mta_words(hooks, "route", d->route);
    hooks = mta_words(hooks, "deliver", d->deliver);
    hooks = mta_words(hooks, "outcome", d->outcome);
    hooks = mta_words(hooks, "bounce", d->bounce);
    hooks = mta_words(hooks, "disconnect", d->disconnect);
    mta_str out = mta_join("{\"abi\":1,\"name\":\"", d->name, "\",\"version\":\"", d->version, "\",\"hooks\":{", mta_cut(hooks, 1), "}");
    out = mta_words(out, "needs", d->needs);
    out = mta_words(out, "wants", d->wants);
    return mta_join(out, "}");
}

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

/* ---- answers ---- */

static inline mta_answer mta_continue(void) {
    mta_answer a = {0};
    return a;
}

static inline mta_answer mta_act(mta_action action, mta_str enhanced, mta_str text) {
    mta_answer a = {0};
    a.action = action;
    a.reply.enhanced = enhanced;
    a.reply.text = text;
    return a;
}

/* mta_accept says yes, and nobody else is asked. */
static inline mta_answer mta_accept(void) { return mta_act(MTA_ACCEPT, mta_strn(NULL, 0), mta_strn(NULL, 0)); }

/* A refusal: an RFC 3463 code such as "5.7.1", and a text; both may be "". */
#define mta_reject(enhanced, text) mta_act(MTA_REJECT, MTA_S(enhanced), MTA_S(text))
#define mta_defer(enhanced, text) mta_act(MTA_DEFER, MTA_S(enhanced), MTA_S(text))
#define mta_disconnect(text) mta_act(MTA_DISCONNECT, MTA_S(""), MTA_S(text))

/* mta_discard and mta_hold take the reason, which goes to log and trace. */
static inline mta_answer mta_because(mta_action action, mta_str reason) {
    mta_answer a = {0};
    a.action = action;
    a.reason = reason;
    return a;
}
#define mta_discard(reason) mta_because(MTA_DISCARD, MTA_S(reason))
#define mta_hold(reason) mta_because(MTA_HOLD, MTA_S(reason))

/* mta_broken: the plugin cannot answer; on_error of the configuration decides. */
static inline mta_answer mta_broken_(mta_str text) {
    mta_answer a = {0};
    a.error = text;
    return a;
}
#define mta_broken(text) mta_broken_(MTA_S(text))

/* The edits are added to the list of an answer: &answer.edits. */
static inline void mta_edit_(mta_edit_list *l, mta_op op, mta_str name, mta_str value, int64_t index) {
    mta_edit e = {0};
    e.op = op;
    e.name = name;
    e.value = value;
    e.index = index;
    mta_edit_add(l, e);
}
#define mta_note(edits, key, value) mta_edit_(edits, MTA_OP_NOTE, MTA_S(key), MTA_S(value), 0)
#define mta_set_sender(edits, addr) mta_edit_(edits, MTA_OP_SET_SENDER, MTA_S(""), MTA_S(addr), 0)
#define mta_add_recipient(edits, addr) mta_edit_(edits, MTA_OP_ADD_RECIPIENT, MTA_S(""), MTA_S(addr), 0)
#define mta_remove_recipient(edits, addr) mta_edit_(edits, MTA_OP_REMOVE_RECIPIENT, MTA_S(addr), MTA_S(""), 0)
#define mta_replace_recipient(edits, addr, by) mta_edit_(edits, MTA_OP_REPLACE_RECIPIENT, MTA_S(addr), MTA_S(by), 0)
#define mta_prepend_header(edits, name, value) mta_edit_(edits, MTA_OP_PREPEND_HEADER, MTA_S(name), MTA_S(value), 0)
#define mta_append_header(edits, name, value) mta_edit_(edits, MTA_OP_APPEND_HEADER, MTA_S(name), MTA_S(value), 0)
#define mta_replace_header(edits, name, index, value) mta_edit_(edits, MTA_OP_REPLACE_HEADER, MTA_S(name), MTA_S(value), index)
#define mta_remove_header(edits, name, index) mta_edit_(edits, MTA_OP_REMOVE_HEADER, MTA_S(name), MTA_S(""), index)

static inline void mta_replace_body(mta_edit_list *l, mta_str data) {
    mta_edit e = {0};
    e.op = MTA_OP_REPLACE_BODY;
    e.data = data;
    mta_edit_add(l, e);
}

/* ---- short forms of the commonest calls ---- */

#define mta_debug(text) ((void)mta_log(-4, text))
#define mta_info(text) ((void)mta_log(0, text))
#define mta_warn(text) ((void)mta_log(4, text))
#define mta_error(text) ((void)mta_log(8, text))
#define mta_count(name, delta) ((void)mta_metric(name, false, delta))
#define mta_gauge(name, value) ((void)mta_metric(name, true, value))

/* ---- the configuration: JSON ---- */

/* A value in a JSON text, as it stands there. Type is its first octet: { [ " t f
 * n, 0 for a number, and 'x' for none at all. The relay has checked the text. */
typedef struct {
    mta_str raw;
    char type;
} mta_json;

/* mta_json_value cuts the value that *s begins with from it. */
static inline mta_json mta_json_value(mta_str *s) {
    while (s->len > 0 && (*s->ptr == ' ' || *s->ptr == '\n' || *s->ptr == '\r' || *s->ptr == '\t' || *s->ptr == ',' || *s->ptr == ':'))
        *s = mta_cut(*s, 1);
    mta_json v = {*s, 'x'};
    uint32_t n = 0, depth = 0;
    bool quoted = false;
    for (; n < s->len; n++) {
        char c = s->ptr[n];
        if (quoted) {
            if (c == '\\') n++;
            if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
            continue;
        } else if (c == '}' || c == ']') {
            if (depth == 0) break;
            depth--;
        } else if (depth == 0 && (c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ':')) {
            break;
        } else {
            continue;
        }
        if (depth == 0 && !quoted) {
            n++;
            break;
        }
    }
    if (n > s->len) n = s->len;
    v.raw.len = n;
    if (n > 0) {
        char c = *v.raw.ptr;
        v.type = c == '{' || c == '[' || c == '"' || c == 't' || c == 'f' || c == 'n' ? c : 0;
    }
    *s = mta_cut(*s, n);
    return v;
}

/* mta_json_next walks an array or object; at begins as the value itself. In an
 * object it gives key and value in turns. False: that was all. */
static inline bool mta_json_next(mta_json *at, mta_json *value) {
    if (at->type == '{' || at->type == '[') {
        at->raw = mta_cut(at->raw, 1);
        at->type = '.';
    }
    if (at->type != '.') return false;
    *value = mta_json_value(&at->raw);
    return value->type != 'x';
}

static inline uint32_t mta_hex4(mta_str s) {
    uint32_t v = 0;
    for (uint32_t i = 0; i < 4; i++) {
        char c = i < s.len ? mta_lower(s.ptr[i]) : '0';
        v = v << 4 | (uint32_t)(c >= 'a' ? c - 'a' + 10 : c - '0');
    }
    return v & 0xffff;
}

static inline uint32_t mta_utf8(char *p, uint32_t c) {
    if (c < 0x80) {
        p[0] = (char)c;
        return 1;
    }
    uint32_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (uint32_t i = n - 1; i > 0; i--, c >>= 6) p[i] = (char)(0x80 | (c & 0x3f));
    p[0] = (char)((0xf0 << (4 - n)) | c);
    return n;
}

/* mta_json_str is the text of a string; empty for anything else. */
static inline mta_str mta_json_str(mta_json v) {
    if (v.type != '"' || v.raw.len < 2) return mta_strn(NULL, 0);
    mta_str s = mta_strn(v.raw.ptr + 1, v.raw.len - 2);
    char *p = mta_alloc(s.len);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '\\' && i + 1 < s.len) {
            c = s.ptr[++i];
            if (c == 'u') {
                uint32_t u = mta_hex4(mta_cut(s, i + 1));
                i += 4;
                if (u >= 0xd800 && u < 0xdc00 && i + 6 < s.len && s.ptr[i + 1] == '\\' && s.ptr[i + 2] == 'u') {
                    u = 0x10000 + ((u - 0xd800) << 10) + ((mta_hex4(mta_cut(s, i + 3)) - 0xdc00) & 0x3ff);
                    i += 6;
                }
                n += mta_utf8(p + n, u); /* never longer than its escape */
                continue;
            }
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
        }
        p[n++] = c;
    }
    return mta_strn(p, n);
}

/* mta_json_get is the value of a key of an object. */
static inline mta_json mta_json_get_(mta_json object, mta_str key) {
    mta_json k, v, none = {mta_strn(NULL, 0), 'x'};
    if (object.type != '{') return none;
    while (mta_json_next(&object, &k) && mta_json_next(&object, &v))
        if (mta_eq_(mta_json_str(k), key)) return v;
    return none;
}
#define mta_json_get(object, key) mta_json_get_(object, MTA_S(key))

/* mta_json_num reads a number; false: it is none. */
static inline bool mta_json_num(mta_json v, double *out) {
    if (v.type != 0 || v.raw.len == 0) return false;
    double n = 0, scale = 1;
    bool minus = *v.raw.ptr == '-', fraction = false;
    for (uint32_t i = minus; i < v.raw.len; i++) {
        char c = v.raw.ptr[i];
        if (c == '.' && !fraction) {
            fraction = true;
        } else if (c >= '0' && c <= '9') {
            n = n * 10 + (c - '0');
            if (fraction) scale *= 10;
        } else if ((c == 'e' || c == 'E') && i + 1 < v.raw.len) {
            bool down = v.raw.ptr[i + 1] == '-';
            int e = 0;
            for (i += down || v.raw.ptr[i + 1] == '+' ? 2 : 1; i < v.raw.len && v.raw.ptr[i] >= '0' && v.raw.ptr[i] <= '9'; i++)
                if (e < 400) e = e * 10 + (v.raw.ptr[i] - '0');
            if (i != v.raw.len) return false;
            for (; e > 0; e--) {
                if (down) scale *= 10;
                else n *= 10;
            }
        } else {
            return false;
        }
    }
    *out = (minus ? -n : n) / scale;
    return true;
}

/* mta_duration reads "1h30m", "300ms", "35d" or "0" as nanoseconds; false: it is none. */
static inline bool mta_duration_(mta_str s, int64_t *out) {
    double sum = 0;
    bool minus = mta_starts(s, "-");
    s = mta_cut(s, minus || mta_starts(s, "+"));
    *out = 0;
    if (mta_eq(s, "0")) return true;
    if (s.len == 0) return false;
    while (s.len > 0) {
        uint32_t n = 0;
        while (n < s.len && ((s.ptr[n] >= '0' && s.ptr[n] <= '9') || s.ptr[n] == '.')) n++;
        mta_json number = {mta_strn(s.ptr, n), 0};
        double v, unit;
        if (!mta_json_num(number, &v)) return false;
        s = mta_cut(s, n);
        for (n = 0; n < s.len && !(s.ptr[n] >= '0' && s.ptr[n] <= '9') && s.ptr[n] != '.';) n++;
        mta_str u = mta_strn(s.ptr, n);
        if (mta_eq(u, "w")) unit = 7 * 86400e9;
        else if (mta_eq(u, "d")) unit = 86400e9;
        else if (mta_eq(u, "h")) unit = 3600e9;
        else if (mta_eq(u, "m")) unit = 60e9;
        else if (mta_eq(u, "s")) unit = 1e9;
        else if (mta_eq(u, "ms")) unit = 1e6;
        else if (mta_eq(u, "us") || mta_eq(u, "\xc2\xb5s")) unit = 1e3;
        else if (mta_eq(u, "ns")) unit = 1;
        else return false;
        sum += v * unit;
        s = mta_cut(s, n);
    }
    if (sum > 9.2e18) return false;
    *out = (int64_t)(minus ? -sum : sum);
    return true;
}
#define mta_duration(s, out) mta_duration_(MTA_S(s), out)

/* What MTA_START is given. Its functions take the value of a key into *out, and
 * leave *out as it is when the key is absent. A wrong type, and a key that nobody
 * asked for, are errors that mta_config_end tells of. */
typedef struct {
    mta_str hostname; /* by which the relay calls itself */
    mta_json config;
    mta_str error; /* the first thing that was wrong */
    uint32_t found;
} mta_start;

static inline mta_json mta_config_get(mta_start *s, mta_str key) {
    mta_json v = mta_json_get_(s->config, key);
    if (v.type != 'x') s->found++;
    return v;
}

static inline void mta_config_wrong(mta_start *s, mta_str key, mta_str want) {
    if (s->error.len == 0) s->error = mta_join("config: ", key, ": want ", want);
}

static inline void mta_config_str_(mta_start *s, mta_str key, mta_str *out) {
    mta_json v = mta_config_get(s, key);
    if (v.type == '"') *out = mta_json_str(v);
    else if (v.type != 'x') mta_config_wrong(s, key, mta_cstr("a string"));
}

static inline void mta_config_bool_(mta_start *s, mta_str key, bool *out) {
    mta_json v = mta_config_get(s, key);
    if (v.type == 't' || v.type == 'f') *out = v.type == 't';
    else if (v.type != 'x') mta_config_wrong(s, key, mta_cstr("true or false"));
}

static inline void mta_config_num_(mta_start *s, mta_str key, double *out) {
    mta_json v = mta_config_get(s, key);
    if (v.type != 'x' && !mta_json_num(v, out)) mta_config_wrong(s, key, mta_cstr("a number"));
}

static inline void mta_config_int_(mta_start *s, mta_str key, int64_t *out) {
    mta_json v = mta_config_get(s, key);
    double d = 0;
    if (v.type == 'x') return;
    if (mta_json_num(v, &d) && d >= -9007199254740992.0 && d <= 9007199254740992.0 && d == (double)(int64_t)d) *out = (int64_t)d;
    else mta_config_wrong(s, key, mta_cstr("a whole number"));
}

/* Nanoseconds of "5m". */
static inline void mta_config_duration_(mta_start *s, mta_str key, int64_t *out) {
    mta_json v = mta_config_get(s, key);
    int64_t d;
    if (v.type == 'x') return;
    if (v.type == '"' && mta_duration_(mta_json_str(v), &d)) *out = d;
    else if (s->error.len == 0) s->error = mta_join("config: ", key, ": ", v.raw, " is no duration: write \"5m\", \"36h\" or \"35d\"");
}

static inline void mta_config_strs_(mta_start *s, mta_str key, mta_str_list *out) {
    mta_json v = mta_config_get(s, key), at = v, item;
    uint32_t n = 0;
    if (v.type == 'x') return;
    bool good = v.type == '[';
    while (mta_json_next(&at, &item)) {
        good = good && item.type == '"';
        n++;
    }
    if (!good) {
        mta_config_wrong(s, key, mta_cstr("a list of strings"));
        return;
    }
    mta_str *items = mta_alloc((n + 1) * (uint32_t)sizeof(mta_str));
    for (uint32_t i = 0; i < n && mta_json_next(&v, &item); i++) items[i] = mta_json_str(item);
    out->items = items;
    out->len = n;
}

static inline void mta_config_set_(mta_start *s, mta_str key, mta_set *out) {
    mta_str_list names = {0};
    mta_config_strs_(s, key, &names);
    if (names.items != NULL) *out = mta_set_of(names); /* an empty list has items */
}

#define mta_config_str(s, key, out) mta_config_str_(s, MTA_S(key), out)
#define mta_config_bool(s, key, out) mta_config_bool_(s, MTA_S(key), out)
#define mta_config_num(s, key, out) mta_config_num_(s, MTA_S(key), out)
#define mta_config_int(s, key, out) mta_config_int_(s, MTA_S(key), out)
#define mta_config_duration(s, key, out) mta_config_duration_(s, MTA_S(key), out)
#define mta_config_strs(s, key, out) mta_config_strs_(s, MTA_S(key), out)
#define mta_config_set(s, key, out) mta_config_set_(s, MTA_S(key), out)

/* mta_config_end is empty, or what was wrong. Known are all keys, for people:
 * "delay, keep". */
static inline mta_str mta_config_end_(mta_start *s, mta_str known) {
    mta_json at = s->config, k, v;
    uint32_t keys = 0;
    while (mta_json_next(&at, &k) && mta_json_next(&at, &v)) {
        keys++;
        mta_str key = mta_json_str(k);
        bool found = false;
        for (mta_str rest = known; rest.len > 0 && !found;) {
            uint32_t n = 0;
            while (n < rest.len && rest.ptr[n] != ',' && rest.ptr[n] != ' ') n++;
            found = n > 0 && mta_eq_(mta_strn(rest.ptr, n), key);
            rest = mta_cut(rest, n + 1);
        }
        if (!found && s->error.len == 0) s->error = mta_join("config: unknown key \"", key, "\"; there are: ", known);
    }
    if (s->error.len == 0 && keys > s->found) s->error = mta_keep("config: a key is there twice");
    return s->error;
}
#define mta_config_end(s, known) mta_config_end_(s, MTA_S(known))

/* ---- the exports that every plugin has ---- */

static inline int64_t mta_at(const void *p, uint32_t low) { return (int64_t)((uint64_t)(uintptr_t)p << 32 | low); }

static inline int64_t mta_fail(mta_str text) {
    if (text.len > 1024) text.len = 1024;
    mta_str s = mta_keep_(text);
    return mta_at(s.ptr, s.len | 0x80000000u);
}

static inline uint8_t *mta_buffer(uint32_t size) {
    if (mta_state.buffer == NULL) {
        mta_state.buffer = mta_state.event;
        mta_state.buffer_size = MTA_BUFFER;
    }
    if (size > (1u << 30)) return NULL;
    if (size > mta_state.buffer_size) {
        uint32_t n = (size + size / 2 + 65535) & ~65535u;
        mta_state.buffer = mta_pages(n);
        mta_state.buffer_size = n;
    }
    return mta_state.buffer;
}

typedef mta_str mta_starter(mta_start *);
static mta_starter *mta_started; /* by MTA_START; NULL: the plugin has none */

static inline int64_t mta_run_start(uint32_t len) {
    mta_reset();
    mta_start s = {0};
    mta_str text = mta_keep_(mta_strn((const char *)mta_state.buffer, len));
    mta_json all = mta_json_value(&text);
    s.hostname = mta_json_str(mta_json_get(all, "hostname"));
    s.config = mta_json_get(all, "config");
    mta_state.name = mta_json_str(mta_json_get(all, "name"));
    if (mta_started != NULL) {
        mta_str error = mta_started(&s);
        if (error.len != 0) return mta_fail(error);
    }
    mta_state.floor = mta_state.chunk;
    mta_state.floor_used = mta_state.used;
    return 0;
}

/* mta_name is the name that the configuration gives the plugin, known from the
 * start on. Its own notes are found by it:
 * mta_note_get(notes, mta_join(mta_name(), ".key")). */
static inline mta_str mta_name(void) { return mta_state.name; }

/* MTA_START(s) { ... } reads the configuration; "" is ready, else why not. */
#define MTA_START(arg)                                 \
    static mta_starter mta_user_start;                 \
    static mta_starter *mta_started = mta_user_start; \
    static mta_str mta_user_start(mta_start *arg)

/* MTA_SELFTEST() { ... } tells whether the plugin is fit for work, as above. */
#define MTA_SELFTEST()                                         \
    static mta_str mta_user_selftest(void);                    \
    MTA_EXPORT("mta1_selftest") int64_t mta1_selftest(void) {  \
        mta_reset();                                           \
        mta_str error = mta_user_selftest();                   \
        return error.len == 0 ? 0 : mta_fail(error);           \
    }                                                          \
    static mta_str mta_user_selftest(void)

/* MTA_STOP() { ... } is called before the instance is closed in good order. */
#define MTA_STOP()                                      \
    static void mta_user_stop(void);                    \
    MTA_EXPORT("mta1_stop") void mta1_stop(void) {      \
        mta_reset();                                    \
        mta_user_stop();                                \
    }                                                   \
    static void mta_user_stop(void)

/* mta_words writes "a b c" as ["a","b","c"] after a key; nothing for NULL. */
static inline mta_str mta_words(mta_str json, const char *key, const char *words) {
    if (words == NULL) return json;
    mta_str out = mta_join(json, ",\"", key, "\":["), rest = mta_cstr(words);
    bool first = true;
    while (rest.len > 0) {
        uint32_t n = 0;
        while (n < rest.len && rest.ptr[n] != ' ') n++;
        if (n > 0) {
            out = mta_join(out, first ? "\"" : ",\"", mta_strn(rest.ptr, n), "\"");
            first = false;
        }
        rest = mta_cut(rest, n + 1);
    }
    return mta_join(out, "]");
}

/* MTA_PLUGIN says what the plugin is: .name, .version, .needs and .wants (grants,
 * "kv dns"), and for each hook the fields that it reads, "session.remote_ip
 * envelope.from"; "*" is all of them. */
#define MTA_PLUGIN(...)                                                      \
    static const mta_description mta_self = {__VA_ARGS__};                   \
    MTA_EXPORT("mta1_buffer") uint8_t *mta1_buffer(uint32_t size) {          \
        return mta_buffer(size);                                             \
    }                                                                        \
    MTA_EXPORT("mta1_describe") int64_t mta1_describe(void) {                \
        mta_reset();                                                         \
        mta_str json = mta_describe_json(&mta_self);                         \
        return mta_at(json.ptr, json.len);                                   \
    }                                                                        \
    MTA_EXPORT("mta1_start") int64_t mta1_start(uint32_t len) {              \
        return mta_run_start(len);                                           \
    }

/* MTA_ON_CONNECT(ev) { ... }: before the banner */
#define MTA_ON_CONNECT(arg) \
    static mta_answer mta_user_connect(const mta_connect_event *arg); \
    MTA_EXPORT("mta1_on_connect") int64_t mta1_on_connect(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 1, &v)) return mta_fail(mta_cstr("this is no block of the event connect")); \
        mta_connect_event e = mta_get_connect_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_answer a = mta_user_connect(&e); \
        return mta_return_answer(&a, 257); \
    } \
    static mta_answer mta_user_connect(const mta_connect_event *arg)

/* MTA_ON_HELO(ev) { ... }: EHLO/HELO, again after STARTTLS */
#define MTA_ON_HELO(arg) \
    static mta_answer mta_user_helo(const mta_helo_event *arg); \
    MTA_EXPORT("mta1_on_helo") int64_t mta1_on_helo(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 2, &v)) return mta_fail(mta_cstr("this is no block of the event helo")); \
        mta_helo_event e = mta_get_helo_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_answer a = mta_user_helo(&e); \
        return mta_return_answer(&a, 258); \
    } \
    static mta_answer mta_user_helo(const mta_helo_event *arg)

/* MTA_ON_AUTH(ev) { ... }: credentials presented */
#define MTA_ON_AUTH(arg) \
    static mta_answer mta_user_auth(const mta_auth_event *arg); \
    MTA_EXPORT("mta1_on_auth") int64_t mta1_on_auth(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 3, &v)) return mta_fail(mta_cstr("this is no block of the event auth")); \
        mta_auth_event e = mta_get_auth_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_answer a = mta_user_auth(&e); \
        return mta_return_answer(&a, 259); \
    } \
    static mta_answer mta_user_auth(const mta_auth_event *arg)

/* MTA_ON_MAIL(ev) { ... }: MAIL FROM */
#define MTA_ON_MAIL(arg) \
    static mta_answer mta_user_mail(const mta_mail_event *arg); \
    MTA_EXPORT("mta1_on_mail") int64_t mta1_on_mail(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 4, &v)) return mta_fail(mta_cstr("this is no block of the event mail")); \
        mta_mail_event e = mta_get_mail_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_answer a = mta_user_mail(&e); \
        return mta_return_answer(&a, 260); \
    } \
    static mta_answer mta_user_mail(const mta_mail_event *arg)

/* MTA_ON_RCPT(ev) { ... }: each RCPT TO; nobody accepts: 550 5.7.1 */
#define MTA_ON_RCPT(arg) \
    static mta_answer mta_user_rcpt(const mta_rcpt_event *arg); \
    MTA_EXPORT("mta1_on_rcpt") int64_t mta1_on_rcpt(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 5, &v)) return mta_fail(mta_cstr("this is no block of the event rcpt")); \
        mta_rcpt_event e = mta_get_rcpt_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_answer a = mta_user_rcpt(&e); \
        return mta_return_answer(&a, 261); \
    } \
    static mta_answer mta_user_rcpt(const mta_rcpt_event *arg)

/* MTA_ON_PREDATA(ev) { ... }: DATA/BDAT asked for, before 354 */
#define MTA_ON_PREDATA(arg) \
    static mta_answer mta_user_predata(const mta_predata_event *arg); \
    MTA_EXPORT("mta1_on_predata") int64_t mta1_on_predata(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 6, &v)) return mta_fail(mta_cstr("this is no block of the event predata")); \
        mta_predata_event e = mta_get_predata_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_answer a = mta_user_predata(&e); \
        return mta_return_answer(&a, 262); \
    } \
    static mta_answer mta_user_predata(const mta_predata_event *arg)

/* MTA_ON_DATA(ev) { ... }: whole message received, before 250 */
#define MTA_ON_DATA(arg) \
    static mta_answer mta_user_data(const mta_data_event *arg); \
    MTA_EXPORT("mta1_on_data") int64_t mta1_on_data(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 7, &v)) return mta_fail(mta_cstr("this is no block of the event data")); \
        mta_data_event e = mta_get_data_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_answer a = mta_user_data(&e); \
        return mta_return_answer(&a, 263); \
    } \
    static mta_answer mta_user_data(const mta_data_event *arg)

/* MTA_ON_ROUTE(ev) { ... }: per recipient, at each attempt */
#define MTA_ON_ROUTE(arg) \
    static mta_route_answer mta_user_route(const mta_route_event *arg); \
    MTA_EXPORT("mta1_on_route") int64_t mta1_on_route(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 8, &v)) return mta_fail(mta_cstr("this is no block of the event route")); \
        mta_route_event e = mta_get_route_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_route_answer a = mta_user_route(&e); \
        return mta_return_route_answer(&a, 264); \
    } \
    static mta_route_answer mta_user_route(const mta_route_event *arg)

/* MTA_ON_DELIVER(ev) { ... }: a group of recipients of one message for one route */
#define MTA_ON_DELIVER(arg) \
    static mta_deliver_answer mta_user_deliver(const mta_deliver_event *arg); \
    MTA_EXPORT("mta1_on_deliver") int64_t mta1_on_deliver(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 9, &v)) return mta_fail(mta_cstr("this is no block of the event deliver")); \
        mta_deliver_event e = mta_get_deliver_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_deliver_answer a = mta_user_deliver(&e); \
        return mta_return_deliver_answer(&a, 265); \
    } \
    static mta_deliver_answer mta_user_deliver(const mta_deliver_event *arg)

/* MTA_ON_OUTCOME(ev) { ... }: after an attempt, before it is settled */
#define MTA_ON_OUTCOME(arg) \
    static mta_outcome_answer mta_user_outcome(const mta_outcome_event *arg); \
    MTA_EXPORT("mta1_on_outcome") int64_t mta1_on_outcome(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 10, &v)) return mta_fail(mta_cstr("this is no block of the event outcome")); \
        mta_outcome_event e = mta_get_outcome_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_outcome_answer a = mta_user_outcome(&e); \
        return mta_return_outcome_answer(&a, 266); \
    } \
    static mta_outcome_answer mta_user_outcome(const mta_outcome_event *arg)

/* MTA_ON_BOUNCE(ev) { ... }: a DSN is about to be made */
#define MTA_ON_BOUNCE(arg) \
    static mta_bounce_answer mta_user_bounce(const mta_bounce_event *arg); \
    MTA_EXPORT("mta1_on_bounce") int64_t mta1_on_bounce(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 11, &v)) return mta_fail(mta_cstr("this is no block of the event bounce")); \
        mta_bounce_event e = mta_get_bounce_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_bounce_answer a = mta_user_bounce(&e); \
        return mta_return_bounce_answer(&a, 267); \
    } \
    static mta_bounce_answer mta_user_bounce(const mta_bounce_event *arg)

/* MTA_ON_DISCONNECT(ev) { ... }: session over; report only */
#define MTA_ON_DISCONNECT(arg) \
    static void mta_user_disconnect(const mta_disconnect_event *arg); \
    MTA_EXPORT("mta1_on_disconnect") int64_t mta1_on_disconnect(uint32_t len) { \
        mta_view v; \
        mta_reset(); \
        if (!mta_open(mta_state.buffer, len, 12, &v)) return mta_fail(mta_cstr("this is no block of the event disconnect")); \
        mta_disconnect_event e = mta_get_disconnect_event(v); \
        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \
        mta_user_disconnect(&e);                                                  \
        return 0; \
    } \
    static void mta_user_disconnect(const mta_disconnect_event *arg)

#endif
