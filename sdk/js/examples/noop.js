// Has no opinion on any recipient: what a call of a plugin costs.

export const plugin = { name: "noop", version: "1.0.0", hooks: { rcpt: [] } };

export function onRcpt() {}
