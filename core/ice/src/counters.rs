//! What an agent has counted.

/// Messages that came and went, and what was wrong with those that were dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Checks that were sent.
    pub checks_sent: u64,
    /// Successful responses to them.
    pub responses_received: u64,
    /// Authentic requests that came.
    pub requests_received: u64,
    /// Responses that were sent.
    pub responses_sent: u64,
    /// Dropped: no STUN message.
    pub malformed: u64,
    /// Dropped: a message that ICE does not use.
    pub unexpected: u64,
    /// Dropped: the username is not ours.
    pub unknown_username: u64,
    /// Dropped: the integrity does not hold.
    pub unauthentic: u64,
    /// Dropped: a response to nothing that was asked, or from where it was not asked.
    pub stray_responses: u64,
    /// Dropped: it came to an address that is not ours.
    pub unknown_local_address: u64,
    /// Dropped: it came by a pair on which consent has ended.
    pub without_consent: u64,
    /// Dropped: more at once than is kept.
    pub overflow: u64,
}
