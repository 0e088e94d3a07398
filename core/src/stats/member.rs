//! A statistics object's members by W3C's names, for those who pass them on as JSON or into a database.

use alloc::borrow::Cow;
use alloc::string::String;
use core::time::Duration;

use crate::MediaKind;
use crate::rtp::Ssrc;

/// The value of a member.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StatsValue<'s> {
    /// Yes or no.
    Bool(bool),
    /// A count.
    Unsigned(u64),
    /// A count that may go below zero.
    Signed(i64),
    /// A measure; times are in seconds, moments in milliseconds since 1970, as W3C has them.
    Float(f64),
    /// A name.
    Text(Cow<'s, str>),
}

/// What a member can be; `None` where it is absent.
pub(super) trait Member {
    fn value(&self) -> Option<StatsValue<'_>>;
}

impl<T: Member> Member for Option<T> {
    fn value(&self) -> Option<StatsValue<'_>> {
        self.as_ref().and_then(T::value)
    }
}

/// Implements [`Member`] for types that have a value in every case.
macro_rules! member {
    ($($kind:ty: $this:ident => $value:expr;)*) => {
        $(impl Member for $kind {
            fn value(&self) -> Option<StatsValue<'_>> {
                let $this = self;
                Some($value)
            }
        })*
    };
}
pub(super) use member;

member! {
    bool: this => StatsValue::Bool(*this);
    u8: this => StatsValue::Unsigned((*this).into());
    u16: this => StatsValue::Unsigned((*this).into());
    u32: this => StatsValue::Unsigned((*this).into());
    u64: this => StatsValue::Unsigned(*this);
    i64: this => StatsValue::Signed(*this);
    f64: this => StatsValue::Float(*this);
    Duration: this => StatsValue::Float(this.as_secs_f64());
    String: this => StatsValue::Text(Cow::Borrowed(this));
    Ssrc: this => StatsValue::Unsigned(this.0.into());
    MediaKind: this => StatsValue::Text(Cow::Borrowed(this.as_str()));
    super::UnixTime: this => StatsValue::Float(this.millis());
}

/// Declares a statistics object: a struct whose members have W3C's names beside ours.
macro_rules! object {
    (
        $(#[$outer:meta])*
        pub struct $name:ident {
            $($(#[$inner:meta])* $member:ident: $kind:ty = $w3c:literal,)*
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$inner])* #[doc = concat!("\n\nIn W3C's API `", $w3c, "`.")] pub $member: $kind,)*
        }

        impl $name {
            /// Calls `take` with the name and the value of each member that there is.
            pub(super) fn members<'s>(&'s self, take: &mut dyn FnMut(&'static str, StatsValue<'s>)) {
                $(if let Some(value) = self.$member.value() {
                    take($w3c, value);
                })*
            }
        }
    };
}
pub(super) use object;

/// Gives an enum's values the names that W3C has for them.
macro_rules! names {
    ($kind:ty { $($variant:pat => $name:literal,)* }) => {
        impl $kind {
            /// W3C's name for it.
            pub const fn name(&self) -> &'static str {
                match self { $($variant => $name,)* }
            }
        }

        impl Member for $kind {
            fn value(&self) -> Option<StatsValue<'_>> {
                Some(StatsValue::Text(Cow::Borrowed(self.name())))
            }
        }
    };
}
pub(super) use names;
