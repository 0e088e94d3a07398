//! Who may reach us, and the channels that stand for peers (RFC 8656 §9, §12).

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use pavane_base::{Instant, earliest};

use crate::framing::CHANNELS;

/// Permissions and channels.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
}

#[derive(Debug)]
struct Permission {
    ip: IpAddr,
    standing: Standing,
}

#[derive(Debug)]
struct Channel {
    number: u16,
    peer: SocketAddr,
    standing: Standing,
}

/// How far something that is asked for has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has been asked for.
    Asked,
    /// It holds, and is asked for again at this moment.
    Held { renew_at: Instant },
    /// It holds, and has been asked for again.
    Renewing,
    /// The server does not grant it.
    Refused,
}

impl Standing {
    const fn holds(self) -> bool {
        matches!(self, Self::Held { .. } | Self::Renewing)
    }

    const fn renew_at(self) -> Option<Instant> {
        match self {
            Self::Held { renew_at } => Some(renew_at),
            _ => None,
        }
    }

    /// Whether it is to be renewed by `now`; if so, it is.
    fn renew(&mut self, now: Instant) -> bool {
        let is_due = self.renew_at().is_some_and(|at| at <= now);
        if is_due {
            *self = Self::Renewing;
        }
        is_due
    }
}

/// How many peers' addresses are asked for.
pub(crate) const MAX_PERMISSIONS: usize = 128;

/// How many channels are bound; what goes to further peers is wrapped in indications.
pub(crate) const MAX_CHANNELS: usize = 64;

/// When a permission, which lasts 300 s (RFC 8656 §9), is renewed: early enough for every repetition.
const PERMISSION_RENEWAL: Duration = Duration::from_secs(240);

/// The same of a channel, which lasts 600 s (RFC 8656 §12).
const CHANNEL_RENEWAL: Duration = Duration::from_secs(540);

impl Peers {
    /// Whether a permission is to be asked for.
    pub(crate) fn want(&mut self, ip: IpAddr) -> bool {
        let is_new = self.permission(ip).is_none() && self.permissions.len() < MAX_PERMISSIONS;
        if is_new {
            self.permissions.push(Permission { ip, standing: Standing::Asked });
        }
        is_new
    }

    pub(crate) fn is_permitted(&self, ip: IpAddr) -> bool {
        self.permission(ip).is_some_and(|permission| permission.standing.holds())
    }

    pub(crate) fn is_asked(&self, ip: IpAddr) -> bool {
        self.permission(ip).is_some_and(|permission| permission.standing == Standing::Asked)
    }

    /// Takes note of a grant, and says whether it is the first.
    pub(crate) fn granted(&mut self, now: Instant, ip: IpAddr) -> bool {
        let Some(permission) = self.permissions.iter_mut().find(|permission| permission.ip == ip) else {
            return false;
        };
        let is_first = !permission.standing.holds();
        permission.standing = Standing::Held { renew_at: now + PERMISSION_RENEWAL };
        is_first
    }

    /// Takes note of a refusal: with the permission go the channels. Says whether anybody asked.
    pub(crate) fn refused(&mut self, ip: IpAddr) -> bool {
        let of_ip = self.channels.iter_mut().filter(|channel| channel.peer.ip() == ip);
        of_ip.for_each(|channel| channel.standing = Standing::Refused);
        let permission = self.permissions.iter_mut().find(|permission| permission.ip == ip);
        permission.map(|permission| permission.standing = Standing::Refused).is_some()
    }

    /// The number of a channel to be bound to this peer, unless there is one, or there are none left.
    pub(crate) fn want_channel(&mut self, peer: SocketAddr) -> Option<u16> {
        if self.channels.len() >= MAX_CHANNELS || self.channels.iter().any(|channel| channel.peer == peer) {
            return None;
        }
        // A number is never used for another peer (RFC 8656 §12 wants it unused for a while), so they only go up.
        let number = CHANNELS.start() + u16::try_from(self.channels.len()).ok()?;
        self.channels.push(Channel { number, peer, standing: Standing::Asked });
        Some(number)
    }

    pub(crate) fn bound(&mut self, now: Instant, number: u16) {
        self.set_channel(number, Standing::Held { renew_at: now + CHANNEL_RENEWAL });
    }

    pub(crate) fn not_bound(&mut self, number: u16) {
        self.set_channel(number, Standing::Refused);
    }

    fn set_channel(&mut self, number: u16, standing: Standing) {
        let channel = self.channels.iter_mut().find(|channel| channel.number == number);
        channel.into_iter().for_each(|channel| channel.standing = standing);
    }

    /// The channel that stands for this peer.
    pub(crate) fn channel_of(&self, peer: SocketAddr) -> Option<u16> {
        let channel = self.channels.iter().find(|channel| channel.peer == peer)?;
        channel.standing.holds().then_some(channel.number)
    }

    /// The peer that this channel stands for. The server may have bound it while its answer is still on the way.
    pub(crate) fn peer_of(&self, number: u16) -> Option<SocketAddr> {
        let channel = self.channels.get(usize::from(number.checked_sub(*CHANNELS.start())?))?;
        (channel.standing != Standing::Refused).then_some(channel.peer)
    }

    /// A permission that is to be renewed by `now`; to be called until there is none.
    pub(crate) fn permission_due(&mut self, now: Instant) -> Option<IpAddr> {
        self.permissions.iter_mut().find_map(|held| held.standing.renew(now).then_some(held.ip))
    }

    /// A channel that is to be renewed by `now`; to be called until there is none.
    pub(crate) fn channel_due(&mut self, now: Instant) -> Option<(u16, SocketAddr)> {
        self.channels.iter_mut().find_map(|held| held.standing.renew(now).then_some((held.number, held.peer)))
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let permissions = self.permissions.iter().map(|held| held.standing.renew_at());
        let channels = self.channels.iter().map(|held| held.standing.renew_at());
        permissions.chain(channels).fold(None, earliest)
    }

    fn permission(&self, ip: IpAddr) -> Option<&Permission> {
        self.permissions.iter().find(|permission| permission.ip == ip)
    }
}
