// Code generated from the types of the sdk and sdk/gen/fragments by sdk/gen; DO NOT EDIT.

// The types of a plugin in JavaScript, for editors. Write above a script:
//
//   /// <reference path="mta.d.ts" />
//
// and above a hook, for example:
//
//   /** @param {import("./mta").RcptEvent} e */

/** Notify is the set of NOTIFY conditions of RFC 3461 §4.1. */
export type Notify = string; // "NEVER", "SUCCESS", "FAILURE", "DELAY", joined with commas

/** Action is what a decision asks the core to do. */
export type Action = "continue" | "accept" | "defer" | "reject" | "disconnect" | "discard" | "hold";

/** Op is an edit operation. */
export type Op = "note" | "set-sender" | "add-recipient" | "remove-recipient" | "replace-recipient" | "prepend-header" | "append-header" | "replace-header" | "remove-header" | "replace-body";

/** RouteAction is what a route answer says. */
export type RouteAction = "continue" | "use" | "defer" | "fail" | "hold";

/** Status is how a recipient of an attempt came out. */
export type Status = "none" | "delivered" | "deferred" | "failed";

/** DSNKind is why a DSN is made. */
export type DSNKind = "failed" | "delayed" | "success";

/** CallCode says why a call failed. */
export type CallCode = "ok" | "not granted" | "invalid" | "limit" | "timeout" | "temporary" | "failed" | "not allowed here";

/** Session is one connection from a client, as far as it has come. */
export interface Session {
  /** unique in the life of the spool; joins log lines of one connection */
  id: string;
  /** of the listener: mx, submission, submissions, lmtp */
  profile: string;
  /** address:port that the client connected to */
  local_addr: string;
  /** the client's address, without port and brackets */
  remote_ip: string;
  /** the client's port */
  remote_port: number;
  /** the client's name, confirmed in both directions; empty: unknown */
  remote_name: string;
  /** the name given in HELO/EHLO/LHLO; empty: not yet */
  helo: string;
  /** RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPA, LMTP, UTF8SMTP, ... */
  protocol: string;
  /** version and cipher suite; empty: in the clear */
  tls: string;
  /** the authenticated identity; empty: none */
  login: string;
  /** when the connection was accepted; milliseconds since 1970, 0: none */
  started: number;
  /** what plugins left on the session */
  notes: Record<string, string>;
}

/** Recipient is one forward-path of a message. */
export interface Recipient {
  /** where the message goes */
  addr?: string;
  /** as the client gave it, when a plugin changed it; else empty */
  orig?: string;
  /** RFC 3461 NOTIFY */
  notify?: Notify;
  /** RFC 3461 ORCPT, decoded: "rfc822;user@example.org"; empty: none */
  orcpt?: string;
}

/**
 * Envelope is a message without its content: from whom, to whom, and on which
 * terms. It is kept in the queue until every recipient has ended.
 */
export interface Envelope {
  /** the queue ID, from MAIL to the last log line */
  id: string;
  /** the reverse-path; empty is the null reverse-path */
  from: string;
  /** in the order in which they were accepted */
  recipients: Recipient[];
  /** octets of the message; 0 before it was received */
  size: number;
  /** BODY= of RFC 6152/3030: "", 7BIT, 8BITMIME, BINARYMIME */
  body: string;
  /** RFC 6531 */
  smtputf8: boolean;
  /** RFC 8689 */
  require_tls: boolean;
  /** RFC 3461 RET: "", FULL, HDRS */
  ret: string;
  /** RFC 3461 ENVID, decoded */
  env_id: string;
  /** when the transaction began; milliseconds since 1970, 0: none */
  arrived: number;
  /** how it came to us */
  origin: Origin;
  /** what plugins left on the message */
  notes: Record<string, string>;
}

/**
 * Origin tells how a message came to the relay. It is kept with the message,
 * so that a route can depend on it days later.
 */
export interface Origin {
  /** the client's address; empty: made by the relay itself */
  ip: string;
  /** its confirmed name */
  name: string;
  /** its HELO name */
  helo: string;
  /** RFC 3848 */
  protocol: string;
  /** the authenticated identity */
  login: string;
  /** of the listener */
  profile: string;
}

/**
 * Message is a handle on the content of a message. The content is read only
 * when a plugin asks for it, in the pieces in which it asks.
 */
export interface Message {
  /** the queue ID */
  id: string;
  /** octets, with the trace fields that the relay has added */
  size: number;
}

/**
 * Reply is what a client is told. The zero value lets the core choose the words
 * that fit the hook and the action. It goes with Defer (4yz), Reject (5yz) and
 * Disconnect (either); with any other action it is a fault. The classes of Code
 * and Enhanced agree.
 */
export interface Reply {
  /** 4yz or 5yz in an answer; 0: the core's choice */
  code?: number;
  /** RFC 3463, "5.7.1"; empty: the core's choice */
  enhanced?: string;
  /** one line, or up to ten with "\n" between them, of 400 octets each; empty: the core's choice */
  text?: string;
}

/**
 * Answer is what a session hook (connect to data) returns. The zero value is
 * "continue".
 */
export interface Answer {
  action?: Action;
  reply?: Reply;
  /** as reply.code */
  code?: number;
  /** as reply.enhanced */
  enhanced?: string;
  /** as reply.text */
  text?: string;
  /** Reason is for log and trace only; no client ever sees it. */
  reason?: string;
  /**
   * Edits are applied in order, all or none. With Defer, Reject and Disconnect
   * only the notes among them are: nothing is left to be edited.
   */
  edits?: Edit[];
  /**
   * Identity is who the client is; auth hook only, with Accept, where it must
   * not be empty.
   */
  identity?: string;
  /**
   * Recipients are verdicts on single recipients, in the order of the
   * envelope; data hook only, and either empty or one for each. A recipient
   * that is not Continue or Accept is removed: on LMTP it gets its own reply,
   * on SMTP a DSN.
   */
  recipients?: Verdict[];
}

/** Verdict is a decision about one recipient of a message. */
export interface Verdict {
  /** Continue, Accept, Defer, Reject, Discard */
  action?: Action;
  reply?: Reply;
  /** as reply.code */
  code?: number;
  /** as reply.enhanced */
  enhanced?: string;
  /** as reply.text */
  text?: string;
  reason?: string;
}

/** Edit is one operation on a session or message. */
export interface Edit {
  op?: Op;
  name?: string;
  value?: string;
  index?: number;
  data?: Uint8Array | string;
}

/** RouteAnswer is what a route hook returns for one recipient at one attempt. */
export interface RouteAnswer {
  action?: RouteAction;
  /** for RouteUse */
  route?: Route;
  /** for RouteDefer and RouteFail */
  reply?: Reply;
  /** as reply.code */
  code?: number;
  /** as reply.enhanced */
  enhanced?: string;
  /** as reply.text */
  text?: string;
  /** for log and trace */
  reason?: string;
  /**
   * NotBefore: with RouteDefer, the earliest time of the next attempt; zero:
   * the usual retry time.; milliseconds since 1970, 0: none
   */
  not_before?: number | string | Date;
}

/** Route is how a recipient is reached. */
export interface Route {
  /** Via names the transport: "smtp", "lmtp", or a plugin with a deliver hook. */
  via?: string;
  /**
   * Hosts are the next hops in the order in which to try them: "host",
   * "host:port", "192.0.2.1:25", "[2001:db8::1]:25"; for LMTP also
   * "unix:/path". The port defaults to 25, for LMTP to 24.
   */
  hosts?: string[];
  /**
   * MX: the DNS named the hosts, so loopback and other addresses that no
   * stranger may choose for us are not connected to.
   */
  mx?: boolean;
  /**
   * TLS is the policy towards the next hop: none, may, encrypt, verify, dane.
   * Empty is may.
   */
  tls?: string;
  /** Source and Pool choose where the connection comes from; empty: the system. */
  source?: string;
  pool?: string;
  /**
   * Key names what shares concurrency, back-off and connections. Empty: made
   * from Via, Hosts, TLS, Source, Pool and User.
   */
  key?: string;
  /**
   * User and PasswordFile log in at the next hop. Only a plugin that is
   * compiled into the relay may name a file.
   */
  user?: string;
  password_file?: string;
  /** Rule says what chose the route, for people: "route 2: to *.example". */
  rule?: string;
}

/** Outcome is the result of an attempt for one recipient. */
export interface Outcome {
  status?: Status;
  /** of the next hop, or the words of whoever decided */
  reply?: Reply;
  /** as reply.code */
  code?: number;
  /** as reply.enhanced */
  enhanced?: string;
  /** as reply.text */
  text?: string;
  /** who answered: "mx1.example.org[192.0.2.1]:25"; empty: nobody did */
  remote?: string;
  /** version and cipher suite of the conversation; empty: clear */
  tls?: string;
  /**
   * RemoteReply: Reply was spoken by the peer named in Remote, so a DSN may
   * show it as Diagnostic-Code (RFC 3464 §2.3.6).
   */
  remote_reply?: boolean;
  /**
   * DSNRelayed: the next hop took over the RFC 3461 parameters, so success
   * is reported by it and not by us.
   */
  dsn_relayed?: boolean;
  /**
   * MaybeDuplicate: the connection was lost between the end of the message
   * and the reply; the next hop may have it nevertheless (RFC 1047).
   */
  maybe_duplicate?: boolean;
  /**
   * Unreachable: no conversation about this message was begun: no connection,
   * no greeting, no EHLO. The whole destination is slow or down.
   */
  unreachable?: boolean;
  /**
   * Setup is the time for DNS, connect, EHLO and TLS; Transfer that for the
   * message.; milliseconds
   */
  setup?: number | string | Date;
  /** milliseconds */
  transfer?: number | string | Date;
  /** Hold: with StatusDeferred, keep until an operator releases it. */
  hold?: boolean;
}

/**
 * DeliverAnswer is what a deliver hook returns: one outcome for each recipient
 * of the event, in its order.
 */
export interface DeliverAnswer {
  outcomes?: Outcome[];
}

/**
 * OutcomeAnswer may change what an attempt meant, never undo or delete it. The
 * zero value changes nothing.
 */
export interface OutcomeAnswer {
  /**
   * Status: StatusDeferred or StatusFailed instead of the other; StatusNone
   * keeps it. A delivered recipient stays delivered.
   */
  status?: Status;
  /** Delay: for a deferred recipient, the time until the next attempt.; milliseconds */
  delay?: number | string | Date;
  /** shown to people instead of the original; zero keeps it */
  reply?: Reply;
  /** as reply.code */
  code?: number;
  /** as reply.enhanced */
  enhanced?: string;
  /** as reply.text */
  text?: string;
  reason?: string;
  /**
   * Hold: keep a recipient that was not delivered until an operator releases
   * it.
   */
  hold?: boolean;
}

/**
 * BounceAnswer may edit, suppress or put off a DSN. The zero value changes
 * nothing. At most one of Suppress, Defer and Hold is set.
 */
export interface BounceAnswer {
  /** Suppress: send no DSN. It is recorded with the plugin's name. */
  suppress?: boolean;
  reason?: string;
  /** OpPrependHeader, OpAppendHeader, OpReplaceHeader, OpNote */
  edits?: Edit[];
  /**
   * Defer: not now. The recipients stay in the queue as deferred, and the
   * hook is asked again after their next attempt.
   */
  defer?: boolean;
  /** Hold: no DSN now, and the recipients stay until an operator releases them. */
  hold?: boolean;
}

/** ConnectEvent: a client has connected; nothing was said yet. */
export interface ConnectEvent {
  session: Session;
}

/** HeloEvent: HELO, EHLO or LHLO was given, the first time or again. */
export interface HeloEvent {
  /** Session.Helo already holds the name */
  session: Session;
  /** EHLO or LHLO */
  extended: boolean;
}

/**
 * AuthEvent: a client presents credentials. A plugin that knows the user
 * answers Accept with Identity, or Reject; Continue leaves it to the next.
 */
export interface AuthEvent {
  session: Session;
  /** PLAIN, LOGIN, ... */
  mechanism: string;
  username: string;
  /** empty for mechanisms that do not reveal it */
  password: string;
  authz_id: string;
}

/** MailEvent: MAIL FROM was given. Envelope has no recipients yet. */
export interface MailEvent {
  session: Session;
  envelope: Envelope;
}

/** RcptEvent: RCPT TO was given. Envelope holds the recipients accepted so far. */
export interface RcptEvent {
  session: Session;
  envelope: Envelope;
  recipient: Recipient;
}

/** PredataEvent: DATA or the first BDAT was given; 354 was not said yet. */
export interface PredataEvent {
  session: Session;
  envelope: Envelope;
}

/** DataEvent: the whole message was received; the 250 was not said yet. */
export interface DataEvent {
  session: Session;
  envelope: Envelope;
  message: Message;
}

/** RouteEvent asks where one recipient goes, at each attempt anew. */
export interface RouteEvent {
  envelope: Envelope;
  recipient: Recipient;
  /** 1 for the first */
  attempt: number;
  /** of the attempt before; zero at the first */
  last: Outcome;
}

/**
 * DeliverEvent asks a transport to deliver one message to some of its
 * recipients: those that share a route.
 */
export interface DeliverEvent {
  envelope: Envelope;
  message: Message;
  recipients: Recipient[];
  route: Route;
  attempt: number;
}

/** OutcomeEvent: an attempt ended; nothing of it was written down yet. */
export interface OutcomeEvent {
  envelope: Envelope;
  recipient: Recipient;
  route: Route;
  attempt: number;
  outcome: Outcome;
  /** when a deferred recipient is tried again; milliseconds since 1970, 0: none */
  next: number;
}

/** BounceEvent: a DSN about Envelope is about to be queued. */
export interface BounceEvent {
  /** the message it is about */
  envelope: Envelope;
  kind: DSNKind;
  /** those it tells about */
  recipients: Recipient[];
  /** the last of each */
  outcomes: Outcome[];
  /** the DSN itself */
  message: Message;
  /** where it goes: the reverse-path of Envelope */
  to: string;
}

/** DisconnectEvent: a session has ended. */
export interface DisconnectEvent {
  session: Session;
  /** accepted in this session */
  messages: number;
  /** quit, lost, timeout, error, shutdown, ... */
  reason: string;
}

/** HTTPRequest is one request of [Host.HTTP]. */
export interface HTTPRequest {
  /** empty: GET */
  method?: string;
  /** http or https */
  url?: string;
  header?: HTTPField[];
  /** at most 1 MiB */
  body?: Uint8Array | string;
}

/** HTTPResponse is what came back, whatever its status. */
export interface HTTPResponse {
  status: number;
  header: HTTPField[];
  /** at most 1 MiB; more is an error */
  body: Uint8Array;
}

/** HTTPField is one header field of a request or response. */
export interface HTTPField {
  name?: string;
  value?: string;
}

/** MX is where mail for a domain goes. */
export interface MX {
  /**
   * Hosts are the exchangers in the order in which to try them. Empty means
   * that there is none: see the other fields for the reason.
   */
  hosts: string[];
  /** Null: the domain says that it takes no mail (RFC 7505). */
  null: boolean;
  /** Implicit: there is no MX record, and Hosts is the domain itself. */
  implicit: boolean;
  /** Loops: this relay is itself the best exchanger, so nothing is left. */
  loops: boolean;
  /** NoDomain: the name does not exist, or exists without any address. */
  no_domain: boolean;
}

/**
 * SendCall carries out one delivery attempt of the message that the hook is
 * about; deliver hook only.
 */
export interface SendCall {
  route?: Route;
  recipients?: Recipient[];
  /** the reverse-path */
  from?: string;
  lmtp?: boolean;
}

/** The hooks that a plugin can export. */
export interface Hooks {
  /** onConnect is asked before the banner is sent. */
  onConnect?(e: ConnectEvent): Decision | Action | Answer | void | Promise<Decision | Action | Answer | void>;
  /** onHelo is asked at EHLO, HELO and LHLO, and again after STARTTLS. */
  onHelo?(e: HeloEvent): Decision | Action | Answer | void | Promise<Decision | Action | Answer | void>;
  /** onAuth is asked when credentials are presented. */
  onAuth?(e: AuthEvent): Decision | Action | Answer | void | Promise<Decision | Action | Answer | void>;
  /** onMail is asked at MAIL FROM. */
  onMail?(e: MailEvent): Decision | Action | Answer | void | Promise<Decision | Action | Answer | void>;
  /** onRcpt is asked at each RCPT TO. If nobody accepts: 550 5.7.1. */
  onRcpt?(e: RcptEvent): Decision | Action | Answer | void | Promise<Decision | Action | Answer | void>;
  /** onPredata is asked at DATA and at the first BDAT, before the message. */
  onPredata?(e: PredataEvent): Decision | Action | Answer | void | Promise<Decision | Action | Answer | void>;
  /** onData is asked when the message has arrived, before the 250. */
  onData?(e: DataEvent): Decision | Action | Answer | void | Promise<Decision | Action | Answer | void>;
  /** onRoute is asked for every recipient at every attempt. */
  onRoute?(e: RouteEvent): RouteAction | RouteAnswer | void | Promise<RouteAction | RouteAnswer | void>;
  /** onDeliver is a transport: routes name it in Via. */
  onDeliver?(e: DeliverEvent): DeliverAnswer | Outcome[] | Promise<DeliverAnswer | Outcome[]>;
  /** onOutcome is asked after an attempt, before its outcome is settled. */
  onOutcome?(e: OutcomeEvent): OutcomeAnswer | void | Promise<OutcomeAnswer | void>;
  /** onBounce is asked before a DSN is queued. */
  onBounce?(e: BounceEvent): BounceAnswer | void | Promise<BounceAnswer | void>;
  /** onDisconnect is told when a session ends. It decides nothing. */
  onDisconnect?(e: DisconnectEvent): void | Promise<void>;
}

/** What a script can export beside its hooks. */
export interface Plugin extends Hooks {
  plugin?: {
    name?: string;
    version?: string; // semantic version
    /** The grants without which it cannot work, such as "kv". */
    needs?: string[];
    /** The grants without which it can do less. */
    wants?: string[];
    /** What its hooks read of their events, such as {rcpt: ["recipient.addr"]}; ["*"] or no entry: all. Naming them is faster. */
    hooks?: Record<string, string[]>;
    /** The keys of its configuration with their defaults; others are refused. */
    config?: Record<string, unknown>;
  };
  /** Called once with its configuration, before any hook. */
  start?(config: any, host: Host): void | Promise<void>;
  /** Called after start; an exception keeps this version out of service. */
  selftest?(): void | Promise<void>;
  /** Called before it is closed in good order. */
  stop?(): void | Promise<void>;
}

/** A decision of host.reject and the like, to be returned as it is. It cannot be changed: for more, return an Answer. */
export interface Decision { readonly [opaque]: true }
declare const opaque: unique symbol;

/** What a plugin may ask of the relay. A call that fails throws a HostError. Times are in milliseconds, or written "5m". */
export interface Host {
  /** The name that the configuration gives this plugin: its notes are NAME.key. */
  readonly name: string;
  /** The name by which the relay calls itself. */
  readonly hostname: string;
  accept(): Action;
  /** A permanent refusal (5yz); enhanced is a code of RFC 3463, class 5. The reason is for the log. */
  reject(enhanced?: string, text?: string, reason?: string): Decision;
  /** A temporary refusal (4yz); enhanced is a code of RFC 3463, class 4. */
  defer(enhanced?: string, text?: string, reason?: string): Decision;
  disconnect(enhanced?: string, text?: string, reason?: string): Decision;
  discard(reason?: string): Decision;
  hold(reason?: string): Decision;
  /** Goes on and leaves a note for other plugins, and for this one later. */
  noted(name: string, value: string): Answer;
  /** The time of the event. */
  eventTime(): number;
  /** The relay's clock; without the grant "clock" the time of the event. */
  now(): number;
  log(text: string, level?: number): void;
  random(size: number): Uint8Array;
  count(name: string, delta?: number): void;
  gauge(name: string, value: number): void;
  /** The value of a key in the plugin's own store; null: there is none. Needs "kv". */
  kvGet(key: string): string | null;
  kvGetBytes(key: string): Uint8Array | null;
  kvSet(key: string, value: string | Uint8Array, ttl?: number | string): void;
  /** Compare-and-swap: null as old: the key must be absent; null as value: it goes. */
  kvSwap(key: string, old: string | Uint8Array | null, value: string | Uint8Array | null, ttl?: number | string): boolean;
  /** Adds to a counter, and is its new value. The ttl counts from the first time. */
  kvAdd(key: string, delta?: number, ttl?: number | string): number;
  kvDelete(key: string): void;
  /** The DNS records of a kind; none: no such name or record. Needs "dns". */
  lookup(kind: "A" | "AAAA" | "TXT" | "PTR", name: string): string[];
  mx(domain: string): MX;
  /** One request to a host that the grant "http" names. */
  http(request: string | HTTPRequest): HTTPResponse;
  /** A piece of the message, at most 256 KiB; empty at its end. Needs "body". */
  read(offset: number, size: number): Uint8Array;
  /** The values of the header fields of one name, from the top. Needs "headers". */
  header(name: string): string[];
  /** One delivery attempt; deliver hook only. Needs "send". */
  send(what: SendCall): Outcome[];
  /** Text as UTF-8. */
  encode(text: string): Uint8Array;
  decode(octets: Uint8Array): string;
  /** What is behind the last "@" of an address, in lower case; empty: it has none. */
  domain(address: string): string;
  /** "1h30m" in milliseconds. */
  duration(text: string): number;
  readonly HostError: typeof HostError;
}

/** Why a call of the relay failed. */
export declare class HostError extends Error {
  readonly call: string;
  readonly code: CallCode;
  readonly reason: string;
}

declare global {
  const host: Host;
}
