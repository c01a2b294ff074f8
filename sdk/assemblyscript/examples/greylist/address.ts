// Addresses of clients, and networks of them.

/** parse gives the octets of an address; null: it is none. */
export function parse(text: string): u8[] | null {
  const zone = text.indexOf("%");
  if (zone >= 0) text = text.substring(0, zone);
  let v4: u8[] = [];
  if (text.includes(".")) {
    const cut = text.lastIndexOf(":");
    const parts = text.substring(cut + 1).split(".");
    if (parts.length != 4) return null;
    for (let i = 0; i < 4; i++) {
      const n = number(parts[i], 10);
      if (n < 0 || n > 255 || parts[i].length > 3) return null;
      v4.push(n as u8);
    }
    if (cut < 0) return v4;
    text = text.substring(0, cut + 1) + word(v4[0], v4[1]) + ":" + word(v4[2], v4[3]);
  }
  const halves = text.split("::");
  const head = halves[0] == "" ? new Array<string>() : halves[0].split(":");
  const tail = halves.length < 2 || halves[1] == "" ? new Array<string>() : halves[1].split(":");
  const gap = 8 - head.length - tail.length;
  if (halves.length > 2 || (halves.length == 1 ? gap != 0 : gap < 1)) return null;
  for (let i = 0; i < gap; i++) head.push("0");
  const words = head.concat(tail);
  const out: u8[] = [];
  for (let i = 0; i < 8; i++) {
    const n = number(words[i], 16);
    if (n < 0 || words[i].length > 4) return null;
    out.push((n >> 8) as u8);
    out.push(n as u8);
  }
  // An IPv4 address in the clothes of IPv6 (RFC 4291 §2.5.5.2).
  for (let i = 0; i < 12; i++) {
    if (out[i] != (i < 10 ? 0 : 255)) return out;
  }
  return out.slice(12);
}

function word(high: u8, low: u8): string {
  return (((high as i32) << 8) | low).toString(16);
}

/** number gives -1 for what is none. */
function number(text: string, base: i32): i32 {
  if (text.length == 0 || text.length > 4) return -1;
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    let d = c >= 0x30 && c <= 0x39 ? c - 0x30 : 99;
    if ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66) d = (c | 0x20) - 0x57;
    if (d >= base) return -1;
    n = n * base + d;
  }
  return n;
}

function mask(bits: i32): u8 {
  if (bits >= 8) return 255;
  return bits <= 0 ? 0 : (((255 as u32) << (8 - bits)) as u8);
}

/** Addresses that begin alike. */
export class Network {
  constructor(
    private ip: u8[],
    private bits: i32,
  ) {}

  /** parse gives null for what is no network, or has bits behind its prefix. */
  static parse(text: string): Network | null {
    const cut = text.lastIndexOf("/");
    if (cut < 0) return null;
    const ip = parse(text.substring(0, cut));
    const bits = number(text.substring(cut + 1), 10);
    if (ip === null || bits < 0 || bits > 8 * ip.length) return null;
    for (let i = 0; i < ip.length; i++) {
      if (ip[i] & ~mask(bits - 8 * i)) return null;
    }
    return new Network(ip, bits);
  }

  contains(ip: u8[]): bool {
    if (ip.length != this.ip.length) return false;
    for (let i = 0; i < ip.length; i++) {
      if ((ip[i] ^ this.ip[i]) & mask(this.bits - 8 * i)) return false;
    }
    return true;
  }
}

/** The network of an address as RFC 5952 writes it. */
export function show(ip: u8[], bits: i32): string {
  const b = new Array<i32>();
  for (let i = 0; i < ip.length; i++) b.push(ip[i] & mask(bits - 8 * i));
  if (b.length == 4) return b.join(".");
  const words = new Array<i32>();
  for (let i = 0; i < 16; i += 2) words.push((b[i] << 8) | b[i + 1]);
  let from = 8;
  let length = 1; // of the longest run of zeros, of two at least
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && words[i + n] == 0) n++;
    if (n > length) {
      from = i;
      length = n;
    }
  }
  if (from == 8) return hex(words);
  return hex(words.slice(0, from)) + "::" + hex(words.slice(from + length));
}

function hex(words: i32[]): string {
  let s = "";
  for (let i = 0; i < words.length; i++) s += (i ? ":" : "") + words[i].toString(16);
  return s;
}
