//! One entry of the tables of heads.

#[derive(Clone, Copy, Debug)]
pub(in crate::core::decode) struct Head {
    /// The vendor or program, as a table of the documentation shows it.
    pub(in crate::core::decode) name: &'static str,
    pub(in crate::core::decode) place: HeadPlace,
    /// The form of the head.
    pub(in crate::core::decode) form: &'static str,
    /// Records with what is read from them, as [`crate::core::decode::catalog`] shows an event.
    pub(in crate::core::decode) samples: &'static [(&'static str, &'static str)],
}

/// The place of a head in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core::decode) enum HeadPlace {
    /// At the beginning of a line or behind a priority, if no stamp begins there.
    Front,
    /// Behind the stamp of a syslog message that contains a `%`: heads of network devices, tried if the standard reading finds no
    /// program.
    Device,
    /// Behind the stamp of a syslog message in which the standard reading finds no program.
    Syslog,
    /// At the beginning of a syslog message's text, behind its tag.
    Text,
    /// Behind the stamp of a line that is no syslog message, if a level comes first.
    Level,
    /// Behind the stamp of a line that is no syslog message, if something else comes first.
    Line,
    /// At the beginning of a line without a stamp.
    Bare,
}

impl HeadPlace {
    pub(super) const ALL: [HeadPlace; 7] = [
        HeadPlace::Front,
        HeadPlace::Device,
        HeadPlace::Syslog,
        HeadPlace::Text,
        HeadPlace::Level,
        HeadPlace::Line,
        HeadPlace::Bare,
    ];
}
