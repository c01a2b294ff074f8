// Plugins for the relay mta, in AssemblyScript. See README.md.

export * from "./gen";
export * from "./answers";
export { Config, duration } from "./config";
export { domain, host, Host } from "./host";
export { Json, JsonKind } from "./json";
export { plugin, Plugin } from "./hooks";
export { fail } from "./run";
