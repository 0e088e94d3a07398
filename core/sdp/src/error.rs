//! What can be wrong with a description.

use core::fmt;

/// A description that is not SDP, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: ParseErrorKind,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The description, or the line, is larger than any that is taken.
    TooLarge,
    /// There are more media sections, or more lines in one, than are taken.
    TooMany,
    /// The line is not of the form `x=value`.
    NotALine,
    /// The line's letter is unknown, or not allowed where it stands.
    Unexpected,
    /// The description ends before a line that it needs.
    Missing,
    /// The version is not 0.
    Version,
    /// The line's value does not follow its grammar.
    Value,
    /// A known attribute's value does not follow its grammar.
    Attribute,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ParseErrorKind::TooLarge => "too large",
            ParseErrorKind::TooMany => "there are too many sections or lines",
            ParseErrorKind::NotALine => "not of the form x=value",
            ParseErrorKind::Unexpected => "not a line that may stand here",
            ParseErrorKind::Missing => "a necessary line is missing",
            ParseErrorKind::Version => "the version is not 0",
            ParseErrorKind::Value => "a malformed value",
            ParseErrorKind::Attribute => "a malformed attribute",
        };
        write!(f, "line {}: {what}", self.line)
    }
}

impl core::error::Error for ParseError {}
