//! One CSV file on its way to disk: packed as wanted, under a temporary name until it is whole.
//!
//! It knows rows of bytes; what the columns mean stays in `writer`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use flate2::write::GzEncoder;

use super::super::csv_table::csv_error;
use super::super::input::file_error;
use super::super::source::SourceError;

/// How the files are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    Plain,
    /// gzip.
    Gz,
    /// zstd.
    Zst,
}

impl Compression {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gz => ".gz",
            Self::Zst => ".zst",
        }
    }
}

/// Where the bytes go.
enum Packer {
    Plain(BufWriter<File>),
    Gz(GzEncoder<BufWriter<File>>),
    Zst(zstd::Encoder<'static, BufWriter<File>>),
}

impl Packer {
    fn end(self) -> io::Result<()> {
        let mut file = match self {
            Self::Plain(file) => file,
            Self::Gz(encoder) => encoder.finish()?,
            Self::Zst(encoder) => encoder.finish()?,
        };
        file.flush()?;
        file.get_ref().sync_all()
    }
}

impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gz(encoder) => encoder.write(bytes),
            Self::Zst(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gz(encoder) => encoder.flush(),
            Self::Zst(encoder) => encoder.flush(),
        }
    }
}

/// A file under its temporary name.
pub struct OutFile {
    writer: csv::Writer<Packer>,
    temporary: PathBuf,
    path: PathBuf,
}

impl OutFile {
    /// Makes the file under its temporary name and writes the header.
    pub fn create(
        folder: &Path,
        name: &str,
        compression: Compression,
        header: &[&str],
    ) -> Result<Self, SourceError> {
        let path = folder.join(format!("{name}{}", compression.suffix()));
        let temporary = folder.join(format!(".{name}.partial"));
        let make = || -> io::Result<Packer> {
            let file = BufWriter::with_capacity(1 << 18, File::create(&temporary)?);
            Ok(match compression {
                Compression::Plain => Packer::Plain(file),
                Compression::Gz => Packer::Gz(GzEncoder::new(file, flate2::Compression::fast())),
                Compression::Zst => Packer::Zst(zstd::Encoder::new(file, 3)?),
            })
        };
        let packer = make().map_err(|error| file_error(&path, &error))?;
        let mut file = Self { writer: csv::Writer::from_writer(packer), temporary, path };
        file.write(&ByteRecord::from(header))?;
        Ok(file)
    }

    /// Appends a row.
    pub fn write(&mut self, row: &ByteRecord) -> Result<(), SourceError> {
        self.writer.write_byte_record(row).map_err(|error| csv_error(&self.path, error))
    }

    /// Ends the file; answers its temporary and its final name.
    pub fn end(self) -> Result<(PathBuf, PathBuf), SourceError> {
        let Self { writer, temporary, path } = self;
        let packer = writer.into_inner().map_err(|error| file_error(&path, error.error()))?;
        packer.end().map_err(|error| file_error(&path, &error))?;
        Ok((temporary, path))
    }
}
