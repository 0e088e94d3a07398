//! The ids that a session gave to header extensions.

use core::fmt;

use super::{ExtensionId, ExtensionKind};

/// Ids and kinds of header extensions, found by either in constant time.
///
/// One id means the same in all media sections of a transport (RFC 9143 §9.1), so one map serves them all.
#[derive(Clone, PartialEq, Eq)]
pub struct ExtensionMap {
    kinds: [Option<ExtensionKind>; 256],
    ids: [Option<ExtensionId>; ExtensionKind::COUNT],
}

/// Why an id cannot be given to a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionMapError {
    /// The id stands for another kind already.
    IdTaken(ExtensionKind),
    /// The kind has another id already.
    KindTaken(ExtensionId),
}

impl fmt::Display for ExtensionMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdTaken(kind) => write!(f, "the id stands for {kind:?} already"),
            Self::KindTaken(id) => write!(f, "the extension has the id {} already", id.get()),
        }
    }
}

impl core::error::Error for ExtensionMapError {}

impl Default for ExtensionMap {
    fn default() -> Self {
        Self { kinds: [None; 256], ids: [None; ExtensionKind::COUNT] }
    }
}

impl ExtensionMap {
    /// A map without any extension.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives `id` to `kind`; to do it again changes nothing.
    ///
    /// # Errors
    /// If either has another partner, because ids are not given anew within a session (RFC 8285 §7).
    pub fn insert(&mut self, id: ExtensionId, kind: ExtensionKind) -> Result<(), ExtensionMapError> {
        let by_id = &mut self.kinds[usize::from(id.get())];
        if let Some(other) = by_id.filter(|other| *other != kind) {
            return Err(ExtensionMapError::IdTaken(other));
        }
        let by_kind = &mut self.ids[kind.index()];
        if let Some(other) = by_kind.filter(|other| *other != id) {
            return Err(ExtensionMapError::KindTaken(other));
        }
        *by_id = Some(kind);
        *by_kind = Some(id);
        Ok(())
    }

    /// What the id stands for.
    pub fn kind(&self, id: ExtensionId) -> Option<ExtensionKind> {
        self.kinds[usize::from(id.get())]
    }

    /// The kind's id.
    pub fn id(&self, kind: ExtensionKind) -> Option<ExtensionId> {
        self.ids[kind.index()]
    }

    /// The ids and kinds, in the order of the kinds.
    pub fn iter(&self) -> impl Iterator<Item = (ExtensionId, ExtensionKind)> {
        ExtensionKind::ALL.into_iter().filter_map(|kind| Some((self.id(kind)?, kind)))
    }
}

impl fmt::Debug for ExtensionMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(id, kind)| (id.get(), kind))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_keeps_its_kind() {
        let (one, two) = (ExtensionId::new(1).unwrap(), ExtensionId::new(200).unwrap());
        let mut map = ExtensionMap::new();
        map.insert(one, ExtensionKind::Mid).unwrap();
        map.insert(one, ExtensionKind::Mid).unwrap();
        map.insert(two, ExtensionKind::AudioLevel).unwrap();
        assert_eq!(
            map.insert(one, ExtensionKind::ColorSpace),
            Err(ExtensionMapError::IdTaken(ExtensionKind::Mid))
        );
        assert_eq!(
            map.insert(ExtensionId::new(3).unwrap(), ExtensionKind::Mid),
            Err(ExtensionMapError::KindTaken(one))
        );
        assert_eq!(map.kind(two), Some(ExtensionKind::AudioLevel));
        assert_eq!(map.id(ExtensionKind::Mid), Some(one));
        assert_eq!(map.id(ExtensionKind::ColorSpace), None);
        assert_eq!(map.iter().count(), 2);
    }
}
