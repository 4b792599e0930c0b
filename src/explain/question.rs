//! What can be asked, and about when.

use super::ExplainError;
use crate::engine::SimTime;
use crate::scenario::types::DurationText;

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// `pod/NAME`.
    Pod(PodName),
    /// `workload/NAME`.
    Workload(String),
    /// `node/NAME`.
    Node(String),
}

/// How a pod is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodName {
    /// Its workload and what its source or its controller calls it: `web/3`.
    Key(String, u64),
    /// The serial number in the run, as the event log has it: `#17`.
    Serial(u64),
    /// What nobody is called: no number at the end.
    Other(String),
}

impl PodName {
    fn parse(text: &str) -> Self {
        if let Some(serial) = text.strip_prefix('#').and_then(|number| number.parse().ok()) {
            return Self::Serial(serial);
        }
        let parts = text.rsplit_once('/');
        let parts = parts.and_then(|(workload, key)| Some((workload, key.parse().ok()?)));
        match parts {
            Some((workload, key)) => Self::Key(workload.to_owned(), key),
            None => Self::Other(text.to_owned()),
        }
    }
}

impl std::fmt::Display for PodName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(workload, key) => write!(f, "{workload}/{key}"),
            Self::Serial(serial) => write!(f, "#{serial}"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl Question {
    /// Reads `pod/web/3`, `workload/web` or `node/standard-7`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, ExplainError> {
        let (kind, name) = text.split_once('/').unwrap_or((text, ""));
        let question = match kind {
            _ if name.is_empty() => None,
            "pod" => Some(Self::Pod(PodName::parse(name))),
            "workload" => Some(Self::Workload(name.to_owned())),
            "node" => Some(Self::Node(name.to_owned())),
            _ => None,
        };
        question.ok_or_else(|| {
            ExplainError::Question(format!(
                "\"{text}\" is no question; ask for pod/WORKLOAD/NUMBER, pod/#SERIAL, \
                 workload/NAME or node/NAME"
            ))
        })
    }
}

/// Reads a point in virtual time: a length from the start of the run (`3h 12min`) or a clock as
/// reports have it (`1 d 03:12:45`, `03:12:45.5`).
///
/// # Errors
/// What is wrong with it.
pub fn parse_time(text: &str) -> Result<SimTime, String> {
    if text.contains(':') {
        return clock(text).ok_or_else(|| "it must be like 03:12:45 or 1 d 03:12:45".to_owned());
    }
    let length = DurationText::parse(text).map_err(|reason| format!("it {reason}"))?;
    Ok(SimTime::ZERO + length.amount())
}

fn clock(text: &str) -> Option<SimTime> {
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) => (days.trim().parse::<u64>().ok()?, rest.trim()),
        None => (0, text.trim()),
    };
    let parts: Vec<&str> = rest.split(':').collect();
    let [hours, minutes, seconds] = parts[..] else { return None };
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if ![hours, minutes, whole].iter().all(|part| digits(part) && !part.is_empty())
        || !digits(fraction)
        || fraction.len() > 6
    {
        return None;
    }
    let number = |part: &str| part.parse::<u64>().ok();
    let micros = if fraction.is_empty() { 0 } else { number(&format!("{fraction:0<6}"))? };
    let (minutes, seconds) = (number(minutes)?, number(whole)?);
    if minutes > 59 || seconds > 59 {
        return None;
    }
    let hours = days.checked_mul(24)?.checked_add(number(hours)?)?;
    let seconds = hours.checked_mul(3600)?.checked_add(minutes * 60 + seconds)?;
    Some(SimTime(seconds.checked_mul(1_000_000)?.checked_add(micros)?))
}

/// `time` as [`parse_time`] reads it, to the microsecond.
pub fn clock_text(time: SimTime) -> String {
    let (seconds, micros) = (time.0 / 1_000_000, time.0 % 1_000_000);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let mut text = if days > 0 { format!("{days} d ") } else { String::new() };
    text += &format!("{:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60);
    if micros > 0 {
        text += format!(".{micros:06}").trim_end_matches('0');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_apart() {
        let parse = |text| Question::parse(text).map_err(|error| error.to_string());
        assert_eq!(parse("pod/web/3"), Ok(Question::Pod(PodName::Key("web".into(), 3))));
        assert_eq!(parse("pod/a/b/3"), Ok(Question::Pod(PodName::Key("a/b".into(), 3))));
        assert_eq!(parse("pod/#17"), Ok(Question::Pod(PodName::Serial(17))));
        assert_eq!(parse("pod/web"), Ok(Question::Pod(PodName::Other("web".into()))));
        assert_eq!(parse("node/n/1"), Ok(Question::Node("n/1".into())));
        assert_eq!(parse("workload/web"), Ok(Question::Workload("web".into())));
        for wrong in ["", "pod", "pod/", "pods/web/3", "web/3", "/"] {
            assert!(parse(wrong).unwrap_err().contains("is no question"), "{wrong}");
        }
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for time in [0, 1, 59_999_999, 3_600_000_000, 86_400_000_000, 172_799_123_456] {
            let text = clock_text(SimTime(time));
            assert_eq!(parse_time(&text), Ok(SimTime(time)), "{text}");
        }
        assert_eq!(parse_time("1h 30min"), Ok(SimTime::from_secs(5400)));
        assert_eq!(parse_time("0s"), Ok(SimTime::ZERO));
        for wrong in ["", "3", "1:2", "00:60:00", "00:00:60", "x:1:1", "00:00:00.1234567", "-1s"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
        assert!(parse_time("99999999999999 d 00:00:00").is_err());
    }
}
