//! Addresses and networks, and times for people.

use core::fmt;

/// An IP address. An IPv4 address mapped into IPv6 is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ip {
    V4([u8; 4]),
    V6([u8; 16]),
}

fn number(s: &str, most: u32) -> Option<u32> {
    if s.is_empty() || s.len() > 3 || s.len() > 1 && s.starts_with('0') || !s.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    s.parse().ok().filter(|v| *v <= most)
}

fn v4(s: &str) -> Option<[u8; 4]> {
    let mut parts = s.split('.');
    let mut b = [0; 4];
    for x in b.iter_mut() {
        *x = number(parts.next()?, 255)? as u8;
    }
    if parts.next().is_some() {
        None
    } else {
        Some(b)
    }
}

fn v6(mut s: &str) -> Option<[u8; 16]> {
    let mut b = [0u8; 16];
    let (mut at, mut gap) = (0, None);
    if let Some(rest) = s.strip_prefix("::") {
        gap = Some(0);
        s = rest;
    }
    while !s.is_empty() {
        if at > 14 {
            return None;
        }
        if at <= 12 && !s.contains(':') && s.contains('.') {
            b[at..at + 4].copy_from_slice(&v4(s)?);
            at += 4;
            break;
        }
        let n = s.find(':').unwrap_or(s.len());
        if n == 0 || n > 4 || !s.bytes().take(n).all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        let v = u16::from_str_radix(&s[..n], 16).ok()?;
        b[at..at + 2].copy_from_slice(&v.to_be_bytes());
        at += 2;
        s = &s[n..];
        if s.is_empty() {
            break;
        }
        s = &s[1..];
        if s.is_empty() {
            return None;
        }
        if let Some(rest) = s.strip_prefix(':') {
            if gap.is_some() {
                return None;
            }
            gap = Some(at);
            s = rest;
        }
    }
    match gap {
        None if at == 16 => Some(b),
        Some(g) if at <= 14 => {
            b.copy_within(g..at, 16 - (at - g));
            for x in &mut b[g..16 - (at - g)] {
                *x = 0;
            }
            Some(b)
        }
        _ => None,
    }
}

impl Ip {
    /// Reads an address; a zone is cut off.
    pub fn parse(s: &str) -> Option<Ip> {
        if !s.contains(':') {
            return v4(s).map(Ip::V4);
        }
        let b = v6(s.split('%').next()?)?;
        if b[..12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] {
            return Some(Ip::V4([b[12], b[13], b[14], b[15]]));
        }
        Some(Ip::V6(b))
    }

    /// The address with all bits behind the first n cleared.
    pub fn masked(self, n: u32) -> Ip {
        fn mask<const N: usize>(mut b: [u8; N], n: u32) -> [u8; N] {
            for (i, x) in b.iter_mut().enumerate() {
                let keep = n.saturating_sub(8 * i as u32).min(8);
                *x &= (0xff00u32 >> keep) as u8;
            }
            b
        }
        match self {
            Ip::V4(b) => Ip::V4(mask(b, n)),
            Ip::V6(b) => Ip::V6(mask(b, n)),
        }
    }

    /// 32 or 128.
    pub fn bits(self) -> u32 {
        match self {
            Ip::V4(_) => 32,
            Ip::V6(_) => 128,
        }
    }
}

/// IPv6 as in RFC 5952.
impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let b = match self {
            Ip::V4(b) => return write!(f, "{}.{}.{}.{}", b[0], b[1], b[2], b[3]),
            Ip::V6(b) => b,
        };
        let mut w = [0u16; 8];
        for (i, x) in w.iter_mut().enumerate() {
            *x = u16::from_be_bytes([b[2 * i], b[2 * i + 1]]);
        }
        let (mut best, mut most) = (8, 1);
        for i in 0..8 {
            let n = w[i..].iter().take_while(|x| **x == 0).count();
            if n > most {
                best = i;
                most = n;
            }
        }
        let mut i = 0;
        while i < 8 {
            if i == best {
                f.write_str("::")?;
                i += most;
                continue;
            }
            if i > 0 && i != best + most {
                f.write_str(":")?;
            }
            write!(f, "{:x}", w[i])?;
            i += 1;
        }
        Ok(())
    }
}

/// A network: an address whose other bits are 0, and how many bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub ip: Ip,
    pub bits: u32,
}

impl Network {
    /// Reads "192.0.2.0/24" or "2001:db8::/32".
    pub fn parse(s: &str) -> Option<Network> {
        let slash = s.find('/')?;
        let ip = Ip::parse(&s[..slash])?;
        let bits = number(&s[slash + 1..], ip.bits())?;
        if ip == ip.masked(bits) {
            Some(Network { ip, bits })
        } else {
            None
        }
    }

    pub fn has(self, ip: Ip) -> bool {
        self.ip == ip.masked(self.bits)
    }
}

impl Default for Network {
    fn default() -> Network {
        Network { ip: Ip::V4([0; 4]), bits: 0 }
    }
}

impl crate::InList for Network {}

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;

/// Nanoseconds as text, in whole seconds: "1h0m0s", "5m0s", "4s".
#[derive(Clone, Copy, Debug)]
pub struct Duration(pub i64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let s = (self.0 / SECOND).abs();
        if s >= 3600 {
            write!(f, "{}h", s / 3600)?;
        }
        if s >= 60 {
            write!(f, "{}m", s / 60 % 60)?;
        }
        write!(f, "{}s", s % 60)
    }
}

/// Nanoseconds since 1970 as text: "2006-01-02 15:04:05", UTC.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub i64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let s = self.0.div_euclid(SECOND);
        let (days, clock) = (s.div_euclid(86400), s.rem_euclid(86400));
        // Years begin in March here, so that the leap day is the last of its
        // year; 719468 days lie between 0000-03-01 and 1970-01-01.
        let z = days + 719_468;
        let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let yoe = (doe - doe / 1460 + doe / 36524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        let day = doy - (153 * mp + 2) / 5 + 1;
        write!(f, "{}-{:02}-{:02} {:02}:{:02}:{:02}", year, month, day, clock / 3600, clock / 60 % 60, clock % 60)
    }
}
