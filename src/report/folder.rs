//! Puts a folder of files in place whole or not at all. Knows paths and bytes, nothing of what
//! they mean, save that a former report is told by its `summary.json`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::ReportError;

/// The file that marks a folder as a report.
pub const MARK: &str = "summary.json";

/// One file of a report: its path below the folder, with `/`, and its content.
pub struct FileContent {
    pub path: String,
    pub bytes: Vec<u8>,
}

/// Whether a report could be put at `folder`, as far as that can be told without writing.
///
/// # Errors
///
/// As [`super::write`], where something that is no report is in the way.
pub fn check(folder: &Path) -> Result<(), ReportError> {
    destination(folder).map(|_| ())
}

/// Writes `files` to a temporary folder beside `folder` and renames it into place. A former
/// report or an empty folder is replaced; it stays as it was if anything fails.
///
/// # Errors
///
/// [`ReportError`] naming the path: something else is in the way, or a file cannot be written.
pub fn put(folder: &Path, files: &[FileContent]) -> Result<(), ReportError> {
    let target = destination(folder)?;
    let parent = parent_of(&target);
    fs::create_dir_all(&parent).map_err(|source| unwritable(&parent, source))?;
    let workshop = tempfile::Builder::new()
        .prefix(".cellsim-report-")
        .tempdir_in(&parent)
        .map_err(|source| unwritable(&parent, source))?;
    // A folder of its own inside: the temporary one is readable by its owner only.
    let built = workshop.path().join("report");
    write_all(&built, files)?;
    swap(&built, &target, &workshop.path().join("former"))?;
    // Once in place the report is whole; a parent that cannot be synced changes nothing of that.
    let _ = sync_folder(&parent);
    Ok(())
}

/// The real path to write to: what `folder` points to where it is a link.
fn destination(folder: &Path) -> Result<PathBuf, ReportError> {
    let path = folder.to_path_buf();
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if folder.file_name().is_none() {
                return Err(ReportError::NoName { path });
            }
            return Ok(path);
        }
        Err(source) => return Err(ReportError::Unwritable { path, source }),
        Ok(_) => {}
    }
    let real = folder.canonicalize().map_err(|_| ReportError::NotAFolder { path: path.clone() })?;
    if !real.is_dir() {
        return Err(ReportError::NotAFolder { path });
    }
    let mut entries = fs::read_dir(&real)
        .map_err(|source| ReportError::Unwritable { path: real.clone(), source })?;
    if entries.next().is_some() && !real.join(MARK).is_file() {
        return Err(ReportError::NotAReport { path });
    }
    if real.file_name().is_none() {
        return Err(ReportError::NoName { path });
    }
    Ok(real)
}

fn parent_of(target: &Path) -> PathBuf {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        Some(_) | None => PathBuf::from("."),
    }
}

fn unwritable(path: &Path, source: io::Error) -> ReportError {
    ReportError::Unwritable { path: path.to_path_buf(), source }
}

fn write_all(root: &Path, files: &[FileContent]) -> Result<(), ReportError> {
    fs::create_dir(root).map_err(|source| unwritable(root, source))?;
    let mut folders = vec![root.to_path_buf()];
    for file in files {
        let path = root.join(&file.path);
        let folder = parent_of(&path);
        if !folders.contains(&folder) {
            fs::create_dir_all(&folder).map_err(|source| unwritable(&folder, source))?;
            folders.push(folder);
        }
        write_file(&path, &file.bytes).map_err(|source| unwritable(&path, source))?;
    }
    for folder in &folders {
        sync_folder(folder).map_err(|source| unwritable(folder, source))?;
    }
    Ok(())
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    // Folders cannot be opened as files there, and renames are journaled.
    Ok(())
}

/// Puts `built` at `target`, what was there at `former`; on failure what was there is put back.
fn swap(built: &Path, target: &Path, former: &Path) -> Result<(), ReportError> {
    let replaces = target.exists();
    if replaces {
        fs::rename(target, former).map_err(|source| unwritable(target, source))?;
    }
    fs::rename(built, target).map_err(|source| {
        if replaces {
            // Nothing better can be done where even this fails; the first error is the telling one.
            let _ = fs::rename(former, target);
        }
        unwritable(target, source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Vec<FileContent> {
        [MARK, "plots/one.svg"]
            .map(|path| FileContent { path: path.to_owned(), bytes: text.as_bytes().to_vec() })
            .into()
    }

    fn entries(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_report_is_put_where_there_was_nothing_and_leaves_nothing_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("reports/first");
        put(&target, &files("a")).unwrap();
        assert_eq!(entries(&target), ["plots", MARK]);
        assert_eq!(entries(&home.path().join("reports")), ["first"]);
    }

    #[test]
    fn a_former_report_is_replaced_whole() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("report");
        put(&target, &files("a")).unwrap();
        fs::write(target.join("stale.csv"), "old").unwrap();
        put(&target, &files("b")).unwrap();
        assert_eq!(entries(&target), ["plots", MARK]);
        assert_eq!(fs::read_to_string(target.join(MARK)).unwrap(), "b");
        assert_eq!(entries(home.path()), ["report"]);
    }

    #[test]
    fn an_empty_folder_is_taken_over() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("report");
        fs::create_dir(&target).unwrap();
        put(&target, &files("a")).unwrap();
        assert!(target.join(MARK).is_file());
    }

    #[test]
    fn a_folder_of_something_else_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("thesis.tex"), "years of work").unwrap();
        let error = put(home.path(), &files("a")).unwrap_err();
        assert!(matches!(error, ReportError::NotAReport { .. }), "{error}");
        assert_eq!(entries(home.path()), ["thesis.tex"]);
        assert!(check(home.path()).is_err());
    }

    #[test]
    fn a_file_in_the_way_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("report");
        fs::write(&target, "a file").unwrap();
        let error = put(&target, &files("a")).unwrap_err();
        assert!(matches!(error, ReportError::NotAFolder { .. }), "{error}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "a file");
    }

    #[test]
    fn a_parent_that_takes_no_folder_is_named() {
        let home = tempfile::tempdir().unwrap();
        let parent = home.path().join("file");
        fs::write(&parent, "").unwrap();
        let error = put(&parent.join("report"), &files("a")).unwrap_err();
        assert!(matches!(error, ReportError::Unwritable { .. }), "{error}");
        assert!(error.to_string().contains("file"), "{error}");
    }

    #[test]
    fn a_failure_while_writing_leaves_the_former_report_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("report");
        put(&target, &files("a")).unwrap();
        let mut broken = files("b");
        // A file below a file cannot be created.
        broken.push(FileContent { path: format!("{MARK}/below"), bytes: Vec::new() });
        put(&target, &broken).unwrap_err();
        assert_eq!(fs::read_to_string(target.join(MARK)).unwrap(), "a");
        assert_eq!(entries(home.path()), ["report"]);
    }

    #[test]
    fn a_path_without_a_name_is_refused() {
        assert!(matches!(put(Path::new(""), &files("a")), Err(ReportError::NoName { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_report_stays_a_link() {
        let home = tempfile::tempdir().unwrap();
        let (real, link) = (home.path().join("real"), home.path().join("latest"));
        put(&real, &files("a")).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        put(&link, &files("b")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(real.join(MARK)).unwrap(), "b");
    }
}
