//! Opening data files: plain, `.gz` or `.zst`, one file or a folder of parts, read line by line.
//!
//! It knows bytes and lines only; it must never know what a row means.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use memchr::memchr;

use super::source::SourceError;

/// Size of the buffers between file, decoder and lines.
const BUFFER_BYTES: usize = 256 * 1024;
/// A line longer than this is not a row of any format we know.
const LONGEST_LINE_BYTES: usize = 8 * 1024 * 1024;

/// How much of its files a source has read; a handle that may be watched from another thread.
#[derive(Clone, Debug, Default)]
pub struct ReadProgress {
    done_bytes: Arc<AtomicU64>,
    total_bytes: Arc<AtomicU64>,
}

impl ReadProgress {
    /// Bytes read so far, as stored (compressed), over all files of the source.
    pub fn done_bytes(&self) -> u64 {
        self.done_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of all files of the source, as stored.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes.load(Ordering::Relaxed)
    }
}

/// Counts what passes through.
struct Counted {
    inner: File,
    progress: ReadProgress,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.progress.done_bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// The data files that `path` stands for: itself, or the `.csv`, `.gz` and `.zst` files of a
/// folder in the order of their names. Their sizes are added to the total of `progress`.
///
/// # Errors
/// Nothing there, a folder without such files, or one that cannot be listed.
pub fn data_files(path: &Path, progress: &ReadProgress) -> Result<Vec<PathBuf>, SourceError> {
    let files = if metadata(path)?.is_dir() { files_of_folder(path)? } else { vec![path.into()] };
    for file in &files {
        progress.total_bytes.fetch_add(metadata(file)?.len(), Ordering::Relaxed);
    }
    Ok(files)
}

/// True for names that a folder of parts may hold.
pub(super) fn is_data_file(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "csv" || end == "gz" || end == "zst")
}

fn files_of_folder(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| file_error(folder, &error))? {
        let path = entry.map_err(|error| file_error(folder, &error))?.path();
        if is_data_file(&path) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let message = "the folder holds no .csv, .gz or .zst file".into();
        return Err(SourceError::File { file: folder.display().to_string(), message });
    }
    Ok(files)
}

fn metadata(path: &Path) -> Result<fs::Metadata, SourceError> {
    fs::metadata(path).map_err(|error| file_error(path, &error))
}

/// Opens one file for reading, unpacking it as its name says.
///
/// # Errors
/// A file that is not there, is a folder, or cannot be opened.
pub fn open(path: &Path, progress: &ReadProgress) -> Result<Box<dyn Read + Send>, SourceError> {
    if metadata(path)?.is_dir() {
        let message = "this is a folder, a file was expected".into();
        return Err(SourceError::File { file: path.display().to_string(), message });
    }
    let inner = File::open(path).map_err(|error| file_error(path, &error))?;
    let counted = Counted { inner, progress: progress.clone() };
    let buffered = BufReader::with_capacity(BUFFER_BYTES, counted);
    match path.extension().and_then(|end| end.to_str()) {
        Some("gz") => Ok(Box::new(MultiGzDecoder::new(buffered))),
        Some("zst") => match zstd::stream::read::Decoder::with_buffer(buffered) {
            Ok(decoder) => Ok(Box::new(decoder)),
            Err(error) => Err(file_error(path, &error)),
        },
        _ => Ok(Box::new(buffered)),
    }
}

/// An input error with the name of its file; data that end too early are called truncated.
pub(super) fn file_error(path: &Path, error: &io::Error) -> SourceError {
    let message = match error.kind() {
        ErrorKind::UnexpectedEof => "truncated: the compressed data end too early".into(),
        ErrorKind::NotFound => "no such file or folder".into(),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => format!("cannot be unpacked: {error}"),
        _ => error.to_string(),
    };
    SourceError::File { file: path.display().to_string(), message }
}

/// The lines of a file, or of the parts of a folder one after the other, from one reused buffer.
pub struct LineReader {
    parts: std::vec::IntoIter<PathBuf>,
    reader: Option<Box<dyn Read + Send>>,
    path: PathBuf,
    progress: ReadProgress,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    line: u64,
    saw_line: bool,
}

impl LineReader {
    /// Opens `path`, a file or a folder of parts.
    ///
    /// # Errors
    /// As [`data_files`] and [`open`].
    pub fn open(path: &Path, progress: &ReadProgress) -> Result<Self, SourceError> {
        let mut parts = data_files(path, progress)?.into_iter();
        let first = parts.next().expect("data_files never answers an empty list");
        Ok(Self {
            reader: Some(open(&first, progress)?),
            parts,
            path: first,
            progress: progress.clone(),
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            line: 0,
            saw_line: false,
        })
    }

    /// The next line without its end (LF or CRLF), or `None` after the last one.
    ///
    /// # Errors
    /// A file that cannot be read or unpacked, a line of more than 8 MiB, no line at all.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, SourceError> {
        let Some((start, end)) = self.find_line()? else { return Ok(None) };
        self.line += 1;
        self.saw_line = true;
        let line = &self.buffer[start..end];
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// The file that the last line came from, as the user named it, and its number from 1.
    pub fn place(&self) -> (String, u64) {
        (self.path.display().to_string(), self.line)
    }

    /// Where the next line lies in the buffer.
    fn find_line(&mut self) -> Result<Option<(usize, usize)>, SourceError> {
        loop {
            let start = self.start;
            if let Some(length) = memchr(b'\n', &self.buffer[start..self.end]) {
                self.start += length + 1;
                return Ok(Some((start, start + length)));
            }
            if self.fill()? {
                continue;
            }
            // The last line of a part need not have an end.
            let rest = (self.start, self.end);
            if rest.0 < rest.1 {
                self.start = self.end;
                return Ok(Some(rest));
            }
            if !self.open_next_part()? {
                return Ok(None);
            }
        }
    }

    /// Reads more of the current part behind what is left; false at its end.
    fn fill(&mut self) -> Result<bool, SourceError> {
        let Some(reader) = self.reader.as_mut() else { return Ok(false) };
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            if self.end >= LONGEST_LINE_BYTES {
                let message = format!("line {} is longer than 8 MiB", self.line + 1);
                return Err(SourceError::File { file: self.path.display().to_string(), message });
            }
            self.buffer.resize(self.end * 2, 0);
        }
        loop {
            match reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.reader = None;
                    return Ok(false);
                }
                Ok(length) => {
                    self.end += length;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(file_error(&self.path, &error)),
            }
        }
    }

    /// Goes on to the next part; false where there is none.
    fn open_next_part(&mut self) -> Result<bool, SourceError> {
        let Some(path) = self.parts.next() else {
            if !self.saw_line {
                let message = "holds no rows: the file is empty".into();
                return Err(SourceError::File { file: self.path.display().to_string(), message });
            }
            return Ok(false);
        };
        self.reader = Some(open(&path, &self.progress)?);
        self.path = path;
        self.line = 0;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gz(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn lines(path: &Path) -> Result<Vec<String>, SourceError> {
        let mut reader = LineReader::open(path, &ReadProgress::default())?;
        let mut lines = Vec::new();
        while let Some(line) = reader.next_line()? {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
        }
        Ok(lines)
    }

    fn lines_of(name: &str, content: &[u8]) -> Result<Vec<String>, SourceError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        lines(&path)
    }

    #[test]
    fn plain_gz_and_zst_give_the_same_lines() {
        let text = "1,2\r\n3,4\n5,6";
        let want = ["1,2", "3,4", "5,6"];
        assert_eq!(lines_of("a.csv", text.as_bytes()).unwrap(), want);
        assert_eq!(lines_of("a.csv.gz", &gz(text)).unwrap(), want);
        let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(lines_of("a.csv.zst", &packed).unwrap(), want);
    }

    #[test]
    fn the_members_of_a_concatenated_gz_are_all_read() {
        let both = [gz("1\n2\n"), gz("3\n")].concat();
        assert_eq!(lines_of("a.gz", &both).unwrap(), ["1", "2", "3"]);
    }

    #[test]
    fn lines_longer_than_the_buffer_are_kept_whole() {
        let text = format!("{}\nend", "x".repeat(3 * BUFFER_BYTES));
        let found = lines_of("a.csv", text.as_bytes()).unwrap();
        assert_eq!(found, [&text[..3 * BUFFER_BYTES], "end"]);
    }

    #[test]
    fn a_folder_is_read_in_the_order_of_its_names_and_other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("part-2.csv"), "3\n").unwrap();
        fs::write(folder.path().join("part-1.csv.gz"), gz("1\n2")).unwrap();
        fs::write(folder.path().join("README.md"), "no data\n").unwrap();
        assert_eq!(lines(folder.path()).unwrap(), ["1", "2", "3"]);
    }

    #[test]
    fn progress_reaches_the_stored_size_of_all_parts() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.csv"), "1\n2\n").unwrap();
        fs::write(folder.path().join("b.gz"), gz("3\n")).unwrap();
        let progress = ReadProgress::default();
        let mut reader = LineReader::open(folder.path(), &progress).unwrap();
        while reader.next_line().unwrap().is_some() {}
        assert_eq!(progress.total_bytes(), 4 + gz("3\n").len() as u64);
        assert_eq!(progress.done_bytes(), progress.total_bytes());
    }

    #[test]
    fn truncated_files_are_named_and_called_truncated() {
        let text: String = (0..5_000).map(|i| format!("{},{}\n", i, i * 7919 % 1013)).collect();
        let packed =
            [("a.gz", gz(&text)), ("a.zst", zstd::encode_all(text.as_bytes(), 1).unwrap())];
        for (name, bytes) in packed {
            let error = lines_of(name, &bytes[..bytes.len() / 2]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("truncated"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let cases: [(&str, Option<&[u8]>, &str); 4] = [
            ("missing.csv", None, "no such file"),
            ("empty.csv", Some(b""), "empty"),
            ("noise.gz", Some(b"this is no gzip at all"), "unpacked"),
            ("noise.zst", Some(b"this is no zstd at all"), "noise.zst"),
        ];
        for (name, content, expected) in cases {
            let path = folder.path().join(name);
            if let Some(content) = content {
                fs::write(&path, content).unwrap();
            }
            let error = lines(&path).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(expected), "{name}: {error}");
        }
        let nothing = folder.path().join("nothing");
        fs::create_dir(&nothing).unwrap();
        assert!(lines(&nothing).unwrap_err().to_string().contains("holds no .csv"));
        assert!(open(&nothing, &ReadProgress::default()).is_err());
    }
}
