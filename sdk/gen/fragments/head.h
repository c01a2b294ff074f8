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
