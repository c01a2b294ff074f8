
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

#endif
