//! The launches of the kernels, made by build.rs from `cuda/*.cu`: a struct a kernel, with the kernel's parameters as
//! fields. Its `launch` fails where a buffer is of another type or on another device, or holds less than the kernel
//! states that it touches.

use candle_core::Result;

use super::call::{parts_of, plus, times, Call, Grid};
use super::lists::{List, LongStarts, PartialList, Starts};
use super::structs::{Dropout, Pairs, Table};
use super::values::{Overwrite, Read};
use super::Kernels;

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

#[cfg(all(test, feature = "emulate"))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use candle_core::{Device, Tensor};

    use super::*;
    use crate::gpu::emulated::{launches_here, with, Order};

    /// What a launch says, and whether the kernel ran.
    fn tried(launch: impl FnOnce(&Kernels) -> Result<()>) -> (String, bool) {
        with(Order::Forwards, || {
            let kernels = Kernels::of(&Device::Cpu).unwrap().unwrap();
            let before = launches_here();
            let said = launch(&kernels).map_or_else(|e| e.to_string(), |()| String::new());
            (said, launches_here() > before)
        })
    }

    fn ones(n: usize) -> Tensor {
        Tensor::ones(n, candle_core::DType::F32, &Device::Cpu).unwrap()
    }

    fn gathered(list: &[u32], bound: usize, [x, out]: [usize; 2]) -> (String, bool) {
        tried(|kernels| {
            let list = List::new(list, bound, &Device::Cpu)?;
            Gather {
                x: &ones(x),
                token: None,
                rows: &list,
                out: &mut kernels.floats(out)?,
                n: 3,
                width: 2,
            }
            .launch(kernels)
        })
    }

    #[test]
    fn a_buffer_that_is_too_small_is_an_error() {
        assert_eq!(gathered(&[4, 0, 1], 5, [10, 6]).0, "");
        let (said, ran) = gathered(&[4, 0, 1], 5, [10, 5]);
        assert_eq!(said, "gather, out: 5 values, but 6 are needed");
        // The list may name row 4.
        let (small, ran_small) = gathered(&[0, 0, 1], 5, [8, 6]);
        assert_eq!(small, "gather, x: 8 values, but 10 are needed");
        let (short, ran_short) = gathered(&[4, 0], 5, [10, 6]);
        assert_eq!(short, "gather, rows: 2 values, but 3 are needed");
        let (beyond, _) = gathered(&[5, 0, 1], 5, [10, 6]);
        assert!(beyond.contains("out of bounds"), "{beyond}");
        assert!(!ran && !ran_small && !ran_short);
    }

    #[test]
    fn numbers_that_do_not_fit_are_an_error() {
        let scaled = |values: usize, n: usize| {
            tried(|kernels| {
                WeighColumns {
                    v: &ones(values),
                    weights: &ones(2),
                    out: &mut kernels.floats(values)?,
                    n: values,
                    p: n,
                }
                .launch(kernels)
            })
        };
        assert_eq!(scaled(4, 2).0, "");
        assert!(scaled(4, 0).0.contains("1 <= p does not hold"));
        // A product that would wrap to a small number.
        let (said, _) = tried(|kernels| {
            SumParts {
                parts: &kernels.doubles(4)?,
                out: &mut kernels.floats(4)?,
                n_parts: usize::MAX,
                width: 4,
            }
            .launch(kernels)
        });
        assert!(said.starts_with("sum_parts, parts: 4 values"), "{said}");
    }

    #[test]
    fn a_tensor_of_another_type_or_layout_is_an_error() {
        let scaled = |x: &Tensor| {
            tried(|kernels| {
                UnitRows {
                    x,
                    out: &mut kernels.floats((2, 2))?,
                    n: 2,
                    d: 2,
                }
                .launch(kernels)
            })
            .0
        };
        let x = ones(4).reshape((2, 2)).unwrap();
        assert_eq!(scaled(&x), "");
        let doubles = x.to_dtype(candle_core::DType::F64).unwrap();
        // With RUST_BACKTRACE candle adds where it was.
        assert!(scaled(&doubles).starts_with("unit_rows, x: F64 where F32 is wanted"));
        assert!(scaled(&x.t().unwrap()).contains("contiguous"));
    }

    /// Fours are read at once, so they start at a multiple of sixteen bytes.
    #[test]
    fn fours_are_aligned() {
        let (said, ran) = tried(|kernels| {
            Spmm4 {
                starts: &LongStarts::new(&[0, 1], &Device::Cpu)?,
                columns: &List::new(&[0], 1, &Device::Cpu)?,
                values: &ones(1),
                x: &ones(8).narrow(0, 1, 4)?,
                offset: None,
                slices: None,
                out: &mut kernels.floats((1, 4))?,
                rows: 1,
                quads: 1,
            }
            .launch(kernels)
        });
        assert!(said.contains("a multiple of 16") && !ran, "{said}");
    }
}
