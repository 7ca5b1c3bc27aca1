//! How sound comes: figures of the last auditions and of the player, for the overlay. The player is asked elsewhere.

use std::collections::VecDeque;

use super::percentile::percentile;
use crate::player::PlayerStatus;
use crate::ui::figures::SoundFigures;

/// Auditions that percentiles are of.
const AUDITIONS: usize = 100;

/// Figures of the sound.
#[derive(Clone, Debug, Default)]
pub struct SoundStats {
    latencies_ms: VecDeque<f64>,
    player: Option<PlayerStatus>,
}

impl SoundStats {
    /// An audition began to sound, so many milliseconds after it was asked for.
    pub fn add(&mut self, latency_ms: f64) {
        self.latencies_ms.truncate(AUDITIONS - 1);
        self.latencies_ms.push_front(latency_ms);
    }

    /// Takes where the player stands; whether the figures are others than before.
    pub fn follow(&mut self, player: PlayerStatus) -> bool {
        let before = self.player.replace(player).as_ref().map(of_player);
        before != self.player.as_ref().map(of_player)
    }

    /// What the overlay shows.
    #[must_use]
    pub fn figures(&self) -> SoundFigures {
        let values: Vec<f64> = self.latencies_ms.iter().copied().collect();
        let latency_ms = values.first().map(|&last| [last, percentile(&values, 0.5), percentile(&values, 0.95)]);
        SoundFigures { latency_ms, ..self.player.as_ref().map(of_player).unwrap_or_default() }
    }
}

/// What is the player's of them. Its playhead is not: it moves all the time.
fn of_player(player: &PlayerStatus) -> SoundFigures {
    SoundFigures {
        latency_ms: None,
        buffer: Some([player.buffer_frames, player.sample_rate_hz]),
        cache_hits: player.cache_hits,
        cache_misses: player.cache_misses,
        prefetched: player.prefetched,
        cached_bytes: player.cached_bytes,
        underruns: player.underruns,
        starved: player.starved,
        output: player.output.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::player::{FileSource, Player, PlayerConfig};

    #[test]
    fn percentiles_are_of_the_last_hundred_auditions() {
        let mut stats = SoundStats::default();
        assert_eq!(stats.figures(), SoundFigures::default());
        (0..50).for_each(|_| stats.add(1000.0));
        (1..=100).for_each(|number| stats.add(f64::from(number)));
        assert_eq!(stats.figures().latency_ms, Some([100.0, 50.0, 95.0]));
    }

    #[test]
    fn a_playhead_that_moves_is_no_other_figure_and_a_drop_out_is() {
        let (player, _output) = Player::start_by_hand(48_000, PlayerConfig::default(), Arc::new(FileSource::default()), None);
        let mut stats = SoundStats::default();
        let status = player.status();
        assert!(stats.follow(status.clone()) && !stats.follow(status.clone()));
        assert!(!stats.follow(PlayerStatus { position_secs: 1.0, playing: Some(3), volume: 0.5, ..status.clone() }));
        assert!(stats.follow(PlayerStatus { underruns: 1, ..status.clone() }));
        assert!(stats.follow(PlayerStatus { cache_hits: 7, underruns: 1, ..status }));
        let shown = stats.figures();
        assert_eq!((shown.cache_hits, shown.underruns, shown.buffer), (7, 1, Some([256, 48_000])));
    }
}
