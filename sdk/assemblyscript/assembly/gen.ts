// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.

import { Out, Rec, View } from "./block";

/** Notify is the set of NOTIFY conditions of RFC 3461 §4.1. */
export enum Notify {
  None = 0,
  /** alone */
  Never = 1,
  /** tell when it was delivered */
  Success = 2,
  /** tell when it failed */
  Failure = 4,
  /** tell when it is delayed */
  Delay = 8,
}

/** Action is what a decision asks the core to do. */
export enum Action {
  /** go on with the next plugin; the zero value */
  Continue = 0,
  /** yes, and ask nobody else */
  Accept = 1,
  /** 4xx: try again later */
  Defer = 2,
  /** 5xx: no */
  Reject = 3,
  /** 421, and close the connection */
  Disconnect = 4,
  /** say yes, and throw away; the reason is recorded */
  Discard = 5,
  /** say yes, and keep until an operator releases it */
  Hold = 6,
}

/** Op is an edit operation. */
export enum Op {
  /** Notes["plugin."+Name] = Value; Name is 1 to 64 of a-z 0-9 _ . -; an empty Value removes it */
  Note = 1,
  /** the reverse-path becomes Value */
  SetSender = 2,
  /** Value becomes one more recipient */
  AddRecipient = 3,
  /** the recipient Name goes */
  RemoveRecipient = 4,
  /** the recipient Name becomes Value; several of one Name: becomes all of them */
  ReplaceRecipient = 5,
  /** "Name: Value" goes on top, below our Received */
  PrependHeader = 6,
  /** "Name: Value" goes to the end of the header */
  AppendHeader = 7,
  /** the Index-th (from 1) field Name gets Value; Index 0: all of them become one, or a new one at the end */
  ReplaceHeader = 8,
  /** the Index-th (from 1) field Name goes; Index 0: all of them; none there: nothing changes */
  RemoveHeader = 9,
  /** everything behind the header becomes Data */
  ReplaceBody = 10,
}

/** RouteAction is what a route answer says. */
export enum RouteAction {
  /** not mine: ask the next plugin; the zero value */
  None = 0,
  /** deliver by Route */
  Use = 1,
  /** not now: keep, with Reply as the reason */
  Defer = 2,
  /** never: the recipient fails with Reply */
  Fail = 3,
  /** keep until an operator releases it */
  Hold = 4,
}

/** Status is how a recipient of an attempt came out. */
export enum Status {
  None = 0,
  /** the next hop is responsible now */
  Delivered = 1,
  /** temporary: try again */
  Deferred = 2,
  /** permanent: tell the sender */
  Failed = 3,
}

/** DSNKind is why a DSN is made. */
export enum DSNKind {
  Failed = 1,
  Delayed = 2,
  /** delivered, relayed or expanded */
  Success = 3,
}

/** CallCode says why a call failed. */
export enum CallCode {
  OK = 0,
  /** the configuration does not allow it */
  NotGranted = 1,
  /** the request itself is wrong */
  Invalid = 2,
  /** a quota, a size, a number of calls */
  Limit = 3,
  /** the deadline of the hook has come */
  Timeout = 4,
  /** asking again later may help */
  Temporary = 5,
  /** it will not */
  Failed = 6,
  /** not now: there is no message, or the hook has ended */
  NotAllowed = 7,
}

/** Session is one connection from a client, as far as it has come. */
export class SessionView extends View {
  /** unique in the life of the spool; joins log lines of one connection */
  get id(): string {
    return this.s(0);
  }
  /** of the listener: mx, submission, submissions, lmtp */
  get profile(): string {
    return this.s(1);
  }
  /** address:port that the client connected to */
  get local_addr(): string {
    return this.s(2);
  }
  /** the client's address, without port and brackets */
  get remote_ip(): string {
    return this.s(3);
  }
  /** the client's port */
  get remote_port(): i32 {
    return this.i(4) as i32;
  }
  /** the client's name, confirmed in both directions; empty: unknown */
  get remote_name(): string {
    return this.s(5);
  }
  /** the name given in HELO/EHLO/LHLO; empty: not yet */
  get helo(): string {
    return this.s(6);
  }
  /** RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPA, LMTP, UTF8SMTP, ... */
  get protocol(): string {
    return this.s(7);
  }
  /** version and cipher suite; empty: in the clear */
  get tls(): string {
    return this.s(8);
  }
  /** the authenticated identity; empty: none */
  get login(): string {
    return this.s(9);
  }
  /** when the connection was accepted; nanoseconds since 1970, 0: none */
  get started(): i64 {
    return this.i(10);
  }
  /** what plugins left on the session */
  get notes(): Map<string, string> {
    return this.notesAt(11);
  }
}

/** Session is one connection from a client, as far as it has come. */
export class Session extends Rec {
  /** unique in the life of the spool; joins log lines of one connection */
  id: string = "";
  /** of the listener: mx, submission, submissions, lmtp */
  profile: string = "";
  /** address:port that the client connected to */
  local_addr: string = "";
  /** the client's address, without port and brackets */
  remote_ip: string = "";
  /** the client's port */
  remote_port: i32 = 0;
  /** the client's name, confirmed in both directions; empty: unknown */
  remote_name: string = "";
  /** the name given in HELO/EHLO/LHLO; empty: not yet */
  helo: string = "";
  /** RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPA, LMTP, UTF8SMTP, ... */
  protocol: string = "";
  /** version and cipher suite; empty: in the clear */
  tls: string = "";
  /** the authenticated identity; empty: none */
  login: string = "";
  /** when the connection was accepted; nanoseconds since 1970, 0: none */
  started: i64 = 0;
  private _notes: Map<string, string> | null = null;
  /** what plugins left on the session */
  get notes(): Map<string, string> {
    let v = this._notes;
    if (v === null) {
      v = new Map<string, string>();
      this._notes = v;
    }
    return v;
  }
  set notes(v: Map<string, string>) {
    this._notes = v;
  }

  /** A copy that outlives the hook. */
  static of(v: SessionView): Session {
    const r = new Session();
    r.id = v.id;
    r.profile = v.profile;
    r.local_addr = v.local_addr;
    r.remote_ip = v.remote_ip;
    r.remote_port = v.remote_port;
    r.remote_name = v.remote_name;
    r.helo = v.helo;
    r.protocol = v.protocol;
    r.tls = v.tls;
    r.login = v.login;
    r.started = v.started;
    r.notes = v.notes;
    return r;
  }
}

/** Recipient is one forward-path of a message. */
export class RecipientView extends View {
  /** where the message goes */
  get addr(): string {
    return this.s(0);
  }
  /** as the client gave it, when a plugin changed it; else empty */
  get orig(): string {
    return this.s(1);
  }
  /** RFC 3461 NOTIFY */
  get notify(): Notify {
    return this.i(2) as Notify;
  }
  /** RFC 3461 ORCPT, decoded: "rfc822;user@example.org"; empty: none */
  get orcpt(): string {
    return this.s(3);
  }
}

/** Recipient is one forward-path of a message. */
export class Recipient extends Rec {
  /** where the message goes */
  addr: string = "";
  /** as the client gave it, when a plugin changed it; else empty */
  orig: string = "";
  /** RFC 3461 NOTIFY */
  notify: Notify = 0 as Notify;
  /** RFC 3461 ORCPT, decoded: "rfc822;user@example.org"; empty: none */
  orcpt: string = "";

  /** A copy that outlives the hook. */
  static of(v: RecipientView): Recipient {
    const r = new Recipient();
    r.addr = v.addr;
    r.orig = v.orig;
    r.notify = v.notify;
    r.orcpt = v.orcpt;
    return r;
  }

  put(w: Out, at: i32): void {
    w.str(at + 0, this.addr);
    w.str(at + 8, this.orig);
    w.int(at + 16, this.notify as i64);
    w.str(at + 24, this.orcpt);
  }

  slots(): i32 {
    return 4;
  }
}

/**
 * Envelope is a message without its content: from whom, to whom, and on which
 * terms. It is kept in the queue until every recipient has ended.
 */
export class EnvelopeView extends View {
  /** the queue ID, from MAIL to the last log line */
  get id(): string {
    return this.s(0);
  }
  /** the reverse-path; empty is the null reverse-path */
  get from(): string {
    return this.s(1);
  }
  /** in the order in which they were accepted */
  get recipients(): RecipientView[] {
    const out = new Array<RecipientView>(this.count(2));
    for (let i = 0; i < out.length; i++) out[i] = this.element(new RecipientView(), 2, i);
    return out;
  }
  /** octets of the message; 0 before it was received */
  get size(): i64 {
    return this.i(3);
  }
  /** BODY= of RFC 6152/3030: "", 7BIT, 8BITMIME, BINARYMIME */
  get body(): string {
    return this.s(4);
  }
  /** RFC 6531 */
  get smtputf8(): bool {
    return this.i(5) != 0;
  }
  /** RFC 8689 */
  get require_tls(): bool {
    return this.i(6) != 0;
  }
  /** RFC 3461 RET: "", FULL, HDRS */
  get ret(): string {
    return this.s(7);
  }
  /** RFC 3461 ENVID, decoded */
  get env_id(): string {
    return this.s(8);
  }
  /** when the transaction began; nanoseconds since 1970, 0: none */
  get arrived(): i64 {
    return this.i(9);
  }
  /** how it came to us */
  private _origin: OriginView | null = null;
  get origin(): OriginView {
    let v = this._origin;
    if (v === null) {
      v = new OriginView();
      this._origin = v;
    }
    return this.of<OriginView>(v, 10);
  }
  /** what plugins left on the message */
  get notes(): Map<string, string> {
    return this.notesAt(11);
  }
}

/**
 * Envelope is a message without its content: from whom, to whom, and on which
 * terms. It is kept in the queue until every recipient has ended.
 */
export class Envelope extends Rec {
  /** the queue ID, from MAIL to the last log line */
  id: string = "";
  /** the reverse-path; empty is the null reverse-path */
  from: string = "";
  private _recipients: Recipient[] | null = null;
  /** in the order in which they were accepted */
  get recipients(): Recipient[] {
    let v = this._recipients;
    if (v === null) {
      v = new Array<Recipient>();
      this._recipients = v;
    }
    return v;
  }
  set recipients(v: Recipient[]) {
    this._recipients = v;
  }
  /** octets of the message; 0 before it was received */
  size: i64 = 0;
  /** BODY= of RFC 6152/3030: "", 7BIT, 8BITMIME, BINARYMIME */
  body: string = "";
  /** RFC 6531 */
  smtputf8: bool = false;
  /** RFC 8689 */
  require_tls: bool = false;
  /** RFC 3461 RET: "", FULL, HDRS */
  ret: string = "";
  /** RFC 3461 ENVID, decoded */
  env_id: string = "";
  /** when the transaction began; nanoseconds since 1970, 0: none */
  arrived: i64 = 0;
  private _origin: Origin | null = null;
  /** how it came to us */
  get origin(): Origin {
    let v = this._origin;
    if (v === null) {
      v = new Origin();
      this._origin = v;
    }
    return v;
  }
  set origin(v: Origin) {
    this._origin = v;
  }
  private _notes: Map<string, string> | null = null;
  /** what plugins left on the message */
  get notes(): Map<string, string> {
    let v = this._notes;
    if (v === null) {
      v = new Map<string, string>();
      this._notes = v;
    }
    return v;
  }
  set notes(v: Map<string, string>) {
    this._notes = v;
  }

  /** A copy that outlives the hook. */
  static of(v: EnvelopeView): Envelope {
    const r = new Envelope();
    r.id = v.id;
    r.from = v.from;
    const recipients = v.recipients;
    for (let i = 0; i < recipients.length; i++) r.recipients.push(Recipient.of(recipients[i]));
    r.size = v.size;
    r.body = v.body;
    r.smtputf8 = v.smtputf8;
    r.require_tls = v.require_tls;
    r.ret = v.ret;
    r.env_id = v.env_id;
    r.arrived = v.arrived;
    r.origin = Origin.of(v.origin);
    r.notes = v.notes;
    return r;
  }
}

/**
 * Origin tells how a message came to the relay. It is kept with the message,
 * so that a route can depend on it days later.
 */
export class OriginView extends View {
  /** the client's address; empty: made by the relay itself */
  get ip(): string {
    return this.s(0);
  }
  /** its confirmed name */
  get name(): string {
    return this.s(1);
  }
  /** its HELO name */
  get helo(): string {
    return this.s(2);
  }
  /** RFC 3848 */
  get protocol(): string {
    return this.s(3);
  }
  /** the authenticated identity */
  get login(): string {
    return this.s(4);
  }
  /** of the listener */
  get profile(): string {
    return this.s(5);
  }
}

/**
 * Origin tells how a message came to the relay. It is kept with the message,
 * so that a route can depend on it days later.
 */
export class Origin extends Rec {
  /** the client's address; empty: made by the relay itself */
  ip: string = "";
  /** its confirmed name */
  name: string = "";
  /** its HELO name */
  helo: string = "";
  /** RFC 3848 */
  protocol: string = "";
  /** the authenticated identity */
  login: string = "";
  /** of the listener */
  profile: string = "";

  /** A copy that outlives the hook. */
  static of(v: OriginView): Origin {
    const r = new Origin();
    r.ip = v.ip;
    r.name = v.name;
    r.helo = v.helo;
    r.protocol = v.protocol;
    r.login = v.login;
    r.profile = v.profile;
    return r;
  }
}

/**
 * Message is a handle on the content of a message. The content is read only
 * when a plugin asks for it, in the pieces in which it asks.
 */
export class MessageView extends View {
  /** the queue ID */
  get id(): string {
    return this.s(0);
  }
  /** octets, with the trace fields that the relay has added */
  get size(): i64 {
    return this.i(1);
  }
}

/**
 * Message is a handle on the content of a message. The content is read only
 * when a plugin asks for it, in the pieces in which it asks.
 */
export class Message extends Rec {
  /** the queue ID */
  id: string = "";
  /** octets, with the trace fields that the relay has added */
  size: i64 = 0;

  /** A copy that outlives the hook. */
  static of(v: MessageView): Message {
    const r = new Message();
    r.id = v.id;
    r.size = v.size;
    return r;
  }
}

/**
 * Reply is what a client is told. The zero value lets the core choose the words
 * that fit the hook and the action. It goes with Defer (4yz), Reject (5yz) and
 * Disconnect (either); with any other action it is a fault. The classes of Code
 * and Enhanced agree.
 */
export class ReplyView extends View {
  /** 4yz or 5yz in an answer; 0: the core's choice */
  get code(): i32 {
    return this.i(0) as i32;
  }
  /** RFC 3463, "5.7.1"; empty: the core's choice */
  get enhanced(): string {
    return this.s(1);
  }
  /** one line, or up to ten with "\n" between them, of 400 octets each; empty: the core's choice */
  get text(): string {
    return this.s(2);
  }
}

/**
 * Reply is what a client is told. The zero value lets the core choose the words
 * that fit the hook and the action. It goes with Defer (4yz), Reject (5yz) and
 * Disconnect (either); with any other action it is a fault. The classes of Code
 * and Enhanced agree.
 */
export class Reply extends Rec {
  /** 4yz or 5yz in an answer; 0: the core's choice */
  code: i32 = 0;
  /** RFC 3463, "5.7.1"; empty: the core's choice */
  enhanced: string = "";
  /** one line, or up to ten with "\n" between them, of 400 octets each; empty: the core's choice */
  text: string = "";

  /** A copy that outlives the hook. */
  static of(v: ReplyView): Reply {
    const r = new Reply();
    r.code = v.code;
    r.enhanced = v.enhanced;
    r.text = v.text;
    return r;
  }

  put(w: Out, at: i32): void {
    w.int(at + 0, this.code as i64);
    w.str(at + 8, this.enhanced);
    w.str(at + 16, this.text);
  }

  slots(): i32 {
    return 3;
  }
}

/**
 * Answer is what a session hook (connect to data) returns. The zero value is
 * "continue".
 */
export class Answer extends Rec {
  action: Action = 0 as Action;
  private _reply: Reply | null = null;
  get reply(): Reply {
    let v = this._reply;
    if (v === null) {
      v = new Reply();
      this._reply = v;
    }
    return v;
  }
  set reply(v: Reply) {
    this._reply = v;
  }
  /** Reason is for log and trace only; no client ever sees it. */
  reason: string = "";
  private _edits: Edit[] | null = null;
  /**
   * Edits are applied in order, all or none. With Defer, Reject and Disconnect
   * only the notes among them are: nothing is left to be edited.
   */
  get edits(): Edit[] {
    let v = this._edits;
    if (v === null) {
      v = new Array<Edit>();
      this._edits = v;
    }
    return v;
  }
  set edits(v: Edit[]) {
    this._edits = v;
  }
  /**
   * Identity is who the client is; auth hook only, with Accept, where it must
   * not be empty.
   */
  identity: string = "";
  private _recipients: Verdict[] | null = null;
  /**
   * Recipients are verdicts on single recipients, in the order of the
   * envelope; data hook only, and either empty or one for each. A recipient
   * that is not Continue or Accept is removed: on LMTP it gets its own reply,
   * on SMTP a DSN.
   */
  get recipients(): Verdict[] {
    let v = this._recipients;
    if (v === null) {
      v = new Array<Verdict>();
      this._recipients = v;
    }
    return v;
  }
  set recipients(v: Verdict[]) {
    this._recipients = v;
  }

  put(w: Out, at: i32): void {
    w.int(at + 0, this.action as i64);
    const reply = this._reply;
    if (reply !== null) reply.put(w, w.slots(at + 8, 3));
    w.str(at + 16, this.reason);
    const edits = this._edits;
    if (edits !== null) if (edits.length) {
      const list = w.slots(at + 24, edits.length);
      for (let i = 0; i < edits.length; i++) edits[i].put(w, w.slots(list + 8 * i, 5));
    }
    w.str(at + 32, this.identity);
    const recipients = this._recipients;
    if (recipients !== null) if (recipients.length) {
      const list = w.slots(at + 40, recipients.length);
      for (let i = 0; i < recipients.length; i++) recipients[i].put(w, w.slots(list + 8 * i, 3));
    }
  }

  slots(): i32 {
    return 6;
  }

  get plain(): bool {
    if (this.reason.length) return false;
    const edits = this._edits;
    if (edits !== null && edits.length) return false;
    if (this.identity.length) return false;
    const recipients = this._recipients;
    if (recipients !== null && recipients.length) return false;
    const reply = this._reply;
    return reply === null || (reply.enhanced.length == 0 && reply.text.length == 0);
  }

  /** Such an answer as it is given. */
  get word(): i64 {
    const reply = this._reply;
    const code: i64 = reply === null ? 0 : (reply.code as i64);
    return ((this.action as i64) | (code << 16)) & 0xffffffff;
  }
}

/** Verdict is a decision about one recipient of a message. */
export class Verdict extends Rec {
  /** Continue, Accept, Defer, Reject, Discard */
  action: Action = 0 as Action;
  private _reply: Reply | null = null;
  get reply(): Reply {
    let v = this._reply;
    if (v === null) {
      v = new Reply();
      this._reply = v;
    }
    return v;
  }
  set reply(v: Reply) {
    this._reply = v;
  }
  reason: string = "";

  put(w: Out, at: i32): void {
    w.int(at + 0, this.action as i64);
    const reply = this._reply;
    if (reply !== null) reply.put(w, w.slots(at + 8, 3));
    w.str(at + 16, this.reason);
  }

  slots(): i32 {
    return 3;
  }
}

/** Edit is one operation on a session or message. */
export class Edit extends Rec {
  op: Op = 0 as Op;
  name: string = "";
  value: string = "";
  index: i32 = 0;
  private _data: Uint8Array | null = null;
  get data(): Uint8Array {
    let v = this._data;
    if (v === null) {
      v = new Uint8Array(0);
      this._data = v;
    }
    return v;
  }
  set data(v: Uint8Array) {
    this._data = v;
  }

  put(w: Out, at: i32): void {
    w.int(at + 0, this.op as i64);
    w.str(at + 8, this.name);
    w.str(at + 16, this.value);
    w.int(at + 24, this.index as i64);
    const data = this._data;
    if (data !== null) w.bytes(at + 32, data);
  }

  slots(): i32 {
    return 5;
  }
}

/** RouteAnswer is what a route hook returns for one recipient at one attempt. */
export class RouteAnswer extends Rec {
  action: RouteAction = 0 as RouteAction;
  private _route: Route | null = null;
  /** for RouteUse */
  get route(): Route {
    let v = this._route;
    if (v === null) {
      v = new Route();
      this._route = v;
    }
    return v;
  }
  set route(v: Route) {
    this._route = v;
  }
  private _reply: Reply | null = null;
  /** for RouteDefer and RouteFail */
  get reply(): Reply {
    let v = this._reply;
    if (v === null) {
      v = new Reply();
      this._reply = v;
    }
    return v;
  }
  set reply(v: Reply) {
    this._reply = v;
  }
  /** for log and trace */
  reason: string = "";
  /**
   * NotBefore: with RouteDefer, the earliest time of the next attempt; zero:
   * the usual retry time.; nanoseconds since 1970, 0: none
   */
  not_before: i64 = 0;

  put(w: Out, at: i32): void {
    w.int(at + 0, this.action as i64);
    const route = this._route;
    if (route !== null) route.put(w, w.slots(at + 8, 10));
    const reply = this._reply;
    if (reply !== null) reply.put(w, w.slots(at + 16, 3));
    w.str(at + 24, this.reason);
    w.int(at + 32, this.not_before as i64);
  }

  slots(): i32 {
    return 5;
  }
}

/** Route is how a recipient is reached. */
export class RouteView extends View {
  /** Via names the transport: "smtp", "lmtp", or a plugin with a deliver hook. */
  get via(): string {
    return this.s(0);
  }
  /**
   * Hosts are the next hops in the order in which to try them: "host",
   * "host:port", "192.0.2.1:25", "[2001:db8::1]:25"; for LMTP also
   * "unix:/path". The port defaults to 25, for LMTP to 24.
   */
  get hosts(): string[] {
    return this.strs(1);
  }
  /**
   * MX: the DNS named the hosts, so loopback and other addresses that no
   * stranger may choose for us are not connected to.
   */
  get mx(): bool {
    return this.i(2) != 0;
  }
  /**
   * TLS is the policy towards the next hop: none, may, encrypt, verify, dane.
   * Empty is may.
   */
  get tls(): string {
    return this.s(3);
  }
  /** Source and Pool choose where the connection comes from; empty: the system. */
  get source(): string {
    return this.s(4);
  }
  get pool(): string {
    return this.s(5);
  }
  /**
   * Key names what shares concurrency, back-off and connections. Empty: made
   * from Via, Hosts, TLS, Source, Pool and User.
   */
  get key(): string {
    return this.s(6);
  }
  /**
   * User and PasswordFile log in at the next hop. Only a plugin that is
   * compiled into the relay may name a file.
   */
  get user(): string {
    return this.s(7);
  }
  get password_file(): string {
    return this.s(8);
  }
  /** Rule says what chose the route, for people: "route 2: to *.example". */
  get rule(): string {
    return this.s(9);
  }
}

/** Route is how a recipient is reached. */
export class Route extends Rec {
  /** Via names the transport: "smtp", "lmtp", or a plugin with a deliver hook. */
  via: string = "";
  private _hosts: string[] | null = null;
  /**
   * Hosts are the next hops in the order in which to try them: "host",
   * "host:port", "192.0.2.1:25", "[2001:db8::1]:25"; for LMTP also
   * "unix:/path". The port defaults to 25, for LMTP to 24.
   */
  get hosts(): string[] {
    let v = this._hosts;
    if (v === null) {
      v = new Array<string>();
      this._hosts = v;
    }
    return v;
  }
  set hosts(v: string[]) {
    this._hosts = v;
  }
  /**
   * MX: the DNS named the hosts, so loopback and other addresses that no
   * stranger may choose for us are not connected to.
   */
  mx: bool = false;
  /**
   * TLS is the policy towards the next hop: none, may, encrypt, verify, dane.
   * Empty is may.
   */
  tls: string = "";
  /** Source and Pool choose where the connection comes from; empty: the system. */
  source: string = "";
  pool: string = "";
  /**
   * Key names what shares concurrency, back-off and connections. Empty: made
   * from Via, Hosts, TLS, Source, Pool and User.
   */
  key: string = "";
  /**
   * User and PasswordFile log in at the next hop. Only a plugin that is
   * compiled into the relay may name a file.
   */
  user: string = "";
  password_file: string = "";
  /** Rule says what chose the route, for people: "route 2: to *.example". */
  rule: string = "";

  /** A copy that outlives the hook. */
  static of(v: RouteView): Route {
    const r = new Route();
    r.via = v.via;
    r.hosts = v.hosts;
    r.mx = v.mx;
    r.tls = v.tls;
    r.source = v.source;
    r.pool = v.pool;
    r.key = v.key;
    r.user = v.user;
    r.password_file = v.password_file;
    r.rule = v.rule;
    return r;
  }

  put(w: Out, at: i32): void {
    w.str(at + 0, this.via);
    const hosts = this._hosts;
    if (hosts !== null) w.strs(at + 8, hosts);
    w.int(at + 16, this.mx ? 1 : 0);
    w.str(at + 24, this.tls);
    w.str(at + 32, this.source);
    w.str(at + 40, this.pool);
    w.str(at + 48, this.key);
    w.str(at + 56, this.user);
    w.str(at + 64, this.password_file);
    w.str(at + 72, this.rule);
  }

  slots(): i32 {
    return 10;
  }
}

/** Outcome is the result of an attempt for one recipient. */
export class OutcomeView extends View {
  get status(): Status {
    return this.i(0) as Status;
  }
  /** of the next hop, or the words of whoever decided */
  private _reply: ReplyView | null = null;
  get reply(): ReplyView {
    let v = this._reply;
    if (v === null) {
      v = new ReplyView();
      this._reply = v;
    }
    return this.of<ReplyView>(v, 1);
  }
  /** who answered: "mx1.example.org[192.0.2.1]:25"; empty: nobody did */
  get remote(): string {
    return this.s(2);
  }
  /** version and cipher suite of the conversation; empty: clear */
  get tls(): string {
    return this.s(3);
  }
  /**
   * RemoteReply: Reply was spoken by the peer named in Remote, so a DSN may
   * show it as Diagnostic-Code (RFC 3464 §2.3.6).
   */
  get remote_reply(): bool {
    return this.i(4) != 0;
  }
  /**
   * DSNRelayed: the next hop took over the RFC 3461 parameters, so success
   * is reported by it and not by us.
   */
  get dsn_relayed(): bool {
    return this.i(5) != 0;
  }
  /**
   * MaybeDuplicate: the connection was lost between the end of the message
   * and the reply; the next hop may have it nevertheless (RFC 1047).
   */
  get maybe_duplicate(): bool {
    return this.i(6) != 0;
  }
  /**
   * Unreachable: no conversation about this message was begun: no connection,
   * no greeting, no EHLO. The whole destination is slow or down.
   */
  get unreachable(): bool {
    return this.i(7) != 0;
  }
  /**
   * Setup is the time for DNS, connect, EHLO and TLS; Transfer that for the
   * message.; nanoseconds
   */
  get setup(): i64 {
    return this.i(8);
  }
  /** ; nanoseconds */
  get transfer(): i64 {
    return this.i(9);
  }
  /** Hold: with StatusDeferred, keep until an operator releases it. */
  get hold(): bool {
    return this.i(10) != 0;
  }
}

/** Outcome is the result of an attempt for one recipient. */
export class Outcome extends Rec {
  status: Status = 0 as Status;
  private _reply: Reply | null = null;
  /** of the next hop, or the words of whoever decided */
  get reply(): Reply {
    let v = this._reply;
    if (v === null) {
      v = new Reply();
      this._reply = v;
    }
    return v;
  }
  set reply(v: Reply) {
    this._reply = v;
  }
  /** who answered: "mx1.example.org[192.0.2.1]:25"; empty: nobody did */
  remote: string = "";
  /** version and cipher suite of the conversation; empty: clear */
  tls: string = "";
  /**
   * RemoteReply: Reply was spoken by the peer named in Remote, so a DSN may
   * show it as Diagnostic-Code (RFC 3464 §2.3.6).
   */
  remote_reply: bool = false;
  /**
   * DSNRelayed: the next hop took over the RFC 3461 parameters, so success
   * is reported by it and not by us.
   */
  dsn_relayed: bool = false;
  /**
   * MaybeDuplicate: the connection was lost between the end of the message
   * and the reply; the next hop may have it nevertheless (RFC 1047).
   */
  maybe_duplicate: bool = false;
  /**
   * Unreachable: no conversation about this message was begun: no connection,
   * no greeting, no EHLO. The whole destination is slow or down.
   */
  unreachable: bool = false;
  /**
   * Setup is the time for DNS, connect, EHLO and TLS; Transfer that for the
   * message.; nanoseconds
   */
  setup: i64 = 0;
  /** ; nanoseconds */
  transfer: i64 = 0;
  /** Hold: with StatusDeferred, keep until an operator releases it. */
  hold: bool = false;

  /** A copy that outlives the hook. */
  static of(v: OutcomeView): Outcome {
    const r = new Outcome();
    r.status = v.status;
    r.reply = Reply.of(v.reply);
    r.remote = v.remote;
    r.tls = v.tls;
    r.remote_reply = v.remote_reply;
    r.dsn_relayed = v.dsn_relayed;
    r.maybe_duplicate = v.maybe_duplicate;
    r.unreachable = v.unreachable;
    r.setup = v.setup;
    r.transfer = v.transfer;
    r.hold = v.hold;
    return r;
  }

  put(w: Out, at: i32): void {
    w.int(at + 0, this.status as i64);
    const reply = this._reply;
    if (reply !== null) reply.put(w, w.slots(at + 8, 3));
    w.str(at + 16, this.remote);
    w.str(at + 24, this.tls);
    w.int(at + 32, this.remote_reply ? 1 : 0);
    w.int(at + 40, this.dsn_relayed ? 1 : 0);
    w.int(at + 48, this.maybe_duplicate ? 1 : 0);
    w.int(at + 56, this.unreachable ? 1 : 0);
    w.int(at + 64, this.setup as i64);
    w.int(at + 72, this.transfer as i64);
    w.int(at + 80, this.hold ? 1 : 0);
  }

  slots(): i32 {
    return 11;
  }
}

/**
 * DeliverAnswer is what a deliver hook returns: one outcome for each recipient
 * of the event, in its order.
 */
export class DeliverAnswer extends Rec {
  private _outcomes: Outcome[] | null = null;
  get outcomes(): Outcome[] {
    let v = this._outcomes;
    if (v === null) {
      v = new Array<Outcome>();
      this._outcomes = v;
    }
    return v;
  }
  set outcomes(v: Outcome[]) {
    this._outcomes = v;
  }

  put(w: Out, at: i32): void {
    const outcomes = this._outcomes;
    if (outcomes !== null) if (outcomes.length) {
      const list = w.slots(at + 0, outcomes.length);
      for (let i = 0; i < outcomes.length; i++) outcomes[i].put(w, w.slots(list + 8 * i, 11));
    }
  }

  slots(): i32 {
    return 1;
  }
}

/**
 * OutcomeAnswer may change what an attempt meant, never undo or delete it. The
 * zero value changes nothing.
 */
export class OutcomeAnswer extends Rec {
  /**
   * Status: StatusDeferred or StatusFailed instead of the other; StatusNone
   * keeps it. A delivered recipient stays delivered.
   */
  status: Status = 0 as Status;
  /** Delay: for a deferred recipient, the time until the next attempt.; nanoseconds */
  delay: i64 = 0;
  private _reply: Reply | null = null;
  /** shown to people instead of the original; zero keeps it */
  get reply(): Reply {
    let v = this._reply;
    if (v === null) {
      v = new Reply();
      this._reply = v;
    }
    return v;
  }
  set reply(v: Reply) {
    this._reply = v;
  }
  reason: string = "";
  /**
   * Hold: keep a recipient that was not delivered until an operator releases
   * it.
   */
  hold: bool = false;

  put(w: Out, at: i32): void {
    w.int(at + 0, this.status as i64);
    w.int(at + 8, this.delay as i64);
    const reply = this._reply;
    if (reply !== null) reply.put(w, w.slots(at + 16, 3));
    w.str(at + 24, this.reason);
    w.int(at + 32, this.hold ? 1 : 0);
  }

  slots(): i32 {
    return 5;
  }
}

/**
 * BounceAnswer may edit, suppress or put off a DSN. The zero value changes
 * nothing. At most one of Suppress, Defer and Hold is set.
 */
export class BounceAnswer extends Rec {
  /** Suppress: send no DSN. It is recorded with the plugin's name. */
  suppress: bool = false;
  reason: string = "";
  private _edits: Edit[] | null = null;
  /** OpPrependHeader, OpAppendHeader, OpReplaceHeader, OpNote */
  get edits(): Edit[] {
    let v = this._edits;
    if (v === null) {
      v = new Array<Edit>();
      this._edits = v;
    }
    return v;
  }
  set edits(v: Edit[]) {
    this._edits = v;
  }
  /**
   * Defer: not now. The recipients stay in the queue as deferred, and the
   * hook is asked again after their next attempt.
   */
  defer: bool = false;
  /** Hold: no DSN now, and the recipients stay until an operator releases them. */
  hold: bool = false;

  put(w: Out, at: i32): void {
    w.int(at + 0, this.suppress ? 1 : 0);
    w.str(at + 8, this.reason);
    const edits = this._edits;
    if (edits !== null) if (edits.length) {
      const list = w.slots(at + 16, edits.length);
      for (let i = 0; i < edits.length; i++) edits[i].put(w, w.slots(list + 8 * i, 5));
    }
    w.int(at + 24, this.defer ? 1 : 0);
    w.int(at + 32, this.hold ? 1 : 0);
  }

  slots(): i32 {
    return 5;
  }
}

/** ConnectEvent: a client has connected; nothing was said yet. */
export class ConnectEvent extends View {
  private _session: SessionView | null = null;
  get session(): SessionView {
    let v = this._session;
    if (v === null) {
      v = new SessionView();
      this._session = v;
    }
    return this.of<SessionView>(v, 0);
  }
}

/** HeloEvent: HELO, EHLO or LHLO was given, the first time or again. */
export class HeloEvent extends View {
  /** Session.Helo already holds the name */
  private _session: SessionView | null = null;
  get session(): SessionView {
    let v = this._session;
    if (v === null) {
      v = new SessionView();
      this._session = v;
    }
    return this.of<SessionView>(v, 0);
  }
  /** EHLO or LHLO */
  get extended(): bool {
    return this.i(1) != 0;
  }
}

/**
 * AuthEvent: a client presents credentials. A plugin that knows the user
 * answers Accept with Identity, or Reject; Continue leaves it to the next.
 */
export class AuthEvent extends View {
  private _session: SessionView | null = null;
  get session(): SessionView {
    let v = this._session;
    if (v === null) {
      v = new SessionView();
      this._session = v;
    }
    return this.of<SessionView>(v, 0);
  }
  /** PLAIN, LOGIN, ... */
  get mechanism(): string {
    return this.s(1);
  }
  get username(): string {
    return this.s(2);
  }
  /** empty for mechanisms that do not reveal it */
  get password(): string {
    return this.s(3);
  }
  get authz_id(): string {
    return this.s(4);
  }
}

/** MailEvent: MAIL FROM was given. Envelope has no recipients yet. */
export class MailEvent extends View {
  private _session: SessionView | null = null;
  get session(): SessionView {
    let v = this._session;
    if (v === null) {
      v = new SessionView();
      this._session = v;
    }
    return this.of<SessionView>(v, 0);
  }
  private _envelope: EnvelopeView | null = null;
  get envelope(): EnvelopeView {
    let v = this._envelope;
    if (v === null) {
      v = new EnvelopeView();
      this._envelope = v;
    }
    return this.of<EnvelopeView>(v, 1);
  }
}

/** RcptEvent: RCPT TO was given. Envelope holds the recipients accepted so far. */
export class RcptEvent extends View {
  private _session: SessionView | null = null;
  get session(): SessionView {
    let v = this._session;
    if (v === null) {
      v = new SessionView();
      this._session = v;
    }
    return this.of<SessionView>(v, 0);
  }
  private _envelope: EnvelopeView | null = null;
  get envelope(): EnvelopeView {
    let v = this._envelope;
    if (v === null) {
      v = new EnvelopeView();
      this._envelope = v;
    }
    return this.of<EnvelopeView>(v, 1);
  }
  private _recipient: RecipientView | null = null;
  get recipient(): RecipientView {
    let v = this._recipient;
    if (v === null) {
      v = new RecipientView();
      this._recipient = v;
    }
    return this.of<RecipientView>(v, 2);
  }
}

/** PredataEvent: DATA or the first BDAT was given; 354 was not said yet. */
export class PredataEvent extends View {
  private _session: SessionView | null = null;
  get session(): SessionView {
    let v = this._session;
    if (v === null) {
      v = new SessionView();
      this._session = v;
    }
    return this.of<SessionView>(v, 0);
  }
  private _envelope: EnvelopeView | null = null;
  get envelope(): EnvelopeView {
    let v = this._envelope;
    if (v === null) {
      v = new EnvelopeView();
      this._envelope = v;
    }
    return this.of<EnvelopeView>(v, 1);
  }
}

/** DataEvent: the whole message was received; the 250 was not said yet. */
export class DataEvent extends View {
  private _session: SessionView | null = null;
  get session(): SessionView {
    let v = this._session;
    if (v === null) {
      v = new SessionView();
      this._session = v;
    }
    return this.of<SessionView>(v, 0);
  }
  private _envelope: EnvelopeView | null = null;
  get envelope(): EnvelopeView {
    let v = this._envelope;
    if (v === null) {
      v = new EnvelopeView();
      this._envelope = v;
    }
    return this.of<EnvelopeView>(v, 1);
  }
  private _message: MessageView | null = null;
  get message(): MessageView {
    let v = this._message;
    if (v === null) {
      v = new MessageView();
      this._message = v;
    }
    return this.of<MessageView>(v, 2);
  }
}

/** RouteEvent asks where one recipient goes, at each attempt anew. */
export class RouteEvent extends View {
  private _envelope: EnvelopeView | null = null;
  get envelope(): EnvelopeView {
    let v = this._envelope;
    if (v === null) {
      v = new EnvelopeView();
      this._envelope = v;
    }
    return this.of<EnvelopeView>(v, 0);
  }
  private _recipient: RecipientView | null = null;
  get recipient(): RecipientView {
    let v = this._recipient;
    if (v === null) {
      v = new RecipientView();
      this._recipient = v;
    }
    return this.of<RecipientView>(v, 1);
  }
  /** 1 for the first */
  get attempt(): i32 {
    return this.i(2) as i32;
  }
  /** of the attempt before; zero at the first */
  private _last: OutcomeView | null = null;
  get last(): OutcomeView {
    let v = this._last;
    if (v === null) {
      v = new OutcomeView();
      this._last = v;
    }
    return this.of<OutcomeView>(v, 3);
  }
}

/**
 * DeliverEvent asks a transport to deliver one message to some of its
 * recipients: those that share a route.
 */
export class DeliverEvent extends View {
  private _envelope: EnvelopeView | null = null;
  get envelope(): EnvelopeView {
    let v = this._envelope;
    if (v === null) {
      v = new EnvelopeView();
      this._envelope = v;
    }
    return this.of<EnvelopeView>(v, 0);
  }
  private _message: MessageView | null = null;
  get message(): MessageView {
    let v = this._message;
    if (v === null) {
      v = new MessageView();
      this._message = v;
    }
    return this.of<MessageView>(v, 1);
  }
  get recipients(): RecipientView[] {
    const out = new Array<RecipientView>(this.count(2));
    for (let i = 0; i < out.length; i++) out[i] = this.element(new RecipientView(), 2, i);
    return out;
  }
  private _route: RouteView | null = null;
  get route(): RouteView {
    let v = this._route;
    if (v === null) {
      v = new RouteView();
      this._route = v;
    }
    return this.of<RouteView>(v, 3);
  }
  get attempt(): i32 {
    return this.i(4) as i32;
  }
}

/** OutcomeEvent: an attempt ended; nothing of it was written down yet. */
export class OutcomeEvent extends View {
  private _envelope: EnvelopeView | null = null;
  get envelope(): EnvelopeView {
    let v = this._envelope;
    if (v === null) {
      v = new EnvelopeView();
      this._envelope = v;
    }
    return this.of<EnvelopeView>(v, 0);
  }
  private _recipient: RecipientView | null = null;
  get recipient(): RecipientView {
    let v = this._recipient;
    if (v === null) {
      v = new RecipientView();
      this._recipient = v;
    }
    return this.of<RecipientView>(v, 1);
  }
  private _route: RouteView | null = null;
  get route(): RouteView {
    let v = this._route;
    if (v === null) {
      v = new RouteView();
      this._route = v;
    }
    return this.of<RouteView>(v, 2);
  }
  get attempt(): i32 {
    return this.i(3) as i32;
  }
  private _outcome: OutcomeView | null = null;
  get outcome(): OutcomeView {
    let v = this._outcome;
    if (v === null) {
      v = new OutcomeView();
      this._outcome = v;
    }
    return this.of<OutcomeView>(v, 4);
  }
  /** when a deferred recipient is tried again; nanoseconds since 1970, 0: none */
  get next(): i64 {
    return this.i(5);
  }
}

/** BounceEvent: a DSN about Envelope is about to be queued. */
export class BounceEvent extends View {
  /** the message it is about */
  private _envelope: EnvelopeView | null = null;
  get envelope(): EnvelopeView {
    let v = this._envelope;
    if (v === null) {
      v = new EnvelopeView();
      this._envelope = v;
    }
    return this.of<EnvelopeView>(v, 0);
  }
  get kind(): DSNKind {
    return this.i(1) as DSNKind;
  }
  /** those it tells about */
  get recipients(): RecipientView[] {
    const out = new Array<RecipientView>(this.count(2));
    for (let i = 0; i < out.length; i++) out[i] = this.element(new RecipientView(), 2, i);
    return out;
  }
  /** the last of each */
  get outcomes(): OutcomeView[] {
    const out = new Array<OutcomeView>(this.count(3));
    for (let i = 0; i < out.length; i++) out[i] = this.element(new OutcomeView(), 3, i);
    return out;
  }
  /** the DSN itself */
  private _message: MessageView | null = null;
  get message(): MessageView {
    let v = this._message;
    if (v === null) {
      v = new MessageView();
      this._message = v;
    }
    return this.of<MessageView>(v, 4);
  }
  /** where it goes: the reverse-path of Envelope */
  get to(): string {
    return this.s(5);
  }
}

/** DisconnectEvent: a session has ended. */
export class DisconnectEvent extends View {
  private _session: SessionView | null = null;
  get session(): SessionView {
    let v = this._session;
    if (v === null) {
      v = new SessionView();
      this._session = v;
    }
    return this.of<SessionView>(v, 0);
  }
  /** accepted in this session */
  get messages(): i32 {
    return this.i(1) as i32;
  }
  /** quit, lost, timeout, error, shutdown, ... */
  get reason(): string {
    return this.s(2);
  }
}

/** HTTPRequest is one request of [Host.HTTP]. */
export class HTTPRequest extends Rec {
  /** empty: GET */
  method: string = "";
  /** http or https */
  url: string = "";
  private _header: HTTPField[] | null = null;
  get header(): HTTPField[] {
    let v = this._header;
    if (v === null) {
      v = new Array<HTTPField>();
      this._header = v;
    }
    return v;
  }
  set header(v: HTTPField[]) {
    this._header = v;
  }
  private _body: Uint8Array | null = null;
  /** at most 1 MiB */
  get body(): Uint8Array {
    let v = this._body;
    if (v === null) {
      v = new Uint8Array(0);
      this._body = v;
    }
    return v;
  }
  set body(v: Uint8Array) {
    this._body = v;
  }

  put(w: Out, at: i32): void {
    w.str(at + 0, this.method);
    w.str(at + 8, this.url);
    const header = this._header;
    if (header !== null) if (header.length) {
      const list = w.slots(at + 16, header.length);
      for (let i = 0; i < header.length; i++) header[i].put(w, w.slots(list + 8 * i, 2));
    }
    const body = this._body;
    if (body !== null) w.bytes(at + 24, body);
  }

  slots(): i32 {
    return 4;
  }
}

/** HTTPResponse is what came back, whatever its status. */
export class HTTPResponseView extends View {
  get status(): i32 {
    return this.i(0) as i32;
  }
  get header(): HTTPFieldView[] {
    const out = new Array<HTTPFieldView>(this.count(1));
    for (let i = 0; i < out.length; i++) out[i] = this.element(new HTTPFieldView(), 1, i);
    return out;
  }
  /** at most 1 MiB; more is an error */
  get body(): Uint8Array {
    return this.b(2);
  }
}

/** HTTPResponse is what came back, whatever its status. */
export class HTTPResponse extends Rec {
  status: i32 = 0;
  private _header: HTTPField[] | null = null;
  get header(): HTTPField[] {
    let v = this._header;
    if (v === null) {
      v = new Array<HTTPField>();
      this._header = v;
    }
    return v;
  }
  set header(v: HTTPField[]) {
    this._header = v;
  }
  private _body: Uint8Array | null = null;
  /** at most 1 MiB; more is an error */
  get body(): Uint8Array {
    let v = this._body;
    if (v === null) {
      v = new Uint8Array(0);
      this._body = v;
    }
    return v;
  }
  set body(v: Uint8Array) {
    this._body = v;
  }

  /** A copy that outlives the hook. */
  static of(v: HTTPResponseView): HTTPResponse {
    const r = new HTTPResponse();
    r.status = v.status;
    const header = v.header;
    for (let i = 0; i < header.length; i++) r.header.push(HTTPField.of(header[i]));
    r.body = v.body;
    return r;
  }
}

/** HTTPField is one header field of a request or response. */
export class HTTPFieldView extends View {
  get name(): string {
    return this.s(0);
  }
  get value(): string {
    return this.s(1);
  }
}

/** HTTPField is one header field of a request or response. */
export class HTTPField extends Rec {
  name: string = "";
  value: string = "";

  /** A copy that outlives the hook. */
  static of(v: HTTPFieldView): HTTPField {
    const r = new HTTPField();
    r.name = v.name;
    r.value = v.value;
    return r;
  }

  put(w: Out, at: i32): void {
    w.str(at + 0, this.name);
    w.str(at + 8, this.value);
  }

  slots(): i32 {
    return 2;
  }
}

/** MX is where mail for a domain goes. */
export class MXView extends View {
  /**
   * Hosts are the exchangers in the order in which to try them. Empty means
   * that there is none: see the other fields for the reason.
   */
  get hosts(): string[] {
    return this.strs(0);
  }
  /** Null: the domain says that it takes no mail (RFC 7505). */
  get null(): bool {
    return this.i(1) != 0;
  }
  /** Implicit: there is no MX record, and Hosts is the domain itself. */
  get implicit(): bool {
    return this.i(2) != 0;
  }
  /** Loops: this relay is itself the best exchanger, so nothing is left. */
  get loops(): bool {
    return this.i(3) != 0;
  }
  /** NoDomain: the name does not exist, or exists without any address. */
  get no_domain(): bool {
    return this.i(4) != 0;
  }
}

/** MX is where mail for a domain goes. */
export class MX extends Rec {
  private _hosts: string[] | null = null;
  /**
   * Hosts are the exchangers in the order in which to try them. Empty means
   * that there is none: see the other fields for the reason.
   */
  get hosts(): string[] {
    let v = this._hosts;
    if (v === null) {
      v = new Array<string>();
      this._hosts = v;
    }
    return v;
  }
  set hosts(v: string[]) {
    this._hosts = v;
  }
  /** Null: the domain says that it takes no mail (RFC 7505). */
  null: bool = false;
  /** Implicit: there is no MX record, and Hosts is the domain itself. */
  implicit: bool = false;
  /** Loops: this relay is itself the best exchanger, so nothing is left. */
  loops: bool = false;
  /** NoDomain: the name does not exist, or exists without any address. */
  no_domain: bool = false;

  /** A copy that outlives the hook. */
  static of(v: MXView): MX {
    const r = new MX();
    r.hosts = v.hosts;
    r.null = v.null;
    r.implicit = v.implicit;
    r.loops = v.loops;
    r.no_domain = v.no_domain;
    return r;
  }
}

/** LogCall writes one line to the relay's log. */
export class LogCall extends Rec {
  /** -4 debug, 0 info, 4 warning, 8 error */
  level: i32 = 0;
  /** at most 1 KiB is kept */
  text: string = "";

  put(w: Out, at: i32): void {
    w.int(at + 0, this.level as i64);
    w.str(at + 8, this.text);
  }

  slots(): i32 {
    return 2;
  }
}

/** LogResult is empty. */
export class LogResult extends View {
}

/** NowCall asks what time it is. */
export class NowCall extends Rec {

  put(w: Out, at: i32): void {
  }

  slots(): i32 {
    return 0;
  }
}

/** NowResult is the relay's clock. */
export class NowResult extends View {
  /** ; nanoseconds since 1970, 0: none */
  get time(): i64 {
    return this.i(0);
  }
}

/** RandomCall asks for random octets. */
export class RandomCall extends Rec {
  /** at most 4096 */
  size: i32 = 0;

  put(w: Out, at: i32): void {
    w.int(at + 0, this.size as i64);
  }

  slots(): i32 {
    return 1;
  }
}

/** RandomResult has them. */
export class RandomResult extends View {
  get data(): Uint8Array {
    return this.b(0);
  }
}

/** MetricCall adds to a counter, or sets a gauge. */
export class MetricCall extends Rec {
  name: string = "";
  /** set to Value; else add Value */
  gauge: bool = false;
  value: f64 = 0;

  put(w: Out, at: i32): void {
    w.str(at + 0, this.name);
    w.int(at + 8, this.gauge ? 1 : 0);
    w.float(at + 16, this.value);
  }

  slots(): i32 {
    return 3;
  }
}

/** MetricResult is empty. */
export class MetricResult extends View {
}

/** KVGetCall reads a key. */
export class KVGetCall extends Rec {
  key: string = "";

  put(w: Out, at: i32): void {
    w.str(at + 0, this.key);
  }

  slots(): i32 {
    return 1;
  }
}

/** KVGetResult is its value. */
export class KVGetResult extends View {
  get found(): bool {
    return this.i(0) != 0;
  }
  get value(): Uint8Array {
    return this.b(1);
  }
}

/** KVSetCall writes a key. */
export class KVSetCall extends Rec {
  key: string = "";
  private _value: Uint8Array | null = null;
  get value(): Uint8Array {
    let v = this._value;
    if (v === null) {
      v = new Uint8Array(0);
      this._value = v;
    }
    return v;
  }
  set value(v: Uint8Array) {
    this._value = v;
  }
  /** 0: for ever; nanoseconds */
  ttl: i64 = 0;

  put(w: Out, at: i32): void {
    w.str(at + 0, this.key);
    const value = this._value;
    if (value !== null) w.bytes(at + 8, value);
    w.int(at + 16, this.ttl as i64);
  }

  slots(): i32 {
    return 3;
  }
}

/** KVSetResult is empty. */
export class KVSetResult extends View {
}

/** KVSwapCall is compare-and-swap. */
export class KVSwapCall extends Rec {
  key: string = "";
  /** false: the key must be absent */
  has_old: bool = false;
  private _old: Uint8Array | null = null;
  get old(): Uint8Array {
    let v = this._old;
    if (v === null) {
      v = new Uint8Array(0);
      this._old = v;
    }
    return v;
  }
  set old(v: Uint8Array) {
    this._old = v;
  }
  /** false: the key goes */
  has_new: bool = false;
  private _new_: Uint8Array | null = null;
  get new_(): Uint8Array {
    let v = this._new_;
    if (v === null) {
      v = new Uint8Array(0);
      this._new_ = v;
    }
    return v;
  }
  set new_(v: Uint8Array) {
    this._new_ = v;
  }
  /** ; nanoseconds */
  ttl: i64 = 0;

  put(w: Out, at: i32): void {
    w.str(at + 0, this.key);
    w.int(at + 8, this.has_old ? 1 : 0);
    const old = this._old;
    if (old !== null) w.bytes(at + 16, old);
    w.int(at + 24, this.has_new ? 1 : 0);
    const new_ = this._new_;
    if (new_ !== null) w.bytes(at + 32, new_);
    w.int(at + 40, this.ttl as i64);
  }

  slots(): i32 {
    return 6;
  }
}

/** KVSwapResult tells whether it was done. */
export class KVSwapResult extends View {
  get swapped(): bool {
    return this.i(0) != 0;
  }
}

/** KVAddCall adds to a counter. */
export class KVAddCall extends Rec {
  key: string = "";
  delta: i64 = 0;
  /** counts from the first Add; nanoseconds */
  ttl: i64 = 0;

  put(w: Out, at: i32): void {
    w.str(at + 0, this.key);
    w.int(at + 8, this.delta as i64);
    w.int(at + 16, this.ttl as i64);
  }

  slots(): i32 {
    return 3;
  }
}

/** KVAddResult is the counter's new value. */
export class KVAddResult extends View {
  get value(): i64 {
    return this.i(0);
  }
}

/** KVDeleteCall removes a key. */
export class KVDeleteCall extends Rec {
  key: string = "";

  put(w: Out, at: i32): void {
    w.str(at + 0, this.key);
  }

  slots(): i32 {
    return 1;
  }
}

/** KVDeleteResult is empty. */
export class KVDeleteResult extends View {
}

/** LookupCall asks the DNS. */
export class LookupCall extends Rec {
  /** A, AAAA, TXT, PTR (name is an IP address) */
  kind: string = "";
  name: string = "";

  put(w: Out, at: i32): void {
    w.str(at + 0, this.kind);
    w.str(at + 8, this.name);
  }

  slots(): i32 {
    return 2;
  }
}

/** LookupResult has the records; none: no such name or record. */
export class LookupResult extends View {
  get values(): string[] {
    return this.strs(0);
  }
}

/** MXCall asks where mail for a domain goes. */
export class MXCall extends Rec {
  domain: string = "";

  put(w: Out, at: i32): void {
    w.str(at + 0, this.domain);
  }

  slots(): i32 {
    return 1;
  }
}

/** MXResult tells. */
export class MXResult extends View {
  private _mx: MXView | null = null;
  get mx(): MXView {
    let v = this._mx;
    if (v === null) {
      v = new MXView();
      this._mx = v;
    }
    return this.of<MXView>(v, 0);
  }
}

/** HTTPCall makes one request. */
export class HTTPCall extends Rec {
  private _request: HTTPRequest | null = null;
  get request(): HTTPRequest {
    let v = this._request;
    if (v === null) {
      v = new HTTPRequest();
      this._request = v;
    }
    return v;
  }
  set request(v: HTTPRequest) {
    this._request = v;
  }

  put(w: Out, at: i32): void {
    const request = this._request;
    if (request !== null) request.put(w, w.slots(at + 0, 4));
  }

  slots(): i32 {
    return 1;
  }
}

/** HTTPResult is what came back. */
export class HTTPResult extends View {
  private _response: HTTPResponseView | null = null;
  get response(): HTTPResponseView {
    let v = this._response;
    if (v === null) {
      v = new HTTPResponseView();
      this._response = v;
    }
    return this.of<HTTPResponseView>(v, 0);
  }
}

/** ReadCall reads a piece of the message that the hook is about. */
export class ReadCall extends Rec {
  offset: i64 = 0;
  /** at most 256 KiB */
  size: i32 = 0;

  put(w: Out, at: i32): void {
    w.int(at + 0, this.offset as i64);
    w.int(at + 8, this.size as i64);
  }

  slots(): i32 {
    return 2;
  }
}

/** ReadResult is the piece; empty at the end of the message. */
export class ReadResult extends View {
  get data(): Uint8Array {
    return this.b(0);
  }
}

/**
 * HeaderCall finds the header fields of one name in the message that the
 * hook is about.
 */
export class HeaderCall extends Rec {
  /** in any case */
  name: string = "";

  put(w: Out, at: i32): void {
    w.str(at + 0, this.name);
  }

  slots(): i32 {
    return 1;
  }
}

/** HeaderResult has their values, unfolded, from the top. */
export class HeaderResult extends View {
  get values(): string[] {
    return this.strs(0);
  }
}

/**
 * SendCall carries out one delivery attempt of the message that the hook is
 * about; deliver hook only.
 */
export class SendCall extends Rec {
  private _route: Route | null = null;
  get route(): Route {
    let v = this._route;
    if (v === null) {
      v = new Route();
      this._route = v;
    }
    return v;
  }
  set route(v: Route) {
    this._route = v;
  }
  private _recipients: Recipient[] | null = null;
  get recipients(): Recipient[] {
    let v = this._recipients;
    if (v === null) {
      v = new Array<Recipient>();
      this._recipients = v;
    }
    return v;
  }
  set recipients(v: Recipient[]) {
    this._recipients = v;
  }
  /** the reverse-path */
  from: string = "";
  lmtp: bool = false;

  put(w: Out, at: i32): void {
    const route = this._route;
    if (route !== null) route.put(w, w.slots(at + 0, 10));
    const recipients = this._recipients;
    if (recipients !== null) if (recipients.length) {
      const list = w.slots(at + 8, recipients.length);
      for (let i = 0; i < recipients.length; i++) recipients[i].put(w, w.slots(list + 8 * i, 4));
    }
    w.str(at + 16, this.from);
    w.int(at + 24, this.lmtp ? 1 : 0);
  }

  slots(): i32 {
    return 4;
  }
}

/** SendResult has one outcome for each recipient. */
export class SendResult extends View {
  get outcomes(): OutcomeView[] {
    const out = new Array<OutcomeView>(this.count(0));
    for (let i = 0; i < out.length; i++) out[i] = this.element(new OutcomeView(), 0, i);
    return out;
  }
}

// The numbers of the hooks and calls.
export const HOOK_CONNECT: i32 = 1;
export const HOOK_HELO: i32 = 2;
export const HOOK_AUTH: i32 = 3;
export const HOOK_MAIL: i32 = 4;
export const HOOK_RCPT: i32 = 5;
export const HOOK_PREDATA: i32 = 6;
export const HOOK_DATA: i32 = 7;
export const HOOK_ROUTE: i32 = 8;
export const HOOK_DELIVER: i32 = 9;
export const HOOK_OUTCOME: i32 = 10;
export const HOOK_BOUNCE: i32 = 11;
export const HOOK_DISCONNECT: i32 = 12;
export const CALL_LOG: i32 = 1;
export const CALL_NOW: i32 = 2;
export const CALL_RANDOM: i32 = 3;
export const CALL_METRIC: i32 = 4;
export const CALL_KV_GET: i32 = 5;
export const CALL_KV_SET: i32 = 6;
export const CALL_KV_SWAP: i32 = 7;
export const CALL_KV_ADD: i32 = 8;
export const CALL_KV_DELETE: i32 = 9;
export const CALL_LOOKUP: i32 = 10;
export const CALL_MX: i32 = 11;
export const CALL_HTTP: i32 = 12;
export const CALL_READ: i32 = 13;
export const CALL_HEADER: i32 = 14;
export const CALL_SEND: i32 = 15;

/** A code in words. */
export function callCodeText(c: CallCode): string {
  switch (c) {
    case CallCode.OK:
      return "ok";
    case CallCode.NotGranted:
      return "not granted";
    case CallCode.Invalid:
      return "invalid";
    case CallCode.Limit:
      return "limit";
    case CallCode.Timeout:
      return "timeout";
    case CallCode.Temporary:
      return "temporary";
    case CallCode.Failed:
      return "failed";
    case CallCode.NotAllowed:
      return "not allowed here";
    default:
      return "unknown";
  }
}

// The imports of the relay.
@external("mta1", "log")
export declare function call_log(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "now")
export declare function call_now(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "random")
export declare function call_random(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "metric")
export declare function call_metric(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "kv_get")
export declare function call_kv_get(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "kv_set")
export declare function call_kv_set(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "kv_swap")
export declare function call_kv_swap(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "kv_add")
export declare function call_kv_add(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "kv_delete")
export declare function call_kv_delete(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "lookup")
export declare function call_lookup(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "mx")
export declare function call_mx(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "http")
export declare function call_http(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "read")
export declare function call_read(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "header")
export declare function call_header(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "send")
export declare function call_send(request: usize, length: i32, result: usize, capacity: i32): i64;
@external("mta1", "rest")
export declare function call_rest(result: usize, capacity: i32): i32;
