//! One launch of a kernel: its arguments in order, then its threads.

use std::ffi::c_void;

use candle_core::{Result, Tensor};

use super::buffer::address_of;
use super::{Buffer, Kernels};

/// Threads of a block that sums, and of one over single values.
const BLOCK: u32 = 256;
/// Columns of a group (dropout's blocks of random numbers), and lanes of it.
const GROUP: usize = 64;
const LANES: u32 = 8;

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

/// The arguments of a kernel, in the order of its parameters.
#[must_use]
pub struct Launch<'a> {
    kernels: &'a Kernels,
    name: &'static str,
    arguments: Result<Arguments>,
}

impl<'a> Launch<'a> {
    pub(super) fn new(kernels: &'a Kernels, name: &'static str) -> Self {
        Self {
            kernels,
            name,
            arguments: Ok(Arguments::default()),
        }
    }

    fn word(mut self, word: u64, bytes: u32) -> Self {
        if let Ok(arguments) = &mut self.arguments {
            arguments.push(&[word], bytes);
        }
        self
    }

    fn address(mut self, address: Result<u64>) -> Self {
        match address {
            Ok(address) => self.word(address, 8),
            Err(error) => {
                self.arguments = self.arguments.and(Err(error));
                self
            }
        }
    }

    /// A tensor that the kernel reads, or changes in place.
    pub fn tensor(self, tensor: &Tensor) -> Self {
        self.address(address_of(tensor))
    }

    /// A tensor or a null pointer.
    pub fn optional(self, tensor: Option<&Tensor>) -> Self {
        self.address(tensor.map_or(Ok(0), address_of))
    }

    /// What the kernel writes.
    pub fn output(self, buffer: &Buffer) -> Self {
        self.address(buffer.address())
    }

    pub fn u32(self, value: usize) -> Self {
        match u32::try_from(value) {
            Ok(value) => self.word(value.into(), 4),
            Err(_) => self.address(Err(candle_core::Error::Msg(format!(
                "{value} is too large for a kernel"
            )))),
        }
    }

    pub fn u64(self, value: usize) -> Self {
        self.word(value as u64, 8)
    }

    pub fn f32(self, value: f32) -> Self {
        self.word(value.to_bits().into(), 4)
    }

    pub fn f64(self, value: f64) -> Self {
        self.word(value.to_bits(), 8)
    }

    /// A struct by value, as words.
    pub fn words(mut self, words: &[u64]) -> Self {
        if let Ok(arguments) = &mut self.arguments {
            arguments.push(words, 8 * words.len() as u32);
        }
        self
    }

    fn run(self, grid: [usize; 2], block: [u32; 2]) -> Result<()> {
        let arguments = self.arguments?;
        if grid.contains(&0) {
            return Ok(());
        }
        let [Ok(x @ ..=0x7fff_ffff), Ok(y @ ..=0xffff)] = grid.map(u32::try_from) else {
            return Err(candle_core::Error::Msg(format!(
                "{}: too many blocks",
                self.name
            )));
        };
        // SAFETY: whoever names a kernel gives buffers of the sizes that it states.
        unsafe {
            self.kernels
                .runner
                .launch(self.name, [x, y], block, &arguments)
        }
    }

    /// A thread for each of `n` values.
    pub fn over(self, n: usize) -> Result<()> {
        self.run([n.div_ceil(BLOCK as usize), 1], [BLOCK, 1])
    }

    /// Threads for `n` rows and their columns.
    pub fn over_rows(self, n: usize, columns: usize) -> Result<()> {
        let x = columns.clamp(1, BLOCK as usize) as u32;
        let y = BLOCK / x;
        self.run([n.div_ceil(y as usize), 1], [x, y])
    }

    /// `n` blocks of 256 threads, `y` times.
    pub fn blocks(self, n: usize, y: usize) -> Result<()> {
        self.run([n, y], [BLOCK, 1])
    }

    /// `n` blocks of 32 rows (or of a chunk of rows), for each group of 64 columns of `width`.
    pub fn column_groups(self, n: usize, width: usize) -> Result<()> {
        self.run([n, width.div_ceil(GROUP)], [LANES, BLOCK / LANES])
    }

    /// `n` blocks of `x` by `y` threads.
    pub fn tiles(self, n: usize, x: usize, y: usize) -> Result<()> {
        self.run([n, 1], [x as u32, y as u32])
    }
}
