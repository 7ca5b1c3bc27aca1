//! A track: one audio file and what its metadata says.

use super::path_names::PathNames;

/// The number of a track in its collection; tracks are numbered from 1 in the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub u32);

/// What a file's own metadata says of it. Everything may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackMetadata {
    /// Title.
    pub title: Option<String>,
    /// Performing artist.
    pub artist: Option<String>,
    /// Album.
    pub album: Option<String>,
    /// Genre, as the file's author wrote it.
    pub genre: Option<String>,
    /// Year of release.
    pub year: Option<i32>,
    /// Number on the album, from 1.
    pub track_number: Option<u32>,
}

impl TrackMetadata {
    /// The same, and where it says nothing, what the names of the file and of its folders say (`Artist/Album/01 - Title.ext`).
    ///
    /// `path` has `/` between folders, and begins below the folder of all the music. Tags win over names. The title stays `None` where the file's name
    /// gives nothing better than itself.
    #[must_use]
    pub fn or_from_path(self, path: &str) -> Self {
        let names = PathNames::of(path, self.artist.as_deref());
        Self {
            title: self.title.or(names.title),
            artist: self.artist.or(names.artist),
            album: self.album.or(names.album),
            genre: self.genre,
            year: self.year.or(names.year),
            track_number: self.track_number.or(names.track_number),
        }
    }
}

/// One audio file of a collection.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Its number in the collection.
    pub id: TrackId,
    /// Path relative to the collection's audio root, with `/` between folders, as [`super::path_to_text`] writes it.
    pub path: String,
    /// Length of the decoded audio in seconds.
    pub duration_secs: f64,
    /// Title, artist and so on, where the file says them.
    pub metadata: TrackMetadata,
}

impl Track {
    /// The name to show a person: the title, or else the file's name without its ending.
    #[must_use]
    pub fn display_title(&self) -> &str {
        if let Some(title) = self.metadata.title.as_deref().filter(|title| !title.is_empty()) {
            return title;
        }
        let file = self.path.rsplit('/').next().unwrap_or(&self.path);
        file.rsplit_once('.').map_or(file, |(stem, _)| if stem.is_empty() { file } else { stem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_without_a_title_is_shown_by_its_file_name() {
        let mut track = Track { id: TrackId(1), path: "a/b.c/song.one.ogg".into(), duration_secs: 1.0, metadata: TrackMetadata::default() };
        assert_eq!(track.display_title(), "song.one");
        track.metadata.title = Some("Nebula".into());
        assert_eq!(track.display_title(), "Nebula");
        track.metadata.title = Some(String::new());
        track.path = ".hidden".into();
        assert_eq!(track.display_title(), ".hidden");
    }

    #[test]
    fn tags_win_over_names_and_names_fill_what_is_missing() {
        let tags = TrackMetadata { title: Some("Tagged".into()), genre: Some("Jazz".into()), ..TrackMetadata::default() };
        let filled = tags.or_from_path("Artist/1999 - Album/02 - Named.ogg");
        let expected = TrackMetadata {
            title: Some("Tagged".into()),
            artist: Some("Artist".into()),
            album: Some("Album".into()),
            genre: Some("Jazz".into()),
            year: Some(1999),
            track_number: Some(2),
        };
        assert_eq!(filled, expected);
        assert_eq!(filled.clone().or_from_path("Other/Else/09 - Third.ogg"), expected);
        assert_eq!(TrackMetadata::default().or_from_path("song.ogg"), TrackMetadata::default());
    }
}
