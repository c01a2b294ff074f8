//! Blocks: how events, answers and calls lie in memory. Plugins need none of
//! this; the types in [`crate`] are made of it.

use crate::memory;
use core::marker::PhantomData;

const HEADER: usize = 24;
const MINOR: u64 = 1;

/// A record in a block. Slots that are not there, and what points outside of the
/// block, read as absent.
#[derive(Clone, Copy)]
pub struct View<'a> {
    block: &'a [u8],
    at: usize,
    n: usize,
}

fn word(block: &[u8], at: usize) -> u64 {
    match block.get(at..at.wrapping_add(8)) {
        Some(b) => u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]),
        None => 0,
    }
}

impl<'a> View<'a> {
    /// The record of a block of one kind; None: this is no such block.
    pub fn open(block: &'a [u8], kind: u64) -> Option<View<'a>> {
        let (lens, what) = (word(block, 0), word(block, 8));
        if block.len() < HEADER || lens as u32 as usize != block.len() || what & 0xffff != kind {
            return None;
        }
        let n = (lens >> 32) as usize;
        let v = View { block, at: HEADER, n: 0 }.table(HEADER, n);
        if v.n == n {
            Some(v)
        } else {
            None
        }
    }

    /// A record without fields.
    pub fn none() -> View<'a> {
        View { block: &[], at: 0, n: 0 }
    }

    fn table(self, at: usize, n: usize) -> View<'a> {
        if at < HEADER || at > self.block.len() || n > (self.block.len() - at) / 8 {
            return View { block: self.block, at: 0, n: 0 };
        }
        View { block: self.block, at, n }
    }

    #[inline]
    fn slot(self, slot: usize) -> u64 {
        if slot < self.n {
            word(self.block, self.at + 8 * slot)
        } else {
            0
        }
    }

    /// How many slots there are.
    pub fn len(self) -> usize {
        self.n
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.n == 0
    }

    /// The time in the header of the block.
    pub fn now(self) -> i64 {
        word(self.block, 16) as i64
    }

    #[inline]
    pub fn int(self, slot: usize) -> i64 {
        self.slot(slot) as i64
    }

    pub fn float(self, slot: usize) -> f64 {
        f64::from_bits(self.slot(slot))
    }

    #[inline]
    pub fn bytes(self, slot: usize) -> &'a [u8] {
        let pair = self.slot(slot);
        let (at, n) = (pair as u32 as usize, (pair >> 32) as usize);
        if at < HEADER || at > self.block.len() || n > self.block.len() - at {
            return &[];
        }
        &self.block[at..at + n]
    }

    /// A text. Octets that are no UTF-8, which a client can send, become U+FFFD.
    #[inline]
    pub fn text(self, slot: usize) -> &'a str {
        text(self.bytes(slot))
    }

    pub fn record(self, slot: usize) -> View<'a> {
        let pair = self.slot(slot);
        self.table(pair as u32 as usize, (pair >> 32) as usize)
    }
}

#[inline]
pub(crate) fn text(b: &[u8]) -> &str {
    if b.len() < 64 && b.is_ascii() {
        // SAFETY: ASCII is UTF-8.
        return unsafe { core::str::from_utf8_unchecked(b) };
    }
    match core::str::from_utf8(b) {
        Ok(s) => s,
        Err(_) => lossy(b),
    }
}

#[cold]
fn lossy(b: &[u8]) -> &str {
    // SAFETY: b lies in a block or in the arena and lives as long as the hook.
    let out = unsafe { memory::octets(3 * b.len()) };
    let (mut n, mut rest) = (0, b);
    while !rest.is_empty() {
        let (good, bad) = match core::str::from_utf8(rest) {
            Ok(_) => (rest.len(), 0),
            Err(e) => (e.valid_up_to(), e.error_len().unwrap_or(rest.len() - e.valid_up_to())),
        };
        out[n..n + good].copy_from_slice(&rest[..good]);
        n += good;
        if bad > 0 {
            out[n..n + 3].copy_from_slice("\u{fffd}".as_bytes());
            n += 3;
        }
        rest = &rest[good + bad..];
    }
    core::str::from_utf8(&out[..n]).unwrap_or("")
}

/// What a list can hold.
pub trait Element<'a>: Copy {
    #[doc(hidden)]
    fn of(v: View<'a>, slot: usize) -> Self;
}

impl<'a> Element<'a> for &'a str {
    fn of(v: View<'a>, slot: usize) -> Self {
        v.text(slot)
    }
}

/// A list in an event or a result.
#[derive(Clone, Copy)]
pub struct List<'a, T> {
    view: View<'a>,
    of: PhantomData<T>,
}

impl<'a, T: Element<'a>> List<'a, T> {
    #[doc(hidden)]
    pub fn new(view: View<'a>) -> Self {
        List { view, of: PhantomData }
    }

    pub fn len(self) -> usize {
        self.view.len()
    }

    pub fn is_empty(self) -> bool {
        self.view.is_empty()
    }

    pub fn get(self, i: usize) -> Option<T> {
        if i < self.len() {
            Some(T::of(self.view, i))
        } else {
            None
        }
    }

    pub fn iter(self) -> Iter<'a, T> {
        Iter { list: self, next: 0 }
    }

    /// The list as a slice.
    pub fn to_slice(self, _: crate::Host<'a>) -> &'a [T] {
        // SAFETY: the host is there for as long as the hook.
        unsafe { memory::slice(self.len(), |i| T::of(self.view, i)) }
    }
}

impl<'a, T: Element<'a>> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Goes through a list.
pub struct Iter<'a, T> {
    list: List<'a, T>,
    next: usize,
}

impl<'a, T: Element<'a>> Iterator for Iter<'a, T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        let item = self.list.get(self.next);
        self.next += 1;
        item
    }
}

/// What plugins have left on a session or message; a key is "plugin.key".
#[derive(Clone, Copy)]
pub struct Notes<'a>(View<'a>);

impl<'a> Notes<'a> {
    #[doc(hidden)]
    pub fn new(view: View<'a>) -> Self {
        Notes(view)
    }

    pub fn get(self, key: &str) -> Option<&'a str> {
        self.iter().find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// Key and value of each, sorted by key.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        (0..self.0.len() / 2).map(move |i| (self.0.text(2 * i), self.0.text(2 * i + 1)))
    }
}

/// Makes a block in the arena.
pub struct Writer<'a> {
    b: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// Begins a block whose record has n slots, and tells where they are.
    ///
    /// # Safety
    /// `'a` must not outlast the hook.
    pub unsafe fn begin(kind: u64, n: usize) -> (Writer<'a>, usize) {
        let mut w = Writer { b: memory::octets(512.max(HEADER + 8 * n)), len: HEADER + 8 * n };
        w.b[..HEADER + 8 * n].fill(0);
        w.word(0, (n as u64) << 32);
        w.word(8, kind | MINOR << 16);
        (w, HEADER)
    }

    /// Ends the block.
    pub fn end(self) -> &'a [u8] {
        let n = self.len;
        self.b[..4].copy_from_slice(&(n as u32).to_le_bytes());
        &self.b[..n]
    }

    fn word(&mut self, at: usize, v: u64) {
        self.b[at..at + 8].copy_from_slice(&v.to_le_bytes());
    }

    fn room(&mut self, n: usize) {
        if n > self.b.len() - self.len {
            // SAFETY: as for the octets that it replaces.
            let b = unsafe { memory::octets(self.len + n + self.b.len().min(1 << 20)) };
            b[..self.len].copy_from_slice(&self.b[..self.len]);
            self.b = b;
        }
    }

    fn pair(&mut self, at: usize, off: usize, n: usize) {
        self.word(at, off as u64 | (n as u64) << 32);
    }

    /// Makes room for n slots and writes into the slot at where they are.
    pub fn slots(&mut self, at: usize, n: usize) -> usize {
        self.room(8 * n + 8);
        let (end, off) = (self.len, (self.len + 7) & !7);
        self.len = off + 8 * n;
        self.b[end..self.len].fill(0);
        self.pair(at, off, n);
        off
    }

    pub fn int(&mut self, at: usize, v: i64) {
        self.word(at, v as u64);
    }

    pub fn float(&mut self, at: usize, v: f64) {
        self.word(at, v.to_bits());
    }

    pub fn bytes(&mut self, at: usize, v: &[u8]) {
        if v.is_empty() {
            return;
        }
        self.room(v.len());
        let off = self.len;
        self.b[off..off + v.len()].copy_from_slice(v);
        self.len += v.len();
        self.pair(at, off, v.len());
    }

    pub fn texts(&mut self, at: usize, v: &[&str]) {
        if v.is_empty() {
            return;
        }
        let off = self.slots(at, v.len());
        for (i, s) in v.iter().enumerate() {
            self.bytes(off + 8 * i, s.as_bytes());
        }
    }
}
