//! Messages of DNS (RFC 1035 §4.1), as far as multicast DNS needs them (RFC 6762 §18).
//!
//! ```text
//! |  id  |  flags  |  questions  |  answers  |  authorities  |  additional records  |   16 bits each
//! |  questions: name, type, class, its top bit: answer me alone                    |
//! |  records: name, type, class, its top bit: there is no other, TTL, length, data |
//! ```

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pavane_base::{LengthPrefix, Reader, WriteExt};

use crate::name::{self, Name};

/// A record's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordType(pub(crate) u16);

impl RecordType {
    /// An IPv4 address.
    pub(crate) const A: Self = Self(1);
    /// An IPv6 address.
    pub(crate) const AAAA: Self = Self(28);
    /// Which types of records a name has (RFC 6762 §6.1).
    pub(crate) const NSEC: Self = Self(47);
    /// All, in a question.
    pub(crate) const ANY: Self = Self(255);

    /// The type of a record with this address.
    pub(crate) const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::A,
            IpAddr::V6(_) => Self::AAAA,
        }
    }
}

/// The Internet's class, and any, in a question.
const CLASS_IN: u16 = 1;
const CLASS_ANY: u16 = 255;

/// The top bit of a class: in a question "answer me alone", in a record "there is no other" (RFC 6762 §18.12, §18.13).
const TOP_BIT: u16 = 0x8000;

const RESPONSE: u16 = 0x8000;
const AUTHORITATIVE: u16 = 0x0400;

/// The fields of the flags that say that something else than a query or its answer is the matter: opcode and response
/// code (RFC 6762 §18.3, §18.11).
const OPCODE_AND_RCODE: u16 = 0x780f;

const HEADER_LEN: u16 = 12;

/// A message that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'m> {
    bytes: &'m [u8],
    pub(crate) id: u16,
    pub(crate) is_response: bool,
    questions: u16,
    records: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'m> {
    pub(crate) name: Name<'m>,
    pub(crate) kind: RecordType,
    class: u16,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'m> {
    pub(crate) name: Name<'m>,
    kind: RecordType,
    class: u16,
    pub(crate) ttl: u32,
    data: &'m [u8],
}

impl<'m> Message<'m> {
    /// Reads the header; `None` for what is no message of multicast DNS. What follows is read as it is asked for, and
    /// ends where it makes no sense.
    pub(crate) fn read(bytes: &'m [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let mut field = || reader.u16().ok();
        let (id, flags) = (field()?, field()?);
        let (questions, answers, authorities, additional) = (field()?, field()?, field()?, field()?);
        (flags & OPCODE_AND_RCODE == 0).then_some(Self {
            bytes,
            id,
            is_response: flags & RESPONSE != 0,
            questions,
            records: u32::from(answers) + u32::from(authorities) + u32::from(additional),
        })
    }

    pub(crate) fn questions(self) -> impl Iterator<Item = Question<'m>> {
        let mut reader = Reader::new(self.bytes.get(HEADER_LEN.into()..).unwrap_or_default());
        (0..self.questions).map_while(move |_| self.read_question(&mut reader))
    }

    /// The records of all sections, in order.
    pub(crate) fn records(self) -> impl Iterator<Item = Record<'m>> {
        let mut reader = Reader::new(self.bytes.get(HEADER_LEN.into()..).unwrap_or_default());
        let whole = (0..self.questions).all(|_| self.read_question(&mut reader).is_some());
        let count = if whole { self.records } else { 0 };
        (0..count).map_while(move |_| self.read_record(&mut reader))
    }

    fn read_question(self, reader: &mut Reader<'m>) -> Option<Question<'m>> {
        let name = Name::read(self.bytes, reader)?;
        Some(Question { name, kind: RecordType(reader.u16().ok()?), class: reader.u16().ok()? })
    }

    fn read_record(self, reader: &mut Reader<'m>) -> Option<Record<'m>> {
        Some(Record {
            name: Name::read(self.bytes, reader)?,
            kind: RecordType(reader.u16().ok()?),
            class: reader.u16().ok()?,
            ttl: reader.u32().ok()?,
            data: reader.prefixed_u16().ok()?,
        })
    }
}

impl Question<'_> {
    /// Whether the answer is to go to who asks, rather than to all.
    pub(crate) const fn wants_unicast(&self) -> bool {
        self.class & TOP_BIT != 0
    }

    pub(crate) const fn is_of_the_internet(&self) -> bool {
        matches!(self.class & !TOP_BIT, CLASS_IN | CLASS_ANY)
    }
}

impl Record<'_> {
    /// The address that the record gives its name, if it is of a type that does.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        if self.class & !TOP_BIT != CLASS_IN {
            return None;
        }
        match self.kind {
            RecordType::A => Some(Ipv4Addr::from(<[u8; 4]>::try_from(self.data).ok()?).into()),
            RecordType::AAAA => Some(Ipv6Addr::from(<[u8; 16]>::try_from(self.data).ok()?).into()),
            _ => None,
        }
    }
}

/// Appends a message that asks all for one type of a name's records.
///
/// One question a message: there are responders that read no second one.
pub(crate) fn write_query(name: &str, kind: RecordType, out: &mut Vec<u8>) {
    write_header(0, 0, [1, 0, 0], out);
    write_question(name, kind, out);
}

/// What a response says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// The name has this address, and none of the other kind.
    Address(IpAddr),
    /// The name has records of this type only.
    Only(RecordType),
}

/// Appends the response to one who speaks multicast DNS, or to all.
pub(crate) fn write_response(name: &str, answer: Answer, ttl: u32, out: &mut Vec<u8>) {
    let additional = u16::from(matches!(answer, Answer::Address(_)));
    write_header(0, RESPONSE | AUTHORITATIVE, [0, 1, additional], out);
    name::write(name, out);
    match answer {
        Answer::Address(address) => {
            write_address(CLASS_IN | TOP_BIT, ttl, address, out);
            name::write_pointer(HEADER_LEN, out);
            write_types(RecordType::of(address), ttl, out);
        }
        Answer::Only(kind) => write_types(kind, ttl, out),
    }
}

/// Appends the response to one who knows plain DNS alone: with its number and question (RFC 6762 §6.7).
pub(crate) fn write_plain_response(
    id: u16,
    name: &str,
    kind: RecordType,
    address: IpAddr,
    ttl: u32,
    out: &mut Vec<u8>,
) {
    write_header(id, RESPONSE | AUTHORITATIVE, [1, 1, 0], out);
    write_question(name, kind, out);
    name::write_pointer(HEADER_LEN, out);
    write_address(CLASS_IN, ttl, address, out);
}

fn write_header(id: u16, flags: u16, [questions, answers, additional]: [u16; 3], out: &mut Vec<u8>) {
    for field in [id, flags, questions, answers, 0, additional] {
        out.put_u16(field);
    }
}

fn write_question(name: &str, kind: RecordType, out: &mut Vec<u8>) {
    name::write(name, out);
    out.put_u16(kind.0);
    out.put_u16(CLASS_IN);
}

fn write_address(class: u16, ttl: u32, address: IpAddr, out: &mut Vec<u8>) {
    out.put_u16(RecordType::of(address).0);
    out.put_u16(class);
    out.put_u32(ttl);
    out.put_prefixed(LengthPrefix::U16, |out| match address {
        IpAddr::V4(ip) => out.put(&ip.octets()),
        IpAddr::V6(ip) => out.put(&ip.octets()),
    });
}

/// That the name, which the message begins with, has records of one type alone (RFC 6762 §6.1).
fn write_types(kind: RecordType, ttl: u32, out: &mut Vec<u8>) {
    out.put_u16(RecordType::NSEC.0);
    out.put_u16(CLASS_IN | TOP_BIT);
    out.put_u32(ttl);
    out.put_prefixed(LengthPrefix::U16, |out| {
        name::write_pointer(HEADER_LEN, out);
        out.put_u8(0);
        out.put_prefixed(LengthPrefix::U8, |out| {
            let (byte, bit) = (usize::from(kind.0 / 8), kind.0 % 8);
            out.resize(out.len() + byte, 0);
            out.put_u8(0x80 >> bit);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";

    #[test]
    fn a_query_on_the_wire() {
        let mut out = Vec::new();
        write_query("a.local", RecordType::A, &mut out);
        assert_eq!(out, b"\0\0\0\0\0\x01\0\0\0\0\0\0\x01a\x05local\0\0\x01\0\x01");
        let message = Message::read(&out).unwrap();
        let question = message.questions().next().unwrap();
        assert!(!message.is_response && question.name.is("a.local") && question.kind == RecordType::A);
        assert!(!question.wants_unicast() && question.is_of_the_internet());
    }

    #[test]
    fn a_response_on_the_wire() {
        let mut out = Vec::new();
        write_response("a.local", Answer::Address(Ipv4Addr::new(192, 0, 2, 1).into()), 120, &mut out);
        let expected =
            b"\0\0\x84\0\0\0\0\x01\0\0\0\x01\x01a\x05local\0\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x01\
            \xc0\x0c\0\x2f\x80\x01\0\0\0\x78\0\x05\xc0\x0c\0\x01\x40";
        assert_eq!(out, expected);
        let records: Vec<_> = Message::read(&out).unwrap().records().collect();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].address(), Some(Ipv4Addr::new(192, 0, 2, 1).into()));
        assert_eq!((records[1].address(), records[1].kind), (None, RecordType::NSEC));
        assert!(records.iter().all(|record| record.name.is("a.local")));
    }

    #[test]
    fn ipv6_comes_back_and_its_types_are_told() {
        let address: IpAddr = "2001:db8::1".parse().unwrap();
        let mut out = Vec::new();
        write_response(NAME, Answer::Address(address), 120, &mut out);
        assert_eq!(Message::read(&out).unwrap().records().next().unwrap().address(), Some(address));
        // Window 0, four bytes, and type 28's bit.
        assert!(out.ends_with(&[0, 4, 0, 0, 0, 0x08]));
        out.clear();
        write_plain_response(7, NAME, RecordType::AAAA, address, 10, &mut out);
        let message = Message::read(&out).unwrap();
        assert_eq!((message.id, message.is_response), (7, true));
        let record = message.records().next().unwrap();
        assert_eq!((record.address(), record.ttl, record.class), (Some(address), 10, CLASS_IN));
    }

    #[test]
    fn no_prefix_and_no_corrupted_byte_panics() {
        let mut whole = Vec::new();
        write_plain_response(7, NAME, RecordType::A, Ipv4Addr::LOCALHOST.into(), 10, &mut whole);
        let read = |bytes: &[u8]| {
            Message::read(bytes).map(|message| {
                let names = message.questions().filter(|question| question.name.is(NAME)).count();
                names + message.records().filter(|record| record.name.is(NAME)).count()
            })
        };
        assert_eq!(read(&whole), Some(2));
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_none_or(|names| names < 2));
        }
        for index in 0..whole.len() {
            for value in 0..=255 {
                let mut corrupted = whole.clone();
                corrupted[index] = value;
                read(&corrupted);
            }
        }
    }

    #[test]
    fn other_operations_and_errors_are_passed_over() {
        let mut out = Vec::new();
        write_query("a.local", RecordType::A, &mut out);
        out[2] = 0x28;
        assert!(Message::read(&out).is_none());
        out[2..4].copy_from_slice(&[0x84, 3]);
        assert!(Message::read(&out).is_none());
        assert!(Message::read(&out[..11]).is_none());
    }
}
