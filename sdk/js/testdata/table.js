// A table of domains, and a refusal with words: the smallest hook that is of use.

const ours = new Set(["example.org", "example.com"]);

export const plugin = { hooks: { rcpt: ["session.remote_ip", "recipient.addr"] } };

export function onRcpt(e) {
  const to = e.recipient.addr;
  if (ours.has(to.slice(to.lastIndexOf("@") + 1))) return "accept";
  return host.reject("5.7.1", "no mail for " + to + " from " + e.session.remote_ip);
}
