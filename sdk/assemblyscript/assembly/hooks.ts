// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.

import { ConnectEvent, Answer, HeloEvent, AuthEvent, MailEvent, RcptEvent, PredataEvent, DataEvent, RouteEvent, RouteAnswer, DeliverEvent, DeliverAnswer, OutcomeEvent, OutcomeAnswer, BounceEvent, BounceAnswer, DisconnectEvent } from "./gen";
import { answer, begin, failed, NO_ANSWER } from "./run";
import { Config } from "./config";
import { BasePlugin } from "./plugin";

let connectHook: ((e: ConnectEvent) => Answer) | null = null;
let heloHook: ((e: HeloEvent) => Answer) | null = null;
let authHook: ((e: AuthEvent) => Answer) | null = null;
let mailHook: ((e: MailEvent) => Answer) | null = null;
let rcptHook: ((e: RcptEvent) => Answer) | null = null;
let predataHook: ((e: PredataEvent) => Answer) | null = null;
let dataHook: ((e: DataEvent) => Answer) | null = null;
let routeHook: ((e: RouteEvent) => RouteAnswer) | null = null;
let deliverHook: ((e: DeliverEvent) => DeliverAnswer) | null = null;
let outcomeHook: ((e: OutcomeEvent) => OutcomeAnswer) | null = null;
let bounceHook: ((e: BounceEvent) => BounceAnswer) | null = null;
let disconnectHook: ((e: DisconnectEvent) => void) | null = null;

/** The hooks of a plugin, and what it says of itself. */
export class Plugin extends BasePlugin {
  /** Its name and semantic version, for operators. */
  named(name: string, version: string): this {
    this.name = name;
    this.version = version;
    return this;
  }

  /** The grants without which it cannot work, such as "kv". */
  needs(grants: string[]): this {
    this.grants = grants;
    return this;
  }

  /** The grants without which it can do less. */
  wants(grants: string[]): this {
    this.wishes = grants;
    return this;
  }

  /** Called once with the configuration, before any hook. */
  onStart(f: (c: Config) => void): this {
    this.startHook = f;
    return this;
  }

  /** Called after start: fail() keeps this version out of service. */
  onSelfTest(f: () => void): this {
    this.testHook = f;
    return this;
  }

  /** Called before the plugin is closed in good order. */
  onStop(f: () => void): this {
    this.stopHook = f;
    return this;
  }
  /**
   * The hook connect is asked before the banner is sent.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onConnect(f: (e: ConnectEvent) => Answer, fields: string[] = ["*"]): this {
    connectHook = f;
    this.hook("connect", fields);
    return this;
  }
  /**
   * The hook helo is asked at EHLO, HELO and LHLO, and again after STARTTLS.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onHelo(f: (e: HeloEvent) => Answer, fields: string[] = ["*"]): this {
    heloHook = f;
    this.hook("helo", fields);
    return this;
  }
  /**
   * The hook auth is asked when credentials are presented.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onAuth(f: (e: AuthEvent) => Answer, fields: string[] = ["*"]): this {
    authHook = f;
    this.hook("auth", fields);
    return this;
  }
  /**
   * The hook mail is asked at MAIL FROM.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onMail(f: (e: MailEvent) => Answer, fields: string[] = ["*"]): this {
    mailHook = f;
    this.hook("mail", fields);
    return this;
  }
  /**
   * The hook rcpt is asked at each RCPT TO. If nobody accepts: 550 5.7.1.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onRcpt(f: (e: RcptEvent) => Answer, fields: string[] = ["*"]): this {
    rcptHook = f;
    this.hook("rcpt", fields);
    return this;
  }
  /**
   * The hook predata is asked at DATA and at the first BDAT, before the message.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onPredata(f: (e: PredataEvent) => Answer, fields: string[] = ["*"]): this {
    predataHook = f;
    this.hook("predata", fields);
    return this;
  }
  /**
   * The hook data is asked when the message has arrived, before the 250.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onData(f: (e: DataEvent) => Answer, fields: string[] = ["*"]): this {
    dataHook = f;
    this.hook("data", fields);
    return this;
  }
  /**
   * The hook route is asked for every recipient at every attempt.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onRoute(f: (e: RouteEvent) => RouteAnswer, fields: string[] = ["*"]): this {
    routeHook = f;
    this.hook("route", fields);
    return this;
  }
  /**
   * The hook deliver is a transport: routes name it in Via.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onDeliver(f: (e: DeliverEvent) => DeliverAnswer, fields: string[] = ["*"]): this {
    deliverHook = f;
    this.hook("deliver", fields);
    return this;
  }
  /**
   * The hook outcome is asked after an attempt, before its outcome is settled.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onOutcome(f: (e: OutcomeEvent) => OutcomeAnswer, fields: string[] = ["*"]): this {
    outcomeHook = f;
    this.hook("outcome", fields);
    return this;
  }
  /**
   * The hook bounce is asked before a DSN is queued.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onBounce(f: (e: BounceEvent) => BounceAnswer, fields: string[] = ["*"]): this {
    bounceHook = f;
    this.hook("bounce", fields);
    return this;
  }
  /**
   * The hook disconnect is told when a session ends. It decides nothing.
   * @param fields what it reads of the event, such as "recipient.addr"; more is not sent
   */
  onDisconnect(f: (e: DisconnectEvent) => void, fields: string[] = ["*"]): this {
    disconnectHook = f;
    this.hook("disconnect", fields);
    return this;
  }
}

/** This plugin. */
export const plugin = new Plugin();

let connectEvent: ConnectEvent | null = null;

export function run_connect(): i64 {
  const f = connectHook;
  if (f === null) return NO_ANSWER;
  let e = connectEvent;
  if (e === null) {
    e = new ConnectEvent();
    connectEvent = e;
  }
  begin(e);
  const a = f(e);
  if (failed()) return answer(null, 0);
  if (a.plain) return a.word;
  return answer(a, 257);
}

let heloEvent: HeloEvent | null = null;

export function run_helo(): i64 {
  const f = heloHook;
  if (f === null) return NO_ANSWER;
  let e = heloEvent;
  if (e === null) {
    e = new HeloEvent();
    heloEvent = e;
  }
  begin(e);
  const a = f(e);
  if (failed()) return answer(null, 0);
  if (a.plain) return a.word;
  return answer(a, 258);
}

let authEvent: AuthEvent | null = null;

export function run_auth(): i64 {
  const f = authHook;
  if (f === null) return NO_ANSWER;
  let e = authEvent;
  if (e === null) {
    e = new AuthEvent();
    authEvent = e;
  }
  begin(e);
  const a = f(e);
  if (failed()) return answer(null, 0);
  if (a.plain) return a.word;
  return answer(a, 259);
}

let mailEvent: MailEvent | null = null;

export function run_mail(): i64 {
  const f = mailHook;
  if (f === null) return NO_ANSWER;
  let e = mailEvent;
  if (e === null) {
    e = new MailEvent();
    mailEvent = e;
  }
  begin(e);
  const a = f(e);
  if (failed()) return answer(null, 0);
  if (a.plain) return a.word;
  return answer(a, 260);
}

let rcptEvent: RcptEvent | null = null;

export function run_rcpt(): i64 {
  const f = rcptHook;
  if (f === null) return NO_ANSWER;
  let e = rcptEvent;
  if (e === null) {
    e = new RcptEvent();
    rcptEvent = e;
  }
  begin(e);
  const a = f(e);
  if (failed()) return answer(null, 0);
  if (a.plain) return a.word;
  return answer(a, 261);
}

let predataEvent: PredataEvent | null = null;

export function run_predata(): i64 {
  const f = predataHook;
  if (f === null) return NO_ANSWER;
  let e = predataEvent;
  if (e === null) {
    e = new PredataEvent();
    predataEvent = e;
  }
  begin(e);
  const a = f(e);
  if (failed()) return answer(null, 0);
  if (a.plain) return a.word;
  return answer(a, 262);
}

let dataEvent: DataEvent | null = null;

export function run_data(): i64 {
  const f = dataHook;
  if (f === null) return NO_ANSWER;
  let e = dataEvent;
  if (e === null) {
    e = new DataEvent();
    dataEvent = e;
  }
  begin(e);
  const a = f(e);
  if (failed()) return answer(null, 0);
  if (a.plain) return a.word;
  return answer(a, 263);
}

let routeEvent: RouteEvent | null = null;

export function run_route(): i64 {
  const f = routeHook;
  if (f === null) return NO_ANSWER;
  let e = routeEvent;
  if (e === null) {
    e = new RouteEvent();
    routeEvent = e;
  }
  begin(e);
  const a = f(e);
  if (failed()) return answer(null, 0);
  return answer(a, 264);
}

let deliverEvent: DeliverEvent | null = null;

export function run_deliver(): i64 {
  const f = deliverHook;
  if (f === null) return NO_ANSWER;
  let e = deliverEvent;
  if (e === null) {
    e = new DeliverEvent();
    deliverEvent = e;
  }
  begin(e);
  const a = f(e);
  if (failed()) return answer(null, 0);
  return answer(a, 265);
}

let outcomeEvent: OutcomeEvent | null = null;

export function run_outcome(): i64 {
  const f = outcomeHook;
  if (f === null) return NO_ANSWER;
  let e = outcomeEvent;
  if (e === null) {
    e = new OutcomeEvent();
    outcomeEvent = e;
  }
  begin(e);
  const a = f(e);
  if (failed()) return answer(null, 0);
  return answer(a, 266);
}

let bounceEvent: BounceEvent | null = null;

export function run_bounce(): i64 {
  const f = bounceHook;
  if (f === null) return NO_ANSWER;
  let e = bounceEvent;
  if (e === null) {
    e = new BounceEvent();
    bounceEvent = e;
  }
  begin(e);
  const a = f(e);
  if (failed()) return answer(null, 0);
  return answer(a, 267);
}

let disconnectEvent: DisconnectEvent | null = null;

export function run_disconnect(): i64 {
  const f = disconnectHook;
  if (f === null) return NO_ANSWER;
  let e = disconnectEvent;
  if (e === null) {
    e = new DisconnectEvent();
    disconnectEvent = e;
  }
  begin(e);
  f(e);
  return failed() ? answer(null, 0) : NO_ANSWER;
}
