//! What a buffer of frames counts.

/// What a buffer of frames counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Frames that were whole and could be decoded.
    pub frames: u64,
    /// Key frames among them.
    pub keyframes: u64,
    /// Frames of which something came that were not handed over.
    pub frames_dropped: u64,
    /// Packets that were given up.
    pub packets_lost: u64,
    /// Packets that came when they were given up already.
    pub packets_late: u64,
    /// Packets whose payloads were not what their formats prescribe.
    pub packets_malformed: u64,
}
