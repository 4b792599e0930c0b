//! Many first-in-first-out lists in one slab of fixed-size chunks.
//!
//! It knows nothing of time or order. Chunks that are emptied are handed out again before the
//! slab grows, so a steady state never allocates and the memory follows the number of items.

/// Items in one chunk: large enough to read on without a cache miss each, small enough that a
/// list of one item wastes little.
const CHUNK: usize = 32;

/// The end of the list of free chunks.
const NO_CHUNK: u32 = u32::MAX;

/// Where one list begins and ends: the slots of its first and its last item, both inclusive.
///
/// It has no empty state. The owner of the list remembers whether there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct List {
    pub(super) head: u32,
    last: u32,
}

impl List {
    /// Whether all of the list lies in one chunk.
    #[inline]
    pub(super) fn is_short(self) -> bool {
        self.head / CHUNK as u32 == self.last / CHUNK as u32
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

    /// Makes the first chunk, which needs an item to be made of; to be called before any other.
    #[inline]
    pub(super) fn prepare(&mut self, item: &T) {
        if self.items.is_empty() {
            self.items.resize(CHUNK, *item);
            self.next.push(NO_CHUNK);
            self.free = 0;
        }
    }

    /// The item in a slot.
    #[inline]
    pub(super) fn get(&self, slot: u32) -> &T {
        &self.items[slot as usize]
    }

    /// Fills a slot that [`start`](Self::start) or [`append`](Self::append) has reserved.
    #[inline]
    pub(super) fn set(&mut self, slot: u32, item: T) {
        self.items[slot as usize] = item;
    }

    /// Fills a reserved slot with what another holds.
    #[inline]
    pub(super) fn copy(&mut self, from: u32, to: u32) {
        self.items[to as usize] = self.items[from as usize];
    }

    /// A new list of one item, whose slot is reserved.
    #[inline]
    pub(super) fn start(&mut self) -> List {
        let slot = self.take_chunk() * CHUNK as u32;
        List { head: slot, last: slot }
    }

    /// Reserves a slot at the end of `list`.
    #[inline]
    pub(super) fn append(&mut self, list: &mut List) -> u32 {
        let mut slot = list.last + 1;
        if slot.is_multiple_of(CHUNK as u32) {
            let chunk = self.take_chunk();
            self.next[list.last as usize / CHUNK] = chunk;
            slot = chunk * CHUNK as u32;
        }
        list.last = slot;
        slot
    }

    /// The rest of the list without its first item, whose slot is given up.
    #[inline]
    pub(super) fn drop_first(&mut self, list: List) -> Option<List> {
        let head = list.head + 1;
        if list.head == list.last {
            self.release(list.head / CHUNK as u32);
            return None;
        }
        if !head.is_multiple_of(CHUNK as u32) {
            return Some(List { head, last: list.last });
        }
        let emptied = list.head / CHUNK as u32;
        let head = self.next[emptied as usize] * CHUNK as u32;
        self.release(emptied);
        Some(List { head, last: list.last })
    }

    /// The items of a list, in order.
    pub(super) fn iter(&self, list: List) -> impl Iterator<Item = &T> {
        let following = move |slot: &u32| {
            if *slot == list.last {
                return None;
            }
            let next = slot + 1;
            let is_same_chunk = !next.is_multiple_of(CHUNK as u32);
            Some(if is_same_chunk {
                next
            } else {
                self.next[*slot as usize / CHUNK] * CHUNK as u32
            })
        };
        std::iter::successors(Some(list.head), following).map(|slot| self.get(slot))
    }

    /// The items of a list that lies in one chunk, whose slots are given up.
    #[inline]
    pub(super) fn take_short(&mut self, list: List) -> &[T] {
        self.release(list.head / CHUNK as u32);
        &self.items[list.head as usize..=list.last as usize]
    }

    /// How many items the slab has room for.
    #[cfg(test)]
    pub(super) fn slots(&self) -> usize {
        self.items.len()
    }

    /// A chunk off the free list, or a new one at the end of the slab.
    #[inline]
    fn take_chunk(&mut self) -> u32 {
        if self.free == NO_CHUNK {
            return self.grow();
        }
        let chunk = self.free;
        self.free = self.next[chunk as usize];
        chunk
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        let slots = u32::try_from(self.items.len() + CHUNK)
            .expect("an event queue holds fewer than 2^32 slots: memory ends long before");
        // Slots have to hold something until they are filled: any item will do.
        let filler = *self.items.first().expect("the first chunk was made of the first item");
        self.items.resize(slots as usize, filler);
        self.next.push(NO_CHUNK);
        slots / CHUNK as u32 - 1
    }

    #[inline]
    fn release(&mut self, chunk: u32) {
        self.next[chunk as usize] = self.free;
        self.free = chunk;
    }
}
