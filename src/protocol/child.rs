//! A child process that answers lines with lines.
//!
//! A thread of its own does the writing and the reading, so that a child that does neither cannot
//! hold up the run for ever; nothing that the threads do depends on when they do it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::{LONGEST_LINE, ProcessSpec};

/// How long a child has to end by itself once its input is closed, in polls of [`POLL`].
const POLLS: u32 = 400;
const POLL: Duration = Duration::from_millis(5);
/// Characters of a line that messages quote.
const QUOTED: usize = 200;

/// A running child.
#[derive(Debug)]
pub struct Child {
    process: process::Child,
    /// `None` once its input is closed.
    requests: Option<Sender<String>>,
    replies: Receiver<Result<String, NoLine>>,
    /// The last line of its stderr, once that is closed.
    complaint: Receiver<String>,
    limit: Duration,
}

/// Why there is no reply.
#[derive(Debug)]
enum NoLine {
    Ended,
    NotText,
    TooLong,
}

impl Child {
    /// Starts what `spec` says.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub fn start(spec: &ProcessSpec) -> Result<Self, String> {
        let (program, arguments) = spec.command.split_first().ok_or("the command is empty")?;
        let mut command = Command::new(program_path(program, &spec.folder));
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if spec.folder != Path::new("") {
            command.current_dir(&spec.folder);
        }
        let mut process =
            command.spawn().map_err(|error| format!("cannot start \"{program}\": {error}"))?;
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let (requests, to_write) = channel();
        let (have_read, replies) = channel();
        let (have_complained, complaint) = channel();
        let talk = (stdin.expect("it is piped"), stdout.expect("it is piped"));
        let stderr = process.stderr.take().expect("it is piped");
        on_a_thread(move || converse(talk, &to_write, &have_read));
        on_a_thread(move || {
            let _ = have_complained.send(last_line(stderr));
        });
        let limit = Duration::from_secs(spec.reply_within_s);
        Ok(Self { process, requests: Some(requests), replies, complaint, limit })
    }

    /// Writes `line` and waits for the line that answers it.
    ///
    /// # Errors
    /// The child has ended, or does not answer in time, or writes no text.
    pub fn ask(&mut self, line: String) -> Result<String, String> {
        let Some(requests) = &self.requests else { return Err("was not asked any more".into()) };
        // Where the thread is gone there is no reply either, and that is told below.
        let _ = requests.send(line);
        match self.replies.recv_timeout(self.limit) {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(NoLine::NotText)) => Err("wrote something that is no text (UTF-8)".to_owned()),
            Ok(Err(NoLine::TooLong)) => {
                Err(format!("wrote a line of more than {} MiB", LONGEST_LINE >> 20))
            }
            Ok(Err(NoLine::Ended)) | Err(RecvTimeoutError::Disconnected) => Err(self.epitaph()),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = self.limit.as_secs();
                let _ = self.process.kill();
                Err(format!("gave no answer within {seconds} s of real time{}", self.complaint()))
            }
        }
    }

    /// How it ended.
    fn epitaph(&mut self) -> String {
        self.requests = None;
        let ended = match self.wait() {
            Some(status) => format!("has ended ({status})"),
            None => {
                let _ = self.process.kill();
                "has closed its output".to_owned()
            }
        };
        ended + &self.complaint()
    }

    fn complaint(&self) -> String {
        match self.complaint.recv_timeout(POLL * 100) {
            Ok(line) if !line.is_empty() => {
                format!("; the last line of its stderr: {}", shortened(&line))
            }
            Ok(_) | Err(_) => String::new(),
        }
    }

    /// Waits for a while for it to end.
    fn wait(&mut self) -> Option<process::ExitStatus> {
        for _ in 0..POLLS {
            if let Ok(Some(status)) = self.process.try_wait() {
                return Some(status);
            }
            thread::sleep(POLL);
        }
        None
    }
}

impl Drop for Child {
    /// Closes its input and lets it end, by force where it does not by itself.
    fn drop(&mut self) {
        self.requests = None;
        if self.wait().is_none() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// `line` as messages quote it.
pub fn shortened(line: &str) -> String {
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for the child; the run waits for it")]
fn on_a_thread(work: impl FnOnce() + Send + 'static) {
    thread::spawn(work);
}

/// A program with a slash in it is relative to the folder, others are looked up as usual.
fn program_path(program: &str, folder: &Path) -> PathBuf {
    let path = Path::new(program);
    if path.is_absolute() || path.components().count() < 2 {
        return path.to_owned();
    }
    let joined = folder.join(path);
    std::path::absolute(&joined).unwrap_or(joined)
}

/// Writes each request and reads the line that answers it, until either side is gone.
fn converse(
    (mut stdin, stdout): (ChildStdin, ChildStdout),
    requests: &Receiver<String>,
    replies: &Sender<Result<String, NoLine>>,
) {
    let mut stdout = BufReader::new(stdout);
    for mut request in requests {
        request.push('\n');
        // A child that has gone may have said why: what it wrote before is read all the same.
        let _ = stdin.write_all(request.as_bytes()).and_then(|()| stdin.flush());
        let reply = read_line(&mut stdout);
        let is_last = reply.is_err();
        if replies.send(reply).is_err() || is_last {
            return;
        }
    }
}

fn read_line(stdout: &mut impl BufRead) -> Result<String, NoLine> {
    let mut line = Vec::new();
    let read = stdout.take(LONGEST_LINE).read_until(b'\n', &mut line);
    match read {
        Ok(0) | Err(_) => return Err(NoLine::Ended),
        Ok(length) if length as u64 == LONGEST_LINE => return Err(NoLine::TooLong),
        Ok(_) => {}
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| NoLine::NotText)
}

/// The last line with something in it, once there is no more to come.
fn last_line(stderr: impl Read) -> String {
    let mut last = String::new();
    let mut line = Vec::new();
    let mut stderr = BufReader::new(stderr);
    while let Ok(1..) = stderr.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            last = text.trim().to_owned();
        }
        line.clear();
    }
    last
}
