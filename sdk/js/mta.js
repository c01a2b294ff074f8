// Code generated from the types of the sdk and sdk/gen/fragments by sdk/gen; DO NOT EDIT.

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

const MINOR = 1;

const Notify = { __proto__: null, "NEVER": 1, "SUCCESS": 2, "FAILURE": 4, "DELAY": 8 };

const Action = { __proto__: null, "continue": 0, "accept": 1, "defer": 2, "reject": 3, "disconnect": 4, "discard": 5, "hold": 6 };
const ActionNames = [];
for (const k in Action) ActionNames[Action[k]] = k;

const Op = { __proto__: null, "note": 1, "set-sender": 2, "add-recipient": 3, "remove-recipient": 4, "replace-recipient": 5, "prepend-header": 6, "append-header": 7, "replace-header": 8, "remove-header": 9, "replace-body": 10 };
const OpNames = [];
for (const k in Op) OpNames[Op[k]] = k;

const RouteAction = { __proto__: null, "continue": 0, "use": 1, "defer": 2, "fail": 3, "hold": 4 };
const RouteActionNames = [];
for (const k in RouteAction) RouteActionNames[RouteAction[k]] = k;

const Status = { __proto__: null, "none": 0, "delivered": 1, "deferred": 2, "failed": 3 };
const StatusNames = [];
for (const k in Status) StatusNames[Status[k]] = k;

const DSNKind = { __proto__: null, "failed": 1, "delayed": 2, "success": 3 };
const DSNKindNames = [];
for (const k in DSNKind) DSNKindNames[DSNKind[k]] = k;

const CallCode = { __proto__: null, "ok": 0, "not granted": 1, "invalid": 2, "limit": 3, "timeout": 4, "temporary": 5, "failed": 6, "not allowed here": 7 };
const CallCodeNames = [];
for (const k in CallCode) CallCodeNames[CallCode[k]] = k;
const CODES = CallCodeNames;

class Session extends View {
  static fields = ["id", "profile", "local_addr", "remote_ip", "remote_port", "remote_name", "helo", "protocol", "tls", "login", "started", "notes"];
  get id() { const w = this.a + 0; return u32[w + 1] === 0 ? "" : text(w); }
  get profile() { const w = this.a + 2; return u32[w + 1] === 0 ? "" : text(w); }
  get local_addr() { const w = this.a + 4; return u32[w + 1] === 0 ? "" : text(w); }
  get remote_ip() { const w = this.a + 6; return u32[w + 1] === 0 ? "" : text(w); }
  get remote_port() { return int(this.a + 8); }
  get remote_name() { const w = this.a + 10; return u32[w + 1] === 0 ? "" : text(w); }
  get helo() { const w = this.a + 12; return u32[w + 1] === 0 ? "" : text(w); }
  get protocol() { const w = this.a + 14; return u32[w + 1] === 0 ? "" : text(w); }
  get tls() { const w = this.a + 16; return u32[w + 1] === 0 ? "" : text(w); }
  get login() { const w = this.a + 18; return u32[w + 1] === 0 ? "" : text(w); }
  get started() { return millis(this.a + 20); }
  get notes() { return notes(this.a + 22); }
}

class Recipient extends View {
  static fields = ["addr", "orig", "notify", "orcpt"];
  get addr() { const w = this.a + 0; return u32[w + 1] === 0 ? "" : text(w); }
  get orig() { const w = this.a + 2; return u32[w + 1] === 0 ? "" : text(w); }
  get notify() { return flags(u32[this.a + 4], Notify); }
  get orcpt() { const w = this.a + 6; return u32[w + 1] === 0 ? "" : text(w); }
}

const keysRecipient = { __proto__: null, addr: true, orig: true, notify: true, orcpt: true };
function putRecipient(at, v) {
  putString(at + 0, v.addr, "addr");
  putString(at + 2, v.orig, "orig");
  putFlags(at + 4, v.notify, "notify", Notify);
  putString(at + 6, v.orcpt, "orcpt");
}
function checkedRecipient(at, v) {
  known(v, keysRecipient, "recipient");
  putRecipient(at, v);
}

class Envelope extends View {
  static fields = ["id", "from", "recipients", "size", "body", "smtputf8", "require_tls", "ret", "env_id", "arrived", "origin", "notes"];
  get id() { const w = this.a + 0; return u32[w + 1] === 0 ? "" : text(w); }
  get from() { const w = this.a + 2; return u32[w + 1] === 0 ? "" : text(w); }
  get recipients() { return views(this.a + 4, Recipient); }
  get size() { return int(this.a + 6); }
  get body() { const w = this.a + 8; return u32[w + 1] === 0 ? "" : text(w); }
  get smtputf8() { return u32[this.a + 10] !== 0; }
  get require_tls() { return u32[this.a + 12] !== 0; }
  get ret() { const w = this.a + 14; return u32[w + 1] === 0 ? "" : text(w); }
  get env_id() { const w = this.a + 16; return u32[w + 1] === 0 ? "" : text(w); }
  get arrived() { return millis(this.a + 18); }
  get origin() { let v = this.s10; if (v === undefined) Object.defineProperty(this, "s10", { value: v = new Origin() }); v.a = (u32[this.a + 20] >>> 2) || ZERO; return v; }
  get notes() { return notes(this.a + 22); }
}

class Origin extends View {
  static fields = ["ip", "name", "helo", "protocol", "login", "profile"];
  get ip() { const w = this.a + 0; return u32[w + 1] === 0 ? "" : text(w); }
  get name() { const w = this.a + 2; return u32[w + 1] === 0 ? "" : text(w); }
  get helo() { const w = this.a + 4; return u32[w + 1] === 0 ? "" : text(w); }
  get protocol() { const w = this.a + 6; return u32[w + 1] === 0 ? "" : text(w); }
  get login() { const w = this.a + 8; return u32[w + 1] === 0 ? "" : text(w); }
  get profile() { const w = this.a + 10; return u32[w + 1] === 0 ? "" : text(w); }
}

class Message extends View {
  static fields = ["id", "size"];
  get id() { const w = this.a + 0; return u32[w + 1] === 0 ? "" : text(w); }
  get size() { return int(this.a + 2); }
}

class Reply extends View {
  static fields = ["code", "enhanced", "text"];
  get code() { return int(this.a + 0); }
  get enhanced() { const w = this.a + 2; return u32[w + 1] === 0 ? "" : text(w); }
  get text() { const w = this.a + 4; return u32[w + 1] === 0 ? "" : text(w); }
}

function gotReply(w) {
  return {
    code: gotInt(w + 0),
    enhanced: gotString(w + 2),
    text: gotString(w + 4),
  };
}

const keysReply = { __proto__: null, code: true, enhanced: true, text: true };
function putReply(at, v) {
  putInt(at + 0, v.code, "code");
  putString(at + 2, v.enhanced, "enhanced");
  putString(at + 4, v.text, "text");
}
function checkedReply(at, v) {
  known(v, keysReply, "reply");
  putReply(at, v);
}

const keysAnswer = { __proto__: null, action: true, reply: true, code: true, enhanced: true, text: true, reason: true, edits: true, identity: true, recipients: true };
function putAnswer(at, v) {
  putEnum(at + 0, v.action, "action", Action);
  const reply = v.reply === undefined ? v : v.reply;
  if (reply.code || reply.enhanced || reply.text) putReply(slots(at + 2, 3), reply);
  putString(at + 4, v.reason, "reason");
  putList(at + 6, v.edits, "edits", 5, checkedEdit);
  putString(at + 8, v.identity, "identity");
  putList(at + 10, v.recipients, "recipients", 3, checkedVerdict);
}
function checkedAnswer(at, v) {
  known(v, keysAnswer, "answer");
  putAnswer(at, v);
}

const keysVerdict = { __proto__: null, action: true, reply: true, code: true, enhanced: true, text: true, reason: true };
function putVerdict(at, v) {
  putEnum(at + 0, v.action, "action", Action);
  const reply = v.reply === undefined ? v : v.reply;
  if (reply.code || reply.enhanced || reply.text) putReply(slots(at + 2, 3), reply);
  putString(at + 4, v.reason, "reason");
}
function checkedVerdict(at, v) {
  known(v, keysVerdict, "verdict");
  putVerdict(at, v);
}

const keysEdit = { __proto__: null, op: true, name: true, value: true, index: true, data: true };
function putEdit(at, v) {
  putEnum(at + 0, v.op, "op", Op);
  putString(at + 2, v.name, "name");
  putString(at + 4, v.value, "value");
  putInt(at + 6, v.index, "index");
  putBytes(at + 8, v.data, "data");
}
function checkedEdit(at, v) {
  known(v, keysEdit, "edit");
  putEdit(at, v);
}

const keysRouteAnswer = { __proto__: null, action: true, route: true, reply: true, code: true, enhanced: true, text: true, reason: true, not_before: true };
function putRouteAnswer(at, v) {
  putEnum(at + 0, v.action, "action", RouteAction);
  if (v.route !== undefined && v.route !== null) {
    known(v.route, keysRoute, "route");
    putRoute(slots(at + 2, 10), v.route);
  }
  const reply = v.reply === undefined ? v : v.reply;
  if (reply.code || reply.enhanced || reply.text) putReply(slots(at + 4, 3), reply);
  putString(at + 6, v.reason, "reason");
  putMillis(at + 8, v.not_before, "not_before");
}
function checkedRouteAnswer(at, v) {
  known(v, keysRouteAnswer, "routeAnswer");
  putRouteAnswer(at, v);
}

class Route extends View {
  static fields = ["via", "hosts", "mx", "tls", "source", "pool", "key", "user", "password_file", "rule"];
  get via() { const w = this.a + 0; return u32[w + 1] === 0 ? "" : text(w); }
  get hosts() { return strings(this.a + 2); }
  get mx() { return u32[this.a + 4] !== 0; }
  get tls() { const w = this.a + 6; return u32[w + 1] === 0 ? "" : text(w); }
  get source() { const w = this.a + 8; return u32[w + 1] === 0 ? "" : text(w); }
  get pool() { const w = this.a + 10; return u32[w + 1] === 0 ? "" : text(w); }
  get key() { const w = this.a + 12; return u32[w + 1] === 0 ? "" : text(w); }
  get user() { const w = this.a + 14; return u32[w + 1] === 0 ? "" : text(w); }
  get password_file() { const w = this.a + 16; return u32[w + 1] === 0 ? "" : text(w); }
  get rule() { const w = this.a + 18; return u32[w + 1] === 0 ? "" : text(w); }
}

const keysRoute = { __proto__: null, via: true, hosts: true, mx: true, tls: true, source: true, pool: true, key: true, user: true, password_file: true, rule: true };
function putRoute(at, v) {
  putString(at + 0, v.via, "via");
  putStrings(at + 2, v.hosts, "hosts");
  putBool(at + 4, v.mx);
  putString(at + 6, v.tls, "tls");
  putString(at + 8, v.source, "source");
  putString(at + 10, v.pool, "pool");
  putString(at + 12, v.key, "key");
  putString(at + 14, v.user, "user");
  putString(at + 16, v.password_file, "password_file");
  putString(at + 18, v.rule, "rule");
}
function checkedRoute(at, v) {
  known(v, keysRoute, "route");
  putRoute(at, v);
}

class Outcome extends View {
  static fields = ["status", "reply", "remote", "tls", "remote_reply", "dsn_relayed", "maybe_duplicate", "unreachable", "setup", "transfer", "hold"];
  get status() { return StatusNames[u32[this.a + 0]]; }
  get reply() { let v = this.s1; if (v === undefined) Object.defineProperty(this, "s1", { value: v = new Reply() }); v.a = (u32[this.a + 2] >>> 2) || ZERO; return v; }
  get remote() { const w = this.a + 4; return u32[w + 1] === 0 ? "" : text(w); }
  get tls() { const w = this.a + 6; return u32[w + 1] === 0 ? "" : text(w); }
  get remote_reply() { return u32[this.a + 8] !== 0; }
  get dsn_relayed() { return u32[this.a + 10] !== 0; }
  get maybe_duplicate() { return u32[this.a + 12] !== 0; }
  get unreachable() { return u32[this.a + 14] !== 0; }
  get setup() { return int(this.a + 16) / 1e6; }
  get transfer() { return int(this.a + 18) / 1e6; }
  get hold() { return u32[this.a + 20] !== 0; }
}

function gotOutcome(w) {
  return {
    status: StatusNames[r32[w + 0]],
    reply: gotReply(r32[w + 2] >>> 2),
    remote: gotString(w + 4),
    tls: gotString(w + 6),
    remote_reply: r32[w + 8] !== 0,
    dsn_relayed: r32[w + 10] !== 0,
    maybe_duplicate: r32[w + 12] !== 0,
    unreachable: r32[w + 14] !== 0,
    setup: gotInt(w + 16) / 1e6,
    transfer: gotInt(w + 18) / 1e6,
    hold: r32[w + 20] !== 0,
  };
}

const keysOutcome = { __proto__: null, status: true, reply: true, code: true, enhanced: true, text: true, remote: true, tls: true, remote_reply: true, dsn_relayed: true, maybe_duplicate: true, unreachable: true, setup: true, transfer: true, hold: true };
function putOutcome(at, v) {
  putEnum(at + 0, v.status, "status", Status);
  const reply = v.reply === undefined ? v : v.reply;
  if (reply.code || reply.enhanced || reply.text) putReply(slots(at + 2, 3), reply);
  putString(at + 4, v.remote, "remote");
  putString(at + 6, v.tls, "tls");
  putBool(at + 8, v.remote_reply);
  putBool(at + 10, v.dsn_relayed);
  putBool(at + 12, v.maybe_duplicate);
  putBool(at + 14, v.unreachable);
  putMillis(at + 16, v.setup, "setup");
  putMillis(at + 18, v.transfer, "transfer");
  putBool(at + 20, v.hold);
}
function checkedOutcome(at, v) {
  known(v, keysOutcome, "outcome");
  putOutcome(at, v);
}

const keysDeliverAnswer = { __proto__: null, outcomes: true };
function putDeliverAnswer(at, v) {
  putList(at + 0, v.outcomes, "outcomes", 11, checkedOutcome);
}
function checkedDeliverAnswer(at, v) {
  known(v, keysDeliverAnswer, "deliverAnswer");
  putDeliverAnswer(at, v);
}

const keysOutcomeAnswer = { __proto__: null, status: true, delay: true, reply: true, code: true, enhanced: true, text: true, reason: true, hold: true };
function putOutcomeAnswer(at, v) {
  putEnum(at + 0, v.status, "status", Status);
  putMillis(at + 2, v.delay, "delay");
  const reply = v.reply === undefined ? v : v.reply;
  if (reply.code || reply.enhanced || reply.text) putReply(slots(at + 4, 3), reply);
  putString(at + 6, v.reason, "reason");
  putBool(at + 8, v.hold);
}
function checkedOutcomeAnswer(at, v) {
  known(v, keysOutcomeAnswer, "outcomeAnswer");
  putOutcomeAnswer(at, v);
}

const keysBounceAnswer = { __proto__: null, suppress: true, reason: true, edits: true, defer: true, hold: true };
function putBounceAnswer(at, v) {
  putBool(at + 0, v.suppress);
  putString(at + 2, v.reason, "reason");
  putList(at + 4, v.edits, "edits", 5, checkedEdit);
  putBool(at + 6, v.defer);
  putBool(at + 8, v.hold);
}
function checkedBounceAnswer(at, v) {
  known(v, keysBounceAnswer, "bounceAnswer");
  putBounceAnswer(at, v);
}

class ConnectEvent extends View {
  static fields = ["session"];
  get session() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Session() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
}

class HeloEvent extends View {
  static fields = ["session", "extended"];
  get session() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Session() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
  get extended() { return u32[this.a + 2] !== 0; }
}

class AuthEvent extends View {
  static fields = ["session", "mechanism", "username", "password", "authz_id"];
  get session() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Session() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
  get mechanism() { const w = this.a + 2; return u32[w + 1] === 0 ? "" : text(w); }
  get username() { const w = this.a + 4; return u32[w + 1] === 0 ? "" : text(w); }
  get password() { const w = this.a + 6; return u32[w + 1] === 0 ? "" : text(w); }
  get authz_id() { const w = this.a + 8; return u32[w + 1] === 0 ? "" : text(w); }
}

class MailEvent extends View {
  static fields = ["session", "envelope"];
  get session() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Session() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
  get envelope() { let v = this.s1; if (v === undefined) Object.defineProperty(this, "s1", { value: v = new Envelope() }); v.a = (u32[this.a + 2] >>> 2) || ZERO; return v; }
}

class RcptEvent extends View {
  static fields = ["session", "envelope", "recipient"];
  get session() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Session() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
  get envelope() { let v = this.s1; if (v === undefined) Object.defineProperty(this, "s1", { value: v = new Envelope() }); v.a = (u32[this.a + 2] >>> 2) || ZERO; return v; }
  get recipient() { let v = this.s2; if (v === undefined) Object.defineProperty(this, "s2", { value: v = new Recipient() }); v.a = (u32[this.a + 4] >>> 2) || ZERO; return v; }
}

class PredataEvent extends View {
  static fields = ["session", "envelope"];
  get session() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Session() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
  get envelope() { let v = this.s1; if (v === undefined) Object.defineProperty(this, "s1", { value: v = new Envelope() }); v.a = (u32[this.a + 2] >>> 2) || ZERO; return v; }
}

class DataEvent extends View {
  static fields = ["session", "envelope", "message"];
  get session() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Session() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
  get envelope() { let v = this.s1; if (v === undefined) Object.defineProperty(this, "s1", { value: v = new Envelope() }); v.a = (u32[this.a + 2] >>> 2) || ZERO; return v; }
  get message() { let v = this.s2; if (v === undefined) Object.defineProperty(this, "s2", { value: v = new Message() }); v.a = (u32[this.a + 4] >>> 2) || ZERO; return v; }
}

class RouteEvent extends View {
  static fields = ["envelope", "recipient", "attempt", "last"];
  get envelope() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Envelope() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
  get recipient() { let v = this.s1; if (v === undefined) Object.defineProperty(this, "s1", { value: v = new Recipient() }); v.a = (u32[this.a + 2] >>> 2) || ZERO; return v; }
  get attempt() { return int(this.a + 4); }
  get last() { let v = this.s3; if (v === undefined) Object.defineProperty(this, "s3", { value: v = new Outcome() }); v.a = (u32[this.a + 6] >>> 2) || ZERO; return v; }
}

class DeliverEvent extends View {
  static fields = ["envelope", "message", "recipients", "route", "attempt"];
  get envelope() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Envelope() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
  get message() { let v = this.s1; if (v === undefined) Object.defineProperty(this, "s1", { value: v = new Message() }); v.a = (u32[this.a + 2] >>> 2) || ZERO; return v; }
  get recipients() { return views(this.a + 4, Recipient); }
  get route() { let v = this.s3; if (v === undefined) Object.defineProperty(this, "s3", { value: v = new Route() }); v.a = (u32[this.a + 6] >>> 2) || ZERO; return v; }
  get attempt() { return int(this.a + 8); }
}

class OutcomeEvent extends View {
  static fields = ["envelope", "recipient", "route", "attempt", "outcome", "next"];
  get envelope() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Envelope() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
  get recipient() { let v = this.s1; if (v === undefined) Object.defineProperty(this, "s1", { value: v = new Recipient() }); v.a = (u32[this.a + 2] >>> 2) || ZERO; return v; }
  get route() { let v = this.s2; if (v === undefined) Object.defineProperty(this, "s2", { value: v = new Route() }); v.a = (u32[this.a + 4] >>> 2) || ZERO; return v; }
  get attempt() { return int(this.a + 6); }
  get outcome() { let v = this.s4; if (v === undefined) Object.defineProperty(this, "s4", { value: v = new Outcome() }); v.a = (u32[this.a + 8] >>> 2) || ZERO; return v; }
  get next() { return millis(this.a + 10); }
}

class BounceEvent extends View {
  static fields = ["envelope", "kind", "recipients", "outcomes", "message", "to"];
  get envelope() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Envelope() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
  get kind() { return DSNKindNames[u32[this.a + 2]]; }
  get recipients() { return views(this.a + 4, Recipient); }
  get outcomes() { return views(this.a + 6, Outcome); }
  get message() { let v = this.s4; if (v === undefined) Object.defineProperty(this, "s4", { value: v = new Message() }); v.a = (u32[this.a + 8] >>> 2) || ZERO; return v; }
  get to() { const w = this.a + 10; return u32[w + 1] === 0 ? "" : text(w); }
}

class DisconnectEvent extends View {
  static fields = ["session", "messages", "reason"];
  get session() { let v = this.s0; if (v === undefined) Object.defineProperty(this, "s0", { value: v = new Session() }); v.a = (u32[this.a + 0] >>> 2) || ZERO; return v; }
  get messages() { return int(this.a + 2); }
  get reason() { const w = this.a + 4; return u32[w + 1] === 0 ? "" : text(w); }
}

const keysHTTPRequest = { __proto__: null, method: true, url: true, header: true, body: true };
function putHTTPRequest(at, v) {
  putString(at + 0, v.method, "method");
  putString(at + 2, v.url, "url");
  putList(at + 4, v.header, "header", 2, checkedHTTPField);
  putBytes(at + 6, v.body, "body");
}
function checkedHTTPRequest(at, v) {
  known(v, keysHTTPRequest, "hTTPRequest");
  putHTTPRequest(at, v);
}

function gotHTTPResponse(w) {
  return {
    status: gotInt(w + 0),
    header: gotList(w + 2, gotHTTPField),
    body: gotBytes(w + 4),
  };
}

function gotHTTPField(w) {
  return {
    name: gotString(w + 0),
    value: gotString(w + 2),
  };
}

const keysHTTPField = { __proto__: null, name: true, value: true };
function putHTTPField(at, v) {
  putString(at + 0, v.name, "name");
  putString(at + 2, v.value, "value");
}
function checkedHTTPField(at, v) {
  known(v, keysHTTPField, "hTTPField");
  putHTTPField(at, v);
}

function gotMX(w) {
  return {
    hosts: gotStrings(w + 0),
    null: r32[w + 2] !== 0,
    implicit: r32[w + 4] !== 0,
    loops: r32[w + 6] !== 0,
    no_domain: r32[w + 8] !== 0,
  };
}

const keysLogCall = { __proto__: null, level: true, text: true };
function putLogCall(at, v) {
  putInt(at + 0, v.level, "level");
  putString(at + 2, v.text, "text");
}
function checkedLogCall(at, v) {
  known(v, keysLogCall, "logCall");
  putLogCall(at, v);
}

function gotLogResult(w) {
  return {
  };
}

const keysNowCall = { __proto__: null };
function putNowCall(at, v) {
}
function checkedNowCall(at, v) {
  known(v, keysNowCall, "nowCall");
  putNowCall(at, v);
}

function gotNowResult(w) {
  return {
    time: gotMillis(w + 0),
  };
}

const keysRandomCall = { __proto__: null, size: true };
function putRandomCall(at, v) {
  putInt(at + 0, v.size, "size");
}
function checkedRandomCall(at, v) {
  known(v, keysRandomCall, "randomCall");
  putRandomCall(at, v);
}

function gotRandomResult(w) {
  return {
    data: gotBytes(w + 0),
  };
}

const keysMetricCall = { __proto__: null, name: true, gauge: true, value: true };
function putMetricCall(at, v) {
  putString(at + 0, v.name, "name");
  putBool(at + 2, v.gauge);
  putFloat(at + 4, v.value, "value");
}
function checkedMetricCall(at, v) {
  known(v, keysMetricCall, "metricCall");
  putMetricCall(at, v);
}

function gotMetricResult(w) {
  return {
  };
}

const keysKVGetCall = { __proto__: null, key: true };
function putKVGetCall(at, v) {
  putString(at + 0, v.key, "key");
}
function checkedKVGetCall(at, v) {
  known(v, keysKVGetCall, "kVGetCall");
  putKVGetCall(at, v);
}

function gotKVGetResult(w) {
  return {
    found: r32[w + 0] !== 0,
    value: gotBytes(w + 2),
  };
}

const keysKVSetCall = { __proto__: null, key: true, value: true, ttl: true };
function putKVSetCall(at, v) {
  putString(at + 0, v.key, "key");
  putBytes(at + 2, v.value, "value");
  putMillis(at + 4, v.ttl, "ttl");
}
function checkedKVSetCall(at, v) {
  known(v, keysKVSetCall, "kVSetCall");
  putKVSetCall(at, v);
}

function gotKVSetResult(w) {
  return {
  };
}

const keysKVSwapCall = { __proto__: null, key: true, has_old: true, old: true, has_new: true, new: true, ttl: true };
function putKVSwapCall(at, v) {
  putString(at + 0, v.key, "key");
  putBool(at + 2, v.has_old);
  putBytes(at + 4, v.old, "old");
  putBool(at + 6, v.has_new);
  putBytes(at + 8, v.new, "new");
  putMillis(at + 10, v.ttl, "ttl");
}
function checkedKVSwapCall(at, v) {
  known(v, keysKVSwapCall, "kVSwapCall");
  putKVSwapCall(at, v);
}

function gotKVSwapResult(w) {
  return {
    swapped: r32[w + 0] !== 0,
  };
}

const keysKVAddCall = { __proto__: null, key: true, delta: true, ttl: true };
function putKVAddCall(at, v) {
  putString(at + 0, v.key, "key");
  putInt(at + 2, v.delta, "delta");
  putMillis(at + 4, v.ttl, "ttl");
}
function checkedKVAddCall(at, v) {
  known(v, keysKVAddCall, "kVAddCall");
  putKVAddCall(at, v);
}

function gotKVAddResult(w) {
  return {
    value: gotInt(w + 0),
  };
}

const keysKVDeleteCall = { __proto__: null, key: true };
function putKVDeleteCall(at, v) {
  putString(at + 0, v.key, "key");
}
function checkedKVDeleteCall(at, v) {
  known(v, keysKVDeleteCall, "kVDeleteCall");
  putKVDeleteCall(at, v);
}

function gotKVDeleteResult(w) {
  return {
  };
}

const keysLookupCall = { __proto__: null, kind: true, name: true };
function putLookupCall(at, v) {
  putString(at + 0, v.kind, "kind");
  putString(at + 2, v.name, "name");
}
function checkedLookupCall(at, v) {
  known(v, keysLookupCall, "lookupCall");
  putLookupCall(at, v);
}

function gotLookupResult(w) {
  return {
    values: gotStrings(w + 0),
  };
}

const keysMXCall = { __proto__: null, domain: true };
function putMXCall(at, v) {
  putString(at + 0, v.domain, "domain");
}
function checkedMXCall(at, v) {
  known(v, keysMXCall, "mXCall");
  putMXCall(at, v);
}

function gotMXResult(w) {
  return {
    mx: gotMX(r32[w + 0] >>> 2),
  };
}

const keysHTTPCall = { __proto__: null, request: true };
function putHTTPCall(at, v) {
  if (v.request !== undefined && v.request !== null) {
    known(v.request, keysHTTPRequest, "request");
    putHTTPRequest(slots(at + 0, 4), v.request);
  }
}
function checkedHTTPCall(at, v) {
  known(v, keysHTTPCall, "hTTPCall");
  putHTTPCall(at, v);
}

function gotHTTPResult(w) {
  return {
    response: gotHTTPResponse(r32[w + 0] >>> 2),
  };
}

const keysReadCall = { __proto__: null, offset: true, size: true };
function putReadCall(at, v) {
  putInt(at + 0, v.offset, "offset");
  putInt(at + 2, v.size, "size");
}
function checkedReadCall(at, v) {
  known(v, keysReadCall, "readCall");
  putReadCall(at, v);
}

function gotReadResult(w) {
  return {
    data: gotBytes(w + 0),
  };
}

const keysHeaderCall = { __proto__: null, name: true };
function putHeaderCall(at, v) {
  putString(at + 0, v.name, "name");
}
function checkedHeaderCall(at, v) {
  known(v, keysHeaderCall, "headerCall");
  putHeaderCall(at, v);
}

function gotHeaderResult(w) {
  return {
    values: gotStrings(w + 0),
  };
}

const keysSendCall = { __proto__: null, route: true, recipients: true, from: true, lmtp: true };
function putSendCall(at, v) {
  if (v.route !== undefined && v.route !== null) {
    known(v.route, keysRoute, "route");
    putRoute(slots(at + 0, 10), v.route);
  }
  putList(at + 2, v.recipients, "recipients", 4, checkedRecipient);
  putString(at + 4, v.from, "from");
  putBool(at + 6, v.lmtp);
}
function checkedSendCall(at, v) {
  known(v, keysSendCall, "sendCall");
  putSendCall(at, v);
}

function gotSendResult(w) {
  return {
    outcomes: gotList(w + 0, gotOutcome),
  };
}

const HOOKS = {
  __proto__: null,
  connect: { event: ConnectEvent, kind: 257, plain: Action, encode: (r) => answered(r, 257, 6, keysAnswer, putAnswer, Action) },
  helo: { event: HeloEvent, kind: 258, plain: Action, encode: (r) => answered(r, 258, 6, keysAnswer, putAnswer, Action) },
  auth: { event: AuthEvent, kind: 259, plain: Action, encode: (r) => answered(r, 259, 6, keysAnswer, putAnswer, Action) },
  mail: { event: MailEvent, kind: 260, plain: Action, encode: (r) => answered(r, 260, 6, keysAnswer, putAnswer, Action) },
  rcpt: { event: RcptEvent, kind: 261, plain: Action, encode: (r) => answered(r, 261, 6, keysAnswer, putAnswer, Action) },
  predata: { event: PredataEvent, kind: 262, plain: Action, encode: (r) => answered(r, 262, 6, keysAnswer, putAnswer, Action) },
  data: { event: DataEvent, kind: 263, plain: Action, encode: (r) => answered(r, 263, 6, keysAnswer, putAnswer, Action) },
  route: { event: RouteEvent, kind: 264, plain: RouteAction, encode: (r) => answered(r, 264, 5, keysRouteAnswer, putRouteAnswer, RouteAction) },
  deliver: { event: DeliverEvent, kind: 265, plain: null, encode: (r) => answered(r, 265, 1, keysDeliverAnswer, putDeliverAnswer, null) },
  outcome: { event: OutcomeEvent, kind: 266, plain: null, encode: (r) => answered(r, 266, 5, keysOutcomeAnswer, putOutcomeAnswer, null) },
  bounce: { event: BounceEvent, kind: 267, plain: null, encode: (r) => answered(r, 267, 5, keysBounceAnswer, putBounceAnswer, null) },
  disconnect: { event: DisconnectEvent, kind: 268, plain: null, encode: () => 0 },
};

const CALL_LOG = 1;
const CALL_NOW = 2;
const CALL_RANDOM = 3;
const CALL_METRIC = 4;
const CALL_KV_GET = 5;
const CALL_KV_SET = 6;
const CALL_KV_SWAP = 7;
const CALL_KV_ADD = 8;
const CALL_KV_DELETE = 9;
const CALL_LOOKUP = 10;
const CALL_MX = 11;
const CALL_HTTP = 12;
const CALL_READ = 13;
const CALL_HEADER = 14;
const CALL_SEND = 15;

function asked_log(v) {
  putLogCall(begin(513, 2), v);
  ask(1, "log");
  return gotLogResult(6);
}
function asked_now(v) {
  putNowCall(begin(514, 0), v);
  ask(2, "now");
  return gotNowResult(6);
}
function asked_random(v) {
  putRandomCall(begin(515, 1), v);
  ask(3, "random");
  return gotRandomResult(6);
}
function asked_metric(v) {
  putMetricCall(begin(516, 3), v);
  ask(4, "metric");
  return gotMetricResult(6);
}
function asked_kv_get(v) {
  putKVGetCall(begin(517, 1), v);
  ask(5, "kv_get");
  return gotKVGetResult(6);
}
function asked_kv_set(v) {
  putKVSetCall(begin(518, 3), v);
  ask(6, "kv_set");
  return gotKVSetResult(6);
}
function asked_kv_swap(v) {
  putKVSwapCall(begin(519, 6), v);
  ask(7, "kv_swap");
  return gotKVSwapResult(6);
}
function asked_kv_add(v) {
  putKVAddCall(begin(520, 3), v);
  ask(8, "kv_add");
  return gotKVAddResult(6);
}
function asked_kv_delete(v) {
  putKVDeleteCall(begin(521, 1), v);
  ask(9, "kv_delete");
  return gotKVDeleteResult(6);
}
function asked_lookup(v) {
  putLookupCall(begin(522, 2), v);
  ask(10, "lookup");
  return gotLookupResult(6);
}
function asked_mx(v) {
  putMXCall(begin(523, 1), v);
  ask(11, "mx");
  return gotMXResult(6);
}
function asked_http(v) {
  putHTTPCall(begin(524, 1), v);
  ask(12, "http");
  return gotHTTPResult(6);
}
function asked_read(v) {
  putReadCall(begin(525, 2), v);
  ask(13, "read");
  return gotReadResult(6);
}
function asked_header(v) {
  putHeaderCall(begin(526, 1), v);
  ask(14, "header");
  return gotHeaderResult(6);
}
function asked_send(v) {
  putSendCall(begin(527, 4), v);
  ask(15, "send");
  return gotSendResult(6);
}

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
