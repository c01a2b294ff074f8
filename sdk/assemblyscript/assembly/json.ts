// A small reader of JSON. It is meant for the configuration, which the relay
// has made, and fails on all that is no JSON.

export enum JsonKind {
  Null,
  Bool,
  Number,
  Text,
  List,
  Object,
}

/** A JSON value. */
export class Json {
  kind: JsonKind = JsonKind.Null;
  bool: bool = false;
  number: f64 = 0;
  text: string = "";
  list: Json[] = [];
  keys: string[] = []; // of an object; its values are in list

  /** The value of a key of an object; null: there is none. */
  get(key: string): Json | null {
    const i = this.keys.indexOf(key);
    return i < 0 ? null : this.list[i];
  }

  /** parse gives null for what is no JSON. */
  static parse(text: string): Json | null {
    const r = new Reader(text);
    const v = r.value(0);
    r.space();
    return r.bad || r.i != text.length ? null : v;
  }
}

class Reader {
  i: i32 = 0;
  bad: bool = false;

  constructor(private s: string) {}

  private peek(): i32 {
    return this.i < this.s.length ? this.s.charCodeAt(this.i) : -1;
  }

  space(): void {
    for (;;) {
      const c = this.peek();
      if (c != 0x20 && c != 0x09 && c != 0x0a && c != 0x0d) return;
      this.i++;
    }
  }

  private take(word: string): bool {
    if (this.s.substr(this.i, word.length) != word) {
      this.bad = true;
      return false;
    }
    this.i += word.length;
    return true;
  }

  value(depth: i32): Json {
    const v = new Json();
    this.space();
    const c = this.peek();
    if (depth > 64) {
      this.bad = true;
    } else if (c == 0x7b) {
      this.object(v, depth);
    } else if (c == 0x5b) {
      this.array(v, depth);
    } else if (c == 0x22) {
      v.kind = JsonKind.Text;
      v.text = this.string();
    } else if (c == 0x74) {
      v.kind = JsonKind.Bool;
      v.bool = this.take("true");
    } else if (c == 0x66) {
      v.kind = JsonKind.Bool;
      this.take("false");
    } else if (c == 0x6e) {
      this.take("null");
    } else {
      this.num(v);
    }
    return v;
  }

  private num(v: Json): void {
    const from = this.i;
    for (;;) {
      const c = this.peek();
      const digit = c >= 0x30 && c <= 0x39;
      if (!digit && c != 0x2d && c != 0x2b && c != 0x2e && c != 0x65 && c != 0x45) break;
      this.i++;
    }
    v.kind = JsonKind.Number;
    v.number = parseFloat(this.s.substring(from, this.i));
    if (from == this.i || isNaN(v.number)) this.bad = true;
  }

  private object(v: Json, depth: i32): void {
    v.kind = JsonKind.Object;
    this.i++;
    this.space();
    if (this.peek() == 0x7d) {
      this.i++;
      return;
    }
    while (!this.bad) {
      this.space();
      v.keys.push(this.string());
      this.space();
      this.take(":");
      v.list.push(this.value(depth + 1));
      this.space();
      if (this.peek() == 0x2c) {
        this.i++;
        continue;
      }
      this.take("}");
      return;
    }
  }

  private array(v: Json, depth: i32): void {
    v.kind = JsonKind.List;
    this.i++;
    this.space();
    if (this.peek() == 0x5d) {
      this.i++;
      return;
    }
    while (!this.bad) {
      v.list.push(this.value(depth + 1));
      this.space();
      if (this.peek() == 0x2c) {
        this.i++;
        continue;
      }
      this.take("]");
      return;
    }
  }

  private string(): string {
    let out = "";
    if (!this.take('"')) return out;
    let from = this.i;
    while (!this.bad) {
      const c = this.peek();
      if (c < 0x20) {
        this.bad = true;
        break;
      }
      if (c == 0x22) {
        out += this.s.substring(from, this.i);
        this.i++;
        return out;
      }
      if (c != 0x5c) {
        this.i++;
        continue;
      }
      out += this.s.substring(from, this.i);
      this.i++;
      out += this.escape();
      from = this.i;
    }
    return out;
  }

  private escape(): string {
    const c = this.peek();
    this.i++;
    if (c == 0x6e) return "\n";
    if (c == 0x74) return "\t";
    if (c == 0x72) return "\r";
    if (c == 0x62) return "\b";
    if (c == 0x66) return "\f";
    if (c != 0x75) return c > 0 ? String.fromCharCode(c) : "";
    const code = parseInt(this.s.substr(this.i, 4), 16);
    this.i += 4;
    if (isNaN(code)) {
      this.bad = true;
      return "";
    }
    return String.fromCharCode(code as i32);
  }
}

/** quote writes a string as JSON. */
export function quote(s: string): string {
  let out = '"';
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c == 0x22 || c == 0x5c) out += "\\" + s.charAt(i);
    else if (c < 0x20) out += "\\u00" + (c < 0x10 ? "0" : "") + c.toString(16);
    else out += s.charAt(i);
  }
  return out + '"';
}
