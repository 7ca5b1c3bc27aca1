//! Names that may have been meant by one that is not there.

/// Names that contain what was typed, or are at most two letters from it.
pub(super) fn near_names<'a>(typed: &str, names: &'a [String]) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let is_near = |name: &str| {
        let name = name.to_lowercase();
        let is_part = typed.len() > 2 && (name.contains(&typed) || typed.contains(&name));
        is_part || edits(&typed, &name) <= 2.min(typed.chars().count() / 2)
    };
    names.iter().map(String::as_str).filter(|name| is_near(name)).collect()
}

/// Letters to put in, take out or exchange (Levenshtein 1966).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (&to, above) in b.iter().zip(&mut row[1..]) {
            let cost = (corner + usize::from(from != to)).min(left + 1).min(*above + 1);
            corner = std::mem::replace(above, cost);
            left = cost;
        }
        row[0] = i + 1;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_near_a_typed_one_are_found() {
        let names = ["guitar", "classical", "Hip-Hop", "female vocal", "80s"].map(str::to_owned);
        assert_eq!(near_names("giutar", &names), ["guitar"]);
        assert_eq!(near_names("hip hop", &names), ["Hip-Hop"]);
        assert_eq!(near_names("vocal", &names), ["female vocal"]);
        assert!(near_names("polka", &names).is_empty());
        assert_eq!((edits("kitten", "sitting"), edits("", "abc"), edits("abc", "")), (3, 3, 3));
    }
}
