// header-filter applies a table of rules to the header of each message: a field,
// a regular expression, and what becomes of the message or the field.
/// <reference path="mta/mta.d.ts" />

export const plugin = {
  name: "header-filter",
  version: "1.0.0",
  needs: ["headers=write"],
  hooks: { data: [] }, // nothing of the event: the header is asked for
  config: { rules: [] },
};

// What each action takes beside header, match, flags and comment.
const ACTIONS = {
  reject: ["text"],
  hold: [],
  discard: [],
  tag: ["name", "value"],
  remove: [],
  rewrite: ["with"],
};
const KEYS = ["header", "match", "flags", "comment", "action"];

let rules;

export function start(config) {
  if (!Array.isArray(config.rules) || config.rules.length === 0) {
    throw new Error('there are no rules; write [[plugin.config.rules]] with header = "Subject", match = "casino", action = "reject"');
  }
  rules = config.rules.map((r, i) => {
    try {
      return prepare(r);
    } catch (e) {
      throw new Error("rule " + (i + 1) + ": " + e.message);
    }
  });
}

function prepare(r) {
  const takes = ACTIONS[r.action];
  if (takes === undefined) throw new Error("action " + JSON.stringify(r.action) + ": there is " + Object.keys(ACTIONS).join(", "));
  for (const k of Object.keys(r)) {
    if (!KEYS.includes(k) && !takes.includes(k)) throw new Error(r.action + " has no " + k + "; it has " + [...KEYS, ...takes].join(", "));
    if (typeof r[k] !== "string") throw new Error(k + " is not a string");
  }
  // RFC 5322 §2.2
  for (const k of r.action === "tag" ? ["header", "name"] : ["header"]) {
    if (!r[k]) throw new Error(k + " is missing: the name of a header field");
    if (!/^[!-9;-~]+$/.test(r[k])) throw new Error(k + " " + JSON.stringify(r[k]) + " is no name of a header field");
  }
  if (r.match === undefined) throw new Error("match is missing: a regular expression, or \".\" for any value");
  if (r.action === "tag" && !r.value) throw new Error("value is missing: what the new field says");
  if (r.action === "rewrite" && r.with === undefined) throw new Error("with is missing: what takes the place of the match, $1 for its first group");
  const flags = r.flags === undefined ? "i" : r.flags;
  // Without y and d a rule means the same each time.
  if (/[^gimsu]/.test(flags)) throw new Error("flags " + JSON.stringify(flags) + ": there is g, i, m, s, u");
  try {
    return { ...r, re: new RegExp(r.match, flags) };
  } catch (e) {
    throw new Error("match " + JSON.stringify(r.match) + " is no regular expression: " + e.message);
  }
}

export function onData() {
  const header = new Header(), tags = [];
  for (const [i, r] of rules.entries()) {
    const why = "rule " + (i + 1) + (r.comment ? ", " + r.comment : "");
    for (const field of header.fields(r.header)) {
      if (field.value === null) continue; // an earlier rule has removed it
      const shown = r.action === "rewrite" ? field.value : decoded(field.value);
      r.re.lastIndex = 0; // with g a match begins where the last one ended
      const match = r.re.exec(shown);
      if (match === null) continue;
      host.count(r.action);
      switch (r.action) {
        case "reject":
          return host.reject("5.7.1", r.text || "the " + r.header + " field of this message is not welcome here", why);
        case "hold":
          return { action: "hold", reason: why, edits: header.edits(tags) };
        case "discard":
          return host.discard(why);
        case "tag":
          tags.push({ op: "prepend-header", name: r.name, value: clean(expand(r, match)) });
          break;
        case "remove":
          field.value = null;
          break;
        case "rewrite":
          field.value = clean(field.value.replace(r.re, r.with));
          break;
      }
      if (r.action === "tag") break; // one is enough, however many fields match
    }
  }
  const edits = header.edits(tags);
  return edits.length > 0 ? { edits } : undefined;
}

/** The fields that rules have asked for, and what became of them. */
class Header {
  names = new Map(); // in lower case

  fields(name) {
    const key = name.toLowerCase();
    if (!this.names.has(key)) this.names.set(key, host.header(name).map((value) => ({ name, was: value, value })));
    return this.names.get(key);
  }

  /**
   * Edits count the fields of a name from the top, and each sees what those before
   * it have left. So they go from the bottom upwards, and new fields come last.
   */
  edits(tags) {
    const list = [];
    for (const fields of this.names.values()) {
      for (let i = fields.length - 1; i >= 0; i--) {
        const { name, was, value } = fields[i];
        if (value === null) list.push({ op: "remove-header", name, index: i + 1 });
        else if (value !== was) list.push({ op: "replace-header", name, index: i + 1, value });
      }
    }
    return [...list, ...tags];
  }
}

/** The value of a tag, with $1 from the match, which need not be all of the field. */
function expand(r, match) {
  return r.value.replace(/\$(?:([1-9])|&|\$)/g, (s, n) => (s === "$$" ? "$" : s === "$&" ? match[0] : (match[Number(n)] ?? "")));
}

/** A match can hold whatever a stranger wrote; a value is one line of text. */
function clean(value) {
  return value.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, "").slice(0, 900);
}

// ---- encoded words (RFC 2047) -------------------------------------------

const WORD = /=\?([^?*]+)(?:\*[^?]*)?\?([bq])\?([^?]*)\?=(?:\s+(?==\?[^?]+\?[bq]\?))?/gi;

/** A value as people see it, as far as its words are in UTF-8, ASCII or Latin-1. */
function decoded(value) {
  if (!value.includes("=?")) return value;
  return value.replace(WORD, (whole, charset, encoding, text) => {
    const octets = encoding.toLowerCase() === "b" ? base64(text) : quoted(text);
    switch (octets && charset.toLowerCase()) {
      case "utf-8":
      case "us-ascii":
        return host.decode(octets);
      case "iso-8859-1":
        return String.fromCharCode(...octets);
    }
    return whole;
  });
}

function quoted(text) {
  const octets = [];
  for (let i = 0; i < text.length; i++) {
    const hex = text[i] === "=" ? /^[0-9a-f]{2}/i.exec(text.slice(i + 1, i + 3)) : null;
    octets.push(hex !== null ? parseInt(hex[0], 16) : text[i] === "_" ? 32 : text.charCodeAt(i) & 255);
    if (hex !== null) i += 2;
  }
  return Uint8Array.from(octets);
}

function base64(text) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const octets = [];
  let bits = 0, n = 0;
  for (const c of text.replace(/=+$/, "")) {
    const v = alphabet.indexOf(c);
    if (v < 0) return null;
    bits = ((bits << 6) | v) & 0xffff;
    if ((n += 6) >= 8) octets.push((bits >> (n -= 8)) & 255);
  }
  return Uint8Array.from(octets);
}
