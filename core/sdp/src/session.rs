//! The whole of a description (RFC 8866 §5).

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{fmt, vec};
use core::net::IpAddr;
use core::str::FromStr;

use crate::line::words;
use crate::{Attribute, Bandwidth, Line, MediaDescription, ParseError, ParseErrorKind};

/// A session description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDescription {
    /// Who made it, and which version it is.
    pub origin: Origin,
    /// The session's name; `-` for none.
    pub name: String,
    /// The lines between the name and the attributes: `i=`, `u=`, `e=`, `p=`, `c=`, `b=`, `t=`, `r=`, `z=`, `k=`.
    pub lines: Vec<Line>,
    /// The attributes of the whole session, in their order.
    pub attributes: Vec<Attribute>,
    /// The media sections, in their order.
    pub media: Vec<MediaDescription>,
}

/// The `o=` line (RFC 8866 §5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The creator's name; `-` for none.
    pub username: String,
    /// The session's number: digits, however many.
    pub session_id: String,
    /// The version's number: digits, however many.
    pub session_version: String,
    /// Network type, address type and address of the creator.
    pub address: String,
}

impl Origin {
    /// A creator who does not tell where it is.
    pub fn new(session_id: u64, session_version: u64) -> Self {
        Self {
            username: "-".to_owned(),
            session_id: session_id.to_string(),
            session_version: session_version.to_string(),
            address: "IN IP4 0.0.0.0".to_owned(),
        }
    }

    fn parse(value: &str) -> Option<Self> {
        let (username, rest) = value.split_once(' ')?;
        let (session_id, rest) = rest.split_once(' ')?;
        let (session_version, address) = rest.split_once(' ')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (digits(session_id) && digits(session_version) && words(address) == 3).then(|| Self {
            username: username.to_owned(),
            session_id: session_id.to_owned(),
            session_version: session_version.to_owned(),
            address: address.to_owned(),
        })
    }
}

impl SessionDescription {
    /// A description of nothing yet, permanent and nameless.
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            name: "-".to_owned(),
            lines: vec![Line::new('t', "0 0")],
            attributes: Vec::new(),
            media: Vec::new(),
        }
    }

    /// Gives memory back that was taken ahead: for descriptions that are kept.
    pub fn shrink_to_fit(&mut self) {
        self.lines.shrink_to_fit();
        self.attributes.shrink_to_fit();
        self.media.shrink_to_fit();
        for section in &mut self.media {
            section.formats.shrink_to_fit();
            section.lines.shrink_to_fit();
            section.attributes.shrink_to_fit();
        }
    }

    /// The session's bandwidths: the `b=` lines.
    pub fn bandwidths(&self) -> impl Iterator<Item = Bandwidth> {
        self.lines.iter().filter_map(Line::bandwidth)
    }

    /// The address of the session's `c=` line, unless it is a name or a group.
    pub fn connection_address(&self) -> Option<IpAddr> {
        self.lines.iter().find_map(Line::connection_address)
    }
}

/// The largest description that is read; browsers' grow to some tens of kilobytes.
const MAX_SIZE: usize = 1024 * 1024;

/// The longest line that is read; the longest that browsers write are some hundreds of bytes.
const MAX_LINE: usize = 32 * 1024;

/// How many media sections are read.
const MAX_MEDIA: usize = 1024;

/// How many lines of one section, or of the session, are read.
const MAX_LINES: usize = 4096;

impl FromStr for SessionDescription {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() > MAX_SIZE {
            return Err(ParseError { line: 1, kind: ParseErrorKind::TooLarge });
        }
        let mut lines = Lines { lines: text.lines(), number: 0 };
        let mut session = lines.head()?;
        while let Some((kind, value)) = lines.next()? {
            session.take(kind, value).map_err(|kind| lines.error(kind))?;
        }
        match session.lines.iter().any(|line| line.kind == 't') {
            true => {
                session.shrink_to_fit();
                Ok(session)
            }
            false => Err(lines.error(ParseErrorKind::Missing)),
        }
    }
}

impl SessionDescription {
    /// Takes one line behind the first three.
    fn take(&mut self, kind: char, value: &str) -> Result<(), ParseErrorKind> {
        if kind == 'm' {
            self.media.push(MediaDescription::parse(value)?);
            return if self.media.len() > MAX_MEDIA { Err(ParseErrorKind::TooMany) } else { Ok(()) };
        }
        let (allowed, lines, attributes) = match self.media.last_mut() {
            None => ("iuepcbtrzk", &mut self.lines, &mut self.attributes),
            Some(media) => ("icbk", &mut media.lines, &mut media.attributes),
        };
        match kind {
            'a' => attributes.push(Attribute::parse(value)?),
            _ if !allowed.contains(kind) => return Err(ParseErrorKind::Unexpected),
            _ => lines.push(Line::checked(kind, value)?),
        }
        match lines.len() + attributes.len() > MAX_LINES {
            true => Err(ParseErrorKind::TooMany),
            false => Ok(()),
        }
    }
}

/// The lines of a text, split at the equals sign and counted.
struct Lines<'t> {
    lines: core::str::Lines<'t>,
    number: usize,
}

impl<'t> Lines<'t> {
    /// The next line that is not empty: some stacks end with one more line end than they should.
    fn next(&mut self) -> Result<Option<(char, &'t str)>, ParseError> {
        for line in self.lines.by_ref() {
            self.number += 1;
            if line.is_empty() {
                continue;
            }
            if line.len() > MAX_LINE {
                return Err(self.error(ParseErrorKind::TooLarge));
            }
            let mut chars = line.chars();
            return match (chars.next(), chars.next()) {
                (Some(kind), Some('=')) if !line.contains(['\0', '\r']) => Ok(Some((kind, chars.as_str()))),
                _ => Err(self.error(ParseErrorKind::NotALine)),
            };
        }
        Ok(None)
    }

    /// `v=`, `o=` and `s=`, with which every description begins.
    fn head(&mut self) -> Result<SessionDescription, ParseError> {
        let version = self.expect('v')?;
        if version != "0" {
            return Err(self.error(ParseErrorKind::Version));
        }
        let origin = self.expect('o')?;
        let origin = Origin::parse(origin).ok_or_else(|| self.error(ParseErrorKind::Value))?;
        let name = self.expect('s')?.to_owned();
        Ok(SessionDescription { origin, name, lines: Vec::new(), attributes: Vec::new(), media: Vec::new() })
    }

    fn expect(&mut self, expected: char) -> Result<&'t str, ParseError> {
        match self.next()? {
            Some((kind, value)) if kind == expected => Ok(value),
            Some(_) => Err(self.error(ParseErrorKind::Unexpected)),
            None => Err(self.error(ParseErrorKind::Missing)),
        }
    }

    const fn error(&self, kind: ParseErrorKind) -> ParseError {
        ParseError { line: self.number, kind }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.username, self.session_id, self.session_version, self.address)
    }
}

impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=0\r\no={}\r\ns={}\r\n", self.origin, self.name)?;
        self.lines.iter().try_for_each(|line| write!(f, "{line}\r\n"))?;
        self.attributes.iter().try_for_each(|attribute| write!(f, "a={attribute}\r\n"))?;
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}
