//! Whose a packet is (RFC 9143 §9.2).
//!
//! The media section is found by the packet's mid, by its SSRC, or by its payload type where only one section has it. What
//! was found once is remembered for the SSRC. A retransmission stream finds its original by what the description declares,
//! by the layer that it repairs, or as the only one that is left (RFC 4588 §5.3, RFC 8852 §3.2).
//!
//! A peer goes on sending until it has heard that a section is over. The sources of that section are remembered, lest what
//! they still send be taken for another section's by its payload type.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use crate::{ExtensionValues, Header, PayloadType, Ssrc};

/// The most sources that are remembered.
pub const MAX_SOURCES: usize = 256;

/// A media section, by a number that the caller chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectionId(pub u16);

/// A source that a description declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclaredSource {
    /// The source.
    pub ssrc: Ssrc,
    /// That of its retransmissions (`a=ssrc-group:FID`).
    pub retransmission: Option<Ssrc>,
}

/// What may come in one media section.
#[derive(Clone, Debug, Default)]
pub struct SectionRules {
    /// Its identification.
    pub mid: Option<Box<str>>,
    /// The payload types of its media.
    pub payload_types: Vec<PayloadType>,
    /// The payload types of its retransmissions.
    pub retransmission_types: Vec<PayloadType>,
    /// The sources that its description declares.
    pub sources: Vec<DeclaredSource>,
    /// The layers that it may have, if it is simulcast.
    pub rids: Vec<Box<str>>,
}

/// What a source sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Media.
    Media,
    /// Retransmissions of this source's media.
    Retransmission {
        /// The source of the media.
        of: Ssrc,
    },
}

/// Where a packet belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its media section.
    pub section: SectionId,
    /// What its source sends.
    pub role: Role,
}

/// Why a packet belongs nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unroutable {
    /// No section has its mid.
    Mid,
    /// Its section has not agreed on its payload type, or without a mid more than one has.
    PayloadType,
    /// Its section has not agreed on its layer, or it does not say which it is.
    Rid,
    /// It is a retransmission of which nobody knows what it repairs.
    Retransmission,
    /// More sources are not remembered.
    Limit,
    /// Its source's section is over.
    Over,
}

impl fmt::Display for Unroutable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mid => "no media section has this mid",
            Self::PayloadType => "the payload type does not lead to a media section",
            Self::Rid => "the layer is not one of its media section's",
            Self::Retransmission => "nobody knows what is repaired",
            Self::Limit => "there are too many sources",
            Self::Over => "the media section of its source is over",
        })
    }
}

impl core::error::Error for Unroutable {}

/// A set of payload types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct TypeSet(u128);

impl TypeSet {
    fn contains(self, payload_type: PayloadType) -> bool {
        self.0 >> payload_type.get() & 1 != 0
    }
}

impl<'a> FromIterator<&'a PayloadType> for TypeSet {
    fn from_iter<T: IntoIterator<Item = &'a PayloadType>>(types: T) -> Self {
        Self(types.into_iter().fold(0, |set, payload_type| set | 1 << payload_type.get()))
    }
}

#[derive(Clone, Debug)]
struct Section {
    id: SectionId,
    mid: Option<Box<str>>,
    media: TypeSet,
    retransmissions: TypeSet,
    rids: Vec<Box<str>>,
    is_over: bool,
}

#[derive(Clone, Debug)]
struct Source {
    route: Route,
    rid: Option<Box<str>>,
    declared: bool,
    /// Whether its section is, so that a packet need not look that up.
    is_over: bool,
}

/// Finds out whose a packet is.
#[derive(Clone, Debug, Default)]
pub struct Router {
    sections: Vec<Section>,
    sources: BTreeMap<Ssrc, Source>,
}

impl Router {
    /// A router that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what may come in a section, instead of what might before. Sources that were found stay, unless the section has
    /// another mid; those that were declared and are not again are forgotten.
    pub fn set_section(&mut self, id: SectionId, rules: &SectionRules) {
        let former = self.sections.iter().position(|section| section.id == id);
        let former = former.map(|index| self.sections.remove(index));
        if former.is_some_and(|former| former.mid != rules.mid) {
            self.sources.retain(|_, source| source.route.section != id);
        }
        self.end_sources_of(id, false);
        self.sections.push(Section {
            id,
            mid: rules.mid.clone(),
            media: rules.payload_types.iter().collect(),
            retransmissions: rules.retransmission_types.iter().collect(),
            rids: rules.rids.clone(),
            is_over: false,
        });
        self.sources.retain(|_, source| source.route.section != id || !source.declared);
        for declared in &rules.sources {
            self.declare(declared.ssrc, Route { section: id, role: Role::Media });
            if let Some(repair) = declared.retransmission {
                self.declare(repair, Route { section: id, role: Role::Retransmission { of: declared.ssrc } });
            }
        }
    }

    fn declare(&mut self, ssrc: Ssrc, route: Route) {
        if self.has_room_for(ssrc) {
            let rid = self.sources.remove(&ssrc).and_then(|source| source.rid);
            self.sources.insert(ssrc, Source { route, rid, declared: true, is_over: false });
        }
    }

    /// Nothing may come in a section any more, unless it is [set](Self::set_section) again.
    pub fn remove_section(&mut self, id: SectionId) {
        self.sections
            .iter_mut()
            .filter(|section| section.id == id)
            .for_each(|section| section.is_over = true);
        self.end_sources_of(id, true);
    }

    fn end_sources_of(&mut self, id: SectionId, is_over: bool) {
        let of = self.sources.values_mut().filter(|source| source.route.section == id);
        of.for_each(|source| source.is_over = is_over);
    }

    /// Whether a source is remembered, or can be: those of sections that are over give way.
    fn has_room_for(&mut self, ssrc: Ssrc) -> bool {
        if self.sources.len() >= MAX_SOURCES && !self.sources.contains_key(&ssrc) {
            self.sources.retain(|_, source| !source.is_over);
        }
        self.sources.len() < MAX_SOURCES || self.sources.contains_key(&ssrc)
    }

    /// Forgets a source, and what repairs it.
    pub fn forget(&mut self, ssrc: Ssrc) {
        self.sources
            .retain(|other, source| *other != ssrc && source.route.role != Role::Retransmission { of: ssrc });
    }

    /// The layer that a source is, if it said so.
    pub fn rid(&self, ssrc: Ssrc) -> Option<&str> {
        self.sources.get(&ssrc)?.rid.as_deref()
    }

    /// What a source sends, if it is known.
    pub fn known(&self, ssrc: Ssrc) -> Option<Route> {
        self.sources.get(&ssrc).filter(|source| !source.is_over).map(|source| source.route)
    }

    /// Finds where a packet belongs, and remembers it for the packet's source.
    ///
    /// # Errors
    /// If it belongs nowhere.
    pub fn route(&mut self, header: &Header, values: &ExtensionValues<'_>) -> Result<Route, Unroutable> {
        if let Some(source) = self.sources.get(&header.ssrc)
            && (values.are_nameless() || self.is_still(source, values))
        {
            if source.is_over {
                return Err(Unroutable::Over);
            }
            let (route, unnamed) = (source.route, source.rid.is_none());
            if unnamed {
                self.name(header.ssrc, route, values);
            }
            return Ok(route);
        }
        let section = self.section(header.payload_type, values.mid)?;
        let section_id = section.id;
        let role = self.role(section, header.payload_type, values)?;
        let rid = match role {
            Role::Media => values.rid,
            Role::Retransmission { .. } => values.repaired_rid,
        };
        let route = Route { section: section_id, role };
        if !self.has_room_for(header.ssrc) {
            return Err(Unroutable::Limit);
        }
        let rid = rid.map(Box::from);
        self.sources.insert(header.ssrc, Source { route, rid, declared: false, is_over: false });
        Ok(route)
    }

    /// Whether what a packet says of itself agrees with what is known: a new mid moves its source (RFC 9143 §9.2), and a
    /// declared source may yet say which layer it is.
    fn is_still(&self, source: &Source, values: &ExtensionValues<'_>) -> bool {
        let section = self.sections.iter().find(|section| section.id == source.route.section);
        let same_mid = match (section.and_then(|section| section.mid.as_deref()), values.mid) {
            (Some(known), Some(said)) => known == said,
            _ => true,
        };
        let said_rid = match source.route.role {
            Role::Media => values.rid,
            Role::Retransmission { .. } => None,
        };
        let same_rid = said_rid.is_none_or(|said| source.rid.as_deref() == Some(said));
        same_mid && (same_rid || source.declared)
    }

    /// Takes note of the layer that a declared source says it is.
    fn name(&mut self, ssrc: Ssrc, route: Route, values: &ExtensionValues<'_>) {
        let said = match route.role {
            Role::Media => values.rid,
            Role::Retransmission { .. } => values.repaired_rid,
        };
        let Some(said) = said else { return };
        let section = self.sections.iter().find(|section| section.id == route.section);
        let allowed = section.is_some_and(|section| section.rids.iter().any(|rid| **rid == *said));
        if let Some(source) = self.sources.get_mut(&ssrc).filter(|_| allowed) {
            source.rid = Some(said.into());
        }
    }

    fn section(&self, payload_type: PayloadType, mid: Option<&str>) -> Result<&Section, Unroutable> {
        let mut sections = self.sections.iter().filter(|section| !section.is_over);
        if let Some(mid) = mid {
            let found = sections.find(|section| section.mid.as_deref() == Some(mid));
            return found.ok_or(Unroutable::Mid);
        }
        let has = |section: &&Section| {
            section.media.contains(payload_type) || section.retransmissions.contains(payload_type)
        };
        let mut found = sections.filter(has);
        match (found.next(), found.next()) {
            (Some(section), None) => Ok(section),
            _ => Err(Unroutable::PayloadType),
        }
    }

    fn role(
        &self,
        section: &Section,
        payload_type: PayloadType,
        values: &ExtensionValues<'_>,
    ) -> Result<Role, Unroutable> {
        if section.media.contains(payload_type) {
            let allowed = |rid: &str| section.rids.iter().any(|known| **known == *rid);
            return match values.rid {
                _ if section.rids.is_empty() => Ok(Role::Media),
                Some(rid) if allowed(rid) => Ok(Role::Media),
                _ => Err(Unroutable::Rid),
            };
        }
        if !section.retransmissions.contains(payload_type) {
            return Err(Unroutable::PayloadType);
        }
        let of = match values.repaired_rid {
            Some(rid) => self.media_of(section.id).find(|(_, source)| source.rid.as_deref() == Some(rid)),
            None => self.only_unrepaired(section.id),
        };
        of.map(|(ssrc, _)| Role::Retransmission { of: *ssrc }).ok_or(Unroutable::Retransmission)
    }

    fn media_of(&self, section: SectionId) -> impl Iterator<Item = (&Ssrc, &Source)> {
        let route = Route { section, role: Role::Media };
        self.sources.iter().filter(move |(_, source)| source.route == route)
    }

    /// The section's media of which no retransmissions are known, if there is only one such.
    fn only_unrepaired(&self, section: SectionId) -> Option<(&Ssrc, &Source)> {
        let is_repaired = |ssrc: Ssrc| {
            self.sources.values().any(|source| source.route.role == Role::Retransmission { of: ssrc })
        };
        let mut found = self.media_of(section).filter(|(ssrc, _)| !is_repaired(**ssrc));
        found.next().filter(|_| found.next().is_none())
    }
}

#[cfg(test)]
mod tests;
