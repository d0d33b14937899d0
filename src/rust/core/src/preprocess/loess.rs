//! Local quadratic regression of one variable, as `stats::loess` of R and scikit-misc do it.
//!
//! Both fit the local polynomial only at the vertices of a k-d tree and interpolate between them
//! with a cubic that meets value and slope. Gene rankings are published with that interpolation, so
//! it is part of the method.
//! Source: Cleveland & Grosse, "Computational methods for local regression", 1991; `surface =
//! "interpolate"`, `degree = 2`, `cell = 0.2`, `family = "gaussian"`.

use nalgebra::{DMatrix, DVector, Matrix3, Vector3};

/// Cells of the tree hold at most this part of a neighbourhood.
const CELL: f64 = 0.2;
/// The box around the points is wider than they are by this part on either side.
const MARGIN: f64 = 0.005;

/// Smoothed `y` at every `x`, each neighbourhood holding the part `span` of the points. Both of
/// one length, finite; the result is in their order.
pub fn loess(x: &[f64], y: &[f64], span: f64) -> Vec<f64> {
    let n = x.len();
    if n == 0 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let points = Points {
        x: order.iter().map(|&i| x[i]).collect(),
        y: order.iter().map(|&i| y[i]).collect(),
    };
    // A quadratic needs four points for a weight other than 0 on three of them.
    let neighbours = ((n as f64 * span + 1e-5) as usize).clamp(n.min(4), n);
    let vertices: Vec<Vertex> = vertices(&points.x, (n as f64 * span * CELL) as usize)
        .into_iter()
        .map(|at| points.fit(at, neighbours))
        .collect();
    x.iter().map(|&at| interpolate(&vertices, at)).collect()
}

/// Value and slope of the local fit at one place.
struct Vertex {
    at: f64,
    value: f64,
    slope: f64,
}

/// Sorted by `x`.
struct Points {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Points {
    /// The quadratic through the nearest points, weighted by the tricube of their distance.
    fn fit(&self, at: f64, neighbours: usize) -> Vertex {
        let start = self.nearest(at, neighbours);
        let x = &self.x[start..start + neighbours];
        let y = &self.y[start..start + neighbours];
        let reach = (at - x[0]).abs().max((x[neighbours - 1] - at).abs());
        let weights: Vec<f64> = x.iter().map(|&v| tricube((v - at).abs(), reach)).collect();
        let design = DMatrix::from_fn(neighbours, 3, |i, j| {
            weights[i] * (x[i] - at).powi(j as i32)
        });
        let response = DVector::from_fn(neighbours, |i, _| weights[i] * y[i]);
        let beta = least_squares(design, response);
        Vertex {
            at,
            value: beta[0],
            slope: beta[1],
        }
    }

    /// First of the `neighbours` points nearest to `at`.
    fn nearest(&self, at: f64, neighbours: usize) -> usize {
        let (mut low, mut high) = (0, self.x.len() - neighbours);
        while low < high {
            let middle = (low + high) / 2;
            if at - self.x[middle] > self.x[middle + neighbours] - at {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Square root of the tricube kernel: the factor of a row of the least-squares problem.
fn tricube(distance: f64, reach: f64) -> f64 {
    if reach <= 0.0 {
        return 1.0;
    }
    (1.0 - (distance / reach).powi(3)).max(0.0).powi(3).sqrt()
}

/// Least squares by QR and a pseudo-inverse of its triangle, columns scaled to length 1.
fn least_squares(mut design: DMatrix<f64>, mut response: DVector<f64>) -> Vector3<f64> {
    // Rows of zeros change nothing, and let QR give a 3 x 3 triangle for fewer than 3 points.
    let missing = 3usize.saturating_sub(response.len());
    design = design.insert_rows(0, missing, 0.0);
    response = response.insert_rows(0, missing, 0.0);
    let mut lengths = Vector3::repeat(1.0);
    for (mut column, length) in design.column_iter_mut().zip(lengths.iter_mut()) {
        let norm = column.norm();
        if norm > 0.0 {
            *length = norm;
            column /= norm;
        }
    }
    let qr = design.qr();
    qr.q_tr_mul(&mut response);
    let triangle = Matrix3::from_fn(|i, j| if i <= j { qr.r()[(i, j)] } else { 0.0 });
    let svd = triangle.svd(true, true);
    let tolerance = svd.singular_values.max() * 100.0 * f64::EPSILON;
    let solution = svd
        .solve(&response.fixed_rows::<3>(0).into_owned(), tolerance)
        .unwrap_or_else(|_| Vector3::zeros());
    solution.component_div(&lengths)
}

/// Ends of the tree's cells, rising. A cell of more than `most` points is cut at its median.
fn vertices(sorted: &[f64], most: usize) -> Vec<f64> {
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    let tiny = 1e-10 * low.abs().max(high.abs()) + 1e-30;
    let margin = MARGIN * (high - low).max(tiny);
    let mut cuts = vec![low - margin, high + margin];
    let mut cells = vec![(0, sorted.len(), low - margin, high + margin)];
    while let Some((start, end, left, right)) = cells.pop() {
        if end - start <= most {
            continue;
        }
        let middle = cut(sorted, start, end);
        let at = sorted[middle];
        if at != left && at != right {
            cuts.push(at);
            cells.push((start, middle + 1, left, at));
            cells.push((middle + 1, end, at, right));
        }
    }
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    cuts
}

/// The point nearest to the median of `start..end` whose right neighbour differs from it, right
/// before left; the median itself when the search leaves the cell.
fn cut(sorted: &[f64], start: usize, end: usize) -> usize {
    let median = start + (end - start - 1) / 2;
    for offset in 0..end - start {
        for place in [median.checked_add(offset), median.checked_sub(offset)] {
            match place {
                Some(p) if p >= start && p + 1 < end => {
                    if sorted[p] != sorted[p + 1] {
                        return p;
                    }
                }
                _ => return median,
            }
        }
    }
    median
}

/// The cubic that meets value and slope at the two vertices around `at`.
fn interpolate(vertices: &[Vertex], at: f64) -> f64 {
    let after = vertices
        .partition_point(|v| v.at < at)
        .clamp(1, vertices.len() - 1);
    let (left, right) = (&vertices[after - 1], &vertices[after]);
    let width = right.at - left.at;
    let h = (at - left.at) / width;
    let back = 1.0 - h;
    back * back * (1.0 + 2.0 * h) * left.value
        + h * h * (3.0 - 2.0 * h) * right.value
        + width * h * back * (back * left.slope - h * right.slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_r() {
        // i <- 0:149; x <- ((i * 53) %% 97) / 10; y <- sin(x) + x / 5 + ((i * i) %% 7) / 10
        // loess(y ~ x, span = 0.3, degree = 2)$fitted[c(1, 2, 51, 76, 101, 150)], R 4.2.2
        let wanted = [
            (0, 0.093346551188),
            (1, 0.445671205408),
            (50, 0.849597010644),
            (75, 2.062748613969),
            (100, 1.360218520991),
            (149, 0.262497441731),
        ];
        let x: Vec<f64> = (0..150).map(|i| ((i * 53) % 97) as f64 / 10.0).collect();
        let noise = |i: usize| ((i * i) % 7) as f64 / 10.0;
        let y = x.iter().enumerate();
        let y: Vec<f64> = y.map(|(i, v)| v.sin() + v / 5.0 + noise(i)).collect();
        let smooth = loess(&x, &y, 0.3);
        for (i, value) in wanted {
            assert!((smooth[i] - value).abs() < 1e-11, "{i}: {}", smooth[i]);
        }
    }

    #[test]
    fn a_parabola_is_its_own_smooth() {
        let x: Vec<f64> = (0..97).map(|i| ((i * 37) % 97) as f64 / 10.0).collect();
        let y: Vec<f64> = x.iter().map(|v| 2.0 - v + 0.5 * v * v).collect();
        let smooth = loess(&x, &y, 0.3);
        assert!(smooth.iter().zip(&y).all(|(s, y)| (s - y).abs() < 1e-10));
    }

    #[test]
    fn few_or_equal_points_give_finite_values() {
        for n in 0..20 {
            let rising: Vec<f64> = (0..n).map(f64::from).collect();
            let y: Vec<f64> = rising.iter().map(|v| v.sin()).collect();
            for x in [
                rising.clone(),
                vec![3.0; rising.len()],
                vec![0.0; rising.len()],
            ] {
                let smooth = loess(&x, &y, 0.3);
                assert_eq!(smooth.len(), y.len());
                assert!(smooth.iter().all(|s| s.is_finite()), "{n}: {smooth:?}");
            }
        }
        let mean = loess(&[3.0; 4], &[1.0, 2.0, 3.0, 6.0], 1.0);
        assert!(mean.iter().all(|m| (m - 3.0).abs() < 1e-12));
    }
}
