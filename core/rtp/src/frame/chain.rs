//! Whether a frame can be decoded, after all that was lost before it.

use super::config::Kind;
use crate::payload::Layer;

/// What was decoded, so far as it matters to what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// Every frame can be decoded.
    Loose,
    /// No key frame has come yet.
    Starting,
    /// All frames can be decoded up to a temporal layer; the newest of the lowest layer has a number, where layers are told.
    Whole { up_to: u8, base: Option<u8> },
    /// Something was lost behind that frame of the lowest layer.
    Doubtful { base: u8 },
    /// Nothing can be decoded before a key frame.
    Broken,
}

impl Chain {
    pub(super) const fn new(kind: Kind) -> Self {
        match kind {
            Kind::Audio => Self::Loose,
            Kind::Video => Self::Starting,
        }
    }

    pub(super) const fn needs_keyframe(self) -> bool {
        matches!(self, Self::Broken)
    }

    /// Whether a key frame is the next that can be decoded.
    pub(super) const fn waits_for_keyframe(self) -> bool {
        matches!(self, Self::Broken | Self::Starting)
    }

    /// Takes note that something was lost.
    pub(super) const fn lose(&mut self) {
        *self = match *self {
            Self::Loose => Self::Loose,
            Self::Whole { base: Some(base), .. } | Self::Doubtful { base } => Self::Doubtful { base },
            Self::Starting | Self::Whole { base: None, .. } | Self::Broken => Self::Broken,
        };
    }

    /// Takes note of a frame, and says whether it can be decoded.
    pub(super) fn admit(&mut self, keyframe: bool, layer: Option<Layer>) -> bool {
        let base = layer.map(|layer| layer.base);
        let (admitted, next) = match (*self, layer) {
            (Self::Loose, _) => (true, Self::Loose),
            _ if keyframe => (true, Self::Whole { up_to: u8::MAX, base }),
            (Self::Starting | Self::Broken, _) => (false, Self::Broken),
            (Self::Whole { up_to, .. }, None) => (true, Self::Whole { up_to, base: None }),
            (Self::Doubtful { .. }, None) => (false, Self::Broken),
            (Self::Whole { up_to, base }, Some(layer)) => admit_layer(up_to, base, layer),
            // Which of the layers above were lost nobody knows.
            (Self::Doubtful { base }, Some(layer)) => match admit_layer(0, Some(base), layer) {
                (false, Self::Whole { .. }) => (false, *self),
                other => other,
            },
        };
        *self = next;
        admitted
    }
}

/// Whether a frame of a layer can be decoded where all up to a layer can be, and what can be after it.
///
/// A frame of the lowest layer refers to the one before it in that layer, others to the newest of the lowest layer, and those
/// between (RFC 7741 §4.2: TL0PICIDX, Y).
fn admit_layer(up_to: u8, base: Option<u8>, layer: Layer) -> (bool, Chain) {
    let expected = base.map(|base| if layer.temporal == 0 { base.wrapping_add(1) } else { base });
    if expected.is_some_and(|expected| expected != layer.base) {
        return (false, Chain::Broken);
    }
    let admitted = layer.temporal <= up_to || layer.sync;
    let next_layer = up_to.saturating_add(1);
    let up_to = if layer.sync && layer.temporal == next_layer { next_layer } else { up_to };
    (admitted, Chain::Whole { up_to, base: Some(layer.base) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn layer(temporal: u8, sync: bool, base: u8) -> Option<Layer> {
        Some(Layer { temporal, sync, base })
    }

    #[test]
    fn without_layers_a_loss_asks_for_a_key_frame() {
        let mut chain = Chain::new(Kind::Video);
        assert!(!chain.needs_keyframe() && chain.waits_for_keyframe());
        assert!(!chain.admit(false, None) && chain.needs_keyframe());
        assert!(chain.admit(true, None) && chain.admit(false, None) && !chain.needs_keyframe());
        chain.lose();
        assert!(chain.needs_keyframe() && !chain.admit(false, None));
        assert!(chain.admit(true, None) && !chain.needs_keyframe());
        let mut sound = Chain::new(Kind::Audio);
        sound.lose();
        assert!(sound.admit(false, None) && !sound.needs_keyframe());
    }

    #[test]
    fn a_loss_in_a_layer_above_leaves_the_lowest() {
        // RFC 7741 §4.2
        let mut chain = Chain::new(Kind::Video);
        assert!(chain.admit(true, layer(0, false, 255)));
        assert!(chain.admit(false, layer(2, false, 255)));
        chain.lose();
        assert!(!chain.needs_keyframe());
        assert!(!chain.admit(false, layer(2, false, 255)));
        assert!(chain.admit(false, layer(0, false, 0)));
        assert!(!chain.admit(false, layer(2, false, 0)) && !chain.admit(false, layer(1, false, 0)));
        assert!(chain.admit(false, layer(0, false, 1)) && chain.admit(false, layer(1, true, 1)));
        assert!(chain.admit(false, layer(1, false, 1)) && !chain.admit(false, layer(2, false, 1)));
        assert!(chain.admit(false, layer(2, true, 1)) && chain.admit(false, layer(2, false, 1)));
    }

    #[test]
    fn a_loss_in_the_lowest_layer_is_noticed_by_its_numbers() {
        for next in [layer(0, false, 2), layer(1, true, 1), layer(2, false, 1)] {
            let mut chain = Chain::new(Kind::Video);
            assert!(chain.admit(true, layer(0, false, 0)));
            chain.lose();
            assert!(!chain.admit(false, next) && chain.needs_keyframe());
        }
    }
}
