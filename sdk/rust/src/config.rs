//! The configuration: JSON, as the relay hands it to the start function. The
//! relay has checked that it is well-formed.

use crate::{memory, Host, Set};
use core::fmt;

/// A value in a JSON text, as it stands there.
#[derive(Clone, Copy)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// The value that a text begins with, and what is behind it.
    fn cut(s: &'a str) -> Option<(Json<'a>, &'a str)> {
        let s = s.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',' || c == ':');
        let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
        let mut end = s.len();
        for (i, c) in s.bytes().enumerate() {
            if quoted {
                if escaped {
                    escaped = false;
                    continue;
                }
                escaped = c == b'\\';
                quoted = c != b'"';
                if quoted || depth > 0 {
                    continue;
                }
            } else {
                match c {
                    b'"' => {
                        quoted = true;
                        continue;
                    }
                    b'{' | b'[' => {
                        depth += 1;
                        continue;
                    }
                    b'}' | b']' if depth == 0 => {
                        end = i;
                        break;
                    }
                    b'}' | b']' => {
                        depth -= 1;
                        if depth > 0 {
                            continue;
                        }
                    }
                    b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' if depth == 0 => {
                        end = i;
                        break;
                    }
                    _ => continue,
                }
            }
            end = i + 1;
            break;
        }
        let (v, rest) = s.split_at(end);
        if v.is_empty() {
            None
        } else {
            Some((Json(v), rest))
        }
    }

    /// The first value in a text.
    pub fn new(s: &'a str) -> Json<'a> {
        Json::cut(s).map_or(Json(""), |(v, _)| v)
    }

    /// The value as it is written.
    pub fn raw(self) -> &'a str {
        self.0
    }

    /// The elements of an array; of an object keys and values in turns.
    pub fn items(self) -> impl Iterator<Item = Json<'a>> {
        let mut rest = self.0.strip_prefix(|c| c == '[' || c == '{').unwrap_or("");
        core::iter::from_fn(move || {
            let (v, r) = Json::cut(rest)?;
            rest = r;
            Some(v)
        })
    }

    /// The value of a key of an object.
    pub fn get(self, host: Host<'a>, key: &str) -> Option<Json<'a>> {
        if !self.0.starts_with('{') {
            return None;
        }
        let mut items = self.items();
        while let (Some(k), Some(v)) = (items.next(), items.next()) {
            if k.text(host) == Some(key) {
                return Some(v);
            }
        }
        None
    }

    /// The text of a string.
    pub fn text(self, _: Host<'a>) -> Option<&'a str> {
        let s = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if !s.contains('\\') {
            return Some(s);
        }
        // SAFETY: the host is there for as long as 'a; an escape is never shorter
        // than what it stands for.
        let out = unsafe { memory::octets(s.len() + 4) };
        let mut n = 0;
        let mut chars = s.chars();
        while let Some(c) = chars.next() {
            let c = match c {
                '\\' => match chars.next()? {
                    'u' => unicode(&mut chars),
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    other => other,
                },
                c => c,
            };
            n += c.encode_utf8(out.get_mut(n..)?).len();
        }
        core::str::from_utf8(&out[..n]).ok()
    }

    /// A number.
    pub fn num(self) -> Option<f64> {
        if self.0.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            self.0.parse().ok()
        } else {
            None
        }
    }

    /// true or false.
    pub fn bool(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

/// The character behind `\u`; a pair of surrogates is one.
fn unicode(chars: &mut core::str::Chars) -> char {
    fn four(s: &str) -> Option<u32> {
        u32::from_str_radix(s.get(..4)?, 16).ok()
    }
    let mut u = match four(chars.as_str()) {
        Some(u) => u,
        None => return '\u{fffd}',
    };
    *chars = chars.as_str()[4..].chars();
    if (0xd800..0xdc00).contains(&u) {
        if let Some(low) = chars.as_str().strip_prefix("\\u").and_then(four) {
            if (0xdc00..0xe000).contains(&low) {
                u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
                *chars = chars.as_str()[6..].chars();
            }
        }
    }
    char::from_u32(u).unwrap_or('\u{fffd}')
}

/// Reads "1h30m", "300ms", "35d" or "0" as nanoseconds.
pub fn duration(s: &str) -> Option<i64> {
    let (minus, mut s) = match s.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, s.strip_prefix('+').unwrap_or(s)),
    };
    if s == "0" {
        return Some(0);
    }
    let mut sum = 0.0;
    if s.is_empty() {
        return None;
    }
    while !s.is_empty() {
        let n = s.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let v: f64 = s[..n].parse().ok()?;
        s = &s[n..];
        let n = s.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(s.len());
        let unit = match &s[..n] {
            "w" => 7.0 * 86400e9,
            "d" => 86400e9,
            "h" => 3600e9,
            "m" => 60e9,
            "s" => 1e9,
            "ms" => 1e6,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1e3,
            "ns" => 1.0,
            _ => return None,
        };
        sum += v * unit;
        s = &s[n..];
    }
    if sum > 9.2e18 {
        return None;
    }
    Some(if minus { -sum } else { sum } as i64)
}

/// Why a plugin cannot start.
#[derive(Clone, Copy, Debug)]
pub struct Error(pub &'static str);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What the start function is given: the configuration, one function for each
/// type of value. A key that is absent gives the default; a wrong type and an
/// unknown key are errors that [`Start::end`] tells of. All that it gives is kept
/// for ever.
pub struct Start {
    /// To call the relay.
    pub host: Host<'static>,
    /// By which the relay calls itself.
    pub hostname: &'static str,
    /// That the configuration gives the plugin: its notes are `NAME.key`.
    pub name: &'static str,
    /// The whole configuration.
    pub config: Json<'static>,
    error: Option<Error>,
}

impl Start {
    pub(crate) fn new(host: Host<'static>, text: &'static str) -> Start {
        let all = Json::new(text);
        Start {
            host,
            hostname: all.get(host, "hostname").and_then(|v| v.text(host)).unwrap_or(""),
            name: all.get(host, "name").and_then(|v| v.text(host)).unwrap_or(""),
            config: all.get(host, "config").unwrap_or(Json("{}")),
            error: None,
        }
    }

    fn value<T>(
        &mut self,
        key: &str,
        default: T,
        want: &str,
        read: impl Fn(Json<'static>, Host<'static>) -> Option<T>,
    ) -> T {
        let host = self.host;
        match self.config.get(host, key) {
            None => default,
            Some(v) => read(v, host).unwrap_or_else(|| {
                if self.error.is_none() {
                    self.error = Some(Error(host.text(format_args!("config: {}: want {}", key, want))));
                }
                default
            }),
        }
    }

    pub fn text(&mut self, key: &str, default: &'static str) -> &'static str {
        self.value(key, default, "a string", |v, h| v.text(h))
    }

    pub fn bool(&mut self, key: &str, default: bool) -> bool {
        self.value(key, default, "true or false", |v, _| v.bool())
    }

    pub fn num(&mut self, key: &str, default: f64) -> f64 {
        self.value(key, default, "a number", |v, _| v.num())
    }

    pub fn int(&mut self, key: &str, default: i64) -> i64 {
        self.value(key, default, "a whole number", |v, _| v.raw().parse().ok())
    }

    /// Nanoseconds of "5m".
    pub fn duration(&mut self, key: &str, default: i64) -> i64 {
        let host = self.host;
        let v = match self.config.get(host, key) {
            None => return default,
            Some(v) => v,
        };
        v.text(host).and_then(duration).unwrap_or_else(|| {
            if self.error.is_none() {
                self.error = Some(Error(host.text(format_args!(
                    "config: {}: {} is no duration: write \"5m\", \"36h\" or \"35d\"",
                    key,
                    v.raw()
                ))));
            }
            default
        })
    }

    pub fn texts(&mut self, key: &str) -> &'static [&'static str] {
        self.value(key, &[][..], "a list of strings", |v, h| {
            if !v.raw().starts_with('[') || v.items().any(|i| i.text(h).is_none()) {
                return None;
            }
            let mut items = v.items();
            // SAFETY: what is allocated at start is kept for ever.
            Some(unsafe { memory::slice(v.items().count(), |_| items.next().and_then(|i| i.text(h)).unwrap_or("")) })
        })
    }

    /// A list of texts as a set.
    pub fn set(&mut self, key: &str) -> Set<'static> {
        let names = self.texts(key);
        Set::new(self.host, names)
    }

    /// Ends the reading: there are no keys but these.
    pub fn end(&mut self, known: &[&str]) -> Result<(), Error> {
        if let Some(e) = self.error {
            return Err(e);
        }
        let mut items = self.config.items();
        while let (Some(k), Some(_)) = (items.next(), items.next()) {
            let key = k.text(self.host).unwrap_or("");
            if !known.contains(&key) {
                return Err(Error(self.host.text(format_args!(
                    "config: unknown key {:?}; there are: {}",
                    key,
                    Words(known)
                ))));
            }
        }
        Ok(())
    }
}

struct Words<'a>(&'a [&'a str]);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (i, w) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(w)?;
        }
        Ok(())
    }
}
