// How values lie in memory: see the package comment of sdk/wire. Authors need
// none of this.

/** A block that is being written. */
export class Out {
  base: usize = 0; // where it is
  size: i32 = 0; // its length so far
  private room: i32 = 0;

  private need(n: i32): void {
    if (n <= this.room) return;
    let room = max(n, 2 * this.room);
    room = max(room, 1024);
    this.base = this.base ? heap.realloc(this.base, room) : heap.alloc(room);
    this.room = room;
  }

  /** begin starts a block whose record has n slots, and gives their place. */
  begin(kind: i32, n: i32): i32 {
    this.size = 24 + 8 * n;
    this.need(this.size);
    memory.fill(this.base, 0, this.size);
    store<u32>(this.base, n, 4);
    store<u16>(this.base, kind as u16, 8);
    store<u16>(this.base, 1, 10);
    return 24;
  }

  end(): void {
    store<u32>(this.base, this.size);
  }

  /** slots makes room for n slots and writes where they are into the slot at. */
  slots(at: i32, n: i32): i32 {
    const place = (this.size + 7) & ~7;
    const end = place + 8 * n;
    this.need(end);
    memory.fill(this.base + this.size, 0, end - this.size);
    this.size = end;
    this.pair(at, place, n);
    return place;
  }

  private pair(at: i32, place: i32, n: i32): void {
    store<u32>(this.base + at, place);
    store<u32>(this.base + at, n, 4);
  }

  int(at: i32, v: i64): void {
    store<i64>(this.base + at, v);
  }

  float(at: i32, v: f64): void {
    store<f64>(this.base + at, v);
  }

  str(at: i32, s: string): void {
    if (s.length == 0) return;
    const place = this.size;
    let n = s.length;
    this.need(place + n);
    if (!ascii(s, this.base + place)) {
      n = String.UTF8.byteLength(s);
      this.need(place + n);
      String.UTF8.encodeUnsafe(changetype<usize>(s), s.length, this.base + place);
    }
    this.size = place + n;
    this.pair(at, place, n);
  }

  bytes(at: i32, b: Uint8Array): void {
    if (b.length == 0) return;
    const place = this.size;
    this.need(place + b.length);
    memory.copy(this.base + place, b.dataStart, b.length);
    this.size = place + b.length;
    this.pair(at, place, b.length);
  }

  strs(at: i32, list: string[]): void {
    if (list.length == 0) return;
    const place = this.slots(at, list.length);
    for (let i = 0; i < list.length; i++) this.str(place + 8 * i, list[i]);
  }

  notes(at: i32, m: Map<string, string>): void {
    if (m.size == 0) return;
    const keys = m.keys().sort();
    const place = this.slots(at, 2 * keys.length);
    for (let i = 0; i < keys.length; i++) {
      this.str(place + 16 * i, keys[i]);
      this.str(place + 16 * i + 8, m.get(keys[i]));
    }
  }
}

/** ascii writes a string that is ASCII, and tells whether it is. */
function ascii(s: string, to: usize): bool {
  const from = changetype<usize>(s);
  for (let i: usize = 0, n = s.length as usize; i < n; i++) {
    const c = load<u16>(from + (i << 1));
    if (c >= 0x80) return false;
    store<u8>(to + i, c);
  }
  return true;
}

/** Where answers and calls are written. */
export const out = new Out();
export const requests = new Out();

/** A record that can be written. */
export class Rec {
  put(w: Out, at: i32): void {}
  slots(): i32 {
    return 0;
  }
}

/**
 * A record inside of a block that was received. It is read where it lies, field
 * by field, and is good until the hook returns.
 */
export class View {
  base: usize = 0; // of the block
  at: usize = 0; // of its slots
  n: u32 = 0; // how many there are; 0: the record is absent

  /** Whether there is no such record. */
  get absent(): bool {
    return this.n == 0;
  }

  protected of<T extends View>(v: T, slot: u32): T {
    if (slot < this.n) v.place(this.base, this.at + 8 * slot);
    else v.n = 0;
    return v;
  }

  /** place reads where the record is that the slot at the address p points to. */
  place(base: usize, p: usize): void {
    this.base = base;
    this.at = base + load<u32>(p);
    this.n = load<u32>(p, 4);
  }

  /** block makes this the record of a whole block. */
  block(base: usize): void {
    this.base = base;
    this.at = base + 24;
    this.n = load<u32>(base, 4);
  }

  protected i(slot: u32): i64 {
    return slot < this.n ? load<i64>(this.at + 8 * slot) : 0;
  }

  protected f(slot: u32): f64 {
    return slot < this.n ? load<f64>(this.at + 8 * slot) : 0;
  }

  protected s(slot: u32): string {
    return slot < this.n ? text(this.base, this.at + 8 * slot) : "";
  }

  protected b(slot: u32): Uint8Array {
    if (slot >= this.n) return new Uint8Array(0);
    const p = this.at + 8 * slot;
    const out = new Uint8Array(load<u32>(p, 4));
    memory.copy(out.dataStart, this.base + load<u32>(p), out.length);
    return out;
  }

  protected strs(slot: u32): string[] {
    if (slot >= this.n) return [];
    const p = this.at + 8 * slot;
    const at = this.base + load<u32>(p);
    const n = load<u32>(p, 4) as i32;
    const out = new Array<string>(n);
    for (let i = 0; i < n; i++) out[i] = text(this.base, at + 8 * i);
    return out;
  }

  protected notesAt(slot: u32): Map<string, string> {
    const list = this.strs(slot);
    const out = new Map<string, string>();
    for (let i = 0; i + 1 < list.length; i += 2) out.set(list[i], list[i + 1]);
    return out;
  }

  /** count is how many elements the list in a slot has. */
  protected count(slot: u32): i32 {
    return slot < this.n ? (load<u32>(this.at + 8 * slot, 4) as i32) : 0;
  }

  /** element makes v the i-th record of the list in a slot. */
  protected element<T extends View>(v: T, slot: u32, i: i32): T {
    v.place(this.base, this.base + load<u32>(this.at + 8 * slot) + 8 * i);
    return v;
  }
}

function text(base: usize, p: usize): string {
  const n = load<u32>(p, 4);
  return n ? decode(base + load<u32>(p), n) : "";
}

/** decode makes a string of UTF-8; four octets at once, as nearly all texts are ASCII. */
export function decode(from: usize, n: u32): string {
  const to = __new((n as usize) << 1, idof<string>());
  let i: u32 = 0;
  for (; i + 4 <= n; i += 4) {
    const four = load<u32>(from + i);
    if (four & 0x80808080) return String.UTF8.decodeUnsafe(from, n);
    let wide = four as u64;
    wide = (wide | (wide << 16)) & 0x0000ffff0000ffff;
    wide = (wide | (wide << 8)) & 0x00ff00ff00ff00ff;
    store<u64>(to + (i << 1), wide);
  }
  for (; i < n; i++) {
    const c = load<u8>(from + i);
    if (c & 0x80) return String.UTF8.decodeUnsafe(from, n);
    store<u16>(to + (i << 1), c);
  }
  return changetype<string>(to);
}
