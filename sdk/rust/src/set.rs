//! Sets of names.

use crate::{memory, Host};

/// A set of names, in which A to Z are as a to z: domains, addresses.
#[derive(Clone, Copy, Default)]
pub struct Set<'a> {
    slots: &'a [&'a str],
}

fn hash(s: &str) -> usize {
    s.bytes().fold(2_166_136_261u32, |h, c| (h ^ u32::from(c.to_ascii_lowercase())).wrapping_mul(16_777_619)) as usize
}

impl<'a> Set<'a> {
    pub fn new(_: Host<'a>, names: &[&'a str]) -> Set<'a> {
        let n = (2 * names.len() + 1).next_power_of_two();
        // SAFETY: the host is there as long as the set.
        let slots = unsafe { memory::slice(n, |_| "") };
        for name in names {
            let i = find(slots, name);
            slots[i] = name;
        }
        Set { slots }
    }

    pub fn has(self, name: &str) -> bool {
        !self.slots.is_empty() && !name.is_empty() && !self.slots[find(self.slots, name)].is_empty()
    }
}

/// Where a name is, or would be: at least half of the slots are empty.
fn find(slots: &[&str], name: &str) -> usize {
    let mask = slots.len() - 1;
    let mut i = hash(name) & mask;
    while !slots[i].is_empty() && !slots[i].eq_ignore_ascii_case(name) {
        i = (i + 1) & mask;
    }
    i
}
