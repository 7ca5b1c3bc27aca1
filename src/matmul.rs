//! The matrix product of the CPU engine: a safe face for the crate `gemm`, which chooses AVX-512, AVX2, NEON or plain code at run
//! time, so that the default build needs no `target-cpu`.

/// A row-major matrix, or the transpose of one: `values[row * row_stride + column * column_stride]`.
#[derive(Clone, Copy)]
pub struct Operand<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Operand<'a> {
    /// `values` as `[rows, columns]`.
    #[must_use]
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a [{rows}, {columns}] operand");
        Self { values, rows, columns, transposed: false }
    }

    /// The transpose, without moving anything.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    /// Column stride, row stride.
    fn strides(self) -> (isize, isize) {
        if self.transposed { (self.rows as isize, 1) } else { (1, self.columns as isize) }
    }
}

/// `into = left right`, `[left.rows, right.columns]`, row-major, on this thread alone: callers have their own.
pub fn multiply(left: Operand<'_>, right: Operand<'_>, into: &mut [f32]) {
    assert_eq!(left.columns, right.rows, "the inner sizes of a product");
    assert_eq!(into.len(), left.rows * right.columns, "the size of a product");
    let ((left_column, left_row), (right_column, right_row)) = (left.strides(), right.strides());
    // SAFETY: with the strides of `strides`, every element that gemm touches of an operand is below rows * columns, which
    // `Operand::new` and the assertion above hold against the slices' lengths; `into` is borrowed mutably, so it overlaps neither.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            left.rows,
            right.columns,
            left.columns,
            into.as_mut_ptr(),
            1,
            right.columns as isize,
            false,
            left.values.as_ptr(),
            left_column,
            left_row,
            right.values.as_ptr(),
            right_column,
            right_row,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_plain_loops() {
        let (m, k, n) = (5, 37, 19);
        let left: Vec<f32> = (0..m * k).map(|i| (i % 7) as f32 - 3.0).collect();
        let right: Vec<f32> = (0..k * n).map(|i| (i % 5) as f32 - 2.0).collect();
        let plain = |i: usize, j: usize| (0..k).map(|l| left[i * k + l] * right[l * n + j]).sum::<f32>();
        let mut product = vec![f32::NAN; m * n];
        multiply(Operand::new(&left, m, k), Operand::new(&right, k, n), &mut product);
        assert!((0..m * n).all(|at| product[at] == plain(at / n, at % n)));

        let gram = |i: usize, j: usize| (0..m).map(|l| left[l * k + i] * left[l * k + j]).sum::<f32>();
        let mut product = vec![f32::NAN; k * k];
        let operand = Operand::new(&left, m, k);
        multiply(operand.transposed(), operand, &mut product);
        assert!((0..k * k).all(|at| product[at] == gram(at / k, at % k)));
    }
}
