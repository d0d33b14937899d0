//! Turns, shifts, and where asked for mirrors and scales, of the plane.

use nalgebra::{Matrix2, Vector2};

/// `p` goes to `scale * turn * p + shift`, `turn` orthogonal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform {
    turn: Matrix2<f64>,
    scale: f64,
    shift: Vector2<f64>,
}

impl Transform {
    /// What leaves every point where it is.
    pub fn identity() -> Self {
        Self {
            turn: Matrix2::identity(),
            scale: 1.0,
            shift: Vector2::zeros(),
        }
    }

    /// A turn by `angle` radians, from x towards y, about the origin.
    pub fn rotation(angle: f64) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self {
            turn: Matrix2::new(cos, -sin, sin, cos),
            ..Self::identity()
        }
    }

    /// x to -x.
    pub fn mirror() -> Self {
        Self {
            turn: Matrix2::new(-1.0, 0.0, 0.0, 1.0),
            ..Self::identity()
        }
    }

    /// A shift alone.
    pub fn translation(shift: [f64; 2]) -> Self {
        Self {
            shift: shift.into(),
            ..Self::identity()
        }
    }

    /// Lengths times `scale`, about the origin.
    pub fn scaling(scale: f64) -> Self {
        Self {
            scale,
            ..Self::identity()
        }
    }

    /// From an orthogonal matrix by rows, a scale and a shift.
    pub fn from_parts(turn: [[f64; 2]; 2], scale: f64, shift: [f64; 2]) -> Self {
        let [[a, b], [c, d]] = turn;
        Self {
            turn: Matrix2::new(a, b, c, d),
            scale,
            shift: shift.into(),
        }
    }

    /// First this, then `next`.
    pub fn then(&self, next: &Self) -> Self {
        Self {
            turn: next.turn * self.turn,
            scale: next.scale * self.scale,
            shift: next.turn * self.shift * next.scale + next.shift,
        }
    }

    /// The way back.
    pub fn inverse(&self) -> Self {
        let turn = self.turn.transpose();
        Self {
            turn,
            scale: 1.0 / self.scale,
            shift: -(turn * self.shift) / self.scale,
        }
    }

    /// The place of one point.
    pub fn apply(&self, point: &[f64; 2]) -> [f64; 2] {
        let moved = self.turn * Vector2::from(*point) * self.scale + self.shift;
        [moved.x, moved.y]
    }

    /// The places of many points.
    pub fn apply_all(&self, points: &[[f64; 2]]) -> Vec<[f64; 2]> {
        points.iter().map(|p| self.apply(p)).collect()
    }

    /// Whether it turns the plane over.
    pub fn mirrored(&self) -> bool {
        self.turn.determinant() < 0.0
    }

    /// The turn in radians, within (-pi, pi]; of a mirror, the turn after x went to -x.
    pub fn angle(&self) -> f64 {
        let sign = if self.mirrored() { -1.0 } else { 1.0 };
        (sign * self.turn[(1, 0)]).atan2(sign * self.turn[(0, 0)])
    }

    /// How much longer distances become.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// What is added after turn and scale.
    pub fn shift(&self) -> [f64; 2] {
        [self.shift.x, self.shift.y]
    }

    /// The orthogonal matrix, by rows.
    pub fn turn(&self) -> [[f64; 2]; 2] {
        let t = &self.turn;
        [[t[(0, 0)], t[(0, 1)]], [t[(1, 0)], t[(1, 1)]]]
    }
}

/// The mean of the points; the origin if there are none.
pub(crate) fn centroid(points: &[[f64; 2]]) -> [f64; 2] {
    let n = points.len().max(1) as f64;
    let sum = points
        .iter()
        .fold([0.0; 2], |s, p| [s[0] + p[0], s[1] + p[1]]);
    [sum[0] / n, sum[1] / n]
}

/// The turn and shift that bring `from[i]` closest to `to[i]` in the weighted mean square: Kabsch's solution, by the
/// singular vectors of the centred cross-covariance, the last one turned where they would mirror. All weights 1 if none
/// are given. Points in one place give a shift alone.
pub fn best_fit(from: &[[f64; 2]], to: &[[f64; 2]], weights: Option<&[f64]>) -> Transform {
    let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
    let n = from.len().min(to.len());
    let total: f64 = (0..n).map(weight).sum();
    if !(total.is_finite() && total > 0.0) {
        return Transform::identity();
    }
    let mean = |points: &[[f64; 2]]| -> Vector2<f64> {
        let sum = (0..n).fold(Vector2::zeros(), |s, i| {
            s + Vector2::from(points[i]) * weight(i)
        });
        sum / total
    };
    let (centre, goal) = (mean(from), mean(to));
    let covariance = (0..n).fold(Matrix2::zeros(), |c: Matrix2<f64>, i| {
        let (a, b) = (Vector2::from(from[i]) - centre, Vector2::from(to[i]) - goal);
        c + b * a.transpose() * weight(i)
    });
    let turn = nearest_turn(covariance);
    Transform {
        turn,
        scale: 1.0,
        shift: goal - turn * centre,
    }
}

/// The turn R that makes trace(R' C) largest.
fn nearest_turn(covariance: Matrix2<f64>) -> Matrix2<f64> {
    let svd = covariance.svd(true, true);
    let (Some(mut u), Some(vt)) = (svd.u, svd.v_t) else {
        return Matrix2::identity();
    };
    if svd.singular_values[0] <= 0.0 || svd.singular_values[0].is_nan() {
        return Matrix2::identity();
    }
    if (u * vt).determinant() < 0.0 {
        let last = if svd.singular_values[1] <= svd.singular_values[0] {
            1
        } else {
            0
        };
        u.column_mut(last).neg_mut();
    }
    u * vt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: [f64; 2], b: [f64; 2]) {
        assert!(
            (a[0] - b[0]).abs() < 1e-10 && (a[1] - b[1]).abs() < 1e-10,
            "{a:?} {b:?}"
        );
    }

    fn any() -> Transform {
        Transform::mirror()
            .then(&Transform::rotation(2.5))
            .then(&Transform::scaling(0.4))
            .then(&Transform::translation([3.0, -8.0]))
    }

    #[test]
    fn parts_are_read_back() {
        let t = any();
        assert!(t.mirrored());
        assert!((t.angle() - 2.5).abs() < 1e-12);
        assert!((t.scale() - 0.4).abs() < 1e-12);
        assert_eq!(t.shift(), [3.0, -8.0]);
    }

    #[test]
    fn parts_make_the_whole() {
        let t = any();
        assert_eq!(Transform::from_parts(t.turn(), t.scale(), t.shift()), t);
    }

    #[test]
    fn the_inverse_undoes_and_then_chains() {
        let (t, p) = (any(), [1.7, -0.3]);
        near(t.inverse().apply(&t.apply(&p)), p);
        let next = Transform::rotation(-1.0).then(&Transform::translation([1.0, 1.0]));
        near(t.then(&next).apply(&p), next.apply(&t.apply(&p)));
    }

    #[test]
    fn best_fit_finds_the_turn_and_never_mirrors() {
        let from = [[0.0, 0.0], [2.0, 0.0], [0.0, 1.0], [3.0, 4.0]];
        let turn = Transform::rotation(-2.0).then(&Transform::translation([5.0, 6.0]));
        let found = best_fit(&from, &turn.apply_all(&from), None);
        assert!((found.angle() + 2.0).abs() < 1e-12);
        near(found.shift(), [5.0, 6.0]);
        let flipped = Transform::mirror().apply_all(&from);
        assert!(!best_fit(&from, &flipped, None).mirrored());
    }

    #[test]
    fn weights_count() {
        let from = [[0.0, 0.0], [1.0, 0.0], [7.0, 7.0]];
        let turn = Transform::rotation(0.7);
        let mut to = turn.apply_all(&from);
        to[2] = [-50.0, 3.0];
        let found = best_fit(&from, &to, Some(&[1.0, 2.0, 0.0]));
        assert!((found.angle() - 0.7).abs() < 1e-12);
    }

    #[test]
    fn degenerate_points_give_finite_transforms() {
        let line: Vec<[f64; 2]> = (0..5).map(|i| [f64::from(i), 2.0 * f64::from(i)]).collect();
        let up: Vec<[f64; 2]> = (0..5).map(|i| [0.0, 5f64.sqrt() * f64::from(i)]).collect();
        let found = best_fit(&line, &up, None);
        assert!(!found.mirrored());
        near(found.apply(&line[4]), up[4]);
        let same = [[1.0, 1.0]; 4];
        near(
            best_fit(&same, &[[2.0, 3.0]; 4], None).apply(&[1.0, 1.0]),
            [2.0, 3.0],
        );
        assert_eq!(best_fit(&[], &[], None), Transform::identity());
    }
}
