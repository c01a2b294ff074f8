// Puts off the first attempt of a sender that was not seen before (RFC 6647), as
// plugins/greylist does: the same configuration, and the same records in the
// store, so that one can take the place of the other.

export const plugin = {
  name: "greylist",
  version: "1.0.0",
  needs: ["kv"],
  hooks: { rcpt: ["session.remote_ip", "session.login", "envelope.from", "recipient.addr"] },
  config: {
    delay: "5m", // before which a new triplet is put off
    window: "2d", // in which it has to come again
    lifetime: "35d", // of what has passed, from its last message
    ipv4_prefix: 24,
    ipv6_prefix: 64,
    networks: [], // never put off
    senders: [], // domains or addresses
    recipients: [], // domains or addresses
  },
};

const DAY = 86400;
let c, delay, life, networks, senders, recipients;

export function start(config) {
  c = config;
  delay = seconds(c.delay);
  const window = seconds(c.window);
  life = { window: window * 1000, lifetime: seconds(c.lifetime) * 1000 };
  if (delay <= 0) throw new Error("greylist: delay has to be longer than 0");
  if (window <= delay) throw new Error("greylist: window has to be longer than delay, or nobody ever passes");
  if (life.lifetime < life.window) throw new Error("greylist: lifetime has to be at least as long as window");
  if (!(c.ipv4_prefix >= 1 && c.ipv4_prefix <= 32)) throw new Error("greylist: ipv4_prefix is 1 to 32");
  if (!(c.ipv6_prefix >= 1 && c.ipv6_prefix <= 128)) throw new Error("greylist: ipv6_prefix is 1 to 128");
  networks = c.networks.map(network);
  senders = new Set(c.senders.map((s) => s.toLowerCase()));
  recipients = new Set(c.recipients.map((s) => s.toLowerCase()));
}

function seconds(text) {
  const m = /^(\d+)([dw])$/.exec(text);
  if (m !== null) return Number(m[1]) * DAY * (m[2] === "w" ? 7 : 1);
  try {
    return host.duration(text) / 1000;
  } catch (e) {
    throw new Error(JSON.stringify(text) + ' is no duration: write "5m", "36h" or "35d"');
  }
}

/** @param {import("../mta").RcptEvent} e */
export function onRcpt(e) {
  if (e.session.login !== "") return { reason: "the client has logged in" };
  const from = e.envelope.from.toLowerCase(), to = e.recipient.addr.toLowerCase();
  if (listed(senders, from) || listed(recipients, to)) return { reason: "sender or recipient is excepted" };
  const ip = address(e.session.remote_ip);
  if (ip === null) return judge(key(e.session.remote_ip, from, to));
  if (networks.some((n) => within(ip, n.ip, n.bits))) return { reason: "the client is excepted" };
  const bits = ip.length === 4 ? c.ipv4_prefix : c.ipv6_prefix;
  return judge(key(show(ip, bits) + "/" + bits, from, to));
}

function listed(names, addr) {
  return names.size > 0 && addr !== "" && (names.has(addr) || names.has(addr.slice(addr.lastIndexOf("@") + 1)));
}

// A record holds when a triplet was first seen, and when it was last written,
// both in seconds since 1970.
function judge(key) {
  const now = Math.floor(host.now() / 1000);
  const old = host.kvGetBytes(key);
  if (old === null || old.length !== 16) return remember(key, now, old);
  const view = new DataView(old.buffer);
  const first = Number(view.getBigInt64(0, true)), written = Number(view.getBigInt64(8, true));
  if (first + delay > now) return putOff(first + delay - now);
  // Once a day is enough to keep it alive, and at once when it has passed for the
  // first time and is still to be forgotten with the window.
  if (written === first || now - written > DAY) unlessFull(() => host.kvSet(key, record(first, now), life.lifetime));
  return { reason: "known since " + new Date(first * 1000).toISOString().slice(0, 19).replace("T", " ") };
}

// Of two first attempts at once one is the first.
function remember(key, now, old) {
  if (!unlessFull(() => host.kvSwap(key, old, record(now, now), life.window))) {
    // Whoever fills the store must not keep everybody else's mail away.
    return { reason: "the store is full, so nobody new is put off" };
  }
  return putOff(delay);
}

function unlessFull(write) {
  try {
    write();
    return true;
  } catch (e) {
    if (e.code !== "limit") throw e;
    return false;
  }
}

function record(first, written) {
  const b = new Uint8Array(16), view = new DataView(b.buffer);
  view.setBigInt64(0, BigInt(first), true);
  view.setBigInt64(8, BigInt(written), true);
  return b;
}

function putOff(wait) {
  const h = Math.floor(wait / 3600), m = Math.floor(wait / 60) % 60, s = wait % 60;
  const time = (h > 0 ? h + "h" : "") + (h > 0 || m > 0 ? m + "m" : "") + s + "s";
  return { action: "defer", code: 451, enhanced: "4.7.1", text: "greylisted, please try again in " + time, reason: "not seen before, or too early" };
}

// ---- addresses ----------------------------------------------------------

/** The octets of an address; null: it is none. */
function address(text) {
  const v4 = /^(?:(.*):)?(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (v4 !== null) {
    const b = v4.slice(2).map(Number);
    if (b.some((n) => n > 255)) return null;
    if (v4[1] === undefined || v4[1].toLowerCase() === "::ffff") return b;
    text = v4[1] + ":" + (b[0] * 256 + b[1]).toString(16) + ":" + (b[2] * 256 + b[3]).toString(16);
  }
  const halves = text.replace(/%.*/, "").split("::");
  if (halves.length > 2) return null;
  const [head, tail] = [halves[0], halves.length > 1 ? halves[1] : ""].map((h) => (h === "" ? [] : h.split(":")));
  const gap = 8 - head.length - tail.length;
  if (halves.length === 1 ? gap !== 0 : gap < 1) return null;
  const words = [...head, ...Array(gap).fill("0"), ...tail];
  if (!words.every((w) => /^[0-9a-f]{1,4}$/i.test(w))) return null;
  return words.flatMap((w) => [parseInt(w, 16) >> 8, parseInt(w, 16) & 255]);
}

function within(ip, net, bits) {
  return ip.length === net.length && ip.every((b, i) => ((b ^ net[i]) & mask(bits - 8 * i)) === 0);
}

const mask = (bits) => (bits >= 8 ? 255 : bits <= 0 ? 0 : (255 << (8 - bits)) & 255);

function network(text) {
  const cut = text.lastIndexOf("/");
  const ip = cut < 0 ? null : address(text.slice(0, cut)), bits = Number(text.slice(cut + 1));
  if (ip === null || !(bits >= 0 && bits <= 8 * ip.length) || ip.some((b, i) => (b & ~mask(bits - 8 * i)) !== 0)) {
    throw new Error("greylist: network " + JSON.stringify(text) + ': write an address and the length of its prefix, "10.0.0.0/8"');
  }
  return { ip, bits };
}

/** The network of an address as RFC 5952 writes it. */
function show(ip, bits) {
  const b = ip.map((x, i) => x & mask(bits - 8 * i));
  if (b.length === 4) return b.join(".");
  const words = [];
  for (let i = 0; i < 16; i += 2) words.push(b[i] * 256 + b[i + 1]);
  let from = 8, length = 1; // of the longest run of zeros, of two at least
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && words[i + n] === 0) n++;
    if (n > length) [from, length] = [i, n];
  }
  const hex = (list) => list.map((w) => w.toString(16)).join(":");
  return from === 8 ? hex(words) : hex(words.slice(0, from)) + "::" + hex(words.slice(from + length));
}

// ---- SHA-256 (FIPS 180-4) -----------------------------------------------

function key(client, from, to) {
  return "t." + Array.from(sha256(host.encode(client + "\0" + from + "\0" + to)).subarray(0, 16), (b) => b.toString(16).padStart(2, "0")).join("");
}

const primes = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
const fraction = (x) => ((x - Math.floor(x)) * 4294967296) | 0;
const K = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
const H = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));

function sha256(data) {
  const padded = new Uint8Array((data.length + 72) & ~63), view = new DataView(padded.buffer);
  padded.set(data);
  padded[data.length] = 128;
  view.setUint32(padded.length - 4, data.length * 8);
  const h = Int32Array.from(H), w = new Int32Array(64);
  const r = (x, n) => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < padded.length; at += 64) {
    let [a, b, c, d, e, f, g, k] = h;
    for (let i = 0; i < 64; i++) {
      if (i < 16) w[i] = view.getInt32(at + 4 * i);
      else {
        const x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + (r(x, 7) ^ r(x, 18) ^ (x >>> 3)) + w[i - 7] + (r(y, 17) ^ r(y, 19) ^ (y >>> 10));
      }
      const t = (k + (r(e, 6) ^ r(e, 11) ^ r(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      k = g; g = f; f = e; e = (d + t) | 0;
      d = c; c = b; b = a;
      a = (t + (r(b, 2) ^ r(b, 13) ^ r(b, 22)) + ((b & c) ^ (b & d) ^ (c & d))) | 0;
    }
    [a, b, c, d, e, f, g, k].forEach((x, i) => { h[i] += x; });
  }
  const out = new Uint8Array(32), to = new DataView(out.buffer);
  h.forEach((x, i) => to.setInt32(4 * i, x));
  return out;
}
