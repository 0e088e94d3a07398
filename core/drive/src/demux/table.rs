//! Whose a datagram is.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use pavane::base::Key;

use super::crew::{Crew, Member};

/// A socket's index, and an address beyond it.
pub(super) type Way = (usize, SocketAddr);

/// From ways and user fragments to peers. Nothing that a stranger sends puts anything in.
#[derive(Debug, Default)]
pub(super) struct Table {
    ways: HashMap<Way, Key>,
    ufrags: HashMap<Box<[u8]>, Key>,
    /// The directory that others look into, and who this is there; none for one who is alone.
    crew: Option<(Arc<Crew>, Member)>,
}

impl Table {
    /// A table whose entries are in the crew's directory too.
    pub(super) fn of(crew: &Arc<Crew>, member: Member) -> Self {
        let crew = (!crew.is_alone()).then(|| (crew.clone(), member));
        Self { crew, ..Self::default() }
    }

    /// Whose a datagram is. A STUN request says so itself; for the rest it is the way's owner.
    pub(super) fn owner(&self, way: Way, payload: &[u8]) -> Option<Key> {
        match requested_ufrag(payload) {
            Some(ufrag) => self.ufrags.get(ufrag).copied(),
            None => self.ways.get(&way).copied(),
        }
    }

    /// Whose a stream is that brings this first.
    pub(super) fn requested(&self, payload: &[u8]) -> Option<Key> {
        requested_ufrag(payload).and_then(|ufrag| self.ufrags.get(ufrag)).copied()
    }

    /// The owner of a way.
    pub(super) fn way_owner(&self, way: Way) -> Option<Key> {
        self.ways.get(&way).copied()
    }

    /// Whether another member of the crew has a way.
    pub(super) fn is_elsewhere(&self, way: Way) -> bool {
        let Some((crew, member)) = &self.crew else { return false };
        crew.way_owner(way).is_some_and(|owner| owner != *member)
    }

    /// Gives a way to a peer; returns who had it.
    pub(super) fn set_way(&mut self, way: Way, key: Key) -> Option<Key> {
        if let Some((crew, member)) = &self.crew {
            crew.set_way(way, *member);
        }
        self.ways.insert(way, key)
    }

    /// Takes a way from a peer, if it is still that one's.
    pub(super) fn remove_way(&mut self, way: Way, key: Key) {
        if self.ways.get(&way) == Some(&key) {
            self.lose_way(way);
            if let Some((crew, member)) = &self.crew {
                crew.remove_way(way, *member);
            }
        }
    }

    /// Forgets a way that others have, or will; returns whose it was.
    pub(super) fn lose_way(&mut self, way: Way) -> Option<Key> {
        self.ways.remove(&way)
    }

    /// Has requests with a user fragment go to a peer.
    pub(super) fn set_ufrag(&mut self, ufrag: &str, key: Key) {
        if let Some((crew, member)) = &self.crew {
            crew.set_ufrag(ufrag, *member);
        }
        self.ufrags.insert(ufrag.as_bytes().into(), key);
    }

    /// Forgets a user fragment, if it is still that peer's.
    pub(super) fn remove_ufrag(&mut self, ufrag: &str, key: Key) {
        if self.ufrags.get(ufrag.as_bytes()) == Some(&key) {
            self.lose_ufrag(ufrag);
            if let Some((crew, member)) = &self.crew {
                crew.remove_ufrag(ufrag, *member);
            }
        }
    }

    /// Forgets a user fragment that another member has from here on.
    pub(super) fn lose_ufrag(&mut self, ufrag: &str) {
        self.ufrags.remove(ufrag.as_bytes());
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.ways.len() + self.ufrags.len()
    }
}

/// A Binding request's type and a success response's (RFC 8489 §5).
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];

const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER_LEN: usize = 20;
const USERNAME: u16 = 0x0006;

/// Attributes that are passed over in search of the user name.
const MAX_ATTRIBUTES: usize = 16;

/// Whether a datagram of ours answers a request, which the core does only for one that is authentic.
pub(super) fn is_success_response(payload: &[u8]) -> bool {
    payload.starts_with(&BINDING_SUCCESS)
}

/// The user fragment of the side that a STUN request is for: what comes before the colon in its USERNAME (RFC 8445 §7.2.2).
///
/// This is a glance that costs a stranger's datagram next to nothing; whether the message is whole and authentic is for
/// the core to say.
pub(super) fn requested_ufrag(payload: &[u8]) -> Option<&[u8]> {
    let (header, mut attributes) = payload.split_at_checked(HEADER_LEN)?;
    if !header.starts_with(&BINDING_REQUEST) || header[4..8] != MAGIC_COOKIE {
        return None;
    }
    for _ in 0..MAX_ATTRIBUTES {
        let (kind, rest) = attributes.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let len = usize::from(u16::from_be_bytes(*len));
        if u16::from_be_bytes(*kind) == USERNAME {
            return rest.get(..len)?.split(|byte| *byte == b':').next();
        }
        attributes = rest.get(len.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use pavane::base::Slab;

    use super::*;

    fn request(attributes: &[u8]) -> Vec<u8> {
        let len = attributes.len() as u16;
        [&BINDING_REQUEST[..], &len.to_be_bytes(), &MAGIC_COOKIE, &[7; 12], attributes].concat()
    }

    #[test]
    fn a_request_names_whom_it_is_for() {
        let username = [&[0, 6, 0, 9], &b"abcd:wxyz"[..], &[0; 3]].concat();
        assert_eq!(requested_ufrag(&request(&username)), Some(&b"abcd"[..]));
        let second = [&[0x80, 0x22, 0, 3, 1, 2, 3, 0], &username[..]].concat();
        assert_eq!(requested_ufrag(&request(&second)), Some(&b"abcd"[..]));
        assert_eq!(requested_ufrag(&request(&[])), None);
        let without_colon = [0, 6, 0, 4, b'a', b'b', b'c', b'd'];
        assert_eq!(requested_ufrag(&request(&without_colon)), Some(&b"abcd"[..]));
        let many = [0x80, 0x22, 0, 0].repeat(MAX_ATTRIBUTES);
        assert_eq!(requested_ufrag(&request(&[&many, &username[..]].concat())), None, "a bounded search");
    }

    #[test]
    fn no_prefix_and_no_corrupted_byte_panics() {
        let whole = request(&[&[0, 6, 0, 9], &b"abcd:wxyz"[..], &[0; 3]].concat());
        for end in 0..whole.len() {
            let _ = requested_ufrag(&whole[..end]);
        }
        for index in 0..whole.len() {
            for value in 0..=255 {
                let mut corrupted = whole.clone();
                corrupted[index] = value;
                let _ = requested_ufrag(&corrupted);
            }
        }
    }

    #[test]
    fn a_way_is_taken_from_its_owner_alone() {
        let mut keys = Slab::default();
        let (alice, bob) = (keys.insert(()), keys.insert(()));
        let way = (0, SocketAddr::from((Ipv4Addr::LOCALHOST, 4000)));
        let mut table = Table::default();
        assert_eq!(table.set_way(way, alice), None);
        assert_eq!(table.set_way(way, bob), Some(alice));
        table.remove_way(way, alice);
        assert_eq!(table.owner(way, b"\x16data"), Some(bob));
        table.remove_way(way, bob);
        assert_eq!((table.owner(way, b"\x16data"), table.len()), (None, 0));
        table.set_ufrag("abcd", alice);
        let username = [&[0, 6, 0, 9], &b"abcd:wxyz"[..], &[0; 3]].concat();
        assert_eq!(table.owner(way, &request(&username)), Some(alice));
        table.remove_ufrag("abcd", bob);
        assert_eq!(table.len(), 1);
    }
}
