// Puts off the first attempt of a sender that was not seen before (RFC 6647), as
// plugins/greylist does: the same configuration, and the same records in the
// store, so that one can take the place of the other.

import { Action, Answer, CallCode, Config, defer, duration, fail, host, next, plugin, RcptEvent } from "../../assembly";
import { Network, parse, show } from "./address";
import { sha256 } from "./sha256";
export * from "../../assembly/exports";

const SECOND: i64 = 1000000000;
const DAY: i64 = 86400;

let delay: i64 = 0; // before which a new triplet is put off, in seconds
let window: i64 = 0; // in which it has to come again, in nanoseconds
let lifetime: i64 = 0; // of what has passed, from its last message
let ipv4: i32 = 0;
let ipv6: i32 = 0;
const networks = new Array<Network>(); // never put off
const senders = new Set<string>(); // domains or addresses
const recipients = new Set<string>();

function start(c: Config): void {
  const wait = time(c, "delay", "5m");
  delay = wait / SECOND;
  window = time(c, "window", "2d");
  lifetime = time(c, "lifetime", "35d");
  ipv4 = c.int("ipv4_prefix", 24) as i32;
  ipv6 = c.int("ipv6_prefix", 64) as i32;
  if (wait <= 0) return fail("greylist: delay has to be longer than 0");
  if (window <= wait) return fail("greylist: window has to be longer than delay, or nobody ever passes");
  if (lifetime < window) return fail("greylist: lifetime has to be at least as long as window");
  if (ipv4 < 1 || ipv4 > 32) return fail("greylist: ipv4_prefix is 1 to 32");
  if (ipv6 < 1 || ipv6 > 128) return fail("greylist: ipv6_prefix is 1 to 128");
  const list = c.strings("networks");
  for (let i = 0; i < list.length; i++) {
    const n = Network.parse(list[i]);
    if (n === null) return fail('greylist: network "' + list[i] + '": write an address and the length of its prefix, "10.0.0.0/8"');
    networks.push(n);
  }
  fill(senders, c.strings("senders"));
  fill(recipients, c.strings("recipients"));
}

function fill(names: Set<string>, list: string[]): void {
  for (let i = 0; i < list.length; i++) names.add(list[i].toLowerCase());
}

/** time reads "5m", "36h", "35d" or "5w". */
function time(c: Config, key: string, absent: string): i64 {
  const text = c.string(key, absent);
  const unit = text.charAt(text.length - 1);
  let n: i64 = -1;
  if (unit == "d" || unit == "w") {
    const days = duration(text.substring(0, text.length - 1) + "h");
    if (days >= 0) n = days * 24 * (unit == "w" ? 7 : 1);
  } else {
    n = duration(text);
  }
  if (n < 0) fail('config: "' + text + '" is no duration: write "5m", "36h" or "35d"');
  return n;
}

function onRcpt(e: RcptEvent): Answer {
  if (e.session.login != "") return pass("the client has logged in");
  const from = e.envelope.from.toLowerCase();
  const to = e.recipient.addr.toLowerCase();
  if (listed(senders, from) || listed(recipients, to)) return pass("sender or recipient is excepted");
  const ip = parse(e.session.remote_ip);
  if (ip === null) return judge(key(e.session.remote_ip, from, to));
  for (let i = 0; i < networks.length; i++) {
    if (networks[i].contains(ip)) return pass("the client is excepted");
  }
  const bits = ip.length == 4 ? ipv4 : ipv6;
  return judge(key(show(ip, bits) + "/" + bits.toString(), from, to));
}

function pass(reason: string): Answer {
  const a = next();
  a.reason = reason;
  return a;
}

function listed(names: Set<string>, addr: string): bool {
  return names.size > 0 && addr != "" && (names.has(addr) || names.has(addr.substring(addr.lastIndexOf("@") + 1)));
}

function key(client: string, from: string, to: string): string {
  const sum = sha256(Uint8Array.wrap(String.UTF8.encode(client + "\0" + from + "\0" + to)));
  let s = "t.";
  for (let i = 0; i < 16; i++) s += (sum[i] < 16 ? "0" : "") + sum[i].toString(16);
  return s;
}

// A record holds when a triplet was first seen, and when it was last written,
// both in seconds since 1970.
function judge(key: string): Answer {
  const now = host.now() / SECOND;
  const old = host.kvGetBytes(key);
  if (old === null || old.length != 16) return remember(key, now, old);
  const first = load<i64>(old.dataStart);
  const written = load<i64>(old.dataStart, 8);
  if (first + delay > now) return putOff(first + delay - now);
  // Once a day is enough to keep it alive, and at once when it has passed for the
  // first time and is still to be forgotten with the window.
  if (written == first || now - written > DAY) {
    host.kvSetBytes(key, record(first, now), lifetime);
    if (host.code == CallCode.Limit) host.recovered();
  }
  return pass("known since " + new Date(first * 1000).toISOString().substring(0, 19).replace("T", " "));
}

// Of two first attempts at once one is the first.
function remember(key: string, now: i64, old: Uint8Array | null): Answer {
  host.kvSwapBytes(key, old, record(now, now), window);
  if (host.code == CallCode.Limit) {
    // Whoever fills the store must not keep everybody else's mail away.
    host.recovered();
    return pass("the store is full, so nobody new is put off");
  }
  return putOff(delay);
}

function record(first: i64, written: i64): Uint8Array {
  const b = new Uint8Array(16);
  store<i64>(b.dataStart, first);
  store<i64>(b.dataStart, written, 8);
  return b;
}

function putOff(wait: i64): Answer {
  const h = wait / 3600;
  const m = (wait / 60) % 60;
  let time = (wait % 60).toString() + "s";
  if (h > 0 || m > 0) time = m.toString() + "m" + time;
  if (h > 0) time = h.toString() + "h" + time;
  const a = defer("4.7.1", "greylisted, please try again in " + time);
  a.action = Action.Defer;
  a.reply.code = 451;
  a.reason = "not seen before, or too early";
  return a;
}

// At the end, when all that the functions use is there.
plugin
  .named("greylist", "1.0.0")
  .needs(["kv"])
  .onStart(start)
  .onRcpt(onRcpt, ["session.remote_ip", "session.login", "envelope.from", "recipient.addr"]);
