//! A typical decision at RCPT TO: recipient domains from a table, sender domains
//! and networks that are not wanted, and a refusal with words of its own.
//!
//!     domains  the recipient domains that are ours
//!     senders  sender domains whose mail is refused
//!     networks prefixes of client addresses that are refused: "198.51.100."
#![no_std]

use mta::{domain, Answer, Error, Global, RcptEvent, Set, Start};

mta::plugin! {
    name: "realrcpt", version: "1.0.0",
    start: on_start,
    hooks: { rcpt: on_rcpt [session.remote_ip, envelope.from, recipient.addr] }
}

struct Config {
    domains: Set<'static>,
    senders: Set<'static>,
    networks: &'static [&'static str],
}

static CONFIG: Global<Config> = Global::new();

fn on_start(s: &mut Start) -> Result<(), Error> {
    CONFIG.set(Config { domains: s.set("domains"), senders: s.set("senders"), networks: s.texts("networks") });
    s.end(&["domains", "senders", "networks"])
}

fn on_rcpt(ev: RcptEvent) -> Answer {
    let config = CONFIG.get();
    let ip = ev.session().remote_ip();
    if config.networks.iter().any(|n| ip.starts_with(n)) {
        return Answer::reject("5.7.1", ev.host().join(&["no mail from your network: ", ip]));
    }
    let from = domain(ev.envelope().from());
    if config.senders.has(from) {
        return Answer::reject("5.7.1", ev.host().join(&["no mail from ", from, " is taken here"]));
    }
    let to = ev.recipient().addr();
    if !config.domains.has(domain(to)) {
        return Answer::reject("5.1.2", ev.host().join(&["<", to, ">: ", domain(to), " is no domain of ours"]));
    }
    Answer::accept()
}
