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
