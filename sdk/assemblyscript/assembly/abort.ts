// What a failed assertion, an index out of range and throw end in: build with
//
//   --use abort=PATH/abort/mta_abort

import { call_log } from "./gen";

const SLOTS: usize = 24 + 16;
const ROOM: i32 = 900;

/** Logs why, and traps. It allocates nothing: memory may be what is missing. */
export function mta_abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const block = memory.data(1024, 8);
  memory.fill(block, 0, SLOTS);
  let n = add(block, 0, message);
  if (file !== null) {
    store<u8>(block + SLOTS + n++, 0x20);
    n = add(block, n, file);
    store<u8>(block + SLOTS + n++, 0x3a);
    let unit: u32 = 1;
    while (line / unit >= 10) unit *= 10;
    for (; unit; unit /= 10) store<u8>(block + SLOTS + n++, 0x30 + ((line / unit) % 10));
  }
  store<u32>(block, (SLOTS + n) as u32);
  store<u32>(block, 2, 4);
  store<u16>(block, 513, 8); // a call, the first of the table
  store<u16>(block, 1, 10);
  store<i64>(block, 8, 24); // an error
  store<u32>(block, SLOTS, 32);
  store<u32>(block, n as u32, 36);
  call_log(block, (SLOTS + n) as i32, 0, 0);
  unreachable();
}

/** add writes the ASCII of a string, "?" for the rest, behind the n octets that are there. */
function add(block: usize, n: usize, s: string | null): usize {
  if (s === null) return n;
  for (let i = 0, k = min(s.length, ROOM / 2); i < k; i++) {
    const c = s.charCodeAt(i);
    store<u8>(block + SLOTS + n++, c < 0x80 ? c : 0x3f);
  }
  return n;
}
