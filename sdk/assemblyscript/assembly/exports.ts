// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.

// The exports of the contract: the entry file of a plugin says
//
//   export * from "mta/assembly/exports";

import * as hooks from "./hooks";
export { mta1_buffer, mta1_describe, mta1_start, mta1_selftest, mta1_stop } from "./run";

export function mta1_on_connect(length: i32): i64 {
  return hooks.run_connect();
}

export function mta1_on_helo(length: i32): i64 {
  return hooks.run_helo();
}

export function mta1_on_auth(length: i32): i64 {
  return hooks.run_auth();
}

export function mta1_on_mail(length: i32): i64 {
  return hooks.run_mail();
}

export function mta1_on_rcpt(length: i32): i64 {
  return hooks.run_rcpt();
}

export function mta1_on_predata(length: i32): i64 {
  return hooks.run_predata();
}

export function mta1_on_data(length: i32): i64 {
  return hooks.run_data();
}

export function mta1_on_route(length: i32): i64 {
  return hooks.run_route();
}

export function mta1_on_deliver(length: i32): i64 {
  return hooks.run_deliver();
}

export function mta1_on_outcome(length: i32): i64 {
  return hooks.run_outcome();
}

export function mta1_on_bounce(length: i32): i64 {
  return hooks.run_bounce();
}

export function mta1_on_disconnect(length: i32): i64 {
  return hooks.run_disconnect();
}
