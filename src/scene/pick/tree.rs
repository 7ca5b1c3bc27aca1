//! Picking in a plane that stands still: a k-d tree (Bentley, Multidimensional binary search trees used for associative searching, CACM 1975).
//!
//! Its leaves have equally many rows however these lie: a far outlier, many equal rows or a layout of a few pixels do not slow it down.

use rayon::prelude::*;

use super::aim::{Aim, BESIDE, found, packed};
use crate::catalog::SegmentId;

/// Most rows of a leaf.
const LEAF: usize = 64;
/// Rows from which the two halves of a part are built by two threads.
const PARALLEL: usize = 1 << 14;

/// The rows of a plane, halved along the longer edge again and again. Rows with a coordinate that is not finite are left out.
#[derive(Clone, Debug, Default)]
pub struct PickTree {
    /// Rows, leaf after leaf.
    rows: Vec<u32>,
    /// In preorder: a node, all below its first half, all below its second.
    nodes: Vec<Node>,
}

/// The box around a node's rows, and the first of them.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    min: [f32; 2],
    max: [f32; 2],
    first_row: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: [f32; 2],
    row: u32,
}

/// A part of the tree that is still to be looked at: its nodes and its rows.
#[derive(Clone, Copy)]
struct Part<'a> {
    nodes: &'a [Node],
    rows: &'a [u32],
    bound: u64,
}

impl PickTree {
    /// Sorts these positions.
    #[must_use]
    pub fn new(positions: &[[f32; 3]]) -> Self {
        let entry = |(row, position): (usize, &[f32; 3])| {
            position.iter().all(|value| value.is_finite()).then_some(Entry { at: [position[0], position[1]], row: row as u32 })
        };
        let mut entries: Vec<Entry> = positions.par_iter().enumerate().filter_map(entry).collect();
        if entries.is_empty() {
            return Self::default();
        }
        let leaves = entries.len().div_ceil(LEAF).next_power_of_two();
        let mut nodes = vec![Node::default(); 2 * leaves - 1];
        halve(&mut entries, &mut nodes);
        Self { rows: entries.par_iter().map(|entry| entry.row).collect(), nodes }
    }

    /// All rows that the aim hits, in no order.
    #[must_use]
    pub fn within(&self, aim: &Aim, positions: &[[f32; 3]]) -> Vec<u32> {
        let mut found = Vec::new();
        let mut open: Vec<Part<'_>> = Part::new(aim, &self.nodes, &self.rows).into_iter().collect();
        while let Some(part) = open.pop() {
            let Some((_, below)) = part.nodes.split_first().filter(|(_, below)| !below.is_empty()) else {
                found.extend(part.rows.iter().filter(|&&row| positions.get(row as usize).is_some_and(|&position| aim.is_hit(position))));
                continue;
            };
            let (first, second) = below.split_at(below.len() / 2);
            let (left, right) = part.rows.split_at(part.rows.len() / 2);
            open.extend([Part::new(aim, first, left), Part::new(aim, second, right)].into_iter().flatten());
        }
        found
    }

    /// The same answer as [`super::nearest_on_screen`] for a scene in 2-D whose positions this tree was made of.
    #[must_use]
    pub fn nearest(&self, aim: &Aim, positions: &[[f32; 3]]) -> Option<SegmentId> {
        let whole = Part::new(aim, &self.nodes, &self.rows);
        let mut least = u64::MAX;
        let mut open: Vec<Part<'_>> = whole.into_iter().collect();
        while let Some(part) = open.pop() {
            // A bound is exact, so that a part whose rows are as near, but later ones, is left out as well.
            if part.bound >= least {
                continue;
            }
            let Some((_, below)) = part.nodes.split_first().filter(|(_, below)| !below.is_empty()) else {
                for &row in part.rows {
                    let key = positions.get(row as usize).map_or(u32::MAX, |&position| aim.key(position));
                    least = least.min(packed(key, row));
                }
                continue;
            };
            let (first, second) = below.split_at(below.len() / 2);
            let (left, right) = part.rows.split_at(part.rows.len() / 2);
            let halves = [Part::new(aim, first, left), Part::new(aim, second, right)];
            let is_swapped = matches!(&halves, [Some(one), Some(other)] if one.bound < other.bound);
            let [one, other] = halves;
            // What is pushed last is looked at first.
            open.extend(if is_swapped { [other, one] } else { [one, other] }.into_iter().flatten());
        }
        found(least)
    }
}

impl<'a> Part<'a> {
    /// With the least [`packed`] number that its rows can have; `None` where none of them is within the radius.
    ///
    /// An axis' form grows or falls with the coordinate, and so does its rounding: what the box's corners give bounds what its rows give to the last bit.
    fn new(aim: &Aim, nodes: &'a [Node], rows: &'a [u32]) -> Option<Self> {
        let node = nodes.first()?;
        let [min, max] = [node.min, node.max].map(|[x, y]| aim.forms([x, y, 0.0]));
        let least = |one: f32, other: f32| one.min(other).max(-one.max(other)).max(0.0);
        let (across, down) = (least(min[0], max[0]), least(min[1], max[1]));
        let way2 = across * across + down * down;
        (way2 <= aim.radius2).then(|| Self { nodes, rows, bound: packed(way2.to_bits() | BESIDE, node.first_row) })
    }
}

/// Sorts rows into the tree below `nodes`.
fn halve(entries: &mut [Entry], nodes: &mut [Node]) {
    let Some((node, below)) = nodes.split_first_mut() else { return };
    *node = Node { min: [f32::INFINITY; 2], max: [f32::NEG_INFINITY; 2], first_row: u32::MAX };
    for entry in &*entries {
        for axis in 0..2 {
            node.min[axis] = node.min[axis].min(entry.at[axis]);
            node.max[axis] = node.max[axis].max(entry.at[axis]);
        }
        node.first_row = node.first_row.min(entry.row);
    }
    if below.is_empty() {
        return;
    }
    let axis = usize::from(node.max[1] - node.min[1] > node.max[0] - node.min[0]);
    let middle = entries.len() / 2;
    let is_large = entries.len() >= PARALLEL;
    entries.select_nth_unstable_by(middle, |one, other| one.at[axis].total_cmp(&other.at[axis]));
    let (left, right) = entries.split_at_mut(middle);
    let half = below.len() / 2;
    let (first, second) = below.split_at_mut(half);
    if is_large {
        rayon::join(|| halve(left, first), || halve(right, second));
    } else {
        halve(left, first);
        halve(right, second);
    }
}
