//! What selfcheck.rs, which is generated, needs to show and to fill values.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;
use mta::{Host, Notes};

pub fn below(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{}.", path)
    }
}

/// Octets that are no printable ASCII are written as \xNN, and at most 200 of a
/// value are shown, behind its length.
pub fn show_bytes(h: Host, path: &str, s: &[u8]) {
    let mut out = format!("{}={}:", path, s.len());
    for &c in s.iter().take(200) {
        if (0x20..0x7f).contains(&c) && c != b'\\' {
            out.push(c as char);
        } else {
            let _ = write!(out, "\\x{:02x}", c);
        }
    }
    h.info(&out);
}

pub fn show_int(h: Host, path: &str, v: i64) {
    h.info(&format!("{}={}", path, v));
}

pub fn show_notes(h: Host, path: &str, notes: Notes) {
    for (k, v) in notes.iter() {
        show_bytes(h, &format!("{}.{}", path, k), v.as_bytes());
    }
}

pub fn fill_texts<'a>(h: Host<'a>, path: &str) -> &'a [&'a str] {
    h.list(&[0, 1, 2].map(|i| h.keep(&format!("{}.{}", path, i))))
}
