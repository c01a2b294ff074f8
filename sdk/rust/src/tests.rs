extern crate std;

use crate::block::{View, Writer};
use crate::*;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

fn host() -> Host<'static> {
    // SAFETY: on this machine memory is never given back.
    unsafe { Host::new() }
}

#[test]
fn addresses_are_written_as_they_are_read() {
    for (text, want) in [
        ("192.0.2.1", Some("192.0.2.1")),
        ("::ffff:10.1.2.3", Some("10.1.2.3")),
        ("2001:DB8::1", Some("2001:db8::1")),
        ("2001:db8:0:0:1:0:0:0", Some("2001:db8:0:0:1::")),
        ("fe80::1%eth0", Some("fe80::1")),
        ("::", Some("::")),
        ("1::", Some("1::")),
        ("1:2:3:4:5:6:7:8", Some("1:2:3:4:5:6:7:8")),
        ("64:ff9b::192.0.2.33", Some("64:ff9b::c000:221")),
        ("192.0.2.01", None),
        ("192.0.2.256", None),
        ("192.0.2", None),
        ("192.0.2.1.", None),
        ("1:2:3:4:5:6:7", None),
        ("1:2:3:4:5:6:7:8:9", None),
        ("1::2::3", None),
        ("12345::", None),
        ("1:", None),
        (":1", None),
        ("", None),
    ] {
        assert_eq!(Ip::parse(text).map(|ip| ip.to_string()).as_deref(), want, "{}", text);
    }
}

#[test]
fn networks_have_the_addresses_of_their_prefix() {
    let has = |n: &str, ip: &str| Network::parse(n).unwrap().has(Ip::parse(ip).unwrap());
    assert!(has("10.0.0.0/8", "10.255.1.2"));
    assert!(!has("10.0.0.0/8", "11.0.0.0"));
    assert!(!has("0.0.0.0/0", "2001:db8::1"));
    assert!(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert!(!has("2001:db8::/33", "2001:db8:8000::1"));
    for bad in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0", "/8"] {
        assert!(Network::parse(bad).is_none(), "{}", bad);
    }
}

#[test]
fn durations_and_times_are_for_people() {
    for (text, want) in [
        ("1h30m", Some(5400 * SECOND)),
        ("1.5s", Some(1_500_000_000)),
        ("300ms", Some(300_000_000)),
        ("-5m", Some(-300 * SECOND)),
        ("35d", Some(35 * 86400 * SECOND)),
        ("0", Some(0)),
        ("5", None),
        ("", None),
        ("m", None),
        ("5y", None),
        ("99999999999h", None),
    ] {
        assert_eq!(duration(text), want, "{}", text);
    }
    assert_eq!(Duration(3600 * SECOND).to_string(), "1h0m0s");
    assert_eq!(Duration(61 * SECOND).to_string(), "1m1s");
    assert_eq!(Duration(0).to_string(), "0s");
    assert_eq!(Time(1_767_366_245 * SECOND).to_string(), "2026-01-02 15:04:05");
    assert_eq!(Time(951_782_400 * SECOND).to_string(), "2000-02-29 00:00:00");
    assert_eq!(Time(-1).to_string(), "1969-12-31 23:59:59");
}

#[test]
fn json_is_read_as_it_was_meant() {
    let h = host();
    let all = Json::new(r#" {"a" : ["x", "y\u00e9\ud83d\ude00\n"], "b": {"c": -12.5e1}, "d": true, "e": "]}"} "#);
    let texts: Vec<_> = all.get(h, "a").unwrap().items().map(|v| v.text(h).unwrap()).collect();
    assert_eq!(texts, ["x", "y\u{e9}\u{1f600}\n"]);
    assert_eq!(all.get(h, "b").unwrap().get(h, "c").unwrap().num(), Some(-125.0));
    assert_eq!(all.get(h, "d").unwrap().bool(), Some(true));
    assert_eq!(all.get(h, "e").unwrap().text(h), Some("]}"));
    assert!(all.get(h, "f").is_none());
}

#[test]
fn damaged_json_is_no_panic() {
    let h = host();
    let good = r#"{"a": ["x\u00e9", {"b": 1e5}], "c": "\ud83d\ude00", "d": true}"#;
    for n in 0..good.len() {
        for c in 0x20..0x7fu8 {
            let mut bad: Vec<u8> = good.as_bytes()[..n].to_vec();
            if n > 0 {
                bad[n / 2] = c;
            }
            let bad = String::from_utf8(bad).unwrap();
            let bad: &'static str = std::boxed::Box::leak(bad.into_boxed_str());
            for v in Json::new(bad).items() {
                let _ = (v.text(h), v.num(), v.items().count(), v.get(h, "b").is_some());
            }
        }
    }
}

#[test]
fn a_start_function_hears_of_mistakes() {
    let text = r#"{"hostname": "mx.example.org", "name": "mine", "config": {"delay": "5", "n": 3, "x": 1}}"#;
    let mut s = Start::new(host(), text);
    assert_eq!((s.hostname, s.name, s.int("n", 1), s.int("m", 7)), ("mx.example.org", "mine", 3, 7));
    assert_eq!(s.end(&["delay", "n"]).unwrap_err().0, r#"config: unknown key "x"; there are: delay, n"#);
    s.duration("delay", 1);
    let want = r#"config: delay: "5" is no duration: write "5m", "36h" or "35d""#;
    assert_eq!(s.end(&["delay", "n", "x"]).unwrap_err().0, want);
}

#[test]
fn what_is_no_utf8_is_replaced() {
    assert_eq!(block::text(b"a\xffb\xc3"), "a\u{fffd}b\u{fffd}");
}

#[test]
fn sets_know_no_case() {
    let s = Set::new(host(), &["Example.org", "a", "b", ""]);
    assert!(s.has("example.ORG") && s.has("b") && !s.has("c") && !s.has(""));
    assert!(!Set::default().has("a"));
}

/// Reads all that there is, whatever it is.
fn walk(v: View, depth: usize) -> usize {
    let mut n = 0;
    for slot in 0..v.len().min(64) {
        n += v.text(slot).len() + v.bytes(slot).len() + v.int(slot) as u8 as usize;
        if depth > 0 {
            n += walk(v.record(slot), depth - 1);
        }
    }
    n
}

#[test]
fn damaged_blocks_are_no_panic() {
    // SAFETY: memory is never given back here.
    let (mut w, at) = unsafe { Writer::begin(5, 3) };
    let session = w.slots(at, 4);
    w.bytes(session, b"text");
    w.texts(session + 8, &["a", "b", "c"]);
    w.bytes(at + 8, &[0xff; 100]);
    let good = w.end();
    assert!(walk(View::open(good, 5).unwrap(), 3) > 100);
    assert!(View::open(good, 6).is_none());
    assert!(View::open(&good[..good.len() - 1], 5).is_none());
    let mut seed = 88_172_645_463_325_252u64;
    let mut pick = |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as usize % n
    };
    let mut read = 0;
    for _ in 0..20_000 {
        let mut bad = good[..24 + pick(good.len() - 23)].to_vec();
        for _ in 0..pick(4) {
            let at = pick(bad.len());
            bad[at] = [0, 1, 24, 0x7f, 0x80, 0xff, pick(256) as u8][pick(7)];
        }
        let n = bad.len() as u32;
        bad[..4].copy_from_slice(&n.to_le_bytes());
        bad[8..10].copy_from_slice(&[5, 0]);
        if let Some(v) = View::open(&bad, 5) {
            read += walk(v, 2);
        }
    }
    assert!(read > 0);
}

#[test]
fn a_call_without_a_relay_fails() {
    let e = host().kv_get("k").map(|_| ()).unwrap_err();
    assert_eq!((e.code, format!("{}", e).as_str()), (CallCode::CALL_NOT_ALLOWED, "kv_get: not allowed here"));
}
