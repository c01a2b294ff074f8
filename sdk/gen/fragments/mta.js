// The part of the SDK that runs in the engine, below every script.
//
// It is a function of what the adapter of the relay gives it, and gives back
// what the adapter calls. It reads and writes blocks (see the package comment of
// sdk/wire) in three pieces of memory that it shares with the adapter: the inbox
// has the event, the outbox answers and requests, the results what the relay
// answers. Nothing of this is seen by a script but the global "host" and
// "console".
(function (native) {
"use strict";

const { text, resultText, inboxText, decodeOut, put, call, rest, moved, direct, failure, domain } = native;
const MakeFunction = Function;
const ZEROS = 512; // octets behind the inbox that stay 0: what absent records read

// ---- memory -------------------------------------------------------------

let u8, u32, i32, f64, i64, ZERO; // the inbox
let o8, o32, of64, oi64, pos; // the outbox; where its content ends
let r8, r32, ri32, rf64, ri64; // results
let hostname = "", ownName = "";

function inbox(size) {
  size = (size + 7) & ~7;
  const b = new ArrayBuffer(size + ZEROS);
  u8 = new Uint8Array(b);
  u32 = new Uint32Array(b);
  i32 = new Int32Array(b);
  f64 = new Float64Array(b);
  i64 = new BigInt64Array(b);
  ZERO = size >>> 2;
  moved(0, b);
}

function outbox(size) {
  const b = new ArrayBuffer((size + 7) & ~7);
  const was = o8;
  o8 = new Uint8Array(b);
  o32 = new Uint32Array(b);
  of64 = new Float64Array(b);
  oi64 = new BigInt64Array(b);
  if (was !== undefined) o8.set(was);
  moved(1, b);
}

function results(size) {
  const b = new ArrayBuffer((size + 7) & ~7);
  r8 = new Uint8Array(b);
  r32 = new Uint32Array(b);
  ri32 = new Int32Array(b);
  rf64 = new Float64Array(b);
  ri64 = new BigInt64Array(b);
  moved(2, b);
}

inbox(65536);
outbox(16384);
results(16384);

// ---- writing ------------------------------------------------------------

const MAX = 33554432;

function need(end) {
  if (end > o8.length) {
    if (end > MAX) throw new RangeError("more than 32 MiB for the relay");
    outbox(Math.max(end, 2 * o8.length));
  }
}

function begin(kind, n) {
  pos = 24 + 8 * n;
  o32.fill(0, 0, 6 + 2 * n);
  o32[1] = n;
  o32[2] = kind | (MINOR << 16);
  return 6; // places are in words of four octets
}

function end() {
  o32[0] = pos;
  return pos;
}

function slots(at, n) {
  const place = (pos + 7) & ~7;
  pos = place + 8 * n;
  need(pos);
  o32.fill(0, place >>> 2, pos >>> 2);
  o32[at] = place;
  o32[at + 1] = n;
  return place >>> 2;
}

function putString(at, v, name) {
  if (typeof v !== "string") {
    if (v === undefined || v === null) return;
    if (typeof v !== "number" && typeof v !== "boolean") throw new TypeError(name + " is not a string");
    v = String(v);
  }
  if (v === "") return;
  let n = put(v, pos);
  if (n < 0) {
    need(pos - n);
    n = put(v, pos);
  }
  o32[at] = pos;
  o32[at + 1] = n;
  pos += n;
}

function putBytes(at, v, name) {
  if (v === undefined || v === null) return;
  if (typeof v === "string") return putString(at, v, name);
  if (!(v instanceof Uint8Array)) throw new TypeError(name + " is neither a string nor a Uint8Array");
  if (v.length === 0) return;
  need(pos + v.length);
  o8.set(v, pos);
  o32[at] = pos;
  o32[at + 1] = v.length;
  pos += v.length;
}

function putBool(at, v) {
  if (v) o32[at] = 1;
}

function putInt(at, v, name) {
  if (v === undefined || v === null) return;
  if (typeof v === "bigint") {
    oi64[at >>> 1] = v;
    return;
  }
  if (!Number.isSafeInteger(v)) throw new TypeError(name + " is not a whole number");
  if (v >= 0 && v < 4294967296) o32[at] = v;
  else oi64[at >>> 1] = BigInt(v);
}

function putFloat(at, v, name) {
  if (v === undefined || v === null) return;
  if (typeof v !== "number") throw new TypeError(name + " is not a number");
  of64[at >>> 1] = v;
}

function putMillis(at, v, name) {
  if (v === undefined || v === null) return;
  if (v instanceof Date) v = v.getTime();
  if (typeof v === "string") v = duration(v);
  if (!Number.isFinite(v)) throw new TypeError(name + " is no number of milliseconds");
  const whole = Math.floor(v);
  oi64[at >>> 1] = BigInt(whole) * 1000000n + BigInt(Math.round((v - whole) * 1e6));
}

function putEnum(at, v, name, values) {
  if (v === undefined || v === null) return;
  const n = typeof v === "number" ? v : values[v];
  if (n === undefined) throw new TypeError(name + ": there is no " + JSON.stringify(v) + "; there is: " + Object.keys(values).join(", "));
  o32[at] = n;
}

function putFlags(at, v, name, values) {
  if (v === undefined || v === null || v === "") return;
  let n = 0;
  if (typeof v === "number") n = v;
  else for (const word of v.split(",")) {
    if (values[word] === undefined) throw new TypeError(name + ": there is no " + JSON.stringify(word));
    n |= values[word];
  }
  o32[at] = n;
}

function putStrings(at, v, name) {
  if (v === undefined || v === null) return;
  if (!Array.isArray(v)) throw new TypeError(name + " is not a list");
  if (v.length === 0) return;
  const list = slots(at, v.length);
  for (let i = 0; i < v.length; i++) putString(list + 2 * i, v[i], name);
}

function putNotes(at, v, name) {
  if (v === undefined || v === null) return;
  const keys = Object.keys(v).sort();
  if (keys.length === 0) return;
  const list = slots(at, 2 * keys.length);
  for (let i = 0; i < keys.length; i++) {
    putString(list + 4 * i, keys[i], name);
    putString(list + 4 * i + 2, v[keys[i]], name);
  }
}

function putList(at, v, name, n, record) {
  if (v === undefined || v === null) return;
  if (!Array.isArray(v)) throw new TypeError(name + " is not a list");
  if (v.length === 0) return;
  const list = slots(at, v.length);
  for (let i = 0; i < v.length; i++) record(slots(list + 2 * i, n), v[i]);
}

function known(v, keys, what) {
  if (v === null || typeof v !== "object") throw new TypeError(what + " is no object");
  if (v instanceof View) return;
  for (const k of Object.keys(v)) if (!keys[k]) throw new TypeError(what + " has no " + JSON.stringify(k) + "; it has: " + Object.keys(keys).join(", "));
}

// ---- reading ------------------------------------------------------------

/** A record of the event. It is read when it is asked, and good until the hook returns. */
class View {
  constructor() {
    Object.defineProperty(this, "a", { value: 0, writable: true });
  }
  toJSON() {
    return shown(this);
  }
}

function shown(v) {
  const all = {};
  for (const name of v.constructor.fields) {
    const x = v[name];
    if (x === "" || x === 0 || x === false || x === undefined) continue;
    if (x instanceof View) {
      const inner = shown(x);
      if (Object.keys(inner).length) all[name] = inner;
    } else if (Array.isArray(x)) {
      if (x.length) all[name] = x.map((e) => (e instanceof View ? shown(e) : e));
    } else if (typeof x === "object") {
      if (Object.keys(x).length) all[name] = x;
    } else all[name] = x;
  }
  return all;
}

function int(w) {
  return i32[w + 1] * 4294967296 + u32[w];
}

function millis(w) {
  return u32[w] === 0 && u32[w + 1] === 0 ? 0 : Number(i64[w >>> 1] / 1000n) / 1000;
}

function strings(w) {
  const n = u32[w + 1], list = [];
  for (let i = 0, at = u32[w] >>> 2; i < n; i++, at += 2) list.push(u32[at + 1] === 0 ? "" : text(at));
  return list;
}

function notes(w) {
  const all = { __proto__: null }, list = strings(w);
  for (let i = 0; i + 1 < list.length; i += 2) all[list[i]] = list[i + 1];
  return all;
}

function views(w, Kind) {
  const n = u32[w + 1], list = [];
  for (let i = 0, at = u32[w] >>> 2; i < n; i++, at += 2) {
    const v = new Kind();
    v.a = u32[at] >>> 2;
    list.push(v);
  }
  return list;
}

function flags(n, values) {
  const words = [];
  for (const word in values) if (n & values[word]) words.push(word);
  return words.join(",");
}

// Results are read at once: the next call writes over them.

function gotString(w) {
  return r32[w + 1] === 0 ? "" : resultText(w);
}

function gotInt(w) {
  return ri32[w + 1] * 4294967296 + r32[w];
}

function gotMillis(w) {
  return r32[w] === 0 && r32[w + 1] === 0 ? 0 : Number(ri64[w >>> 1] / 1000n) / 1000;
}

function gotBytes(w) {
  return r8.slice(r32[w], r32[w] + r32[w + 1]);
}

function gotStrings(w) {
  const n = r32[w + 1], list = [];
  for (let i = 0, at = r32[w] >>> 2; i < n; i++, at += 2) list.push(gotString(at));
  return list;
}

function gotList(w, record) {
  const n = r32[w + 1], list = [];
  for (let i = 0, at = r32[w] >>> 2; i < n; i++, at += 2) list.push(record(r32[at] >>> 2, r32[at + 1]));
  return list;
}

/*GENERATED*/

// ---- the relay ----------------------------------------------------------

/** Why a call of the relay failed. */
class HostError extends Error {
  constructor(name, code, reason) {
    super(name + ": " + code + (reason ? ": " + reason : ""));
    this.call = name;
    this.code = code;
    this.reason = reason;
  }
}
Object.defineProperty(HostError.prototype, "name", { value: "HostError" });

function ask(number, name) {
  settled(call(number, end()), name);
}

/** Reads what a call has given, and throws when it has failed. */
function settled(r, name) {
  let code = 0;
  if (r < 0) {
    r = -r;
    code = r >>> 24;
    r &= 0xffffff;
  }
  if (r > r8.length) {
    results(r);
    rest();
  }
  if (code !== 0) throw new HostError(name, CODES[code] || "unknown", r ? resultBytes(r) : "");
}

function resultBytes(n) {
  need(n);
  o8.set(r8.subarray(0, n));
  return decodeOut(0, n);
}

function encode(s) {
  let n = put(s, 0);
  if (n < 0) {
    need(-n);
    n = put(s, 0);
  }
  return o8.slice(0, n);
}

function decode(b) {
  if (!(b instanceof Uint8Array)) throw new TypeError("decode takes a Uint8Array");
  need(b.length);
  o8.set(b);
  return decodeOut(0, b.length);
}

const UNITS = { __proto__: null, h: 3600000, m: 60000, s: 1000, ms: 1, us: 0.001, ns: 0.000001 };

function duration(s) {
  if (s === "0") return 0;
  let total = 0, rest = s;
  while (rest !== "") {
    const m = /^(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|ns)/.exec(rest);
    if (m === null) break;
    total += Number(m[1]) * UNITS[m[2]];
    rest = rest.slice(m[0].length);
  }
  if (rest !== "" || s === "") throw new TypeError(JSON.stringify(s) + ' is no time; write "90s", "5m", "1h30m"');
  return total;
}

// A decision of the functions below is a list: a third of the price of an object.
// To freeze it would cost as much as the hook; mta.d.ts says that it is to be
// returned as it is.

const host = {
  get name() { return ownName; },
  get hostname() { return hostname; },
  accept() { return "accept"; },
  reject(enhanced, text, reason) { return ["reject", enhanced, text, reason]; },
  defer(enhanced, text, reason) { return ["defer", enhanced, text, reason]; },
  disconnect(enhanced, text, reason) { return ["disconnect", enhanced, text, reason]; },
  discard(reason) { return ["discard", undefined, undefined, reason]; },
  hold(reason) { return ["hold", undefined, undefined, reason]; },
  noted(name, value) { return { edits: [{ op: "note", name, value }] }; },
  eventTime() { return millis(4); },
  now() {
    const r = direct(CALL_NOW);
    if (r === null) settled(failure(), "now");
    return r;
  },
  log(line, level) {
    if (typeof line !== "string") line = String(line);
    const r = direct(CALL_LOG, line, level);
    if (r === undefined) asked_log({ text: line, level: level === undefined ? 0 : level });
    else if (r === null) settled(failure(), "log");
  },
  random(size) { return asked_random({ size }).data; },
  count(name, delta) {
    const r = direct(CALL_METRIC, name, delta);
    if (r === undefined) asked_metric({ name, value: delta === undefined ? 1 : delta });
    else if (r === null) settled(failure(), "metric");
  },
  gauge(name, value) {
    const r = direct(CALL_METRIC, name, value, 1);
    if (r === undefined) asked_metric({ name, value, gauge: true });
    else if (r === null) settled(failure(), "metric");
  },
  kvGet(key) {
    const r = direct(CALL_KV_GET, key);
    if (r === undefined) {
      const r = asked_kv_get({ key });
      return r.found ? decode(r.value) : null;
    }
    if (r === null) settled(failure(), "kv_get");
    return r === false ? null : r;
  },
  kvGetBytes(key) {
    const r = asked_kv_get({ key });
    return r.found ? r.value : null;
  },
  kvSet(key, value, ttl) {
    const r = direct(CALL_KV_SET, key, value, ttl);
    if (r === undefined) asked_kv_set({ key, value, ttl });
    else if (r === null) settled(failure(), "kv_set");
  },
  kvSwap(key, old, value, ttl) {
    const r = direct(CALL_KV_SWAP, key, old, value, ttl);
    if (r === undefined) {
      const has_old = old !== null && old !== undefined, has_new = value !== null && value !== undefined;
      return asked_kv_swap({ key, has_old, old, has_new, new: value, ttl }).swapped;
    }
    if (r === null) settled(failure(), "kv_swap");
    return r;
  },
  kvAdd(key, delta, ttl) {
    const r = direct(CALL_KV_ADD, key, delta, ttl);
    if (r === undefined) return asked_kv_add({ key, delta: delta === undefined ? 1 : delta, ttl }).value;
    if (r === null) settled(failure(), "kv_add");
    return r;
  },
  kvDelete(key) {
    const r = direct(CALL_KV_DELETE, key);
    if (r === undefined) asked_kv_delete({ key });
    else if (r === null) settled(failure(), "kv_delete");
  },
  lookup(kind, name) { return asked_lookup({ kind, name }).values; },
  mx(domain) { return asked_mx({ domain }).mx; },
  http(request) { return asked_http({ request: typeof request === "string" ? { url: request } : request }).response; },
  read(offset, size) { return asked_read({ offset, size }).data; },
  header(name) { return asked_header({ name }).values; },
  send(what) { return asked_send(what).outcomes; },
  domain,
  encode,
  decode,
  duration,
  HostError,
};

function line(values) {
  return values.map((v) => {
    if (typeof v === "string") return v;
    if (v instanceof Error) return explain(v);
    try {
      const s = JSON.stringify(v);
      return s === undefined ? String(v) : s;
    } catch (e) {
      return String(v);
    }
  }).join(" ");
}

const console = {
  log(...values) { host.log(line(values)); },
  info(...values) { host.log(line(values)); },
  debug(...values) { host.log(line(values), -4); },
  warn(...values) { host.log(line(values), 4); },
  error(...values) { host.log(line(values), 8); },
};

// What is random is asked of the relay, so that a replay finds it again.
Math.random = function () {
  const b = host.random(7);
  return ((b[0] & 31) * 281474976710656 + b[1] * 1099511627776 + b[2] * 4294967296 + b[3] * 16777216 + b[4] * 65536 + b[5] * 256 + b[6]) / 9007199254740992;
};
Object.defineProperty(globalThis, "host", { value: Object.freeze(host), enumerable: true });
Object.defineProperty(globalThis, "console", { value: console, enumerable: true, writable: true, configurable: true });

// Code is what was packed, and nothing else.
function noCode() {
  throw new TypeError("a plugin makes no code while it runs");
}
delete globalThis.eval;
for (const f of [function () {}, async function () {}, function* () {}, async function* () {}]) {
  Object.defineProperty(Object.getPrototypeOf(f), "constructor", { value: noCode });
}
globalThis.Function = noCode;

// ---- the script ---------------------------------------------------------

let script = null, about = {};
let state = 0, value; // of the promise that a hook has given: 0 pending, 1 kept, 2 broken

function explain(e) {
  try {
    return explained(e);
  } catch (again) {
    return "an exception that cannot be shown";
  }
}

function explained(e) {
  if (!(e instanceof Error)) return "it threw " + (typeof e === "string" ? JSON.stringify(e) : String(e));
  const place = /\b(plugin\.js:\d+(?::\d+)?)/.exec(String(e.stack));
  return String(e) + (place === null ? "" : " (" + place[1] + ")");
}

function wait(promise) {
  state = 0;
  promise.then((v) => { state = 1; value = v; }, (e) => { state = 2; value = e; });
}

let finish = null; // what to do with the value of the promise

/** What is given to the adapter when there is a promise: it runs the jobs and calls settle. */
const PENDING = -1;

function settle() {
  const v = value, f = finish;
  value = undefined;
  finish = null;
  if (state === 2) throw v;
  if (state === 0) throw new Error("its promise is still pending, and there is nothing that could settle it: calls of the relay return at once, and there are no timers");
  return f(v);
}

function load(module) {
  script = module;
  about = module.plugin === undefined ? {} : module.plugin;
  if (about === null || typeof about !== "object") throw new TypeError("its export plugin is no object");
  for (const k of Object.keys(about)) {
    if (!["name", "version", "needs", "wants", "hooks", "config"].includes(k)) throw new TypeError("plugin." + k + ": there is no such key; there is: name, version, needs, wants, hooks, config");
  }
}

function describe() {
  const hooks = {};
  for (const k of Object.keys(script)) {
    if (/^on[A-Z]/.test(k)) {
      const name = k.slice(2).toLowerCase();
      if (HOOKS[name] === undefined || "on" + name[0].toUpperCase() + name.slice(1) !== k) throw new TypeError("its export " + k + " is no hook; the hooks are: " + Object.keys(HOOKS).join(", "));
      if (typeof script[k] !== "function") throw new TypeError("its export " + k + " is no function");
      hooks[name] = ["*"];
    }
  }
  for (const name of Object.keys(about.hooks || {})) {
    if (hooks[name] === undefined) throw new TypeError("plugin.hooks names " + name + ", and there is no export on" + name[0].toUpperCase() + name.slice(1));
    hooks[name] = about.hooks[name];
  }
  return JSON.stringify({ abi: MINOR, name: about.name, version: about.version, needs: about.needs, wants: about.wants, hooks });
}

function start(length) {
  const all = JSON.parse(inboxText(length));
  hostname = all.hostname;
  ownName = all.name;
  let config = all.config;
  if (about.config !== undefined) {
    for (const k of Object.keys(config)) {
      if (!Object.hasOwn(about.config, k)) throw new TypeError("config: unknown key " + JSON.stringify(k) + "; there is: " + Object.keys(about.config).join(", "));
    }
    config = { ...about.config, ...config };
  }
  return done(script.start, config);
}

function done(f, config) {
  if (f === undefined) return 0;
  if (typeof f !== "function") throw new TypeError("one of its exports start, selftest, stop is no function");
  const r = f(config, host);
  if (!(r instanceof Promise)) return 0;
  finish = () => 0;
  wait(r);
  return PENDING;
}

/**
 * The function that the adapter calls for a hook. Strings that the plugin has
 * named among its fields come as arguments, ready made: paths are their places,
 * "session.remote_ip,recipient.addr". whole names the records of which nothing
 * else is sent.
 */
function on(name, paths, whole) {
  const f = script["on" + name[0].toUpperCase() + name.slice(1)];
  const event = new HOOKS[name].event();
  event.a = 6;
  const names = [], objects = [], found = { __proto__: null };
  const at = (path) => {
    if (path === "") return event;
    if (found[path] !== undefined) return found[path];
    const cut = path.lastIndexOf(".");
    const parent = at(cut < 0 ? "" : path.slice(0, cut)), key = path.slice(cut + 1);
    const v = parent[key];
    v.a = ZERO;
    if (whole.split(",").includes(path)) Object.defineProperty(parent, key, { value: v });
    return (found[path] = v);
  };
  const args = [], stores = [];
  for (const path of paths === "" ? [] : paths.split(",")) {
    const cut = path.lastIndexOf("."), key = path.slice(cut + 1);
    const o = at(cut < 0 ? "" : path.slice(0, cut));
    Object.defineProperty(o, key, { value: "", writable: true, enumerable: true });
    if (!objects.includes(o)) objects.push(o);
    args.push("v" + args.length);
    stores.push("o" + objects.indexOf(o) + "." + key + " = " + args[args.length - 1] + ";");
  }
  const source = stores.join(" ") + " return f(event);";
  return MakeFunction(...objects.map((_, i) => "o" + i), "f", "event",
    "return function (" + args.join(", ") + ") { " + source + " };")(...objects, f, event);
}

/** The encoder of what a hook gives, unless the adapter can read it by itself. */
function answer(name) {
  const { encode } = HOOKS[name];
  return (r) => {
    if (!(r instanceof Promise)) return encode(r);
    finish = encode;
    wait(r);
    return PENDING;
  };
}

function answered(r, kind, n, keys, record, plain) {
  if (r === undefined || r === null) return 0;
  if (typeof r === "string" && plain !== null) {
    const action = plain[r];
    if (action === undefined) throw new TypeError("there is no answer " + JSON.stringify(r) + "; there is: " + Object.keys(plain).join(", "));
    return action;
  }
  if (Array.isArray(r)) {
    if (keys.outcomes) r = { outcomes: r };
    else if (typeof r[0] === "string" && r.length === 4) r = { action: r[0], enhanced: r[1], text: r[2], reason: r[3] };
  }
  known(r, keys, "its answer");
  record(begin(kind, n), r);
  return -end();
}

return {
  inbox, load, describe, start, explain, settle, on, answer,
  words: [ActionNames, RouteActionNames, OpNames],
  object: Object.prototype,
  selftest() { return done(script.selftest); },
  stop() { return done(script.stop); },
};
})
