//! What rows are coloured by, as a user names it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::catalog::SpaceKey;

/// What decides the colour of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColorBy {
    /// Nothing: all have one colour.
    None,
    /// The track.
    #[default]
    Track,
    /// The track's artist.
    Artist,
    /// The track's album.
    Album,
    /// The track's genre.
    Genre,
    /// The track's year.
    Year,
    /// The track's length.
    Duration,
    /// How many rows are around it on the map.
    Density,
    /// How strongly a tag of the space's network is active, by the tag's name.
    Tag(String),
    /// A column of the space, from 0.
    Dim(usize),
    /// A number or a class for each row, or three, of a `.npy` file.
    File(PathBuf),
    /// Where the row is in another map: the first three components of a space, of the one shown where none is named.
    Projection(Option<SpaceKey>),
}

/// A text that names nothing to colour by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is nothing to colour by; there is track, artist, album, genre, year, duration, density, tag:NAME, dim:N (from 1), file:PATH.npy, projection, projection:SPACE, and none"
)]
pub struct UnknownColorBy(String);

impl FromStr for ColorBy {
    type Err = UnknownColorBy;

    fn from_str(text: &str) -> Result<Self, UnknownColorBy> {
        let unknown = || UnknownColorBy(text.to_owned());
        let (kind, value) = text.split_once(':').map_or((text, None), |(kind, value)| (kind, Some(value)));
        Ok(match (kind, value.filter(|value| !value.is_empty())) {
            ("tag", Some(name)) => Self::Tag(name.to_owned()),
            ("dim", Some(number)) => Self::Dim(number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).ok_or_else(unknown)?),
            ("file", Some(path)) => Self::File(path.into()),
            ("projection", Some(space)) => Self::Projection(Some(space.parse().map_err(|_| unknown())?)),
            _ if value.is_some() => return Err(unknown()),
            ("none", _) => Self::None,
            ("track", _) => Self::Track,
            ("artist", _) => Self::Artist,
            ("album", _) => Self::Album,
            ("genre", _) => Self::Genre,
            ("year", _) => Self::Year,
            ("duration", _) => Self::Duration,
            ("density", _) => Self::Density,
            ("projection", _) => Self::Projection(None),
            _ => return Err(unknown()),
        })
    }
}

/// As it is typed.
impl fmt::Display for ColorBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Track => f.write_str("track"),
            Self::Artist => f.write_str("artist"),
            Self::Album => f.write_str("album"),
            Self::Genre => f.write_str("genre"),
            Self::Year => f.write_str("year"),
            Self::Duration => f.write_str("duration"),
            Self::Density => f.write_str("density"),
            Self::Tag(name) => write!(f, "tag:{name}"),
            Self::Dim(column) => write!(f, "dim:{}", column + 1),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Projection(None) => f.write_str("projection"),
            Self::Projection(Some(space)) => write!(f, "projection:{space}"),
        }
    }
}

impl ColorBy {
    /// As it is shown.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::None => "One colour".to_owned(),
            Self::Track => "Track".to_owned(),
            Self::Artist => "Artist".to_owned(),
            Self::Album => "Album".to_owned(),
            Self::Genre => "Genre".to_owned(),
            Self::Year => "Year".to_owned(),
            Self::Duration => "Duration".to_owned(),
            Self::Density => "Density on the map".to_owned(),
            Self::Tag(name) => format!("Tag: {name}"),
            Self::Dim(column) => format!("Dimension {}", column + 1),
            Self::File(path) => path.file_name().map_or_else(|| "File".to_owned(), |name| name.to_string_lossy().into_owned()),
            Self::Projection(None) => "Second map: PCA in 3-D".to_owned(),
            Self::Projection(Some(space)) => format!("Second map: {space}"),
        }
    }

    /// Whether it depends on where the rows are on the map.
    #[must_use]
    pub fn follows_layout(&self) -> bool {
        *self == Self::Density
    }

    /// Whether it is known from the tracks alone, without reading a row.
    #[must_use]
    pub fn is_of_tracks(&self) -> bool {
        matches!(self, Self::None | Self::Track | Self::Artist | Self::Album | Self::Genre | Self::Year | Self::Duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back_and_what_is_nothing_is_told_what_there_is() {
        for text in
            ["none", "track", "artist", "album", "genre", "year", "duration", "density", "tag:Hip-Hop: old", "dim:7", "file:a:b.npy"]
                .into_iter()
                .chain(["projection", "projection:mtt-vgg-taggrams"])
        {
            assert_eq!(text.parse::<ColorBy>().unwrap().to_string(), text);
        }
        for bad in ["", "tag", "tag:", "dim:0", "dim:x", "track:3", "projection:nowhere", "colour", "file:"] {
            assert!(bad.parse::<ColorBy>().unwrap_err().to_string().contains("tag:NAME"), "{bad}");
        }
    }
}
