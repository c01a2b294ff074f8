//! Memory: an arena that is emptied before each hook, and a global allocator.
//!
//! What an event, a call or [`crate::Host::text`] gives lies in the arena and
//! carries the lifetime of the hook, so the compiler knows when it ends. What a
//! start function allocates stays.

#[cfg(target_arch = "wasm32")]
mod wasm {
    use core::ptr::{addr_of, addr_of_mut, null_mut};

    const FIRST: usize = 64 << 10;
    const BUFFER: usize = 64 << 10;

    #[repr(align(16))]
    struct Place<const N: usize>([u8; N]);

    struct Chunk {
        next: *mut Chunk,
        at: *mut u8,
        size: usize,
    }

    struct State {
        head: Chunk,
        chunk: *mut Chunk, // that is being filled
        used: usize,       // of it
        floor: *mut Chunk, // what was allocated at start ends here
        floor_used: usize,
        buffer: *mut u8, // where the relay writes events
        buffer_size: usize,
    }

    // One thread runs in an instance, and one call at a time: nothing below is
    // ever borrowed by two.
    static mut ARENA: Place<FIRST> = Place([0; FIRST]);
    static mut EVENT: Place<BUFFER> = Place([0; BUFFER]);
    static mut STATE: State = State {
        head: Chunk { next: null_mut(), at: null_mut(), size: FIRST },
        chunk: null_mut(),
        used: 0,
        floor: null_mut(),
        floor_used: 0,
        buffer: null_mut(),
        buffer_size: 0,
    };

    fn state() -> &'static mut State {
        // SAFETY: single-threaded, and no caller keeps it.
        unsafe { &mut *addr_of_mut!(STATE) }
    }

    /// Gets memory from the system, or traps.
    pub(super) fn pages(n: usize) -> *mut u8 {
        let at = core::arch::wasm32::memory_grow(0, (n >> 16) + usize::from(n & 0xffff != 0));
        if at == usize::MAX {
            core::arch::wasm32::unreachable();
        }
        (at << 16) as *mut u8
    }

    pub fn reset() {
        let s = state();
        if s.floor.is_null() {
            s.head.at = unsafe { addr_of!(ARENA) } as *mut u8;
            s.floor = addr_of_mut!(s.head);
        }
        s.chunk = s.floor;
        s.used = s.floor_used;
    }

    pub fn raise_floor() {
        let s = state();
        s.floor = s.chunk;
        s.floor_used = s.used;
    }

    #[inline]
    pub fn take(n: usize) -> *mut u8 {
        let s = state();
        if n > isize::MAX as usize - (1 << 17) {
            core::arch::wasm32::unreachable();
        }
        let n = (n + 7) & !7;
        if !s.chunk.is_null() {
            // SAFETY: chunks are never freed; the sum stays inside of this one.
            unsafe {
                if n <= (*s.chunk).size - s.used {
                    let p = (*s.chunk).at.add(s.used);
                    s.used += n;
                    return p;
                }
            }
        }
        more(s, n)
    }

    #[cold]
    #[inline(never)]
    fn more(s: &mut State, n: usize) -> *mut u8 {
        if s.chunk.is_null() {
            reset();
        }
        // SAFETY: the chunks are a list that only grows, made of whole pages.
        unsafe {
            while !(*s.chunk).next.is_null() && (*(*s.chunk).next).size < n {
                s.chunk = (*s.chunk).next;
            }
            if (*s.chunk).next.is_null() {
                let head = (core::mem::size_of::<Chunk>() + 15) & !15;
                let size = (n + head + 0xffff) & !0xffff;
                let p = pages(size);
                let c = p as *mut Chunk;
                c.write(Chunk { next: null_mut(), at: p.add(head), size: size - head });
                (*s.chunk).next = c;
            }
            s.chunk = (*s.chunk).next;
            s.used = n;
            (*s.chunk).at
        }
    }

    pub fn buffer(size: u32) -> *mut u8 {
        let s = state();
        if s.buffer.is_null() {
            s.buffer = unsafe { addr_of!(EVENT) } as *mut u8;
            s.buffer_size = BUFFER;
        }
        if size > 1 << 30 {
            return null_mut();
        }
        let size = size as usize;
        if size > s.buffer_size {
            let n = (size + size / 2 + 0xffff) & !0xffff;
            s.buffer = pages(n);
            s.buffer_size = n;
        }
        s.buffer
    }

    /// What the relay has written: nothing, if it claims more than there is room.
    pub fn event(len: u32) -> &'static [u8] {
        let s = state();
        if s.buffer.is_null() || len as usize > s.buffer_size {
            return &[];
        }
        // SAFETY: the relay writes only before it calls an export.
        unsafe { core::slice::from_raw_parts(s.buffer, len as usize) }
    }
}

#[cfg(target_arch = "wasm32")]
pub use wasm::{buffer, event, raise_floor, reset, take};

/// On other machines, where only tests run, nothing is ever given back.
#[cfg(not(target_arch = "wasm32"))]
mod other {
    extern crate std;
    use std::vec::Vec;

    pub fn take(n: usize) -> *mut u8 {
        let v: Vec<u64> = std::vec![0; n / 8 + 1];
        Vec::leak(v).as_mut_ptr() as *mut u8
    }
    pub fn reset() {}
    pub fn raise_floor() {}
    pub fn buffer(_: u32) -> *mut u8 {
        core::ptr::null_mut()
    }
    pub fn event(_: u32) -> &'static [u8] {
        &[]
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use other::{buffer, event, raise_floor, reset, take};

/// Octets of the arena, with whatever is in them: all of its memory was zero once.
///
/// # Safety
/// `'a` must not outlast the hook, or the start function.
pub(crate) unsafe fn octets<'a>(n: usize) -> &'a mut [u8] {
    core::slice::from_raw_parts_mut(take(n), n)
}

/// A slice of the arena, made element by element.
///
/// # Safety
/// `'a` must not outlast the hook, or the start function. `T` is at most
/// 8-aligned, which all that this crate puts there is.
pub(crate) unsafe fn slice<'a, T: Copy>(n: usize, mut at: impl FnMut(usize) -> T) -> &'a mut [T] {
    let size = core::mem::size_of::<T>();
    if core::mem::align_of::<T>() > 8 || n > isize::MAX as usize / 16 / size.max(1) {
        return &mut [];
    }
    let p = take(n * size) as *mut T;
    for i in 0..n {
        p.add(i).write(at(i));
    }
    core::slice::from_raw_parts_mut(p, n)
}

/// A global allocator of powers of two: what is freed is used again for what
/// fits the same power. Small, fast, and good enough for what a hook does.
#[cfg(all(target_arch = "wasm32", feature = "alloc"))]
mod heap {
    use core::alloc::{GlobalAlloc, Layout};
    use core::ptr::{addr_of_mut, null_mut};

    struct Heap;

    #[global_allocator]
    static HEAP: Heap = Heap;

    struct Lists {
        free: [*mut u8; 32],
        at: usize,
        end: usize,
    }

    static mut LISTS: Lists = Lists { free: [null_mut(); 32], at: 0, end: 0 };

    fn class(l: &Layout) -> usize {
        (l.size().max(16) - 1).leading_zeros() as usize
    }

    // SAFETY: one thread; a block belongs to the class of its layout, which the
    // caller gives again when it frees it.
    unsafe impl GlobalAlloc for Heap {
        unsafe fn alloc(&self, l: Layout) -> *mut u8 {
            let lists = &mut *addr_of_mut!(LISTS);
            let class = class(&l);
            let size = 1usize << (32 - class);
            if l.align() > 16 || l.size() > 1 << 30 {
                return null_mut();
            }
            let p = lists.free[class];
            if !p.is_null() {
                lists.free[class] = *(p as *mut *mut u8);
                return p;
            }
            if size > lists.end - lists.at {
                let n = size.max(1 << 16);
                lists.at = super::wasm::pages(n) as usize;
                lists.end = lists.at + n;
            }
            lists.at += size;
            (lists.at - size) as *mut u8
        }

        unsafe fn dealloc(&self, p: *mut u8, l: Layout) {
            let lists = &mut *addr_of_mut!(LISTS);
            let class = class(&l);
            *(p as *mut *mut u8) = lists.free[class];
            lists.free[class] = p;
        }

        unsafe fn realloc(&self, p: *mut u8, l: Layout, size: usize) -> *mut u8 {
            let new = Layout::from_size_align_unchecked(size, l.align());
            if class(&l) == class(&new) {
                return p;
            }
            let q = self.alloc(new);
            if !q.is_null() {
                core::ptr::copy_nonoverlapping(p, q, l.size().min(size));
                self.dealloc(p, l);
            }
            q
        }
    }
}
