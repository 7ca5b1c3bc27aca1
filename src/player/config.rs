//! What a player can be set to once, at its start.

use std::time::Duration;

use super::output::BufferSizes;

/// What can be set once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerConfig {
    /// How many bytes of decoded audio are kept. A MusiCNN segment at 48 kHz is 1.15 MB.
    pub cache_bytes: usize,
    /// Frames that are asked of each output at first: what it was seen to take without drop-outs.
    pub buffers: BufferSizes,
    /// Decode threads. Two, so that the newest request does not wait for a stale one.
    pub worker_count: usize,
    /// How long it is silent before the output is paused, so that an idle window uses no processor.
    pub pause_after: Duration,
    /// How long a decode may be without a packet before another thread takes over and the user is told.
    pub patience: Duration,
}

impl Default for PlayerConfig {
    fn default() -> Self {
        Self {
            cache_bytes: 128 << 20,
            buffers: BufferSizes::default(),
            worker_count: 2,
            pause_after: Duration::from_secs(4),
            patience: Duration::from_secs(10),
        }
    }
}
