// quota.js for mta: so many messages an hour for each recipient.
export const plugin = {
  name: "quota",
  version: "1.0.0",
  needs: ["kv", "headers"],
  hooks: { rcpt: ["recipient.addr"], data: ["envelope.notes"] },
  config: { domain: "example.org", hourly: 100 }, // the defaults; other keys are refused
};

let cfg;
export function start(config) {
  cfg = config;
}

export function onRcpt(e) {
  const addr = e.recipient.addr;
  if (!addr.endsWith("@" + cfg.domain)) return undefined; // next()
  const n = host.kvAdd("quota:" + addr, 1, "1h"); // a failure of the store: on_error
  if (n > cfg.hourly) return host.defer("4.7.1", "over quota, try again later", "quota of " + addr);
  return host.noted("left", String(cfg.hourly - n));
}

export function onData(e) {
  const left = e.envelope.notes["quota.left"]; // "quota" is its name in the configuration
  if (left === undefined) return undefined;
  return { edits: [{ op: "append-header", name: "X-Quota-Left", value: left }] };
}
