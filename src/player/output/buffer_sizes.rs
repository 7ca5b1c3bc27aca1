//! How large a buffer each output needs, by its name.

use std::collections::BTreeMap;

use super::{FIRST_BUFFER_FRAMES, LAST_BUFFER_FRAMES};

/// Frames to ask of each output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferSizes {
    first: u32,
    known: BTreeMap<String, u32>,
}

impl Default for BufferSizes {
    fn default() -> Self {
        Self::starting_at(FIRST_BUFFER_FRAMES)
    }
}

impl BufferSizes {
    /// Nothing is known of any output: so many frames are asked of it.
    #[must_use]
    pub fn starting_at(first: u32) -> Self {
        Self { first, known: BTreeMap::new() }
    }

    /// Frames to ask of the output of this name.
    #[must_use]
    pub fn of(&self, output: &str) -> u32 {
        self.known.get(output).copied().unwrap_or(self.first)
    }

    /// An output was seen to need so many.
    pub fn set(&mut self, output: &str, frames: u32) {
        self.known.insert(output.to_owned(), frames);
    }

    /// What to ask of an output that drops out, of which `asked` frames were asked and which took `taken` at a time: at least double of either.
    /// `None` where it has the largest already.
    #[must_use]
    pub(in crate::player) fn grown(asked: u32, taken: u32) -> Option<u32> {
        (asked < LAST_BUFFER_FRAMES).then(|| (asked.max(taken / 2) * 2).next_power_of_two().min(LAST_BUFFER_FRAMES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_output_has_its_own_and_grows_to_the_largest() {
        let mut sizes = BufferSizes::starting_at(256);
        sizes.set("speakers", 1024);
        assert_eq!([sizes.of("speakers"), sizes.of("headphones")], [1024, 256]);
        let grown = [(256, 256), (256, 4096), (1024, 1000), (1536, 0), (2048, 2048)].map(|(asked, taken)| BufferSizes::grown(asked, taken));
        assert_eq!(grown, [Some(512), Some(2048), Some(2048), Some(2048), None]);
    }
}
