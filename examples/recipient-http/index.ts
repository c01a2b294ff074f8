// recipient-http asks an HTTP service whether a recipient exists, and refuses those
// that do not. It only narrows: what it lets through, others may still refuse, and
// the relay policy decides who may relay.
import { Answer, CallCode, Config, defer, fail, host, HTTPField, HTTPRequest, next, plugin, RcptEvent, reject } from "./mta/assembly";
export * from "./mta/assembly/exports";

const SECOND: i64 = 1000000000;

let url = ""; // with {address}, {local} or {domain}
const domains = new Set<string>(); // whose recipients the service knows
let positive: i64 = 0; // how long a yes is remembered, in nanoseconds; 0: not at all
let negative: i64 = 0;
let authorization = "";
let defers = true; // what becomes of recipients when the service is away

enum Verdict {
  Yes,
  No,
  Unknown,
}

let why = ""; // of the last verdict, for the log

function start(c: Config): void {
  url = c.string("url");
  const names = c.strings("domains");
  positive = c.duration("positive_ttl", 3600 * SECOND);
  negative = c.duration("negative_ttl", 300 * SECOND);
  authorization = c.string("authorization");
  const away = c.string("on_unavailable", "defer");
  const wrong = c.problem();
  if (wrong.length) return fail(wrong);
  if (!url.startsWith("https://") && !url.startsWith("http://")) {
    return fail('recipient-http: url "' + url + '": write "https://directory.example.net/recipients/{address}"');
  }
  if (!url.includes("{address}") && !(url.includes("{local}") && url.includes("{domain}"))) {
    return fail('recipient-http: url "' + url + '" does not say whom it asks about: it needs {address}, or {local} and {domain}');
  }
  if (names.length == 0) return fail('recipient-http: there are no domains; write domains = ["example.org"]: the service is asked about them only');
  for (let i = 0; i < names.length; i++) domains.add(names[i].toLowerCase());
  if (away != "defer" && away != "accept") return fail('recipient-http: on_unavailable is "defer" or "accept", not "' + away + '"');
  defers = away == "defer";
  for (let i = 0; i < authorization.length; i++) {
    const c = authorization.charCodeAt(i);
    if (c < 0x20 || c > 0x7e) return fail("recipient-http: authorization is one line of ASCII");
  }
}

function onRcpt(e: RcptEvent): Answer {
  const addr = e.recipient.addr;
  const at = addr.lastIndexOf("@");
  const domain = addr.substring(at + 1).toLowerCase();
  if (at < 0 || !domains.has(domain)) return next();
  const local = addr.substring(0, at);
  // RFC 5321 §4.5.1: who runs the service has to hear of it when it breaks.
  if (local.toLowerCase() == "postmaster") return next();
  let a = next();
  switch (verdict(local, domain)) {
    case Verdict.No:
      host.count("refused");
      a = reject("5.1.1", "no such user here");
      a.reply.code = 550;
      break;
    case Verdict.Unknown:
      host.count("unavailable");
      host.log("recipient-http: " + why, 4);
      if (!defers) break;
      a = defer("4.4.3", "the directory of recipients is not available, please try again later");
      a.reply.code = 451;
      break;
  }
  a.reason = why;
  return a;
}

/** verdict is what the service says, or has said a short time ago. */
function verdict(local: string, domain: string): Verdict {
  const key = keyOf(local, domain);
  const known = key.length ? host.kvGet(key) : null;
  if (known !== null) {
    host.count("remembered");
    why = "remembered";
    return known == "yes" ? Verdict.Yes : Verdict.No;
  }
  const v = ask(local, domain);
  const ttl = v == Verdict.Yes ? positive : negative;
  if (v == Verdict.Unknown || ttl == 0 || key.length == 0) return v;
  host.kvSet(key, v == Verdict.Yes ? "yes" : "no", ttl);
  // A store that is full costs requests, and no mail.
  if (host.code == CallCode.Limit) host.recovered();
  return v;
}

/** keyOf is empty for an address that is longer than a key may be. */
function keyOf(local: string, domain: string): string {
  const key = "r." + local + "@" + domain;
  return String.UTF8.byteLength(key) <= 512 ? key : "";
}

function ask(local: string, domain: string): Verdict {
  const q = new HTTPRequest();
  q.url = url
    .replaceAll("{address}", escape(local + "@" + domain))
    .replaceAll("{local}", escape(local))
    .replaceAll("{domain}", escape(domain));
  if (authorization.length) {
    const f = new HTTPField();
    f.name = "Authorization";
    f.value = authorization;
    q.header.push(f);
  }
  const r = host.http(q);
  if (host.code == CallCode.OK) {
    why = "the service answers " + r.status.toString();
    if (r.status == 200 || r.status == 204) return Verdict.Yes;
    return r.status == 404 || r.status == 410 ? Verdict.No : Verdict.Unknown;
  }
  // What the configuration has to change is a failure of the plugin.
  if (host.code != CallCode.NotGranted && host.code != CallCode.Invalid) why = host.recovered();
  return Verdict.Unknown;
}

/** escape leaves the unreserved characters of RFC 3986 §2.3 only. */
function escape(text: string): string {
  const octets = Uint8Array.wrap(String.UTF8.encode(text));
  const out = new Uint8Array(3 * octets.length);
  let n = 0;
  for (let i = 0; i < octets.length; i++) {
    const c = octets[i];
    const letter = (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;
    const digit = c >= 0x30 && c <= 0x39;
    if (letter || digit || c == 0x2d || c == 0x2e || c == 0x5f || c == 0x7e) {
      out[n++] = c;
    } else {
      out[n++] = 0x25;
      out[n++] = hex(c >> 4);
      out[n++] = hex(c & 15);
    }
  }
  return String.UTF8.decodeUnsafe(out.dataStart, n);
}

function hex(n: u8): u8 {
  return n < 10 ? 0x30 + n : 0x41 + n - 10;
}

// At the end, when all that the functions use is there.
plugin
  .named("recipient-http", "1.0.0")
  .needs(["http", "kv"])
  .onStart(start)
  .onRcpt(onRcpt, ["recipient.addr"]);
