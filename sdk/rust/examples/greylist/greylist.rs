//! Greylisting (RFC 6647): a sender that was not seen before is put off once. The
//! same behaviour, configuration and store as the relay's own plugin greylist,
//! whose README describes them.
#![no_std]

mod sha256;

use mta::{
    domain, Answer, CallCode, CallError, Duration, Error, Global, Host, Ip, Network, RcptEvent, Set, Start, Time,
    SECOND,
};

mta::plugin! {
    name: "greylist", version: "1.0.0",
    needs: [kv],
    start: on_start,
    hooks: { rcpt: on_rcpt [session.remote_ip, session.login, envelope.from, recipient.addr] }
}

const DAY: i64 = 86400 * SECOND;

struct Config {
    delay: i64,
    window: i64,
    lifetime: i64,
    ipv4_prefix: i64,
    ipv6_prefix: i64,
    networks: &'static [Network],
    senders: Set<'static>,
    recipients: Set<'static>,
}

static CONFIG: Global<Config> = Global::new();

fn on_start(s: &mut Start) -> Result<(), Error> {
    let mut c = Config {
        delay: s.duration("delay", 300 * SECOND),
        window: s.duration("window", 2 * DAY),
        lifetime: s.duration("lifetime", 35 * DAY),
        ipv4_prefix: s.int("ipv4_prefix", 24),
        ipv6_prefix: s.int("ipv6_prefix", 64),
        networks: &[],
        senders: s.set("senders"),
        recipients: s.set("recipients"),
    };
    let networks = s.texts("networks");
    s.end(&["delay", "window", "lifetime", "ipv4_prefix", "ipv6_prefix", "networks", "senders", "recipients"])?;
    if c.delay <= 0 {
        return Err(Error("greylist: delay has to be longer than 0"));
    }
    if c.window <= c.delay {
        return Err(Error("greylist: window has to be longer than delay, or nobody ever passes"));
    }
    if c.lifetime < c.window {
        return Err(Error("greylist: lifetime has to be at least as long as window"));
    }
    if !(1..=32).contains(&c.ipv4_prefix) {
        return Err(Error("greylist: ipv4_prefix is 1 to 32"));
    }
    if !(1..=128).contains(&c.ipv6_prefix) {
        return Err(Error("greylist: ipv6_prefix is 1 to 128"));
    }
    if let Some(bad) = networks.iter().find(|n| Network::parse(n).is_none()) {
        return Err(Error(s.host.text(format_args!(
            "greylist: network {:?}: write an address and the length of its prefix, \"10.0.0.0/8\"",
            bad
        ))));
    }
    c.networks = s.host.list_of(networks.len(), |i| Network::parse(networks[i]).unwrap_or_default());
    CONFIG.set(c);
    Ok(())
}

fn listed(names: Set, addr: &str) -> bool {
    names.has(addr) || names.has(domain(addr))
}

fn because(reason: &str) -> Answer {
    Answer { reason, ..Answer::default() }
}

fn on_rcpt(ev: RcptEvent) -> Result<Answer, CallError> {
    let (c, host) = (CONFIG.get(), ev.host());
    if !ev.session().login().is_empty() {
        return Ok(because("the client has logged in"));
    }
    let (from, to) = (host.lower(ev.envelope().from()), host.lower(ev.recipient().addr()));
    if listed(c.senders, from) || listed(c.recipients, to) {
        return Ok(because("sender or recipient is excepted"));
    }
    let mut client = ev.session().remote_ip();
    if let Some(ip) = Ip::parse(client) {
        if c.networks.iter().any(|n| n.has(ip)) {
            return Ok(because("the client is excepted"));
        }
        // Big senders come again from another machine of the same network.
        let bits = if let Ip::V4(_) = ip { c.ipv4_prefix } else { c.ipv6_prefix } as u32;
        client = host.text(format_args!("{}/{}", ip.masked(bits), bits));
    }
    let sum = sha256::sum(host.join(&[client, "\0", from, "\0", to]).as_bytes());
    let key = host.text(format_args!("t.{}", sha256::Hex(&sum[..16])));
    judge(host, key, ev.now())
}

/// A value holds when it was first seen and when it was last written, in seconds.
fn judge<'a>(host: Host<'a>, key: &str, now: i64) -> Result<Answer<'a>, CallError<'a>> {
    let c = CONFIG.get();
    let got = host.kv_get(key)?;
    let value = got.value();
    if !got.found() || value.len() != 16 {
        return remember(host, key, now, got.found(), value);
    }
    let (first, written) = (seconds(&value[..8]), seconds(&value[8..]));
    let wait = first * SECOND + c.delay - now;
    if wait > 0 {
        return Ok(put_off(host, wait));
    }
    // Once a day keeps it alive, and at once when it passes for the first time.
    if written == first || now - written * SECOND > DAY {
        match host.kv_set(key, &record(first, now / SECOND), c.lifetime) {
            Err(e) if e.code != CallCode::CALL_LIMIT => return Err(e),
            _ => {}
        }
    }
    Ok(because(host.text(format_args!("known since {}", Time(first * SECOND)))))
}

/// Of two first attempts at once one is the first.
fn remember<'a>(host: Host<'a>, key: &str, now: i64, found: bool, old: &[u8]) -> Result<Answer<'a>, CallError<'a>> {
    let c = CONFIG.get();
    let new = record(now / SECOND, now / SECOND);
    match host.kv_swap(key, found, old, true, &new, c.window) {
        Ok(_) => Ok(put_off(host, c.delay)),
        Err(e) if e.code == CallCode::CALL_LIMIT => Ok(because("the store is full, so nobody new is put off")),
        Err(e) => Err(e),
    }
}

fn seconds(b: &[u8]) -> i64 {
    b.iter().rev().fold(0, |n, x| n << 8 | i64::from(*x))
}

fn record(first: i64, written: i64) -> [u8; 16] {
    let mut b = [0; 16];
    b[..8].copy_from_slice(&first.to_le_bytes());
    b[8..].copy_from_slice(&written.to_le_bytes());
    b
}

fn put_off(host: Host, wait: i64) -> Answer {
    let wait = (wait + SECOND - 1) / SECOND * SECOND;
    let mut a = Answer::defer("4.7.1", host.text(format_args!("greylisted, please try again in {}", Duration(wait))));
    a.reply.code = 451;
    a.reason = "not seen before, or too early";
    a
}
