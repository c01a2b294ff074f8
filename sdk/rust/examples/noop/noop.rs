//! A plugin that is asked at every hook and has no opinion: what a call costs.
#![no_std]

use mta::*;

plugin! {
    name: "noop", version: "1.0.0",
    hooks: {
        connect: on_connect [], helo: on_helo [], auth: on_auth [], mail: on_mail [],
        rcpt: on_rcpt [], predata: on_predata [], data: on_data [], route: on_route [],
        outcome: on_outcome [], bounce: on_bounce [], disconnect: on_disconnect [],
    }
}

fn on_connect(_: ConnectEvent) -> Answer {
    Answer::default()
}
fn on_helo(_: HeloEvent) -> Answer {
    Answer::default()
}
fn on_auth(_: AuthEvent) -> Answer {
    Answer::default()
}
fn on_mail(_: MailEvent) -> Answer {
    Answer::default()
}
fn on_rcpt(_: RcptEvent) -> Answer {
    Answer::default()
}
fn on_predata(_: PredataEvent) -> Answer {
    Answer::default()
}
fn on_data(_: DataEvent) -> Answer {
    Answer::default()
}
fn on_route(_: RouteEvent) -> RouteAnswer {
    RouteAnswer::default()
}
fn on_outcome(_: OutcomeEvent) -> OutcomeAnswer {
    OutcomeAnswer::default()
}
fn on_bounce(_: BounceEvent) -> BounceAnswer {
    BounceAnswer::default()
}
fn on_disconnect(_: DisconnectEvent) {}
