import { Rec, View } from "./block";
import * as g from "./gen";
import { eventBlock, fail, recovered, request } from "./run";
import { current } from "./plugin";

let result: usize = heap.alloc(4096); // where results come to
let room: i32 = 4096;
let last: g.CallCode = g.CallCode.OK;

/** take reads the result of a call into v; false: the call has failed. */
function take(name: string, r: i64, v: View): bool {
  last = ((r >> 32) as i32) as g.CallCode;
  const n = r as i32;
  if (n > room) {
    heap.free(result);
    result = heap.alloc(n);
    room = n;
    g.call_rest(result, room);
  }
  if (last == g.CallCode.OK) {
    v.block(result);
    return true;
  }
  const text = String.UTF8.decodeUnsafe(result, n);
  fail(name + ": " + g.callCodeText(last) + (text.length ? ": " + text : ""));
  return false;
}

/**
 * What a plugin may ask of the relay. A call that fails makes the hook fail with
 * its error, unless the plugin takes the error with host.recovered().
 */
export class Host {
  /** The name that the configuration gives this plugin: its notes are NAME.key. */
  get name(): string {
    const p = current;
    return p === null ? "" : p.configuredName;
  }

  /** The name by which the relay calls itself. */
  get hostname(): string {
    const p = current;
    return p === null ? "" : p.hostname;
  }

  /** Why the last call failed; CallCode.OK: it did not. */
  get code(): g.CallCode {
    return last;
  }

  /** Takes back the failure of a call, and gives its text; empty: there is none. */
  recovered(): string {
    return recovered();
  }

  /** The time of the event, in nanoseconds since 1970. */
  get eventTime(): i64 {
    return eventBlock ? load<i64>(eventBlock, 16) : 0;
  }

  /** The relay's clock, in nanoseconds since 1970. Without the grant "clock": the time of the event. */
  now(): i64 {
    const r = request(new g.NowCall(), g.CALL_NOW);
    const v = new g.NowResult();
    return take("now", g.call_now(r.base, r.size, result, room), v) ? v.time : 0;
  }

  /** Writes one line to the relay's log. */
  log(text: string, level: i32 = 0): void {
    const q = new g.LogCall();
    q.level = level;
    q.text = text;
    const r = request(q, g.CALL_LOG);
    take("log", g.call_log(r.base, r.size, result, room), new g.LogResult());
  }

  /** Random octets, at most 4096. */
  random(size: i32): Uint8Array {
    const q = new g.RandomCall();
    q.size = size;
    const r = request(q, g.CALL_RANDOM);
    const v = new g.RandomResult();
    return take("random", g.call_random(r.base, r.size, result, room), v) ? v.data : new Uint8Array(0);
  }

  /** Adds to a counter among the metrics. */
  count(name: string, delta: f64 = 1): void {
    this.metric(name, delta, false);
  }

  /** Sets a value among the metrics. */
  gauge(name: string, value: f64): void {
    this.metric(name, value, true);
  }

  private metric(name: string, value: f64, gauge: bool): void {
    const q = new g.MetricCall();
    q.name = name;
    q.value = value;
    q.gauge = gauge;
    const r = request(q, g.CALL_METRIC);
    take("metric", g.call_metric(r.base, r.size, result, room), new g.MetricResult());
  }

  /** The value of a key in the plugin's own store; null: there is none. Needs "kv". */
  kvGet(key: string): string | null {
    const b = this.kvGetBytes(key);
    return b === null ? null : String.UTF8.decodeUnsafe(b.dataStart, b.length);
  }

  kvGetBytes(key: string): Uint8Array | null {
    const q = new g.KVGetCall();
    q.key = key;
    const r = request(q, g.CALL_KV_GET);
    const v = new g.KVGetResult();
    if (!take("kv_get", g.call_kv_get(r.base, r.size, result, room), v) || !v.found) return null;
    return v.value;
  }

  /** Gives a key a value. A ttl, in nanoseconds, of 0 keeps it for ever. Needs "kv". */
  kvSet(key: string, value: string, ttl: i64 = 0): void {
    this.kvSetBytes(key, bytes(value), ttl);
  }

  kvSetBytes(key: string, value: Uint8Array, ttl: i64 = 0): void {
    const q = new g.KVSetCall();
    q.key = key;
    q.value = value;
    q.ttl = ttl;
    const r = request(q, g.CALL_KV_SET);
    take("kv_set", g.call_kv_set(r.base, r.size, result, room), new g.KVSetResult());
  }

  /** Compare-and-swap: null as old: the key must be absent; null as value: it goes. Needs "kv". */
  kvSwap(key: string, old: string | null, value: string | null, ttl: i64 = 0): bool {
    return this.kvSwapBytes(key, old === null ? null : bytes(old), value === null ? null : bytes(value), ttl);
  }

  kvSwapBytes(key: string, old: Uint8Array | null, value: Uint8Array | null, ttl: i64 = 0): bool {
    const q = new g.KVSwapCall();
    q.key = key;
    q.ttl = ttl;
    if (old !== null) {
      q.has_old = true;
      q.old = old;
    }
    if (value !== null) {
      q.has_new = true;
      q.new_ = value;
    }
    const r = request(q, g.CALL_KV_SWAP);
    const v = new g.KVSwapResult();
    return take("kv_swap", g.call_kv_swap(r.base, r.size, result, room), v) && v.swapped;
  }

  /** Adds to a counter, and gives its new value. The ttl counts from the first time. Needs "kv". */
  kvAdd(key: string, delta: i64, ttl: i64 = 0): i64 {
    const q = new g.KVAddCall();
    q.key = key;
    q.delta = delta;
    q.ttl = ttl;
    const r = request(q, g.CALL_KV_ADD);
    const v = new g.KVAddResult();
    return take("kv_add", g.call_kv_add(r.base, r.size, result, room), v) ? v.value : 0;
  }

  /** Removes a key. Needs "kv". */
  kvDelete(key: string): void {
    const q = new g.KVDeleteCall();
    q.key = key;
    const r = request(q, g.CALL_KV_DELETE);
    take("kv_delete", g.call_kv_delete(r.base, r.size, result, room), new g.KVDeleteResult());
  }

  /** The DNS records of a kind: A, AAAA, TXT, PTR. None: no such name or record. Needs "dns". */
  lookup(kind: string, name: string): string[] {
    const q = new g.LookupCall();
    q.kind = kind;
    q.name = name;
    const r = request(q, g.CALL_LOOKUP);
    const v = new g.LookupResult();
    return take("lookup", g.call_lookup(r.base, r.size, result, room), v) ? v.values : [];
  }

  /** Where mail for a domain goes. Needs "dns". */
  mx(domain: string): g.MX {
    const q = new g.MXCall();
    q.domain = domain;
    const r = request(q, g.CALL_MX);
    const v = new g.MXResult();
    return take("mx", g.call_mx(r.base, r.size, result, room), v) ? g.MX.of(v.mx) : new g.MX();
  }

  /** Makes one request to a host that the grant "http" names. */
  http(what: g.HTTPRequest): g.HTTPResponse {
    const q = new g.HTTPCall();
    q.request = what;
    const r = request(q, g.CALL_HTTP);
    const v = new g.HTTPResult();
    return take("http", g.call_http(r.base, r.size, result, room), v) ? g.HTTPResponse.of(v.response) : new g.HTTPResponse();
  }

  /** A piece of the message, at most 256 KiB; empty at its end. Needs "body". */
  read(offset: i64, size: i32): Uint8Array {
    const q = new g.ReadCall();
    q.offset = offset;
    q.size = size;
    const r = request(q, g.CALL_READ);
    const v = new g.ReadResult();
    return take("read", g.call_read(r.base, r.size, result, room), v) ? v.data : new Uint8Array(0);
  }

  /** The values of the header fields of one name, from the top. Needs "headers". */
  header(name: string): string[] {
    const q = new g.HeaderCall();
    q.name = name;
    const r = request(q, g.CALL_HEADER);
    const v = new g.HeaderResult();
    return take("header", g.call_header(r.base, r.size, result, room), v) ? v.values : [];
  }

  /** Delivers with the relay's own SMTP client: one outcome for each recipient. Needs "send". */
  send(what: g.SendCall): g.Outcome[] {
    const r = request(what, g.CALL_SEND);
    const v = new g.SendResult();
    const out = new Array<g.Outcome>();
    if (!take("send", g.call_send(r.base, r.size, result, room), v)) return out;
    const list = v.outcomes;
    for (let i = 0; i < list.length; i++) out.push(g.Outcome.of(list[i]));
    return out;
  }
}

/** What is behind the last "@" of an address, in lower case; empty: it has none. */
export function domain(address: string): string {
  const from = changetype<usize>(address);
  let i = address.length;
  while (i > 0 && load<u16>(from + (((i - 1) as usize) << 1)) != 0x40) i--;
  if (i == 0) return "";
  const n = ((address.length - i) as usize) << 1;
  const to = __new(n, idof<string>());
  const rest = from + ((i as usize) << 1);
  for (let k: usize = 0; k < n; k += 2) {
    let c = load<u16>(rest + k) as u32;
    if (c - 0x41 < 26) c |= 0x20;
    else if (c >= 0x80) return address.substring(i).toLowerCase();
    store<u16>(to + k, c as u16);
  }
  return changetype<string>(to);
}

/** The relay. */
export const host = new Host();

function bytes(s: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(s));
}
