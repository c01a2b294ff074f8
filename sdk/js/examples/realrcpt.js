// A typical decision at RCPT TO: recipient domains from a table, sender domains
// and networks that are not wanted, and a refusal with words of its own.

export const plugin = {
  name: "realrcpt",
  version: "1.0.0",
  hooks: { rcpt: ["session.remote_ip", "envelope.from", "recipient.addr"] },
  config: {
    domains: [], // the recipient domains that are ours
    senders: [], // sender domains whose mail is refused
    networks: [], // prefixes of client addresses that are refused: "198.51.100."
  },
};

let ours, refused, networks;

export function start(config) {
  ours = new Set(config.domains.map((d) => d.toLowerCase()));
  refused = new Set(config.senders.map((d) => d.toLowerCase()));
  networks = config.networks;
}

/** @param {import("../mta").RcptEvent} e */
export function onRcpt(e) {
  const ip = e.session.remote_ip;
  for (let i = 0; i < networks.length; i++) {
    if (ip.startsWith(networks[i])) return host.reject("5.7.1", `no mail from your network: ${ip}`);
  }
  const from = host.domain(e.envelope.from);
  if (refused.has(from)) return host.reject("5.7.1", `no mail from ${from} is taken here`);
  const to = host.domain(e.recipient.addr);
  if (!ours.has(to)) return host.reject("5.1.2", `<${e.recipient.addr}>: ${to} is no domain of ours`);
  return "accept";
}
