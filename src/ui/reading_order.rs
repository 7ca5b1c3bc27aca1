//! Names in Hebrew and Arabic, in the order in which egui has to be given their words.
//!
//! egui shapes each run of one font by itself, a run of Hebrew from right to left, and puts the runs side by side from left to right. So
//! words, spaces and numbers between them have to come in the order in which they are seen, and the letters of a word in the order in
//! which they are read. This follows the Unicode Bidirectional Algorithm (Unicode Standard Annex 9) for a line without control characters.

use std::borrow::Cow;

/// Brackets that change their side where a line runs from right to left.
const MIRRORED: [(char, char); 4] = [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// A letter that is read from left to right.
    Left,
    /// A letter or a mark that is read from right to left.
    Right,
    Number,
    Neutral,
}

/// The text as egui has to lay it out; most texts are as they are.
#[must_use]
pub fn as_seen(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|letter| class_of(letter) == Class::Right) {
        return Cow::Borrowed(text);
    }
    let letters: Vec<char> = text.chars().collect();
    let mut classes: Vec<Class> = letters.iter().copied().map(class_of).collect();
    // What is between two digits of a number is part of it.
    for place in 1..letters.len().saturating_sub(1) {
        if let [before, at, after] = &mut classes[place - 1..place + 2]
            && (*before, *after) == (Class::Number, Class::Number)
            && "+-,.:/".contains(letters[place])
        {
            *at = Class::Number;
        }
    }
    let levels = levels(&classes);
    let level = |place: &usize| levels.get(*place).copied().unwrap_or(0);
    let mut order: Vec<usize> = (0..letters.len()).collect();
    for least in [2, 1] {
        reverse_runs(&mut order, |place| level(place) >= least);
    }
    // egui turns these round by itself, digits among them.
    reverse_runs(&mut order, |place| letters.get(*place).is_some_and(|&letter| is_turned(letter)));
    let seen =
        order.into_iter().filter_map(|place| letters.get(place).map(|&letter| if level(&place) == 1 { mirrored(letter) } else { letter }));
    Cow::Owned(seen.collect())
}

/// How deep each letter lies: even levels run from left to right, odd ones from right to left.
fn levels(classes: &[Class]) -> Vec<u8> {
    let is_strong = |class: &&Class| matches!(class, Class::Left | Class::Right);
    let base = u8::from(classes.iter().find(is_strong) == Some(&Class::Right));
    let base_class = if base == 1 { Class::Right } else { Class::Left };
    // A number goes with the letters before it.
    let mut strong = base_class;
    let mut sides = Vec::with_capacity(classes.len());
    let mut levels = Vec::with_capacity(classes.len());
    for class in classes {
        if matches!(class, Class::Left | Class::Right) {
            strong = *class;
        }
        let (side, level) = match class {
            Class::Left => (Some(Class::Left), 2 * base),
            Class::Right => (Some(Class::Right), 1),
            Class::Number if strong == Class::Left => (Some(Class::Left), 2 * base),
            Class::Number => (Some(Class::Right), 2),
            Class::Neutral => (None, base),
        };
        sides.push(side);
        levels.push(level);
    }
    // What is between two of a kind is of that kind.
    let mut before = base_class;
    for place in 0..sides.len() {
        match sides.get(place).copied().flatten() {
            Some(side) => before = side,
            None => {
                let after = sides.iter().skip(place).find_map(|side| *side).unwrap_or(base_class);
                let level =
                    if before != after { base } else { u8::from(before == Class::Right) + 2 * base * u8::from(before == Class::Left) };
                if let Some(held) = levels.get_mut(place) {
                    *held = level;
                }
            }
        }
    }
    levels
}

/// Turns round each run of places that are meant.
fn reverse_runs(order: &mut [usize], is_meant: impl Fn(&usize) -> bool) {
    order.chunk_by_mut(|a, b| is_meant(a) == is_meant(b)).filter(|run| run.first().is_some_and(&is_meant)).for_each(<[usize]>::reverse);
}

fn mirrored(letter: char) -> char {
    let other = |&(left, right): &(char, char)| if letter == left { Some(right) } else { (letter == right).then_some(left) };
    MIRRORED.iter().find_map(other).unwrap_or(letter)
}

/// Whether a letter is of a script that egui shapes from right to left.
fn is_turned(letter: char) -> bool {
    matches!(
        u32::from(letter),
        0x0590..=0x08ff | 0xfb1d..=0xfdff | 0xfe70..=0xfefc | 0x1_0800..=0x1_0fff | 0x1_e800..=0x1_efff
    )
}

fn class_of(letter: char) -> Class {
    match u32::from(letter) {
        // Arabic digits run from left to right as all digits do.
        0x0660..=0x0669 | 0x06f0..=0x06f9 => Class::Number,
        _ if is_turned(letter) => Class::Right,
        _ if letter.is_numeric() => Class::Number,
        _ if letter.is_alphabetic() => Class::Left,
        _ => Class::Neutral,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With capitals for Hebrew letters, as the annex writes its examples.
    fn seen(text: &str) -> String {
        let hebrew =
            |letter: char| if letter.is_ascii_uppercase() { char::from_u32(0x5d0 + u32::from(letter) - 65).unwrap() } else { letter };
        let latin = |letter: char| match u32::from(letter) {
            code @ 0x5d0..=0x5e9 => char::from_u32(code - 0x5d0 + 65).unwrap(),
            _ => letter,
        };
        let text: String = text.chars().map(hebrew).collect();
        as_seen(&text).chars().map(latin).collect()
    }

    #[test]
    fn words_come_as_they_are_seen_and_letters_as_they_are_read() {
        for (text, expected) in [
            ("plain words (1999)", "plain words (1999)"),
            ("ABC", "ABC"),
            ("ABC DEF", "DEF ABC"),
            ("ABC DEF GHI", "GHI DEF ABC"),
            ("song ABC DEF live", "song DEF ABC live"),
            ("ABC feat. artist two", "feat. artist two ABC"),
            ("ABC (live)", "(live) ABC"),
            ("ABC (DEF)", "(DEF) ABC"),
            ("ABC 1999", "1999 ABC"),
            ("ABC 12-34 DEF", "DEF 12-34 ABC"),
            ("ABC 12 - 34", "34 - 12 ABC"),
            ("01 ABC", "ABC 01"),
            ("a/ABC DEF.ogg", "a/DEF ABC.ogg"),
            ("ABC!", "!ABC"),
        ] {
            assert_eq!(seen(text), expected, "{text}");
        }
        assert!(matches!(as_seen("any other text, 日本語 and all"), Cow::Borrowed(_)));
        // Digits of the script are turned round with it: 1964 is given as 4691.
        assert_eq!(as_seen("سنة ١٩٦٤"), "٤٦٩١ سنة");
    }

    #[test]
    fn nothing_is_lost_and_twice_is_not_asked_for() {
        let text = "אבג (דה) x 12, שלום world!";
        let sorted = |text: &str| {
            let mut letters: Vec<char> = text.chars().collect();
            letters.sort_unstable();
            letters
        };
        assert_eq!(sorted(&as_seen(text)).len(), sorted(text).len());
        assert_eq!(sorted(&as_seen(text)), sorted(text));
    }
}
