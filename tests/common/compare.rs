//! Comparing arrays of numbers: the largest absolute difference, and where it is.

/// How far two arrays are apart.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    pub largest: f32,
    pub position: usize,
}

/// The largest absolute difference; an error if the lengths differ or a value is not a number.
pub fn largest_difference(found: &[f32], expected: &[f32]) -> Result<Difference, String> {
    if found.len() != expected.len() {
        return Err(format!("{} values, not {}", found.len(), expected.len()));
    }
    let mut difference = Difference { largest: 0.0, position: 0 };
    for (position, (a, b)) in found.iter().zip(expected).enumerate() {
        let apart = (a - b).abs();
        if !apart.is_finite() {
            return Err(format!("{a} where {b} is expected, at {position}"));
        }
        if apart > difference.largest {
            difference = Difference { largest: apart, position };
        }
    }
    Ok(difference)
}

/// Fails, naming `what`, unless all values are within `tolerance`. An empty comparison fails as well: it shows nothing.
pub fn check_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) -> Result<Difference, String> {
    if expected.is_empty() {
        return Err(format!("{what}: nothing to compare"));
    }
    let difference = largest_difference(found, expected).map_err(|reason| format!("{what}: {reason}"))?;
    if difference.largest <= tolerance {
        return Ok(difference);
    }
    let at = difference.position;
    Err(format!("{what}: {} where {} is expected, at {at}: {} apart, {tolerance} allowed", found[at], expected[at], difference.largest))
}

#[test]
fn the_comparer_rejects_what_is_too_far_or_cannot_be_compared() {
    assert!(check_close("same", &[1.0, 2.0], &[1.0, 2.0005], 1e-3).is_ok());
    let error = check_close("layer", &[1.0, 2.0], &[1.0, 2.1], 1e-3).unwrap_err();
    assert!(error.starts_with("layer: 2 where 2.1 is expected, at 1"), "{error}");
    assert!(check_close("shorter", &[1.0], &[1.0, 2.0], 1.0).is_err());
    assert!(check_close("nan", &[f32::NAN], &[1.0], 1.0).is_err());
    assert!(check_close("both nan", &[f32::NAN], &[f32::NAN], 1.0).is_err());
    assert!(check_close("empty", &[], &[], 1.0).is_err());
}
