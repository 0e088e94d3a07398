//! Descriptions that nobody is at work on.

use alloc::boxed::Box;
use alloc::string::ToString;

use crate::SdpType;
use crate::sdp::SessionDescription;

/// A description that is put away as text: read, it weighs several times as much, and a connection at rest has no use
/// for it.
pub(super) struct Kept {
    kind: SdpType,
    form: Form,
}

enum Form {
    Text(Box<str>),
    /// Its text would not be read as the same, such as at the limit of what is read.
    Read(Box<SessionDescription>),
}

impl Kept {
    pub(super) fn new(kind: SdpType, sdp: SessionDescription) -> Self {
        let text = sdp.to_string();
        let form = match text.parse::<SessionDescription>() {
            Ok(again) if again == sdp => Form::Text(text.into()),
            _ => Form::Read(Box::new(sdp)),
        };
        Self { kind, form }
    }

    pub(super) const fn kind(&self) -> SdpType {
        self.kind
    }

    pub(super) fn read(&self) -> (SdpType, SessionDescription) {
        let sdp = match &self.form {
            Form::Text(text) => text.parse().expect("it was read when it was put away"),
            Form::Read(sdp) => (**sdp).clone(),
        };
        (self.kind, sdp)
    }
}
