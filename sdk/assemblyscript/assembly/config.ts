import { Json, JsonKind } from "./json";

/**
 * The plugin's own block of the configuration. Keys of the wrong type, and those
 * that nobody has asked for when start is over, keep the plugin from starting.
 */
export class Config {
  name: string = "";
  hostname: string = "";
  failed: bool = false;
  private values: Json = new Json();
  private asked: Set<string> = new Set<string>();
  private wrong: string = "";

  static parse(text: string): Config {
    const c = new Config();
    const all = Json.parse(text);
    if (all === null) {
      c.bad("config: it is no JSON");
      return c;
    }
    const name = all.get("name");
    if (name !== null) c.name = name.text;
    const host = all.get("hostname");
    if (host !== null) c.hostname = host.text;
    const own = all.get("config");
    if (own !== null) c.values = own;
    return c;
  }

  private bad(text: string): void {
    this.failed = true;
    if (this.wrong.length == 0) this.wrong = text;
  }

  private of(key: string, kind: JsonKind, word: string): Json | null {
    this.asked.add(key);
    const v = this.values.get(key);
    if (v === null) return null;
    if (v.kind != kind) {
      this.bad("config: " + key + " is not " + word);
      return null;
    }
    return v;
  }

  /** Whether there is such a key. */
  has(key: string): bool {
    this.asked.add(key);
    return this.values.get(key) !== null;
  }

  /** The value of a key that is any JSON. */
  json(key: string): Json | null {
    this.asked.add(key);
    return this.values.get(key);
  }

  string(key: string, absent: string = ""): string {
    const v = this.of(key, JsonKind.Text, "a string");
    return v === null ? absent : v.text;
  }

  int(key: string, absent: i64 = 0): i64 {
    const v = this.of(key, JsonKind.Number, "a number");
    if (v === null) return absent;
    if (v.number != Math.floor(v.number)) this.bad("config: " + key + " is not a whole number");
    return v.number as i64;
  }

  float(key: string, absent: f64 = 0): f64 {
    const v = this.of(key, JsonKind.Number, "a number");
    return v === null ? absent : v.number;
  }

  bool(key: string, absent: bool = false): bool {
    const v = this.of(key, JsonKind.Bool, "true or false");
    return v === null ? absent : v.bool;
  }

  strings(key: string): string[] {
    const v = this.of(key, JsonKind.List, "a list");
    if (v === null) return [];
    const out = new Array<string>();
    for (let i = 0; i < v.list.length; i++) {
      if (v.list[i].kind != JsonKind.Text) this.bad("config: " + key + " is not a list of strings");
      out.push(v.list[i].text);
    }
    return out;
  }

  /** A time such as "5m" or "1h30m", in nanoseconds. */
  duration(key: string, absent: i64 = 0): i64 {
    const v = this.of(key, JsonKind.Text, 'a time such as "5m"');
    if (v === null) return absent;
    const n = duration(v.text);
    if (n < 0) this.bad("config: " + key + ': "' + v.text + '" is no time; write "90s", "5m", "1h30m"');
    return n;
  }

  /** problem is what is wrong with the configuration; empty: nothing. */
  problem(): string {
    if (this.wrong.length) return this.wrong;
    for (let i = 0; i < this.values.keys.length; i++) {
      const key = this.values.keys[i];
      if (!this.asked.has(key)) return 'config: unknown key "' + key + '"';
    }
    return "";
  }
}

/** duration reads "1h30m"; -1: it is none. */
export function duration(text: string): i64 {
  if (text == "0") return 0;
  let total: f64 = 0;
  let i = 0;
  while (i < text.length) {
    const from = i;
    while (i < text.length && ((text.charCodeAt(i) >= 0x30 && text.charCodeAt(i) <= 0x39) || text.charCodeAt(i) == 0x2e)) i++;
    const n = from == i ? NaN : parseFloat(text.substring(from, i));
    const unit = i;
    while (i < text.length && text.charCodeAt(i) >= 0x61) i++;
    const size = sizeOf(text.substring(unit, i));
    if (isNaN(n) || size == 0) return -1;
    total += n * size;
  }
  return text.length ? (total as i64) : -1;
}

function sizeOf(unit: string): f64 {
  if (unit == "h") return 3600e9;
  if (unit == "m") return 60e9;
  if (unit == "s") return 1e9;
  if (unit == "ms") return 1e6;
  if (unit == "us") return 1e3;
  if (unit == "ns") return 1;
  return 0;
}
