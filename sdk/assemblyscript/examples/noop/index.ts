// Has no opinion on any recipient: what a call of a plugin costs.

import { next, plugin, RcptEvent, Answer } from "../../assembly";
export * from "../../assembly/exports";

plugin.named("noop", "1.0.0").onRcpt((e: RcptEvent): Answer => next(), []);
