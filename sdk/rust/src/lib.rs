//! Write plugins for the relay in Rust.
//!
//! ```ignore
//! #![no_std]
//! use mta::{Answer, RcptEvent};
//!
//! mta::plugin! {
//!     name: "hello", version: "1.0.0",
//!     hooks: { rcpt: on_rcpt [session.remote_ip, recipient.addr] }
//! }
//!
//! fn on_rcpt(ev: RcptEvent) -> Answer {
//!     if ev.session().remote_ip() == "192.0.2.66" {
//!         let text = ev.host().text(format_args!("no mail from you to {}", ev.recipient().addr()));
//!         return Answer::reject("5.7.1", text);
//!     }
//!     Answer::default()
//! }
//! ```
//!
//! - A hook is a function from its event to its answer, or to a `Result` of it:
//!   with an `Err` the plugin is broken, and the configuration decides.
//! - Events and results of calls are views with one method a field. Absent is the
//!   default. Times and durations are nanoseconds, `i64`.
//! - Answers and requests are structs that borrow. What does not live long enough
//!   is made to by [`Host::text`] and [`Host::keep`].
//! - When memory runs out or the plugin panics, it traps, and the relay starts
//!   another instance.
//!
//! Features: `alloc` (on by default) has a global allocator, `panic` (likewise) a
//! panic handler; `std` instead of `panic` is for plugins that use std, and for
//! compilers before 1.68, which have no alloc without std.

#![no_std]
#![allow(unsafe_op_in_unsafe_fn, unused_unsafe)]
#![allow(clippy::missing_safety_doc, clippy::len_without_is_empty)]

#[cfg(feature = "alloc")]
pub extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod block;
mod config;
#[rustfmt::skip]
mod gen;
mod memory;
mod net;
mod set;
#[cfg(test)]
mod tests;

pub use block::{List, Notes};
pub use config::{duration, Error, Json, Start};
pub use gen::*;
pub use net::{Duration, Ip, Network, Time, SECOND};
pub use set::Set;

use block::{View, Writer};
use core::cell::UnsafeCell;
use core::fmt::{self, Write};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU8, Ordering};

/// The relay, as long as a hook or the start function runs. Its methods are the
/// calls; see also the grants that they need.
#[derive(Clone, Copy)]
pub struct Host<'a>(PhantomData<&'a mut ()>);

/// Why a call failed.
#[derive(Clone, Copy, Debug)]
pub struct CallError<'a> {
    pub call: &'static str,
    pub code: CallCode,
    pub text: &'a str,
}

impl fmt::Display for CallError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.code.name())?;
        if !self.text.is_empty() {
            write!(f, ": {}", self.text)?;
        }
        Ok(())
    }
}

impl From<CallError<'static>> for Error {
    fn from(e: CallError<'static>) -> Error {
        // SAFETY: a call with such an error was made at start.
        Error(unsafe { Host::new() }.text(format_args!("{}", e)))
    }
}

type Import = unsafe extern "C" fn(*const u8, usize, *mut u8, usize) -> i64;

impl<'a> Host<'a> {
    /// # Safety
    /// `'a` must not outlast the hook, or the start function.
    #[doc(hidden)]
    pub unsafe fn new() -> Host<'a> {
        Host(PhantomData)
    }

    /// Makes one call; the result is a view of its record.
    #[inline]
    fn ask(
        self,
        call: &'static str,
        import: Import,
        kind: u64,
        request: Writer<'a>,
    ) -> Result<View<'a>, CallError<'a>> {
        let request = request.end();
        let cap = 1024;
        // SAFETY: the imports write at most the capacity; self is there as long
        // as the hook.
        let mut result: &'a mut [u8] = unsafe { memory::octets(cap) };
        let got = unsafe { import(request.as_ptr(), request.len(), result.as_mut_ptr(), cap) } as u64;
        let (mut code, mut len) = ((got >> 32) as u8, got as u32 as usize);
        if len > cap {
            result = unsafe { memory::octets(len) };
            if unsafe { gen::import::rest(result.as_mut_ptr(), len) } != len {
                code = CallCode::CALL_FAILED.0;
                len = 0;
            }
        }
        let result: &'a [u8] = &result[..len];
        if code != 0 {
            return Err(CallError { call, code: CallCode(code), text: block::text(result) });
        }
        let strange = CallError { call, code: CallCode::CALL_FAILED, text: "the relay answered with another block" };
        View::open(result, kind).ok_or(strange)
    }

    /// A text that lives as long as the hook: `host.text(format_args!("no {}", x))`.
    pub fn text(self, args: fmt::Arguments) -> &'a str {
        if let Some(s) = args.as_str() {
            return s;
        }
        // SAFETY: self is there as long as the hook.
        let mut t = Text { b: unsafe { memory::octets(128) }, len: 0 };
        let _ = t.write_fmt(args); // it cannot fail
        core::str::from_utf8(&t.b[..t.len]).unwrap_or("")
    }

    /// A copy that lives as long as the hook.
    pub fn keep(self, s: &str) -> &'a str {
        self.join(&[s])
    }

    /// The parts as one text: faster than [`Host::text`].
    pub fn join(self, parts: &[&str]) -> &'a str {
        let n = parts.iter().map(|p| p.len()).sum();
        // SAFETY: as above; what is joined is UTF-8.
        let b = unsafe { memory::octets(n) };
        let mut at = 0;
        for p in parts {
            b[at..at + p.len()].copy_from_slice(p.as_bytes());
            at += p.len();
        }
        unsafe { core::str::from_utf8_unchecked(b) }
    }

    /// A copy with A to Z as a to z.
    pub fn lower(self, s: &str) -> &'a str {
        // SAFETY: as above; only ASCII is changed.
        let b = unsafe { memory::octets(s.len()) };
        b.copy_from_slice(s.as_bytes());
        b.make_ascii_lowercase();
        unsafe { core::str::from_utf8_unchecked(b) }
    }

    pub fn debug(self, text: &str) {
        let _ = self.log(-4, text);
    }

    pub fn info(self, text: &str) {
        let _ = self.log(0, text);
    }

    pub fn warn(self, text: &str) {
        let _ = self.log(4, text);
    }

    pub fn error(self, text: &str) {
        let _ = self.log(8, text);
    }

    /// Adds to a counter.
    pub fn count(self, name: &str, delta: f64) {
        let _ = self.metric(name, false, delta);
    }

    /// Sets a gauge.
    pub fn gauge(self, name: &str, value: f64) {
        let _ = self.metric(name, true, value);
    }
}

struct Text<'a> {
    b: &'a mut [u8],
    len: usize,
}

impl Write for Text<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let end = self.len + s.len();
        if end > self.b.len() {
            // SAFETY: it lives as long as what it replaces.
            let b = unsafe { memory::octets(2 * end) };
            b[..self.len].copy_from_slice(&self.b[..self.len]);
            self.b = b;
        }
        self.b[self.len..end].copy_from_slice(s.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// What a start function leaves for the hooks: set once, then only read.
///
/// `static DELAY: mta::Global<i64> = mta::Global::new();`
pub struct Global<T> {
    state: AtomicU8, // 0 empty, 1 being set, 2 set
    value: UnsafeCell<Option<T>>,
}

// SAFETY: it is written once, by whoever moves state from 0, and read only after
// state is 2.
unsafe impl<T: Sync + Send> Sync for Global<T> {}

impl<T> Global<T> {
    pub const fn new() -> Self {
        Global { state: AtomicU8::new(0), value: UnsafeCell::new(None) }
    }

    /// Sets it; false: it was set before, and stays as it is.
    pub fn set(&self, value: T) -> bool {
        if self.state.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return false;
        }
        // SAFETY: only one gets here, and nobody reads yet.
        unsafe { *self.value.get() = Some(value) };
        self.state.store(2, Ordering::Release);
        true
    }

    /// What was set. A panic if nothing was.
    pub fn get(&self) -> &T {
        if self.state.load(Ordering::Acquire) == 2 {
            // SAFETY: nobody writes any more.
            if let Some(v) = unsafe { &*self.value.get() } {
                return v;
            }
        }
        panic!("a Global is read before the start function has set it")
    }
}

impl<T> Default for Global<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The part of an address behind its last "@"; empty if it has none.
pub fn domain(addr: &str) -> &str {
    addr.rfind('@').map_or("", |i| &addr[i + 1..])
}

/// The part of an address before its last "@", or all of it.
pub fn local_part(addr: &str) -> &str {
    addr.rfind('@').map_or(addr, |i| &addr[..i])
}

impl<'a> Answer<'a> {
    /// Yes, and nobody else is asked.
    pub fn accept() -> Answer<'a> {
        Answer { action: Action::ACCEPT, ..Answer::default() }
    }

    /// A permanent refusal: an RFC 3463 code such as "5.7.1", and a text; both
    /// may be empty.
    pub fn reject(enhanced: &'a str, text: &'a str) -> Answer<'a> {
        Answer { action: Action::REJECT, reply: Reply { code: 0, enhanced, text }, ..Answer::default() }
    }

    /// A temporary refusal, likewise.
    pub fn defer(enhanced: &'a str, text: &'a str) -> Answer<'a> {
        Answer { action: Action::DEFER, reply: Reply { code: 0, enhanced, text }, ..Answer::default() }
    }

    /// Says yes and throws away; the reason goes to log and trace.
    pub fn discard(reason: &'a str) -> Answer<'a> {
        Answer { action: Action::DISCARD, reason, ..Answer::default() }
    }

    /// Says yes and keeps until an operator releases it.
    pub fn hold(reason: &'a str) -> Answer<'a> {
        Answer { action: Action::HOLD, reason, ..Answer::default() }
    }

    /// The same answer with these edits; they are made by [`Edit`].
    pub fn with(self, edits: &'a [Edit<'a>]) -> Answer<'a> {
        Answer { edits, ..self }
    }
}

impl<'a> Edit<'a> {
    fn new(op: Op, name: &'a str, value: &'a str) -> Edit<'a> {
        Edit { op, name, value, ..Edit::default() }
    }

    pub fn note(key: &'a str, value: &'a str) -> Edit<'a> {
        Edit::new(Op::OP_NOTE, key, value)
    }

    pub fn set_sender(addr: &'a str) -> Edit<'a> {
        Edit::new(Op::OP_SET_SENDER, "", addr)
    }

    pub fn add_recipient(addr: &'a str) -> Edit<'a> {
        Edit::new(Op::OP_ADD_RECIPIENT, "", addr)
    }

    pub fn remove_recipient(addr: &'a str) -> Edit<'a> {
        Edit::new(Op::OP_REMOVE_RECIPIENT, addr, "")
    }

    pub fn replace_recipient(addr: &'a str, by: &'a str) -> Edit<'a> {
        Edit::new(Op::OP_REPLACE_RECIPIENT, addr, by)
    }

    pub fn prepend_header(name: &'a str, value: &'a str) -> Edit<'a> {
        Edit::new(Op::OP_PREPEND_HEADER, name, value)
    }

    pub fn append_header(name: &'a str, value: &'a str) -> Edit<'a> {
        Edit::new(Op::OP_APPEND_HEADER, name, value)
    }

    pub fn replace_header(name: &'a str, index: i64, value: &'a str) -> Edit<'a> {
        Edit { index, ..Edit::new(Op::OP_REPLACE_HEADER, name, value) }
    }

    pub fn remove_header(name: &'a str, index: i64) -> Edit<'a> {
        Edit { index, ..Edit::new(Op::OP_REMOVE_HEADER, name, "") }
    }

    pub fn replace_body(data: &'a [u8]) -> Edit<'a> {
        Edit { op: Op::OP_REPLACE_BODY, data, ..Edit::default() }
    }
}

impl<'a> Host<'a> {
    /// A slice that lives as long as the hook, for lists in answers.
    pub fn list<T: Copy + InList>(self, items: &[T]) -> &'a [T] {
        // SAFETY: self is there as long as the hook.
        unsafe { memory::slice(items.len(), |i| items[i]) }
    }

    /// The same for a number of items that is not known before.
    pub fn list_of<T: Copy + InList>(self, n: usize, item: impl FnMut(usize) -> T) -> &'a [T] {
        // SAFETY: as above.
        unsafe { memory::slice(n, item) }
    }
}

/// What can stand in a list of an answer or request.
pub trait InList {}
impl InList for &str {}

/// An answer as it goes to the relay.
#[doc(hidden)]
pub trait Block: Copy {
    /// Without a block, if that says all.
    fn short(&self) -> Option<i64>;
    fn block(&self, kind: u64) -> &[u8];
}

/// What a hook may return: its answer, or a result of it.
#[doc(hidden)]
pub trait Returned<A> {
    fn give(self, kind: u64) -> i64;
}

impl<A: Block> Returned<A> for A {
    #[inline]
    fn give(self, kind: u64) -> i64 {
        match self.short() {
            Some(v) => v,
            None => at(self.block(kind), 0),
        }
    }
}

impl<A: Block, E: fmt::Display> Returned<A> for Result<A, E> {
    #[inline]
    fn give(self, kind: u64) -> i64 {
        match self {
            Ok(a) => a.give(kind),
            Err(e) => fail(&e),
        }
    }
}

impl Returned<()> for () {
    fn give(self, _: u64) -> i64 {
        0
    }
}

impl<E: fmt::Display> Returned<()> for Result<(), E> {
    fn give(self, _: u64) -> i64 {
        match self {
            Ok(()) => 0,
            Err(e) => fail(&e),
        }
    }
}

fn at(b: &[u8], flag: u32) -> i64 {
    ((b.as_ptr() as usize as u64) << 32 | u64::from(b.len() as u32 | flag)) as i64
}

#[cold]
fn fail(e: &dyn fmt::Display) -> i64 {
    // SAFETY: the relay reads the text before it calls again.
    let s = unsafe { Host::new() }.text(format_args!("{}", e));
    let s = if s.is_empty() { "error" } else { s };
    let mut n = s.len().min(1024);
    while !s.is_char_boundary(n) {
        n -= 1;
    }
    at(&s.as_bytes()[..n], 1 << 31)
}

/// The body of an export for a hook. That f takes any lifetime is what keeps a
/// plugin from storing an event.
#[doc(hidden)]
#[inline]
pub fn run(len: u32, hook: u64, f: for<'x> fn(View<'x>, Host<'x>) -> i64) -> i64 {
    memory::reset();
    match View::open(memory::event(len), hook) {
        // SAFETY: the lifetime ends with f.
        Some(v) => f(v, unsafe { Host::new() }),
        None => fail(&"this is no block of the event"),
    }
}

#[doc(hidden)]
pub fn run_start<R: Returned<()>>(len: u32, f: fn(&mut Start) -> R) -> i64 {
    memory::reset();
    // SAFETY: what is allocated now is kept for ever.
    let host: Host<'static> = unsafe { Host::new() };
    let ret = f(&mut Start::new(host, host.keep(block::text(memory::event(len))))).give(0);
    if ret == 0 {
        memory::raise_floor();
    }
    ret
}

#[doc(hidden)]
pub fn run_test(f: for<'x> fn(Host<'x>) -> i64) -> i64 {
    memory::reset();
    // SAFETY: the lifetime ends with f.
    f(unsafe { Host::new() })
}

#[doc(hidden)]
pub fn buffer(size: u32) -> *mut u8 {
    #[cfg(all(target_arch = "wasm32", feature = "std"))]
    std::panic::set_hook(std::boxed::Box::new(|info| log_panic(info)));
    memory::buffer(size)
}

/// The description as JSON; each list is a text with commas in between, as it
/// stands in the macro.
#[doc(hidden)]
pub fn describe(name: &str, version: &str, needs: &str, wants: &str, hooks: &[(&str, &str)]) -> i64 {
    struct List<'a>(&'a str);
    impl fmt::Display for List<'_> {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
            let mut first = true;
            for word in self.0.split(',') {
                if word.trim().is_empty() {
                    continue;
                }
                f.write_str(if first { "\"" } else { ",\"" })?;
                for c in word.chars().filter(|c| !c.is_whitespace() && *c != '"') {
                    f.write_char(c)?;
                }
                f.write_char('"')?;
                first = false;
            }
            Ok(())
        }
    }
    struct Hooks<'a>(&'a [(&'a str, &'a str)]);
    impl fmt::Display for Hooks<'_> {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
            for (i, (hook, fields)) in self.0.iter().enumerate() {
                write!(f, "{}\"{}\":[{}]", if i > 0 { "," } else { "" }, hook, List(fields))?;
            }
            Ok(())
        }
    }
    memory::reset();
    // SAFETY: the relay reads it before it calls again.
    let json = unsafe { Host::new() }.text(format_args!(
        "{{\"abi\":1,\"name\":{:?},\"version\":{:?},\"hooks\":{{{}}},\"needs\":[{}],\"wants\":[{}]}}",
        name,
        version,
        Hooks(hooks),
        List(needs),
        List(wants)
    ));
    at(json.as_bytes(), 0)
}

/// Makes a plugin of functions. In this order, all but name, version and hooks
/// may be left out:
///
/// ```ignore
/// mta::plugin! {
///     name: "greylist", version: "1.0.0",
///     needs: [kv], wants: [clock],
///     start: on_start, selftest: on_selftest, stop: on_stop,
///     hooks: {
///         rcpt: on_rcpt [session.remote_ip, envelope.from, recipient.addr],
///         data: on_data [*],
///     }
/// }
/// ```
///
/// Behind a hook stand the fields of the event that are read; only they are sent,
/// and `*` is all.
#[macro_export]
macro_rules! plugin {
    (name: $name:expr, version: $version:expr,
     $(needs: [$($needs:tt)*],)? $(wants: [$($wants:tt)*],)?
     $(start: $start:path,)? $(selftest: $selftest:path,)? $(stop: $stop:path,)?
     hooks: { $($hook:ident : $f:path [$($fields:tt)*]),* $(,)? } $(,)?) => {
        const _: () = {
            #[no_mangle]
            extern "C" fn mta1_buffer(size: u32) -> *mut u8 {
                $crate::buffer(size)
            }
            #[no_mangle]
            extern "C" fn mta1_describe() -> i64 {
                $crate::describe($name, $version, concat!($(stringify!($($needs)*))?), concat!($(stringify!($($wants)*))?),
                    &[$((stringify!($hook), stringify!($($fields)*))),*])
            }
            $(#[no_mangle]
            extern "C" fn mta1_start(len: u32) -> i64 {
                $crate::run_start(len, $start)
            })?
            $(#[no_mangle]
            extern "C" fn mta1_selftest() -> i64 {
                fn test<'x>(h: $crate::Host<'x>) -> i64 {
                    $crate::Returned::<()>::give($selftest(h), 0)
                }
                $crate::run_test(test)
            })?
            $(#[no_mangle]
            extern "C" fn mta1_stop() {
                $stop()
            })?
            $($crate::export_hook!($hook, $f);)*
        };
    };
}

/// Says why the instance ends.
#[cfg(all(target_arch = "wasm32", any(feature = "panic", feature = "std")))]
fn log_panic(info: &dyn fmt::Display) {
    // SAFETY: nothing of it outlives this function.
    let host: Host = unsafe { Host::new() };
    host.error(host.text(format_args!("{}", info)));
}

/// Logs the message and traps: the relay discards the instance.
#[cfg(all(target_arch = "wasm32", feature = "panic", not(feature = "std")))]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    log_panic(info);
    core::arch::wasm32::unreachable()
}
