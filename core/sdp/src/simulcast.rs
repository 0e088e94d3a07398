//! `rid` and `simulcast`: one source in several encodings (RFC 8851, RFC 8853).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::rtp::parameters;

/// Whether encodings are sent or received by the describer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RidDirection {
    /// Sent.
    Send,
    /// Received.
    Recv,
}

/// `rid`: an encoding and what holds for it (RFC 8851 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rid {
    /// Its name.
    pub id: String,
    /// Which way it goes.
    pub direction: RidDirection,
    /// Its restrictions, as they stand.
    pub restrictions: Option<String>,
}

/// `simulcast`: which encodings go at the same time (RFC 8853 §5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulcast {
    /// What is said first.
    pub first: SimulcastList,
    /// What is said of the other direction.
    pub second: Option<SimulcastList>,
}

/// The encodings of one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulcastList {
    /// The direction.
    pub direction: RidDirection,
    /// The streams that go at the same time, and the alternatives of each by preference.
    pub streams: Vec<Vec<SimulcastRid>>,
}

/// One alternative of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulcastRid {
    /// The encoding's name.
    pub id: String,
    /// Whether it does not flow at first: `~`.
    pub paused: bool,
}

impl RidDirection {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "send" => Some(Self::Send),
            "recv" => Some(Self::Recv),
            _ => None,
        }
    }
}

impl Rid {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (id, rest) = value.split_once(' ')?;
        let (direction, restrictions) = match rest.split_once(' ') {
            Some((direction, restrictions)) => (direction, Some(restrictions.to_owned())),
            None => (rest, None),
        };
        Some(Self { id: rid(id)?, direction: RidDirection::parse(direction)?, restrictions })
    }

    /// The restrictions as pairs of name and value.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        parameters(self.restrictions.as_deref().unwrap_or_default())
    }
}

impl Simulcast {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let first = SimulcastList::parse(words.next()?, words.next()?)?;
        let second = match words.next() {
            Some(direction) => Some(SimulcastList::parse(direction, words.next()?)?),
            None => None,
        };
        let twice = second.as_ref().is_some_and(|second| second.direction == first.direction);
        (words.next().is_none() && !twice).then_some(Self { first, second })
    }
}

impl SimulcastList {
    fn parse(direction: &str, streams: &str) -> Option<Self> {
        let direction = RidDirection::parse(direction)?;
        let stream = |stream: &str| stream.split(',').map(SimulcastRid::parse).collect::<Option<Vec<_>>>();
        Some(Self { direction, streams: streams.split(';').map(stream).collect::<Option<_>>()? })
    }
}

impl SimulcastRid {
    fn parse(text: &str) -> Option<Self> {
        let id = text.strip_prefix('~');
        Some(Self { id: rid(id.unwrap_or(text))?, paused: id.is_some() })
    }
}

/// An encoding's name. RFC 8851 §10 allows letters and digits; `-` and `_` were allowed before and are met.
fn rid(text: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (!text.is_empty() && text.bytes().all(allowed)).then(|| text.to_owned())
}

impl fmt::Display for RidDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send => "send",
            Self::Recv => "recv",
        })
    }
}

impl fmt::Display for Rid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.direction)?;
        self.restrictions.as_ref().map_or(Ok(()), |restrictions| write!(f, " {restrictions}"))
    }
}

impl fmt::Display for Simulcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.second.as_ref().map_or(Ok(()), |second| write!(f, " {second}"))
    }
}

impl fmt::Display for SimulcastList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.direction.fmt(f)?;
        for (n, stream) in self.streams.iter().enumerate() {
            f.write_str(if n == 0 { " " } else { ";" })?;
            for (n, rid) in stream.iter().enumerate() {
                f.write_str(if n == 0 { "" } else { "," })?;
                write!(f, "{}{}", if rid.paused { "~" } else { "" }, rid.id)?;
            }
        }
        Ok(())
    }
}
