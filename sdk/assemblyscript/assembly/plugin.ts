import { Config } from "./config";
import { quote } from "./json";

/** What a plugin says of itself; see Plugin for what its author calls. */
export class BasePlugin {
  /** The name that the configuration gives it; known from start on. */
  configuredName: string = "";
  /** The name by which the relay calls itself; known from start on. */
  hostname: string = "";

  startHook: ((c: Config) => void) | null = null;
  testHook: (() => void) | null = null;
  stopHook: (() => void) | null = null;

  name: string = "";
  version: string = "";
  grants: string[] = [];
  wishes: string[] = [];
  hookNames: string[] = [];
  hookFields: string[][] = [];

  constructor() {
    current = this;
  }

  protected hook(name: string, fields: string[]): void {
    this.hookNames.push(name);
    this.hookFields.push(fields);
  }
}

export let current: BasePlugin | null = null;

/** describe is what the plugin says of itself, as JSON. */
export function describe(): string {
  const p = current;
  if (p === null) return '{"abi":1,"hooks":{}}';
  let s = '{"abi":1,"name":' + quote(p.name) + ',"version":' + quote(p.version);
  if (p.grants.length) s += ',"needs":' + list(p.grants);
  if (p.wishes.length) s += ',"wants":' + list(p.wishes);
  s += ',"hooks":{';
  for (let i = 0; i < p.hookNames.length; i++) {
    if (i) s += ",";
    s += quote(p.hookNames[i]) + ":" + list(p.hookFields[i]);
  }
  return s + "}}";
}

function list(words: string[]): string {
  let s = "[";
  for (let i = 0; i < words.length; i++) {
    if (i) s += ",";
    s += quote(words[i]);
  }
  return s + "]";
}
