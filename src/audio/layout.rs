//! What a container says of its stream besides its packets, and where its frames are placed.

use std::fs::File;

use super::adts::{self, AdtsLayout};
use super::error::AudioErrorKind;
use super::link::Link;
use super::matroska::{self, MatroskaLayout};
use super::mp4::{self, Mp4Layout};
use super::mpeg::MpegLayout;
use super::ogg_layout::{self, OggLayout};

/// Seconds by which the frames of a file may differ from the length that its header says, where that is not exact; or a hundredth of it. Recorders leave
/// gaps in their timestamps where no packet is missing. A file that is cut off is known by its bytes.
const LENGTH_SLACK_SECS: f64 = 0.3;

/// How a container places and finds its packets.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Container {
    /// wav, aiff, flac: timestamps are frame numbers and seeks are exact.
    Indexed,
    /// mp3, with what a walk over its frames found.
    Mpeg(MpegLayout),
    /// ogg: timestamps come from page positions.
    Ogg(OggLayout),
    /// mp4 and its kin.
    Mp4(Mp4Layout),
    /// mkv, mka, webm.
    Matroska(MatroskaLayout),
    /// Apple's core audio format.
    Caf,
    /// Bare AAC frames.
    Adts(AdtsLayout),
}

/// Which of the decoded frames of a counted stream are heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Frames before time 0.
    pub delay: i64,
    /// Frames from time 0 on, where that is known.
    pub frames: Option<i64>,
    /// By how many `frames` may be too large.
    pub slack: i64,
    /// Frames at the end of the last packet that are not heard.
    pub tail_padding: i64,
    /// All frames with delay and padding as a header says, and by how many that may be off.
    pub all_frames: Option<(i64, i64)>,
    /// Whether the file ends within something.
    pub is_cut_off: bool,
}

impl Container {
    /// Of a container that symphonia calls `name`; a plain [`Container::Indexed`] for all that need nothing else.
    pub(super) fn of(name: &str, file: &File) -> Result<Self, AudioErrorKind> {
        Ok(match name {
            "ogg" => Self::Ogg(ogg_layout::read_layout(file).map_err(AudioErrorKind::Io)?),
            "isomp4" => {
                let layout = mp4::read_layout(file).map_err(AudioErrorKind::Io)?;
                if layout.has_wild_offsets {
                    return Err(AudioErrorKind::Damaged { at_secs: 0.0, reason: "its tables point outside of the file".to_owned() });
                }
                Self::Mp4(layout)
            }
            "matroska" => Self::Matroska(matroska::read_layout(file).map_err(AudioErrorKind::Io)?),
            "caf" => Self::Caf,
            "aac" => Self::Adts(adts::read_layout(file).map_err(AudioErrorKind::Io)?),
            _ => Self::Indexed,
        })
    }

    /// Whether packets lie in the pages of an ogg.
    pub(super) fn is_ogg(&self) -> bool {
        matches!(self, Self::Ogg(_))
    }

    /// Whether the file's end, where the reader did not expect it, is that of the stream: what it read last may have no size of its own.
    pub(super) fn may_end_anywhere(&self) -> bool {
        match self {
            Self::Matroska(layout) => !layout.is_cut_off,
            Self::Caf => true,
            _ => false,
        }
    }

    /// Most channels of any part, where that is known before decoding.
    pub(super) fn channels(&self) -> Option<usize> {
        match self {
            Self::Mpeg(layout) => Some(layout.channels).filter(|&channels| channels > 0),
            _ => None,
        }
    }

    /// Whether frames are counted and not told by timestamps.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self, Self::Mp4(_) | Self::Matroska(_) | Self::Caf | Self::Adts(_))
    }

    /// Whether packets' lengths are exact where they are in frames.
    pub(super) fn has_exact_lengths(&self) -> bool {
        matches!(self, Self::Mp4(_) | Self::Caf)
    }

    /// Which frames of a track are heard.
    pub(super) fn extent(&self, track_id: u32, link: &Link) -> Result<Extent, AudioErrorKind> {
        let rate_hz = link.decoder.rate_hz;
        let coarse = |frames: i64| ((f64::from(rate_hz) * LENGTH_SLACK_SECS) as i64).max(frames / 100);
        let pre_skip = link.decoder.pre_skip.unwrap_or(0);
        Ok(match self {
            Self::Mp4(layout) => {
                let heard = layout.heard_part(track_id, rate_hz).map_err(|reason| AudioErrorKind::Unsupported(reason.to_owned()))?;
                let delay = if heard.delay == 0 { pre_skip } else { heard.delay };
                Extent {
                    delay,
                    frames: heard.frames.map(|frames| frames - (delay - heard.delay)).filter(|&frames| frames > 0),
                    slack: heard.slack.max(coarse(heard.frames.unwrap_or(0))),
                    tail_padding: 0,
                    all_frames: heard.promised.map(|frames| (frames, coarse(frames))),
                    // Where tables tell how many frames there are, what is counted decides.
                    is_cut_off: layout.is_cut_off && heard.frames.is_none(),
                }
            }
            Self::Matroska(layout) => Extent {
                delay: layout.delay(track_id, rate_hz).unwrap_or(pre_skip),
                tail_padding: layout.padding(track_id, rate_hz),
                all_frames: layout.duration_secs.filter(|_| layout.is_alone()).map(|secs| {
                    let frames = (secs * f64::from(rate_hz)) as i64;
                    (frames, coarse(frames))
                }),
                is_cut_off: layout.is_cut_off || layout.is_short && layout.duration_secs.is_none(),
                ..Extent::default()
            },
            Self::Caf => Extent {
                delay: link.delay.max(pre_skip),
                frames: link.num_frames.and_then(|frames| i64::try_from(frames).ok()).filter(|&frames| frames > 0),
                // ffmpeg's table counts the last packet as long as the others.
                slack: link.packet_frames,
                ..Extent::default()
            },
            Self::Adts(layout) => Extent { is_cut_off: layout.is_cut_off, ..Extent::default() },
            _ => Extent::default(),
        })
    }
}
