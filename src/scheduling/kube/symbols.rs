//! Label keys, label values and resource names as small numbers.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// A text that has been met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// Its number; the first text that was met has 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Gives every text one symbol. Symbols are never taken back: there are as many as different
/// labels.
#[derive(Debug, Clone, Default)]
pub struct Symbols {
    numbers: FxHashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Symbols {
    /// The symbol of `text`.
    ///
    /// # Panics
    ///
    /// If there are more than 2³² different texts.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(number) = self.numbers.get(text) {
            return Symbol(*number);
        }
        let number = u32::try_from(self.texts.len()).expect("fewer than 2^32 different texts");
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        Symbol(number)
    }

    /// The symbol of `text`, if it has been met.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.numbers.get(text).copied().map(Symbol)
    }

    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.index()]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// True if nothing has been met.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}
