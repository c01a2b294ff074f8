// What the relay calls, except for the hooks: see sdk/abi.md.

import "./abort"; // --use names it
import { out, Out, Rec, requests, View } from "./block";
import { BasePlugin, current, describe } from "./plugin";
import { Config } from "./config";

export const NO_ANSWER: i64 = 0;
const ERROR: i64 = 0x80000000;

let buffer: usize = 0; // where events come to
let room: i32 = 0;

/** Where the event of the running hook lies. */
export let eventBlock: usize = 0;

export function mta1_buffer(size: i32): i32 {
  if (size > room) {
    if (buffer) heap.free(buffer);
    buffer = heap.alloc(size);
    room = size;
  }
  return buffer as i32;
}

export function mta1_describe(): i64 {
  return pack(describe(), 0);
}

export function mta1_start(length: i32): i64 {
  failure = "";
  const p: BasePlugin | null = current;
  if (p === null) return pack("the entry file makes no plugin", ERROR);
  const c = Config.parse(String.UTF8.decodeUnsafe(buffer, length));
  p.configuredName = c.name;
  p.hostname = c.hostname;
  const f = p.startHook;
  if (f !== null && !c.failed) f(c);
  // What is wrong with the configuration is why start misses something.
  const problem = c.problem();
  if (problem.length) failure = problem;
  return failure.length ? pack(failure, ERROR) : 0;
}

export function mta1_selftest(): i64 {
  failure = "";
  const p: BasePlugin | null = current;
  if (p !== null) {
    const f = p.testHook;
    if (f !== null) f();
  }
  return failure.length ? pack(failure, ERROR) : 0;
}

export function mta1_stop(): void {
  const p: BasePlugin | null = current;
  if (p !== null) {
    const f = p.stopHook;
    if (f !== null) f();
  }
}

let failure: string = "";

/** begin makes e the event in the buffer. */
export function begin(e: View): void {
  failure = "";
  eventBlock = buffer;
  e.block(buffer);
}

export function failed(): bool {
  return failure.length != 0;
}

/** fail makes the running hook, start or self-test fail; the first failure counts. */
export function fail(text: string): void {
  if (failure.length == 0) failure = text.length ? text : "failed";
}

/** recovered takes back the failure, for a plugin that can go on without. */
export function recovered(): string {
  const text = failure;
  failure = "";
  return text;
}

/** answer gives an answer as a block, or the failure. */
export function answer(a: Rec | null, kind: i32): i64 {
  if (a === null || failure.length) return pack(failure, ERROR);
  const at = out.begin(kind, a.slots());
  a.put(out, at);
  out.end();
  return ((out.base as i64) << 32) | (out.size as i64);
}

function pack(text: string, bits: i64): i64 {
  const n = String.UTF8.byteLength(text);
  out.begin(0, (n + 7) >> 3);
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, out.base);
  return ((out.base as i64) << 32) | bits | (n as i64);
}

/** request writes a call, and gives its place. */
export function request(q: Rec, number: i32): Out {
  const at = requests.begin(512 + number, q.slots());
  q.put(requests, at);
  requests.end();
  return requests;
}
