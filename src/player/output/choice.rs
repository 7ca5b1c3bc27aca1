//! Where the sound is to go.

/// A device of the system that sound can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputDevice {
    /// What the system knows it by, the same at the next start: `HOST:NAME`.
    pub id: String,
    /// Its name, for people.
    pub name: String,
}

/// Where the sound is to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OutputChoice {
    /// The system's default device, or nowhere while there is none.
    #[default]
    Default,
    /// A certain device; while it is not there, as [`OutputChoice::Default`].
    Device(OutputDevice),
    /// Nowhere, in real time.
    Null,
}
