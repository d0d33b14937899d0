//! How well one slice lies on another.

use super::grid::median_of_sorted;
use super::icp::Target;

/// Distances of a slice's spots to the nearest spots of another, in units of the coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// Mean distance to the nearest spot.
    pub mean: f64,
    /// Median distance to the nearest spot.
    pub median: f64,
    /// The fraction of spots with a spot of the other slice within `reach`.
    pub overlap: f64,
}

impl Residual {
    /// With distances in this unit.
    pub(super) fn over(self, unit: f64) -> Self {
        Self {
            mean: self.mean / unit,
            median: self.median / unit,
            ..self
        }
    }
}

/// Of `points` to `target`.
pub fn residual(points: &[[f64; 2]], target: &Target, reach: f64) -> Residual {
    let mut distances: Vec<f64> = target.nearest(points).iter().map(|n| n.0).collect();
    distances.sort_unstable_by(f64::total_cmp);
    let n = distances.len().max(1) as f64;
    Residual {
        mean: distances.iter().sum::<f64>() / n,
        median: median_of_sorted(&distances),
        overlap: distances.partition_point(|&d| d <= reach) as f64 / n,
    }
}
