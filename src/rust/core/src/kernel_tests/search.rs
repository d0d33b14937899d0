//! The most similar rows, and k-means.

use candle_core::{Device, Tensor};
use ndarray::Array2;

use super::{numbers, values, with_kernels, BOTH};
use crate::cluster::{kmeans, kmeans_on, KMeansSettings};
use crate::gpu::emulated::{with, Order};
use crate::graph::inner_product_neighbours;
use crate::systems::spacross::hybrid::most_similar;

#[test]
fn nearest_by_inner_product() {
    for (n, d, k) in [(300, 16, 19), (131, 3, 1), (129, 32, 63), (20, 5, 19)] {
        let unit = |seed: u32| {
            let mut x = numbers(seed, n * d);
            crate::systems::spacross::hybrid::normalise_rows(&mut x, d);
            // Some rows are equal: ties go to the lower index.
            x.copy_within(0..d, 7 * d);
            x.copy_within(0..d, (n - 1) * d);
            Array2::from_shape_vec((n, d), x).unwrap()
        };
        let (queries, items) = (unit(1), unit(2));
        let near = inner_product_neighbours(queries.view(), items.view(), k, true, 1).unwrap();
        let placed = |x: &Array2<f32>| {
            Tensor::from_slice(x.as_slice().unwrap(), (n, d), &Device::Cpu).unwrap()
        };
        let (scores, ids) = with(Order::Forwards, || {
            let kernels = with_kernels().unwrap();
            most_similar(&kernels, &placed(&queries), &placed(&items), k).unwrap()
        });
        let ids = ids.to_vec().unwrap();
        for (query, (ids, scores)) in ids.chunks(k).zip(values(&scores).chunks(k)).enumerate() {
            let exact = |&i: &u32| -> f64 {
                let pairs = queries.row(query).into_iter().zip(items.row(i as usize));
                pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let expected = near.row(query);
            for (e, (id, theirs)) in ids.iter().zip(expected).enumerate() {
                assert!(*id as usize != query);
                assert!((f64::from(scores[e]) - exact(id)).abs() < 1e-5);
                assert!(
                    id == theirs || (exact(id) - exact(theirs)).abs() < 1e-6,
                    "{query}: {id} {theirs}"
                );
            }
            let ties = scores.windows(2).zip(ids.windows(2));
            assert!(ties
                .into_iter()
                .all(|(s, i)| s[0] > s[1] || (s[0] == s[1] && i[0] < i[1])));
        }
    }
}

#[test]
fn lloyds_iterations() {
    for (n, d, k) in [(517, 16, 7), (300, 2, 1), (40, 3, 40)] {
        let x = Array2::from_shape_vec((n, d), numbers(1, n * d)).unwrap();
        let settings = KMeansSettings {
            starts: 1,
            seed: 3,
            ..KMeansSettings::default()
        };
        let theirs = kmeans(x.view(), k, &settings).unwrap();
        for order in BOTH {
            let ours = with(order, || {
                kmeans_on(&with_kernels().unwrap(), x.view(), k, &settings).unwrap()
            });
            assert_eq!(ours.labels, theirs.labels);
            assert!((ours.inertia - theirs.inertia).abs() <= 1e-6 * theirs.inertia);
        }
    }
}
