//! Many first-in-first-out lists in one slab of fixed-size chunks.
//!
//! It knows nothing of time or order. Chunks that are emptied are handed out again before the
//! slab grows, so a steady state never allocates and the memory follows the number of items.

/// Items in one chunk: large enough to read on without a cache miss each, small enough that a
/// list of one item wastes little.
const CHUNK: usize = 16;

/// The end of the list of free chunks.
const NO_CHUNK: u32 = u32::MAX;

/// Where one list begins and ends: the slots of its first and its last item, both inclusive.
///
/// It has no empty state. The owner of the list remembers whether there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct List {
    head: u32,
    last: u32,
}

impl List {
    /// Whether the list holds exactly one item.
    pub(super) fn is_single(self) -> bool {
        self.head == self.last
    }
}

/// The slab that the items of all lists live in.
#[derive(Clone, Debug)]
pub(super) struct Chunks<T> {
    items: Vec<T>,
    /// For each chunk, the one that follows it in its list or in the list of free chunks.
    next: Vec<u32>,
    free: u32,
}

impl<T: Copy> Chunks<T> {
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), next: Vec::new(), free: NO_CHUNK }
    }

    /// A new list of one item.
    pub(super) fn start(&mut self, item: T) -> List {
        let slot = self.take_chunk(item) * CHUNK as u32;
        self.items[slot as usize] = item;
        List { head: slot, last: slot }
    }

    /// Adds `item` at the end of `list`.
    pub(super) fn append(&mut self, list: &mut List, item: T) {
        let mut slot = list.last + 1;
        if slot.is_multiple_of(CHUNK as u32) {
            let chunk = self.take_chunk(item);
            self.next[list.last as usize / CHUNK] = chunk;
            slot = chunk * CHUNK as u32;
        }
        self.items[slot as usize] = item;
        list.last = slot;
    }

    /// Takes the first item off; the second answer is the rest of the list, if there is one.
    pub(super) fn take_first(&mut self, list: List) -> (T, Option<List>) {
        let item = self.items[list.head as usize];
        if list.is_single() {
            self.release(list.head / CHUNK as u32);
            return (item, None);
        }
        let mut head = list.head + 1;
        if head.is_multiple_of(CHUNK as u32) {
            let emptied = list.head / CHUNK as u32;
            head = self.next[emptied as usize] * CHUNK as u32;
            self.release(emptied);
        }
        (item, Some(List { head, last: list.last }))
    }

    /// How many items the slab has room for.
    #[cfg(test)]
    pub(super) fn slots(&self) -> usize {
        self.items.len()
    }

    /// A chunk off the free list, or a new one at the end of the slab. `filler` is any item:
    /// new slots have to hold something until they are written.
    fn take_chunk(&mut self, filler: T) -> u32 {
        if self.free != NO_CHUNK {
            let chunk = self.free;
            self.free = self.next[chunk as usize];
            return chunk;
        }
        self.grow(filler)
    }

    #[cold]
    fn grow(&mut self, filler: T) -> u32 {
        let slots = u32::try_from(self.items.len() + CHUNK)
            .expect("an event queue holds fewer than 2^32 slots: memory ends long before");
        self.items.resize(slots as usize, filler);
        self.next.push(NO_CHUNK);
        slots / CHUNK as u32 - 1
    }

    fn release(&mut self, chunk: u32) {
        self.next[chunk as usize] = self.free;
        self.free = chunk;
    }
}
