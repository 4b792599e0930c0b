//! Reading ahead: any source on a thread of its own, handing over batches through a bounded
//! channel. What comes out is exactly what the source yields.
//!
//! It must never reorder, drop or invent a record, and never hold more than a few batches.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::record::{Record, Source};
use super::source::{SourceError, SourceStatistics};

/// Records per batch: enough that handing one over costs nothing per record.
const BATCH_RECORDS: usize = 1024;
/// Batches that may wait in the channel.
const BATCHES_AHEAD: usize = 4;

/// What the reading thread hands over.
struct Batch {
    records: Vec<Record>,
    /// The source's statistics once it has yielded these records.
    statistics: SourceStatistics,
    /// How the source ended; only the last batch has it.
    end: Option<Result<(), SourceError>>,
}

/// A source that is read ahead by a thread of its own; dropping it ends the thread.
pub struct ReadAhead {
    records: std::vec::IntoIter<Record>,
    statistics: SourceStatistics,
    end: Option<Result<(), SourceError>>,
    /// `None` once the last batch has come.
    batches: Option<Receiver<Batch>>,
    thread: Option<JoinHandle<()>>,
}

impl ReadAhead {
    /// Starts to read `source` ahead.
    #[expect(clippy::disallowed_methods, reason = "a source may read ahead; nothing else runs")]
    pub fn new<S: Source + 'static>(source: S) -> Self {
        let (sender, batches) = sync_channel(BATCHES_AHEAD);
        let statistics = source.statistics();
        let thread = thread::spawn(move || read_all(source, &sender));
        Self {
            records: Vec::new().into_iter(),
            statistics,
            end: None,
            batches: Some(batches),
            thread: Some(thread),
        }
    }

    /// Waits for the next batch; after the last one there is nothing more to wait for.
    fn take_batch(&mut self) {
        let Some(batches) = &self.batches else { return };
        match batches.recv() {
            Ok(batch) => {
                self.records = batch.records.into_iter();
                self.statistics = batch.statistics;
                self.end = batch.end;
                if self.end.is_some() {
                    self.stop();
                }
            }
            // Without a last batch the thread has panicked: so do we, with its message.
            Err(_) => self.stop(),
        }
    }

    /// Ends the thread, if it has not ended by itself, and passes its panic on.
    fn stop(&mut self) {
        self.batches = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Source for ReadAhead {
    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        loop {
            if let Some(record) = self.records.next() {
                return Ok(Some(record));
            }
            match self.end.replace(Ok(())) {
                Some(Err(error)) => return Err(error),
                Some(Ok(())) => return Ok(None),
                None => self.end = None,
            }
            self.take_batch();
        }
    }

    fn statistics(&self) -> SourceStatistics {
        self.statistics.clone()
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The reading thread: batch after batch until the source ends or nobody listens any more.
fn read_all<S: Source>(mut source: S, sender: &SyncSender<Batch>) {
    loop {
        let mut records = Vec::with_capacity(BATCH_RECORDS);
        let end = loop {
            match source.next_record() {
                Ok(Some(record)) => records.push(record),
                Ok(None) => break Some(Ok(())),
                Err(error) => break Some(Err(error)),
            }
            if records.len() == BATCH_RECORDS {
                break None;
            }
        };
        let last = end.is_some();
        let batch = Batch { records, statistics: source.statistics(), end };
        if sender.send(batch).is_err() || last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::super::record::{Change, PodKey};
    use super::*;
    use crate::engine::SimTime;

    /// Kills pod 0, 1, 2 … one per microsecond; fails or panics at the end if told so.
    struct Counting {
        next: u64,
        count: u64,
        fails: bool,
        yielded: Arc<AtomicU64>,
    }

    impl Counting {
        fn new(count: u64) -> Self {
            Self { next: 0, count, fails: false, yielded: Arc::default() }
        }
    }

    impl Source for Counting {
        fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
            if self.next == self.count {
                let error = SourceError::File { file: "f".into(), message: "broken".into() };
                return if self.fails { Err(error) } else { Ok(None) };
            }
            let key = PodKey(self.next);
            self.next += 1;
            self.yielded.store(self.next, Ordering::SeqCst);
            Ok(Some(Record { time: SimTime(key.0), change: Change::Kill { key } }))
        }

        fn statistics(&self) -> SourceStatistics {
            SourceStatistics { rows: self.next, ..SourceStatistics::default() }
        }
    }

    #[test]
    fn records_come_out_as_the_source_yields_them() {
        for count in [0, 1, 1023, 1024, 1025, 20_000] {
            let mut plain = Counting::new(count);
            let mut ahead = ReadAhead::new(Counting::new(count));
            loop {
                let record = plain.next_record().unwrap();
                assert_eq!(ahead.next_record().unwrap(), record);
                if record.is_none() {
                    break;
                }
            }
            assert_eq!(ahead.statistics().rows, count);
            assert_eq!(ahead.next_record().unwrap(), None, "the end is final");
        }
    }

    #[test]
    fn an_error_comes_after_the_records_before_it() {
        let mut ahead = ReadAhead::new(Counting { fails: true, ..Counting::new(1500) });
        for _ in 0..1500 {
            assert!(ahead.next_record().unwrap().is_some());
        }
        assert!(ahead.next_record().unwrap_err().to_string().contains("broken"));
        assert_eq!(ahead.next_record().unwrap(), None);
    }

    #[test]
    fn the_thread_reads_a_bounded_number_ahead_and_ends_when_dropped() {
        let source = Counting::new(u64::MAX);
        let yielded = Arc::clone(&source.yielded);
        let mut ahead = ReadAhead::new(source);
        ahead.next_record().unwrap();
        // Dropping joins the thread; a thread that went on reading would never let this return.
        drop(ahead);
        let most = (BATCHES_AHEAD + 3) * BATCH_RECORDS;
        assert!(yielded.load(Ordering::SeqCst) <= most as u64);
    }

    #[test]
    #[should_panic(expected = "the reader is broken")]
    fn a_panic_of_the_source_is_passed_on() {
        struct Panicking;
        impl Source for Panicking {
            fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
                panic!("the reader is broken")
            }
            fn statistics(&self) -> SourceStatistics {
                SourceStatistics::default()
            }
        }
        let _ = ReadAhead::new(Panicking).next_record();
    }
}
