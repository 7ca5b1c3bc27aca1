//! The words that a tagger knows, in the order of its output units.

use super::TrainingDataset;

const MTT: &str = include_str!("../../assets/tags/mtt.txt");
const MSD: &str = include_str!("../../assets/tags/msd.txt");

/// The tags of one training dataset; `names()[i]` is the name of column `i` of its taggrams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagVocabulary {
    names: Vec<String>,
}

impl TagVocabulary {
    /// The tags of a training dataset, as the `musicnn` package's configuration lists them; AudioSet's network has none.
    #[must_use]
    pub fn of(dataset: TrainingDataset) -> Option<Self> {
        let text = match dataset {
            TrainingDataset::Mtt => MTT,
            TrainingDataset::Msd => MSD,
            TrainingDataset::AudioSet => return None,
        };
        Some(Self::new(text.lines().map(str::to_owned).collect()))
    }

    /// A vocabulary read from elsewhere, a collection for instance.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    /// The names, by column.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The column of a tag: an exact match first, else the only match without regard to case.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|tag| tag == name).or_else(|| self.names.iter().position(|tag| tag.eq_ignore_ascii_case(name)))
    }

    /// The `count` strongest tags of one row of activations, strongest first; equal ones by column.
    #[must_use]
    pub fn strongest(&self, activations: &[f32], count: usize) -> Vec<(&str, f32)> {
        let mut columns: Vec<usize> = (0..self.names.len().min(activations.len())).collect();
        columns.sort_by(|&a, &b| activations[b].total_cmp(&activations[a]).then(a.cmp(&b)));
        columns.into_iter().take(count).map(|column| (self.names[column].as_str(), activations[column])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_vocabularies_have_fifty_tags_in_the_order_of_the_output_units() {
        let mtt = TagVocabulary::of(TrainingDataset::Mtt).unwrap();
        let msd = TagVocabulary::of(TrainingDataset::Msd).unwrap();
        assert_eq!((mtt.names().len(), msd.names().len()), (50, 50));
        assert_eq!((mtt.names()[0].as_str(), mtt.names()[49].as_str()), ("guitar", "choral"));
        assert_eq!((msd.names()[0].as_str(), msd.names()[49].as_str()), ("rock", "happy"));
        assert_eq!(TagVocabulary::of(TrainingDataset::AudioSet), None);
        assert_eq!(msd.position("mellow"), Some(17));
        assert_eq!(msd.position("no such tag"), None);
    }

    #[test]
    fn the_strongest_tags_come_first() {
        let tags = TagVocabulary::new(vec!["a".into(), "b".into(), "c".into()]);
        assert_eq!(tags.strongest(&[0.1, 0.9, 0.5], 2), [("b", 0.9), ("c", 0.5)]);
        assert_eq!(tags.strongest(&[], 2), []);
    }
}
