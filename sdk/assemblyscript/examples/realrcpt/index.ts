// A typical decision at RCPT TO: recipient domains from a table, sender domains
// and networks that are not wanted, and a refusal with words of its own.

import { accept, Answer, Config, domain, plugin, RcptEvent, reject } from "../../assembly";
export * from "../../assembly/exports";

const ours = new Set<string>();
const refused = new Set<string>();
let networks: string[] = [];

function start(c: Config): void {
  const domains = c.strings("domains"); // the recipient domains that are ours
  for (let i = 0; i < domains.length; i++) ours.add(domains[i].toLowerCase());
  const senders = c.strings("senders"); // sender domains whose mail is refused
  for (let i = 0; i < senders.length; i++) refused.add(senders[i].toLowerCase());
  networks = c.strings("networks"); // prefixes of client addresses that are refused: "198.51.100."
}

function onRcpt(e: RcptEvent): Answer {
  const ip = e.session.remote_ip;
  for (let i = 0; i < networks.length; i++) {
    if (ip.startsWith(networks[i])) return reject("5.7.1", "no mail from your network: " + ip);
  }
  const from = domain(e.envelope.from);
  if (refused.has(from)) return reject("5.7.1", "no mail from " + from + " is taken here");
  const to = domain(e.recipient.addr);
  if (!ours.has(to)) return reject("5.1.2", "<" + e.recipient.addr + ">: " + to + " is no domain of ours");
  return accept();
}

// At the end, when all that the functions use is there.
plugin
  .named("realrcpt", "1.0.0")
  .onStart(start)
  .onRcpt(onRcpt, ["session.remote_ip", "envelope.from", "recipient.addr"]);
