// Asks the relay for everything; the test prepares what it answers.

import * as m from "../../assembly";
import { host } from "../../assembly";
export * from "../../assembly/exports";

function same<T>(what: string, got: T, want: T): void {
  if (got != want) m.fail(what + " is not as it should be");
}

function refused(what: string, code: m.CallCode): void {
  same<m.CallCode>(what, host.code, code);
  same<bool>(what, host.recovered().length > 0, true);
}

function text(b: Uint8Array): string {
  return String.UTF8.decodeUnsafe(b.dataStart, b.length);
}

function onData(e: m.DataEvent): m.Answer {
  same<string>("hostname", host.hostname, "mx.example.org");
  same<i64>("now", host.now(), 1767366245000000000);
  same<i64>("eventTime", host.eventTime, 1767366245000000000);
  same<i32>("random", host.random(5).length, 5);
  host.count("seen");
  host.count("seen", 2);
  host.gauge("depth", 1.5);
  same<bool>("kvGet", host.kvGet("a") === null, true);
  host.kvSet("a", "ä€😀", 300000000000);
  same<string>("kvGet", host.kvGet("a")!, "ä€😀");
  host.kvSetBytes("b", new Uint8Array(60000).fill(7));
  same<i32>("kvGetBytes", host.kvGetBytes("b")!.length, 60000);
  same<bool>("kvSwap", host.kvSwap("a", "no", "b"), false);
  same<bool>("kvSwap", host.kvSwap("a", "ä€😀", null), true);
  same<bool>("kvSwap", host.kvSwap("a", null, "c"), true);
  host.kvDelete("a");
  same<bool>("kvDelete", host.kvGet("a") === null, true);
  same<i64>("kvAdd", host.kvAdd("n", 1), 1);
  same<i64>("kvAdd", host.kvAdd("n", -5, 1000000000), -4);
  host.kvGet("");
  refused("kvGet", m.CallCode.Invalid);
  same<string>("lookup", host.lookup("TXT", "example.org").join(","), "v=spf1 -all,x");
  same<i32>("lookup", host.lookup("A", "nobody.example").length, 0);
  host.lookup("TXT", "slow.example");
  refused("lookup", m.CallCode.Temporary);
  same<string>("mx", host.mx("example.org").hosts.join(","), "mx1,mx2");
  const q = new m.HTTPRequest();
  q.method = "POST";
  q.url = "http://api.example.net/x";
  q.body = Uint8Array.wrap(String.UTF8.encode("hi"));
  const r = host.http(q);
  same<i32>("http", r.status, 201);
  same<string>("http", text(r.body), "made");
  same<string>("read", text(host.read(0, 7)), "Subject");
  same<string>("header", host.header("subject").join(","), "héllo");
  host.send(new m.SendCall());
  refused("send", m.CallCode.NotAllowed);
  host.log("two", 4);
  return m.noted("size", e.message.size.toString());
}

function onConnect(e: m.ConnectEvent): m.Answer {
  host.kvGet("");
  return m.accept();
}

function onHelo(e: m.HeloEvent): m.Answer {
  const list: string[] = [];
  if (e.session.helo == "throw") throw new Error("thrown");
  if (e.session.helo == "index") return m.reject("", list[7]);
  if (e.session.helo == "loop") for (;;) list.length = 0;
  if (e.session.helo == "bomb") for (;;) list.push("x" + list.length.toString());
  if (e.session.helo == "recursion") return m.reject("", deep(0).toString());
  return m.accept();
}

function deep(n: i32): i32 {
  return n < 0 ? 0 : 1 + deep(n + 1) * n;
}

m.plugin.named("calls", "1.0.0").onData(onData).onConnect(onConnect).onHelo(onHelo);
