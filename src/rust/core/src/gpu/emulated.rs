//! The emulator: the kernels' own sources, compiled for the CPU and run thread by thread (cuda/emulate.cpp). For tests.
//!
//! While it is on in a thread, tensors on the CPU count there as tensors on a device.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void, CString};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

use candle_core::{bail, Result};

use super::call::Arguments;
use super::{Gemm, Runner};

extern "C" {
    fn spax_emulate(
        name: *const c_char,
        grid: *const u32,
        block: *const u32,
        arguments: *mut *mut c_void,
        sizes: *const u32,
        n_arguments: u32,
        reversed: c_int,
    ) -> c_int;
}

static LAUNCHES: AtomicU64 = AtomicU64::new(0);
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

thread_local! {
    static HERE: Cell<u64> = const { Cell::new(0) };
    static MODE: Cell<Option<Order>> = const { Cell::new(None) };
}

/// In which order the threads of a block run between two barriers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the first on.
    Forwards,
    /// From the last on.
    Backwards,
}

/// Whether, and how, this thread emulates.
pub(crate) fn mode() -> Option<Order> {
    MODE.get()
}

/// Runs `work` with the emulator as the device of this thread (and of the pools that it enters).
pub fn with<T>(order: Order, work: impl FnOnce() -> T) -> T {
    within(Some(order), work)
}

pub(crate) fn within<T>(mode: Option<Order>, work: impl FnOnce() -> T) -> T {
    struct Before(Option<Order>);
    impl Drop for Before {
        fn drop(&mut self) {
            MODE.set(self.0);
        }
    }
    let _before = Before(MODE.replace(mode));
    work()
}

/// Kernels launched by this thread: other tests launch theirs meanwhile.
#[cfg(test)]
pub(crate) fn launches_here() -> u64 {
    HERE.get()
}

/// Kernels launched since the process started.
pub fn launches() -> u64 {
    LAUNCHES.load(Ordering::SeqCst)
}

pub(super) struct Emulator;

impl Runner for Emulator {
    unsafe fn launch(
        &self,
        name: &'static str,
        grid: [u32; 2],
        block: [u32; 2],
        arguments: &Arguments,
    ) -> Result<()> {
        let Ok(_alone) = ONE_AT_A_TIME.lock() else {
            bail!("the emulator was left in the middle of a kernel");
        };
        LAUNCHES.fetch_add(1, Ordering::SeqCst);
        HERE.set(HERE.get() + 1);
        let c_name = CString::new(name).map_err(candle_core::Error::wrap)?;
        let (mut pointers, sizes) = (arguments.pointers(), arguments.sizes());
        let reversed = mode() == Some(Order::Backwards);
        let status = spax_emulate(
            c_name.as_ptr(),
            grid.as_ptr(),
            block.as_ptr(),
            pointers.as_mut_ptr(),
            sizes.as_ptr(),
            sizes.len() as u32,
            reversed.into(),
        );
        match status {
            0 => Ok(()),
            1 => bail!("{name}: the emulator does not know this kernel"),
            2 => bail!("{name}: other arguments than the kernel takes"),
            _ => bail!("{name}: some threads wait where others do not"),
        }
    }

    unsafe fn gemm(&self, g: &Gemm) -> Result<()> {
        for part in 0..g.batch {
            let at = |start: u64, step: usize| start as usize + 4 * part * step;
            let a = at(g.a, g.steps[0]) as *const f32;
            let b = at(g.b, g.steps[1]) as *const f32;
            let c = at(g.c, g.steps[2]) as *mut f32;
            for i in 0..g.m {
                for j in 0..g.n {
                    let mut sum = 0f32;
                    for k in 0..g.k {
                        let left = if g.a_transposed {
                            k * g.m + i
                        } else {
                            i * g.k + k
                        };
                        let right = if g.b_transposed {
                            j * g.k + k
                        } else {
                            k * g.n + j
                        };
                        sum += *a.add(left) * *b.add(right);
                    }
                    let out = c.add(i * g.n + j);
                    // What was there counts only where it is asked for: it may be anything.
                    *out = if g.beta == 0.0 {
                        sum
                    } else {
                        g.beta * *out + sum
                    };
                }
            }
        }
        Ok(())
    }
}
