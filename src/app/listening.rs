//! What sounds, how far it goes on, and where it is: the player as the window's state has it. Sound itself is the `player`'s.

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::event_log::Event;
use super::notices::Topic;
use super::state::{AppState, Effect};
use crate::catalog::{SegmentId, SegmentSpan, SpaceKey, Track, TrackId, path_from_text};
use crate::command::{Command, Course, Listen};
use crate::scene::SoundPicture;
use crate::ui::listen_panel::ListenView;
use crate::ui::player_bar::PlayerBarView;

/// The longest stretch that is asked of the player at once, in seconds: 115 MB of decoded stereo at 48 kHz. What is longer goes on in another.
const LONGEST_STRETCH_SECS: f64 = 300.0;
/// Auditions that are remembered: an older one can no longer begin to sound.
const REMEMBERED: usize = 16;

/// What concerns listening.
#[derive(Debug, Default)]
pub struct Listening {
    /// How far what sounds goes on.
    pub course: Course,
    /// Whether it is silent, whatever the volume.
    pub is_muted: bool,
    /// What sounds, or sounded last.
    pub(super) now: Option<Sounding>,
    /// The waveform and the spectrogram of it.
    pub(super) picture: Option<Arc<SoundPicture>>,
    /// Whether files of the collection were not where they should be.
    pub(super) is_missing: bool,
    /// The audition that sounds.
    playing: Option<u64>,
    auditions: Vec<Auditioned>,
    last_serial: u64,
    // Tracks of which was said what is wrong with them.
    told: HashSet<TrackId>,
    // None of the collection's files is there: nothing is asked of the player.
    pub(super) is_silent: bool,
}

/// An audition that was asked for.
#[derive(Clone, Debug, PartialEq)]
struct Auditioned {
    serial: u64,
    segment: u32,
    track: TrackId,
    path: String,
    start_secs: f64,
}

/// What sounds, or sounded last. Times are seconds of the track.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sounding {
    serial: u64,
    track: TrackId,
    /// The stretch that the player was asked for.
    asked: SegmentSpan,
    /// The segment that it began in.
    segment: SegmentSpan,
    /// What the player bar shows.
    shown: SegmentSpan,
    position_secs: f64,
    /// Asked for, and neither ended nor stopped.
    is_on: bool,
    /// It ends when the pointer leaves.
    by_pointer: bool,
    /// The track's rows in the space that is shown.
    rows: RowsOfTrack,
}

/// The rows of a track in a space.
#[derive(Clone, Debug, PartialEq)]
struct RowsOfTrack {
    space: SpaceKey,
    rows: Range<u32>,
    hop_secs: f64,
}

impl RowsOfTrack {
    /// The last row that begins at or before a time.
    fn at(&self, secs: f64) -> Option<SegmentId> {
        // Half a millisecond for the rounding of frames.
        let number = ((secs + 5e-4) / self.hop_secs).floor().max(0.0) as u32;
        let row = self.rows.start.saturating_add(number).min(self.rows.end.checked_sub(1)?);
        self.rows.contains(&row).then_some(SegmentId(row))
    }
}

impl AppState {
    /// Carries out what concerns listening.
    pub(super) fn listen(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::SetListen(listen) => {
                self.choices.listen = listen;
                if listen == Listen::Off { self.stop_sound() } else { Vec::new() }
            }
            Command::SetVolume(volume) => {
                self.choices.volume = volume.clamp(0.0, 1.0);
                vec![Effect::SetVolume(self.heard_volume())]
            }
            Command::SetMuted(is_muted) => {
                self.listening.is_muted = is_muted;
                vec![Effect::SetVolume(self.heard_volume())]
            }
            Command::SetCourse(course) => self.set_course(course),
            Command::Play => self.hovered().map(|segment| self.play(segment, false)).unwrap_or_default(),
            Command::PlayOrStop => self.play_or_stop(),
            Command::StepSegment(steps) => self.step_segment(steps),
            Command::Seek(secs) => self.seek(secs),
            Command::SetAudioRoot(text) => self.set_audio_root(&text),
            _ => Vec::new(),
        }
    }

    /// The amplitude that is heard, 0..1.
    #[must_use]
    pub fn heard_volume(&self) -> f32 {
        if self.listening.is_muted { 0.0 } else { self.choices.volume }
    }

    /// The segment under the pointer.
    pub(super) fn hovered(&self) -> Option<SegmentId> {
        self.shown.as_ref()?.scene.hovered
    }

    /// What the pointer came onto sounds, if that is wanted; when it came onto nothing, what it let sound ends.
    pub(super) fn listen_to_pointed(&mut self, segment: Option<SegmentId>) -> Vec<Effect> {
        match segment {
            Some(segment) if self.choices.listen == Listen::OnHover => self.play(segment, true),
            // The player stands still already where nothing sounds; telling it so is cheap, and safe.
            None if self.listening.now.as_ref().is_none_or(|now| now.by_pointer) => self.stop_sound(),
            _ => Vec::new(),
        }
    }

    fn stop_sound(&mut self) -> Vec<Effect> {
        if let Some(now) = &mut self.listening.now {
            now.is_on = false;
        }
        vec![Effect::StopAudio]
    }

    /// Lets a segment sound, in the way that is chosen.
    fn play(&mut self, segment: SegmentId, by_pointer: bool) -> Vec<Effect> {
        let Some((track, span)) = self.shown.as_ref().and_then(|shown| self.collection.span(shown.space, segment.0 as usize)) else {
            return Vec::new();
        };
        let (id, duration_secs) = (track.id, track.duration_secs);
        self.play_from(id, duration_secs, span, span.start_secs, by_pointer)
    }

    /// Lets a track sound from a time on: to the end of the segment it is in, or on along the track.
    fn play_from(&mut self, track: TrackId, duration_secs: f64, segment: SegmentSpan, from: f64, by_pointer: bool) -> Vec<Effect> {
        if self.listening.is_silent {
            return Vec::new();
        }
        let (end, shown) = match self.listening.course {
            Course::Segment | Course::Loop => (segment.start_secs + segment.duration_secs, segment),
            Course::Onward => {
                let end = duration_secs.max(segment.start_secs + segment.duration_secs);
                (end.min(from + LONGEST_STRETCH_SECS), SegmentSpan { start_secs: 0.0, duration_secs: end })
            }
        };
        let asked = SegmentSpan { start_secs: from, duration_secs: end - from };
        // To the bit what others ask for the same segment: the player's cache goes by it.
        let asked = if from == segment.start_secs && self.listening.course != Course::Onward { segment } else { asked };
        let Some(rows) = self.rows_of(track) else { return Vec::new() };
        let Some(track) = track_of(self.collection.tracks(), track) else { return Vec::new() };
        let listening = &mut self.listening;
        listening.last_serial += 1;
        let serial = listening.last_serial;
        let row = rows.at(segment.start_secs).map_or(0, |row| row.0);
        listening.auditions.truncate(REMEMBERED - 1);
        let auditioned = Auditioned { serial, segment: row, track: track.id, path: track.path.clone(), start_secs: from };
        listening.auditions.insert(0, auditioned);
        let position_secs = from;
        listening.now = Some(Sounding { serial, track: track.id, asked, segment, shown, position_secs, is_on: true, by_pointer, rows });
        let path = self.audio_root.join(path_from_text(&track.path));
        vec![Effect::Audition { serial, path, span: asked }]
    }

    fn set_course(&mut self, course: Course) -> Vec<Effect> {
        if course == self.listening.course {
            return Vec::new();
        }
        self.listening.course = course;
        let mut effects = vec![Effect::SetLooping(course == Course::Loop)];
        // What sounds goes on in the new way, from the segment that it is in.
        if let Some(now) = self.listening.now.clone().filter(|now| now.is_on) {
            let from = if course == Course::Onward { Some(now.position_secs) } else { None };
            effects.extend(self.play_in(&now, now.position_secs, from, now.by_pointer));
        }
        effects
    }

    /// Lets the segment of a track at `at` sound, from `from` on, else from its start.
    fn play_in(&mut self, now: &Sounding, at: f64, from: Option<f64>, by_pointer: bool) -> Vec<Effect> {
        let Some(rows) = self.rows_of(now.track) else { return Vec::new() };
        let Some(found) = rows.at(at).and_then(|row| self.collection.span(rows.space, row.0 as usize)) else { return Vec::new() };
        let (track, span) = found;
        let (id, duration_secs) = (track.id, track.duration_secs);
        self.play_from(id, duration_secs, span, from.unwrap_or(span.start_secs), by_pointer)
    }

    fn play_or_stop(&mut self) -> Vec<Effect> {
        if self.listening.now.as_ref().is_some_and(|now| now.is_on) {
            return self.stop_sound();
        }
        if let Some(segment) = self.hovered() {
            return self.play(segment, false);
        }
        let Some(now) = self.listening.now.clone() else { return Vec::new() };
        let is_at_end = now.position_secs + 0.05 >= now.asked.start_secs + now.asked.duration_secs;
        // On along the track it goes on where it was stopped.
        let from = (self.listening.course == Course::Onward && !is_at_end).then_some(now.position_secs);
        let at = if from.is_some() || self.listening.course == Course::Onward { now.position_secs } else { now.segment.start_secs };
        self.play_in(&now, at, from, false)
    }

    fn step_segment(&mut self, steps: i32) -> Vec<Effect> {
        let Some(now) = self.listening.now.clone() else {
            return self.hovered().map(|segment| self.play(segment, false)).unwrap_or_default();
        };
        let Some(rows) = self.rows_of(now.track) else { return Vec::new() };
        let Some(row) = rows.at(now.position_secs_of_segment()) else { return Vec::new() };
        let wanted = i64::from(row.0) + i64::from(steps);
        let row = wanted.clamp(i64::from(rows.rows.start), i64::from(rows.rows.end.max(1)) - 1);
        self.play(SegmentId(row as u32), false)
    }

    fn seek(&mut self, secs: f64) -> Vec<Effect> {
        let Some(now) = self.listening.now.clone() else { return Vec::new() };
        if !secs.is_finite() {
            return Vec::new();
        }
        let last = now.shown.start_secs + now.shown.duration_secs - 0.05;
        let secs = secs.min(last).max(now.shown.start_secs);
        match self.listening.course {
            Course::Onward => self.play_in(&now, secs, Some(secs), false),
            Course::Segment | Course::Loop => {
                let Some(duration_secs) = track_of(self.collection.tracks(), now.track).map(|track| track.duration_secs) else {
                    return Vec::new();
                };
                self.play_from(now.track, duration_secs, now.segment, secs, false)
            }
        }
    }

    /// The rows of a track in the space that is shown; `None` where it has none.
    fn rows_of(&self, track: TrackId) -> Option<RowsOfTrack> {
        let shown = self.shown.as_ref()?;
        if let Some(now) = self.listening.now.as_ref().filter(|now| now.track == track && now.rows.space == shown.space) {
            return Some(now.rows.clone());
        }
        let found = shown.scene.track_rows.iter().find(|rows| rows.track == track)?;
        let space = self.collection.space(shown.space).ok().filter(|space| space.hop_secs > 0.0)?;
        Some(RowsOfTrack { space: shown.space, rows: found.first_row as u32..found.range().end as u32, hop_secs: space.hop_secs })
    }

    /// The segment that sounds now, for the ring on the map; `None` where nothing sounds.
    #[must_use]
    pub fn sounding_segment(&self) -> Option<SegmentId> {
        let now = self.listening.now.as_ref().filter(|now| now.is_on && self.listening.playing == Some(now.serial))?;
        // A segment's end is the next one's start: the one that was asked for sounds to the end all the same.
        let is_one = self.listening.course != Course::Onward;
        self.rows_of(now.track)?.at(if is_one { now.position_secs_of_segment() } else { now.position_secs })
    }

    /// Whether something sounds whose playhead moves.
    #[must_use]
    pub fn is_sounding(&self) -> bool {
        self.listening.now.as_ref().is_some_and(|now| now.is_on && self.listening.playing == Some(now.serial))
    }

    /// Takes where an audition is, in seconds from its start; what is to be logged.
    pub fn follow_playhead(&mut self, serial: u64, secs: f64) -> Vec<Effect> {
        let before = self.sounding_segment();
        let Some(now) = self.listening.now.as_mut().filter(|now| now.serial == serial && now.is_on) else { return Vec::new() };
        now.position_secs = now.asked.start_secs + secs.clamp(0.0, now.asked.duration_secs);
        let position_s = now.position_secs;
        let after = self.sounding_segment();
        let moved = after.filter(|_| self.listening.course == Course::Onward && before.is_some() && before != after);
        moved.map(|segment| Effect::Log(Event::Playhead { segment: segment.0, position_s })).into_iter().collect()
    }

    /// An audition's first frame was handed over.
    pub fn audition_started(&mut self, serial: u64, latency_ms: f64) -> Vec<Effect> {
        self.listening.playing = Some(serial);
        self.notices.clear(Topic::Track);
        self.sound.add(latency_ms);
        let asked = self.listening.auditions.iter().find(|asked| asked.serial == serial);
        let event = asked.map(|asked| Event::Audition {
            segment: asked.segment,
            track: asked.path.clone(),
            start_s: asked.start_secs,
            latency_ms: (latency_ms * 1e3).round() / 1e3,
        });
        event.map(Effect::Log).into_iter().collect()
    }

    /// An audition is silent again.
    pub fn audition_finished(&mut self, serial: u64) -> Vec<Effect> {
        if self.listening.playing == Some(serial) {
            self.listening.playing = None;
        }
        let asked = self.listening.auditions.iter().find(|asked| asked.serial == serial);
        let mut effects: Vec<_> = asked.map(|asked| Effect::Log(Event::Stop { segment: asked.segment })).into_iter().collect();
        let Some(now) = self.listening.now.as_mut().filter(|now| now.serial == serial && now.is_on) else { return effects };
        now.is_on = false;
        now.position_secs = now.asked.start_secs + now.asked.duration_secs;
        // A track that is longer than a stretch goes on in the next one.
        let (now, is_onward) = (now.clone(), self.listening.course == Course::Onward);
        if is_onward && now.position_secs + 0.05 < now.shown.start_secs + now.shown.duration_secs {
            effects.extend(self.play_in(&now, now.position_secs, Some(now.position_secs), now.by_pointer));
        }
        effects
    }

    /// An audition cannot sound: said once, with what to do about it.
    pub fn audition_failed(&mut self, serial: u64, reason: String) -> Vec<Effect> {
        if let Some(now) = self.listening.now.as_mut().filter(|now| now.serial == serial) {
            now.is_on = false;
        }
        let Some(asked) = self.listening.auditions.iter().find(|asked| asked.serial == serial) else {
            return self.notify(Topic::Track, reason);
        };
        let (track, file) = (asked.track, self.audio_root.join(path_from_text(&asked.path)));
        if file.exists() {
            let is_new = self.listening.told.insert(track);
            let text = format!("{reason}; if the file was changed, extract the collection anew");
            return if is_new { self.notify(Topic::Track, text) } else { Vec::new() };
        }
        if std::mem::replace(&mut self.listening.is_missing, true) {
            return Vec::new();
        }
        let root = self.audio_root.display().to_string();
        let text = if self.has_some_audio() {
            format!("{} is missing; if the music was moved, say where it is under LISTEN", file.display())
        } else {
            self.listening.is_silent = true;
            format!("none of this collection's audio files is in {root}; say under LISTEN where they are, or go on without sound")
        };
        self.notify(Topic::Missing, text)
    }

    /// Whether any of some tracks, taken from all over the collection, has its file.
    fn has_some_audio(&self) -> bool {
        let tracks = self.collection.tracks();
        let step = (tracks.len() / 32).max(1);
        tracks.iter().step_by(step).any(|track| self.audio_root.join(path_from_text(&track.path)).exists())
    }

    fn set_audio_root(&mut self, text: &str) -> Vec<Effect> {
        let text = text.trim();
        let root = PathBuf::from(text);
        if text.is_empty() || !root.is_dir() {
            let trouble = if text.is_empty() { "no folder is given".to_owned() } else { format!("{text}: no such folder") };
            return self.notify(Topic::Folder, trouble);
        }
        let former = std::mem::replace(&mut self.audio_root, root.canonicalize().unwrap_or(root));
        if !self.has_some_audio() {
            let wrong = std::mem::replace(&mut self.audio_root, former);
            let first = self.collection.tracks().first().map_or(String::new(), |track| format!(", such as {}", track.path));
            return self.notify(Topic::Folder, format!("the collection's files are not in {}{first}", wrong.display()));
        }
        let listening = &mut self.listening;
        (listening.is_missing, listening.is_silent) = (false, false);
        listening.told.clear();
        [Topic::Folder, Topic::Missing, Topic::Track].into_iter().for_each(|topic| self.notices.clear(topic));
        vec![Effect::KeepAudioRoot(self.audio_root.clone())]
    }

    /// The stretch of what sounds as audition `serial`, of which a picture is still to be made.
    #[must_use]
    pub fn wanted_picture(&self, serial: u64) -> Option<(TrackId, SegmentSpan)> {
        let now = self.listening.now.as_ref().filter(|now| now.serial == serial)?;
        let is_there = self.listening.picture.as_ref().is_some_and(|picture| picture.covers(now.track, now.asked));
        (!is_there).then_some((now.track, now.asked))
    }

    /// Takes a picture of what sounds.
    pub fn take_picture(&mut self, picture: SoundPicture) {
        self.listening.picture = Some(Arc::new(picture));
    }

    /// Whether a segment is the one that was asked for last and sounds.
    pub(super) fn sounds(&self, segment: SegmentId) -> bool {
        self.sounding_segment() == Some(segment)
    }

    /// What the panel shows of it.
    #[must_use]
    pub fn listen_view(&self) -> ListenView<'_> {
        ListenView {
            listen: self.choices.listen,
            course: self.listening.course,
            volume: self.choices.volume,
            is_muted: self.listening.is_muted,
            outputs: self.outputs_view(),
            missing_in: self.listening.is_missing.then(|| self.audio_root.to_str().unwrap_or_default()),
            has_none: self.listening.is_silent,
            trouble: self.notices.about(Topic::Folder),
        }
    }

    /// What the player bar shows; nothing before something sounded.
    #[must_use]
    pub fn player_bar_view(&self) -> PlayerBarView<'_> {
        let described = self.listening.now.as_ref().and_then(|now| Some((now, track_of(self.collection.tracks(), now.track)?)));
        let Some((now, track)) = described else { return PlayerBarView::nothing(self.choices.theme) };
        let picture = self.listening.picture.as_deref().filter(|picture| picture.track == now.track);
        PlayerBarView {
            title: track.display_title(),
            artist: track.metadata.artist.as_deref(),
            shown: now.shown,
            position_secs: now.position_secs,
            is_on: now.is_on,
            is_known: true,
            picture,
            theme: self.choices.theme,
        }
    }
}

impl Sounding {
    /// A time in the segment that it is in: what was played to its very end is still in it.
    fn position_secs_of_segment(&self) -> f64 {
        if self.asked.duration_secs > self.segment.duration_secs { self.position_secs } else { self.segment.start_secs }
    }
}

fn track_of(tracks: &[Track], id: TrackId) -> Option<&Track> {
    tracks.binary_search_by_key(&id, |track| track.id).ok().and_then(|place| tracks.get(place))
}
