//! A plugin that leaves a note and reads it again.
#![no_std]
use mta::{Answer, Edit, Error, Global, HeloEvent, RcptEvent, Start};

mta::plugin! {
    name: "own", version: "1.0.0",
    start: on_start,
    hooks: { helo: on_helo [session.helo], rcpt: on_rcpt [session.notes] }
}

static NAME: Global<&str> = Global::new();

fn on_start(s: &mut Start) -> Result<(), Error> {
    NAME.set(s.name);
    s.end(&[])
}

fn on_helo(ev: HeloEvent) -> Answer {
    Answer::default().with(ev.host().list(&[Edit::note("seen", ev.session().helo())]))
}

fn on_rcpt(ev: RcptEvent) -> Answer {
    let host = ev.host();
    match ev.session().notes().get(host.join(&[*NAME.get(), ".seen"])) {
        None => Answer::defer("4.2.0", "I have not seen you yet"),
        Some(seen) => Answer::reject("5.7.1", host.join(&[*NAME.get(), " has seen ", seen])),
    }
}
