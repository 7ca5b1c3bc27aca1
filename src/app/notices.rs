//! Lines for the user, each about one thing: it stands where that thing is on screen, and goes with the next success there.

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The program's own files and devices.
    Program,
    /// A device that was lost and is there again.
    Device,
    /// What frames are drawn with.
    Drawing,
    /// The layout that was asked for, and the embedding under way.
    Projection,
    /// Colours of the rows.
    Colours,
    /// Names on the map.
    Labels,
    /// Letters that no font has.
    Letters,
    /// Choosing by a text.
    Choice,
    /// The tag activations of the segment under the pointer.
    Tags,
    /// A file that does not sound.
    Track,
    /// The collection's audio files, which are not where they were.
    Missing,
    /// The folder that was given for them.
    Folder,
    /// The sound output.
    Output,
}

impl Topic {
    /// Whether a panel has a place for it; the others stand in the status bar.
    #[must_use]
    pub fn has_own_place(self) -> bool {
        matches!(self, Self::Projection | Self::Colours | Self::Choice | Self::Folder)
    }
}

/// The lines that hold now, at most one about a thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    // The newest last.
    lines: Vec<(Topic, String)>,
}

impl Notices {
    /// Takes a line in the place of the former one about the same thing.
    pub fn set(&mut self, topic: Topic, text: String) {
        self.clear(topic);
        self.lines.push((topic, text));
    }

    /// Drops what was said of a thing: it is over.
    pub fn clear(&mut self, topic: Topic) {
        self.lines.retain(|(of, _)| *of != topic);
    }

    /// The line about a thing.
    #[must_use]
    pub fn about(&self, topic: Topic) -> Option<&str> {
        self.lines.iter().find(|(of, _)| *of == topic).map(|(_, text)| text.as_str())
    }

    /// The newest line about anything.
    #[must_use]
    pub fn newest(&self) -> Option<&str> {
        self.lines.last().map(|(_, text)| text.as_str())
    }

    /// The newest line that no panel has a place for.
    #[must_use]
    pub fn for_status_bar(&self) -> Option<&str> {
        self.lines.iter().rev().find(|(topic, _)| !topic.has_own_place()).map(|(_, text)| text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_replaces_its_like_and_goes_with_its_cause_alone() {
        let mut notices = Notices::default();
        notices.set(Topic::Output, "no device".into());
        notices.set(Topic::Choice, "nothing matches".into());
        notices.set(Topic::Output, "another device".into());
        assert_eq!((notices.newest(), notices.for_status_bar()), (Some("another device"), Some("another device")));
        notices.clear(Topic::Output);
        assert_eq!((notices.newest(), notices.for_status_bar()), (Some("nothing matches"), None));
        assert_eq!((notices.about(Topic::Choice), notices.about(Topic::Output)), (Some("nothing matches"), None));
        notices.clear(Topic::Program);
        notices.clear(Topic::Choice);
        assert_eq!(notices, Notices::default());
    }
}
