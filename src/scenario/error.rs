//! What is wrong with a scenario: each mistake with a stable code, its place and, where one can
//! be given, help. It must never stop at the first mistake: errors come as a list.

use std::fmt;
use std::sync::Arc;

/// The kinds of mistake, each with a number that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// Not YAML, or YAML that scenarios do not use (anchors, tags, several documents).
    Syntax,
    /// A key that stands twice in one mapping.
    DuplicateKey,
    /// A field that does not exist.
    UnknownField,
    /// A value of the wrong type.
    WrongType,
    /// A value that is none of those allowed.
    UnknownValue,
    /// A number or list that is too small or too large.
    OutOfRange,
    /// A field that must be there is not.
    MissingField,
    /// A name that nothing in the scenario or the program has.
    UnknownName,
    /// A name that is given twice.
    DuplicateName,
    /// Failure domains that contain themselves.
    Cycle,
    /// Fields that contradict each other.
    Contradiction,
    /// Options that a policy does not take.
    PolicyOption,
    /// A file that is missing, is a folder, or cannot be read.
    File,
    /// A recorded trace that is not on this machine.
    TraceMissing,
    /// A `--set` that cannot be understood or applied.
    Override,
}

impl ErrorCode {
    /// All codes, in order of their numbers.
    pub const ALL: [Self; 15] = [
        Self::Syntax,
        Self::DuplicateKey,
        Self::UnknownField,
        Self::WrongType,
        Self::UnknownValue,
        Self::OutOfRange,
        Self::MissingField,
        Self::UnknownName,
        Self::DuplicateName,
        Self::Cycle,
        Self::Contradiction,
        Self::PolicyOption,
        Self::File,
        Self::TraceMissing,
        Self::Override,
    ];

    /// The code as it is printed.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Syntax => "E0101",
            Self::DuplicateKey => "E0102",
            Self::UnknownField => "E0103",
            Self::WrongType => "E0104",
            Self::UnknownValue => "E0105",
            Self::OutOfRange => "E0106",
            Self::MissingField => "E0107",
            Self::UnknownName => "E0201",
            Self::DuplicateName => "E0202",
            Self::Cycle => "E0203",
            Self::Contradiction => "E0204",
            Self::PolicyOption => "E0205",
            Self::File => "E0301",
            Self::TraceMissing => "E0302",
            Self::Override => "E0401",
        }
    }
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The file as a whole.
    Whole,
    /// In the file; both count from 1.
    At {
        /// Line.
        line: u32,
        /// Column, in characters.
        column: u32,
    },
    /// In a `--set` argument, quoted here.
    Override(Arc<str>),
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// What kind of mistake.
    pub code: ErrorCode,
    /// The scenario file as the user named it.
    pub file: Arc<str>,
    /// Where in it.
    pub place: Place,
    /// What is wrong, what was expected.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.text();
        match &self.place {
            Place::Whole => write!(f, "{code} {}: {}", self.file, self.message)?,
            Place::At { line, column } => {
                write!(f, "{code} {}:{line}:{column} {}", self.file, self.message)?;
            }
            Place::Override(argument) => write!(f, "{code} --set {argument}: {}", self.message)?,
        }
        match &self.help {
            Some(help) => write!(f, "\n      help: {help}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a scenario, in the order of the file. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioErrors(Vec<ScenarioError>);

impl ScenarioErrors {
    /// Fails with `errors`, if there are any.
    ///
    /// # Errors
    /// All of them, sorted by place.
    pub fn check(mut errors: Vec<ScenarioError>) -> Result<(), Self> {
        if errors.is_empty() {
            return Ok(());
        }
        errors.sort_by(|a, b| a.place.cmp(&b.place));
        errors.dedup();
        Err(Self(errors))
    }

    /// The mistakes, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &ScenarioError> {
        self.0.iter()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl From<ScenarioError> for ScenarioErrors {
    fn from(error: ScenarioError) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for ScenarioErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ScenarioErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: u32) -> ScenarioError {
        ScenarioError {
            code: ErrorCode::UnknownField,
            file: "a.yaml".into(),
            place: Place::At { line, column: 3 },
            message: "unknown field \"x\"".into(),
            help: None,
        }
    }

    #[test]
    fn errors_come_in_the_order_of_the_file_each_on_its_line() {
        let errors = ScenarioErrors::check(vec![error(7), error(2), error(7)]).unwrap_err();
        let text = errors.to_string();
        assert_eq!(
            text,
            "E0103 a.yaml:2:3 unknown field \"x\"\nE0103 a.yaml:7:3 unknown field \"x\""
        );
    }

    #[test]
    fn every_code_has_a_number_of_its_own() {
        let mut texts: Vec<_> = ErrorCode::ALL.iter().map(|code| code.text()).collect();
        assert!(texts.is_sorted());
        texts.dedup();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
    }
}
