//! What the names of a file and of its folders say of a track whose tags do not.
//!
//! Tags always win; names only fill what is missing. The rules are those that people's libraries follow (`Artist/Album/01 - Title.ext`,
//! as Jellyfin, Kodi and beets lay them out), and they rather say nothing than something wrong:
//!
//! * The folder that holds the file is the album and the one above it the artist; with one folder only, it is the album.
//! * `CD 1` or `Disc 2` below an album is passed over. A folder of nothing but digits is a shelf (`00/7400.mp3`), unless the file's own name
//!   begins with a track number. `Music`, `Downloads` and the like are no names either, and end the search upwards.
//! * `Artist - Album` is taken apart, and a year before or after an album's name (`2004 - Album`, `Album (2004)`) is the year.
//! * A file's name may begin with a track number: one to three digits, on which follow a `.`, `)`, `-` or `_`, or a blank where they are two with a
//!   zero first, or two in an album's folder (`01 Title`, `1. Title`, `1-03 Title` on the first disc).
//! * `Artist - Title` is taken apart. Where a number stands before it and the folders name another artist than it, the blank-dash-blank is the
//!   title's own, unless the folder is that of various artists. `Artist - Album - 01 Title` is understood too.
//! * A title is only given where the name says more than itself: else whoever shows the track shows the name without its ending.

/// What names say. Everything may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PathNames {
    pub title: Option<String>,
    pub artist: Option<String>,
    pub album: Option<String>,
    pub year: Option<i32>,
    pub track_number: Option<u32>,
}

/// Longest ending that is taken off a file's name, in characters without the dot.
const MAX_ENDING: usize = 5;
/// Folders that sort files and name neither an artist nor an album.
const SHELVES: [&str; 22] = [
    "music",
    "my music",
    "audio",
    "songs",
    "tracks",
    "track",
    "downloads",
    "download",
    "files",
    "data",
    "dataset",
    "media",
    "samples",
    "clips",
    "wav",
    "mp3",
    "flac",
    "ogg",
    "opus",
    "m4a",
    "unknown artist",
    "unknown album",
];
/// Folders that say that each track has an artist of its own.
const VARIOUS: [&str; 6] = ["various", "various artists", "va", "v.a.", "compilations", "soundtracks"];

impl PathNames {
    /// Reads the names of a path with `/` between folders. `known_artist` is the artist that the tags name.
    pub(super) fn of(path: &str, known_artist: Option<&str>) -> Self {
        let mut parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
        let stem = parts.next_back().map_or("", without_ending);
        // Underscores for blanks, as in `01_-_Some_Title`.
        let stem = if stem.contains(' ') { stem.to_owned() } else { stem.replace('_', " ") };
        // What lies above `..` is unknown.
        let folders: Vec<&str> = parts.clone().skip(parts.clone().rposition_of("..").map_or(0, |at| at + 1)).collect();
        let is_numbered = take_number(&stem, !folders.is_empty()).is_some();
        let mut found = Self::default();
        found.read_folders(&folders, is_numbered);
        found.read_stem(&stem, !folders.is_empty(), known_artist);
        found
    }

    fn read_folders(&mut self, folders: &[&str], is_numbered: bool) {
        let is_name = |folder: &&&str| {
            let folder = folder.trim().to_lowercase();
            !folder.is_empty() && !SHELVES.contains(&folder.as_str()) && (is_numbered || !folder.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let mut upwards = folders.iter().rev().skip_while(|folder| is_disc(folder)).take_while(is_name);
        let Some(album) = upwards.next() else { return };
        let above = upwards.next().map(|artist| artist.trim()).filter(|artist| !is_various(artist));
        let (mut artist, mut album) = (above, album.trim());
        if let Some((before, behind)) = album.split_once(" - ").map(|(before, behind)| (before.trim(), behind.trim()))
            && !before.is_empty()
            && !behind.is_empty()
        {
            if let Some(year) = year_of(before) {
                (self.year, album) = (Some(year), behind);
            } else if above.is_none_or(|above| is_same(above, before)) {
                artist = artist.or_else(|| Some(before).filter(|artist| !is_various(artist)));
                album = behind;
            }
        }
        if let Some((name, year)) = with_year_behind(album) {
            (self.year, album) = (self.year.or(Some(year)), name);
        }
        (self.artist, self.album) = (artist.map(str::to_owned), Some(album.to_owned()));
    }

    fn read_stem(&mut self, stem: &str, has_folder: bool, known_artist: Option<&str>) {
        let (number, rest) = take_number(stem, has_folder).map_or((None, stem.trim()), |(number, rest)| (Some(number), rest));
        self.track_number = number;
        let parts: Vec<&str> = rest.split(" - ").map(str::trim).filter(|part| !part.is_empty()).collect();
        match parts[..] {
            [] => {}
            [title] => self.title = number.map(|_| title.to_owned()),
            // A number inside: `Artist - 01 - Title`, `Artist - Album - 01 Title`.
            [artist, .., last] if number.is_none() && parts.len() > 2 => {
                let inner = parts.len() - 2;
                let (number, title) = match take_number(last, true).filter(|(_, title)| !title.is_empty()) {
                    Some((number, title)) => (number, title),
                    None => match take_number(parts[inner], true) {
                        Some((number, "")) => (number, last),
                        _ => return,
                    },
                };
                self.track_number = Some(number);
                self.title = Some(title.to_owned());
                self.artist = Some(artist.to_owned());
                if let [_, album, _] | [_, album, _, _] = parts[..]
                    && take_number(album, true).is_none()
                {
                    self.album = Some(album.to_owned());
                }
            }
            [first, ..] => {
                let behind = rest.split_once(" - ").map_or("", |(_, behind)| behind).trim();
                let is_artist = match (known_artist, self.artist.as_deref()) {
                    (Some(known), _) => is_same(known, first),
                    (None, Some(folder)) => number.is_none() || is_same(folder, first),
                    (None, None) => true,
                };
                if !is_artist {
                    self.title = number.map(|_| rest.to_owned());
                } else if parts.len() == 2 || number.is_some() {
                    (self.artist, self.title) = (Some(first.to_owned()), Some(behind.to_owned()));
                }
            }
        }
    }
}

trait RpositionOf {
    fn rposition_of(self, wanted: &str) -> Option<usize>;
}

impl<'p, I: Iterator<Item = &'p str>> RpositionOf for I {
    fn rposition_of(self, wanted: &str) -> Option<usize> {
        self.enumerate().filter(|(_, part)| *part == wanted).last().map(|(at, _)| at)
    }
}

fn without_ending(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((stem, ending))
            if !stem.is_empty()
                && ending.len() <= MAX_ENDING
                && !ending.is_empty()
                && ending.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            stem
        }
        _ => file,
    }
}

/// The track number at a name's start and what follows it.
fn take_number(name: &str, has_folder: bool) -> Option<(u32, &str)> {
    let name = name.trim();
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=3).contains(&digits) {
        return None;
    }
    let (number, rest) = name.split_at(digits);
    let value = number.parse().ok().filter(|&value: &u32| value > 0);
    if rest.is_empty() {
        return value.filter(|_| digits <= 2).map(|value| (value, ""));
    }
    // A disc and a track: `1-03 Title`, `2.11 - Title`.
    if digits == 1
        && let Some(track) = rest.strip_prefix(['-', '.'])
        && track.len() > 2
        && track.bytes().take_while(u8::is_ascii_digit).count() == 2
        && track.as_bytes().get(2).is_some_and(|byte| !byte.is_ascii_alphanumeric())
    {
        return take_number(track, has_folder);
    }
    let title = rest.trim_start_matches([' ', '.', ')', '-', '_']);
    let is_mark = match rest.trim_start().chars().next() {
        // `3.5 Miles` and `7-Eleven` are titles.
        Some('.' | ')') => !title.starts_with(|letter: char| letter.is_ascii_digit()) || rest.contains(". "),
        Some('-' | '_') => rest.starts_with("- ") || rest.starts_with(' ') || rest.starts_with('_') || digits >= 2,
        _ => rest.starts_with(' ') && (digits == 2 && (has_folder || number.starts_with('0'))),
    };
    value.filter(|_| is_mark).map(|value| (value, title))
}

fn is_disc(folder: &str) -> bool {
    let folder = folder.trim().to_lowercase();
    ["cd", "disc", "disk"].iter().any(|word| {
        folder.strip_prefix(word).is_some_and(|rest| {
            let rest = rest.trim_start_matches([' ', '-', '_', '.', '#']);
            !rest.is_empty() && rest.len() <= 2 && rest.bytes().all(|byte| byte.is_ascii_digit())
        })
    })
}

fn is_various(folder: &str) -> bool {
    VARIOUS.contains(&folder.to_lowercase().as_str())
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn year_of(word: &str) -> Option<i32> {
    word.parse().ok().filter(|year| word.len() == 4 && (1900..=2099).contains(year))
}

/// `Album (2004)` or `Album [2004]`.
fn with_year_behind(album: &str) -> Option<(&str, i32)> {
    let (name, year) = album.rsplit_once(['(', '['])?;
    let year = year_of(year.strip_suffix([')', ']'])?)?;
    Some((name.trim(), year)).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (&'static str, Option<&'static str>, Option<&'static str>, Option<&'static str>, Option<u32>, Option<i32>);

    #[test]
    fn names_give_artist_album_number_and_title_or_nothing() {
        let rows: &[Row] = &[
            ("Miles Davis/Kind of Blue/01 - So What.flac", Some("Miles Davis"), Some("Kind of Blue"), Some("So What"), Some(1), None),
            (
                "Jazz/Miles Davis/1959 - Kind of Blue/CD 1/02 Blue in Green.flac",
                Some("Miles Davis"),
                Some("Kind of Blue"),
                Some("Blue in Green"),
                Some(2),
                Some(1959),
            ),
            ("Artist/Album (2004)/10. Title.ogg", Some("Artist"), Some("Album"), Some("Title"), Some(10), Some(2004)),
            ("Artist/Album/song.ogg", Some("Artist"), Some("Album"), None, None, None),
            ("Artist/1989/01 Style.mp3", Some("Artist"), Some("1989"), Some("Style"), Some(1), None),
            ("Album/03_Some_Title.mp3", None, Some("Album"), Some("Some Title"), Some(3), None),
            ("Album/song.mp3", None, Some("Album"), None, None, None),
            ("Artist - Album/1-07 Title.m4a", Some("Artist"), Some("Album"), Some("Title"), Some(7), None),
            ("Artist/Artist - Album/07 - Artist - Title.m4a", Some("Artist"), Some("Album"), Some("Title"), Some(7), None),
            ("Various Artists/Hits/02 - Somebody - A Song.mp3", Some("Somebody"), Some("Hits"), Some("A Song"), Some(2), None),
            ("Artist/Album/02 - A Song - Live.mp3", Some("Artist"), Some("Album"), Some("A Song - Live"), Some(2), None),
            ("Artist - Title.mp3", Some("Artist"), None, Some("Title"), None, None),
            ("Artist_-_Title.mp3", Some("Artist"), None, Some("Title"), None, None),
            ("Artist - Album - 04 Title.flac", Some("Artist"), Some("Album"), Some("Title"), Some(4), None),
            ("Artist - 04 - Title.flac", Some("Artist"), None, Some("Title"), Some(4), None),
            ("01 Title.wav", None, None, Some("Title"), Some(1), None),
            ("24 Hours.wav", None, None, None, None, None),
            ("7-Eleven.wav", None, None, None, None, None),
            ("99 Luftballons - Nena.wav", Some("99 Luftballons"), None, Some("Nena"), None, None),
            ("3.5 Miles.wav", None, None, None, None, None),
            ("track01.wav", None, None, None, None, None),
            ("Artist/Album/07.wav", Some("Artist"), Some("Album"), None, Some(7), None),
            // MTG-Jamendo, FMA, GTZAN, and what lies outside of the root.
            ("00/7400.mp3", None, None, None, None, None),
            ("audio/14/1098214.mp3", None, None, None, None, None),
            ("fma_small/000/000002.mp3", None, None, None, None, None),
            ("blues/blues.00000.wav", None, Some("blues"), None, None, None),
            ("../../Album/01 - Title.wav", None, Some("Album"), Some("Title"), Some(1), None),
            ("Music/01 - Title.wav", None, None, Some("Title"), Some(1), None),
            ("Mr. Nobody", None, None, None, None, None),
            ("", None, None, None, None, None),
            (" - .wav", None, None, None, None, None),
            ("日本/曲/01 - 題.wav", Some("日本"), Some("曲"), Some("題"), Some(1), None),
        ];
        for &(path, artist, album, title, track_number, year) in rows {
            let [artist, album, title] = [artist, album, title].map(|text| text.map(str::to_owned));
            assert_eq!(PathNames::of(path, None), PathNames { title, artist, album, year, track_number }, "{path}");
        }
    }

    #[test]
    fn the_tagged_artist_decides_whether_a_dash_is_the_titles_own() {
        let title = |artist| PathNames::of("Artist - Title.mp3", Some(artist)).title;
        assert_eq!(title("ARTIST").as_deref(), Some("Title"));
        assert_eq!(title("Somebody else"), None);
    }
}
