/* What selfcheck.c, which is generated, needs to show and to fill values. */
#include "mta.h"

#define SHOW __attribute__((noinline, unused)) static

static inline void show_line(mta_str path, mta_str value) { mta_info(mta_join(path, "=", value)); }

/* Octets that are no printable ASCII are written as \xNN, and at most 200 of a
 * value are shown, behind its length. */
static inline void show_str(mta_str path, mta_str s) {
    static const char hex[] = "0123456789abcdef";
    uint32_t shown = s.len < 200 ? s.len : 200, n = 0;
    char *p = mta_alloc(4 * shown + 1);
    for (uint32_t i = 0; i < shown; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            p[n++] = (char)c;
            continue;
        }
        p[n++] = '\\';
        p[n++] = 'x';
        p[n++] = hex[c >> 4];
        p[n++] = hex[c & 15];
    }
    show_line(path, mta_join(mta_itoa(s.len), ":", mta_strn(p, n)));
}

static inline void show_int(mta_str path, int64_t v) { show_line(path, mta_itoa(v)); }

static inline void show_notes(mta_str path, mta_notes notes) {
    for (uint32_t i = 0; i < notes.len; i++) show_str(mta_join(path, ".", mta_note_key(notes, i)), mta_note_value(notes, i));
}

static inline mta_str_list fill_strs(mta_str path) {
    mta_str *items = mta_alloc(3 * sizeof(mta_str));
    for (uint32_t i = 0; i < 3; i++) items[i] = mta_join(path, ".", mta_itoa(i));
    return (mta_str_list){.items = items, .len = 3};
}
