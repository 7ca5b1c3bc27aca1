//! Eigenvectors of a symmetric matrix, in `f64`, in an order and with signs that do not depend on how they were found.

use nalgebra::{DMatrix, SymmetricEigen};

/// Rotations allowed for each eigenvalue; a few are usual.
const ITERATIONS_PER_VALUE: usize = 1000;

/// Eigenvalues of the symmetric `[dims, dims]` matrix, descending, and `[dims, dims]` eigenvectors of length 1 in rows. Nothing if
/// the iteration does not end.
///
/// The sign is the one that makes the loading of largest magnitude positive, as in scikit-learn; of loadings that are equal but for
/// rounding, the first one's.
pub(super) fn symmetric_eigen(matrix: &[f64], dims: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let largest = matrix.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    let scaled = DMatrix::from_row_iterator(dims, dims, matrix.iter().map(|value| value / unit));
    let solved = SymmetricEigen::try_new(scaled, f64::EPSILON, ITERATIONS_PER_VALUE * dims)?;
    let mut order: Vec<usize> = (0..dims).collect();
    order.sort_by(|&a, &b| solved.eigenvalues[b].total_cmp(&solved.eigenvalues[a]).then(a.cmp(&b)));
    let values = order.iter().map(|&at| solved.eigenvalues[at] * unit).collect();
    let mut vectors = Vec::with_capacity(dims * dims);
    for at in order {
        let vector = solved.eigenvectors.column(at);
        let largest = vector.iter().fold(0.0, |largest: f64, loading| largest.max(loading.abs()));
        let leading = vector.iter().find(|loading| loading.abs() >= largest * (1.0 - 1e-6)).copied().unwrap_or(1.0);
        vectors.extend(vector.iter().map(|loading| loading * leading.signum()));
    }
    Some((values, vectors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_matrix_has_its_known_eigenvectors() {
        let (values, vectors) = symmetric_eigen(&[2.0, -1.0, -1.0, 2.0], 2).unwrap();
        let half = 0.5f64.sqrt();
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close(&values, &[3.0, 1.0]) && close(&vectors, &[half, -half, half, half]), "{values:?} {vectors:?}");
    }

    #[test]
    fn a_matrix_of_zeros_has_an_orthonormal_basis_all_the_same() {
        let (values, vectors) = symmetric_eigen(&[0.0; 9], 3).unwrap();
        assert_eq!(values, [0.0; 3]);
        let dot = |a: usize, b: usize| (0..3).map(|i| vectors[a * 3 + i] * vectors[b * 3 + i]).sum::<f64>();
        assert!((0..9).all(|at| (dot(at / 3, at % 3) - f64::from(u8::from(at / 3 == at % 3))).abs() < 1e-12));
    }
}
