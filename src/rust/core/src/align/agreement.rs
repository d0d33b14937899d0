//! How expression agrees where slices lie on each other.

use ndarray::ArrayView2;

use super::icp::Target;
use super::pair::Side;
use super::transform::Transform;
use crate::Result;

/// How expression agrees where slices lie on each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Of the expression of what lies on each other.
    pub correlation: f64,
    /// The fraction of the source that lies on the target.
    pub share: f64,
}

impl Agreement {
    /// A little less for few spots on others.
    pub(super) fn score(&self) -> f64 {
        self.correlation * self.share.sqrt()
    }
}

/// The correlation of features between spots of the source and the nearest spots of the target within `reach`, over all
/// features as they are, so that the components that vary most count most. None without features.
///
/// # Errors
/// No spots in the target.
pub fn agreement(
    source: Side,
    target: Side,
    transform: &Transform,
    reach: f64,
) -> Result<Option<Agreement>> {
    let (Some(a), Some(b)) = (source.features, target.features) else {
        return Ok(None);
    };
    let near = Target::new(target.spots.to_vec())?.nearest(&transform.apply_all(source.spots));
    let pairs = near.iter().zip(0..).filter(|(n, _)| n.0 <= reach);
    let pairs = pairs.map(|(n, spot)| (spot, n.1));
    Ok(Some(matched(a, b, pairs, near.len())))
}

/// The agreement of these pairs of rows, of `n` spots in all.
pub(super) fn matched(
    a: ArrayView2<f64>,
    b: ArrayView2<f64>,
    pairs: impl Iterator<Item = (u32, u32)>,
    n: usize,
) -> Agreement {
    let (mut product, mut squares_a, mut squares_b, mut count) = (0.0, 0.0, 0.0, 0usize);
    for (spot, other) in pairs {
        count += 1;
        for (x, y) in a.row(spot as usize).iter().zip(b.row(other as usize)) {
            product += x * y;
            squares_a += x * x;
            squares_b += y * y;
        }
    }
    let scale = f64::sqrt(squares_a * squares_b);
    Agreement {
        correlation: if scale > 0.0 { product / scale } else { 0.0 },
        share: count as f64 / n.max(1) as f64,
    }
}
