// The types of a plugin in JavaScript, for editors. Write above a script:
//
//   /// <reference path="mta.d.ts" />
//
// and above a hook, for example:
//
//   /** @param {import("./mta").RcptEvent} e */

/*GENERATED*/

/** What a script can export beside its hooks. */
export interface Plugin extends Hooks {
  plugin?: {
    name?: string;
    version?: string; // semantic version
    /** The grants without which it cannot work, such as "kv". */
    needs?: string[];
    /** The grants without which it can do less. */
    wants?: string[];
    /** What its hooks read of their events, such as {rcpt: ["recipient.addr"]}; ["*"] or no entry: all. Naming them is faster. */
    hooks?: Record<string, string[]>;
    /** The keys of its configuration with their defaults; others are refused. */
    config?: Record<string, unknown>;
  };
  /** Called once with its configuration, before any hook. */
  start?(config: any, host: Host): void | Promise<void>;
  /** Called after start; an exception keeps this version out of service. */
  selftest?(): void | Promise<void>;
  /** Called before it is closed in good order. */
  stop?(): void | Promise<void>;
}

/** A decision of host.reject and the like, to be returned as it is. It cannot be changed: for more, return an Answer. */
export interface Decision { readonly [opaque]: true }
declare const opaque: unique symbol;

/** What a plugin may ask of the relay. A call that fails throws a HostError. Times are in milliseconds, or written "5m". */
export interface Host {
  /** The name that the configuration gives this plugin: its notes are NAME.key. */
  readonly name: string;
  /** The name by which the relay calls itself. */
  readonly hostname: string;
  accept(): Action;
  /** A permanent refusal (5yz); enhanced is a code of RFC 3463, class 5. The reason is for the log. */
  reject(enhanced?: string, text?: string, reason?: string): Decision;
  /** A temporary refusal (4yz); enhanced is a code of RFC 3463, class 4. */
  defer(enhanced?: string, text?: string, reason?: string): Decision;
  disconnect(enhanced?: string, text?: string, reason?: string): Decision;
  discard(reason?: string): Decision;
  hold(reason?: string): Decision;
  /** Goes on and leaves a note for other plugins, and for this one later. */
  noted(name: string, value: string): Answer;
  /** The time of the event. */
  eventTime(): number;
  /** The relay's clock; without the grant "clock" the time of the event. */
  now(): number;
  log(text: string, level?: number): void;
  random(size: number): Uint8Array;
  count(name: string, delta?: number): void;
  gauge(name: string, value: number): void;
  /** The value of a key in the plugin's own store; null: there is none. Needs "kv". */
  kvGet(key: string): string | null;
  kvGetBytes(key: string): Uint8Array | null;
  kvSet(key: string, value: string | Uint8Array, ttl?: number | string): void;
  /** Compare-and-swap: null as old: the key must be absent; null as value: it goes. */
  kvSwap(key: string, old: string | Uint8Array | null, value: string | Uint8Array | null, ttl?: number | string): boolean;
  /** Adds to a counter, and is its new value. The ttl counts from the first time. */
  kvAdd(key: string, delta?: number, ttl?: number | string): number;
  kvDelete(key: string): void;
  /** The DNS records of a kind; none: no such name or record. Needs "dns". */
  lookup(kind: "A" | "AAAA" | "TXT" | "PTR", name: string): string[];
  mx(domain: string): MX;
  /** One request to a host that the grant "http" names. */
  http(request: string | HTTPRequest): HTTPResponse;
  /** A piece of the message, at most 256 KiB; empty at its end. Needs "body". */
  read(offset: number, size: number): Uint8Array;
  /** The values of the header fields of one name, from the top. Needs "headers". */
  header(name: string): string[];
  /** One delivery attempt; deliver hook only. Needs "send". */
  send(what: SendCall): Outcome[];
  /** Text as UTF-8. */
  encode(text: string): Uint8Array;
  decode(octets: Uint8Array): string;
  /** What is behind the last "@" of an address, in lower case; empty: it has none. */
  domain(address: string): string;
  /** "1h30m" in milliseconds. */
  duration(text: string): number;
  readonly HostError: typeof HostError;
}

/** Why a call of the relay failed. */
export declare class HostError extends Error {
  readonly call: string;
  readonly code: CallCode;
  readonly reason: string;
}

declare global {
  const host: Host;
}
