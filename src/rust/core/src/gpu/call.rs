//! One call of a kernel: its arguments, checked and in order, then its threads.

use std::ffi::c_void;

use candle_core::{bail, Result};

use super::kernel::{BLOCK, GROUP, LANES};
use super::values::{Overwrite, Read, Span};
use super::Kernels;

/// Arguments as the device takes them: each from the start of a word of eight bytes.
#[derive(Default)]
pub(crate) struct Arguments {
    words: Vec<u64>,
    /// First word, and size in bytes.
    places: Vec<(usize, u32)>,
}

impl Arguments {
    fn push(&mut self, words: &[u64], bytes: u32) {
        self.places.push((self.words.len(), bytes));
        self.words.extend_from_slice(words);
    }

    pub(super) fn pointers(&self) -> Vec<*mut c_void> {
        let place = |&(at, _): &(usize, u32)| std::ptr::from_ref(&self.words[at]) as *mut c_void;
        self.places.iter().map(place).collect()
    }

    #[cfg(feature = "emulate")]
    pub(super) fn sizes(&self) -> Vec<u32> {
        self.places.iter().map(|&(_, bytes)| bytes).collect()
    }
}

// Sizes stop at the largest number, which no buffer holds, instead of wrapping to a small one.

pub(super) fn plus(a: usize, b: usize) -> usize {
    a.saturating_add(b)
}

pub(super) fn times(a: usize, b: usize) -> usize {
    a.saturating_mul(b)
}

/// ceil(a / b)
pub(super) fn parts_of(a: usize, b: usize) -> usize {
    match b {
        0 => usize::MAX,
        _ => a.div_ceil(b),
    }
}

/// The blocks of a launch, and the threads of a block.
pub(super) struct Grid {
    blocks: [usize; 2],
    threads: [usize; 2],
}

impl Grid {
    /// A thread for each of `n` values.
    pub fn threads(n: usize) -> Self {
        Self::blocks(n.div_ceil(BLOCK), 1)
    }

    /// `n` blocks of as many threads as a block has, `y` times.
    pub fn blocks(n: usize, y: usize) -> Self {
        Self {
            blocks: [n, y],
            threads: [BLOCK, 1],
        }
    }

    /// Threads for `n` rows and their columns.
    pub fn rows(n: usize, columns: usize) -> Self {
        let Self { blocks, threads } = Self::long_rows(n, columns);
        Self {
            blocks: [blocks[0].div_ceil(threads[1]), 1],
            threads,
        }
    }

    /// A block for each of `n` rows: columns in x, parts of the row in y.
    pub fn long_rows(n: usize, columns: usize) -> Self {
        let x = columns.clamp(1, BLOCK);
        Self {
            blocks: [n, 1],
            threads: [x, BLOCK / x],
        }
    }

    /// `n` blocks of 32 rows (or of a chunk of rows), for each group of columns.
    pub fn groups(n: usize, columns: usize) -> Self {
        Self {
            blocks: [n, columns.div_ceil(GROUP)],
            threads: [LANES, BLOCK / LANES],
        }
    }

    /// `n` blocks of `threads` threads.
    pub fn tiles(n: usize, threads: usize) -> Self {
        Self {
            blocks: [n, 1],
            threads: [threads, 1],
        }
    }
}

/// A kernel and its arguments so far, in the order of its parameters.
pub(super) struct Call<'a> {
    kernels: &'a Kernels,
    kernel: &'static str,
    arguments: Arguments,
}

impl<'a> Call<'a> {
    pub fn new(kernels: &'a Kernels, kernel: &'static str) -> Self {
        Self {
            kernels,
            kernel,
            arguments: Arguments::default(),
        }
    }

    /// What must hold of the arguments.
    pub fn need(&self, what: &str, holds: bool) -> Result<()> {
        match holds {
            true => Ok(()),
            false => bail!("{}: {what} does not hold", self.kernel),
        }
    }

    /// Values that the kernel reads: so many, at least.
    pub fn input<T>(
        &mut self,
        name: &str,
        values: &(impl Read<T> + ?Sized),
        needed: usize,
    ) -> Result<()> {
        self.span(name, values.span(), needed)
    }

    /// The same, read by fours.
    pub fn input_by_fours(&mut self, name: &str, values: &dyn Read<f32>, n: usize) -> Result<()> {
        self.span_of_fours(name, values.span(), n)
    }

    /// Values that the kernel writes, or changes in place.
    pub fn output<T>(
        &mut self,
        name: &str,
        values: &mut dyn Overwrite<T>,
        needed: usize,
    ) -> Result<()> {
        self.span(name, values.span_mut(), needed)
    }

    /// The same, written by fours.
    pub fn output_by_fours(
        &mut self,
        name: &str,
        values: &mut dyn Overwrite<f32>,
        n: usize,
    ) -> Result<()> {
        self.span_of_fours(name, values.span_mut(), n)
    }

    /// What is not there.
    pub fn null(&mut self) {
        self.arguments.push(&[0], 8);
    }

    pub fn u32(&mut self, value: usize) -> Result<()> {
        match u32::try_from(value) {
            Ok(value) => self.arguments.push(&[value.into()], 4),
            Err(_) => bail!("{}: {value} is too large for a kernel", self.kernel),
        }
        Ok(())
    }

    pub fn u64(&mut self, value: usize) {
        self.arguments.push(&[value as u64], 8);
    }

    pub fn f32(&mut self, value: f32) {
        self.arguments.push(&[value.to_bits().into()], 4);
    }

    pub fn f64(&mut self, value: f64) {
        self.arguments.push(&[value.to_bits()], 8);
    }

    /// A struct by value.
    pub fn words(&mut self, words: &[u64]) {
        self.arguments.push(words, 8 * words.len() as u32);
    }

    fn span(&mut self, name: &str, span: Result<Span>, needed: usize) -> Result<()> {
        let wrong =
            |why: String| candle_core::Error::Msg(format!("{}, {name}: {why}", self.kernel));
        let span = span.map_err(|e| wrong(e.to_string()))?;
        if span.len < needed {
            return Err(wrong(format!(
                "{} values, but {needed} are needed",
                span.len
            )));
        }
        if span.location != self.kernels.device.location() {
            return Err(wrong("on another device".into()));
        }
        self.arguments.push(&[span.address], 8);
        Ok(())
    }

    fn span_of_fours(&mut self, name: &str, span: Result<Span>, n: usize) -> Result<()> {
        let aligned = span.as_ref().map_or(true, |span| span.address % 16 == 0);
        self.need("an address that is a multiple of 16", aligned)?;
        self.span(name, span, times(4, n))
    }

    /// Launches the kernel.
    ///
    /// # Safety
    /// The arguments are those of the kernel, and every buffer holds what it touches.
    pub unsafe fn launch(self, grid: Grid) -> Result<()> {
        if grid.blocks.contains(&0) {
            return Ok(());
        }
        let [Ok(x @ ..=0x7fff_ffff), Ok(y @ ..=0xffff)] = grid.blocks.map(u32::try_from) else {
            bail!("{}: too many blocks", self.kernel);
        };
        let threads = grid.threads.map(|t| t as u32);
        let runner = &self.kernels.runner;
        runner.launch(self.kernel, [x, y], threads, &self.arguments)
    }
}
