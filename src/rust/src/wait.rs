//! Long work on a thread of ours, while R's thread waits for it.
//!
//! R's thread looks for a Ctrl-C ten times a second and shows how far the work is. All that concerns R happens on R's
//! thread: the work itself may not touch R.

use std::ffi::{c_int, c_void};
use std::panic::resume_unwind;
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::thread::{scope, Builder};
use std::time::Duration;

use extendr_api::prelude::*;
use spax_core::progress::{self, Progress, Snapshot};
use spax_core::{threads, Error, Result};

use crate::convert::{count, expected};

/// Between two looks at R.
const TICK: Duration = Duration::from_millis(100);

extern "C" {
    fn R_CheckUserInterrupt();
    fn R_ToplevelExec(work: Option<extern "C" fn(*mut c_void)>, data: *mut c_void) -> c_int;
}

/// Does `work` in the pool of so many threads.
///
/// # Errors
/// Those of `work`; [`Error::Interrupted`] after a Ctrl-C.
pub fn on<T: Send>(threads: &Robj, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let threads = count(threads, "threads")?;
    showing(&Robj::default(), || threads::install(threads, work))
}

/// Does `work` on one thread.
///
/// # Errors
/// As [`on`].
pub fn alone<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    showing(&Robj::default(), || threads::install(1, work))
}

/// Does `work`, which enters a pool by itself, and calls `show(stage, done, total, note)` of R meanwhile: `total` is NA
/// where nobody counts. What it returns or fails by is of no account, except that FALSE stops the work: so it tells of
/// a Ctrl-C that fell into it. NULL shows nothing.
///
/// # Errors
/// As [`on`].
pub fn showing<T: Send>(show: &Robj, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    if show.is_null() {
        return watched(|_| true, work);
    }
    let show = show
        .as_function()
        .ok_or_else(|| expected("show", "a function"))?;
    watched(|now| shown(&show, now), work)
}

/// Whether to go on.
fn shown(show: &Function, now: &Snapshot) -> bool {
    let total = now.total.map_or(f64::NAN, |total| total as f64);
    let told = show.call(pairlist!(
        now.stage.as_ref(),
        now.done as f64,
        total,
        now.note.as_str()
    ));
    // R's error value does not tell a Ctrl-C from other failures: `show` catches both itself.
    told.ok().and_then(|go_on| go_on.as_bool()) != Some(false)
}

/// `look` is called on R's thread, and says whether to go on.
fn watched<T: Send>(
    look: impl Fn(&Snapshot) -> bool,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let progress = Progress::new();
    let theirs = progress.clone();
    let (running, ended) = channel::<()>();
    let outcome = scope(|scope| {
        let body = move || {
            // Dropped when the work ends, also by a panic.
            let _running = running;
            progress::with(theirs, work)
        };
        let worker = Builder::new().name("spaxR".into());
        let worker = worker
            .spawn_scoped(scope, body)
            .map_err(|e| Error::Internal(format!("cannot start a thread: {e}")))?;
        while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            if interrupted() || !look(&progress.now()) {
                progress.cancel();
                break;
            }
        }
        worker.join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    // What ended in spite of it may have been left half done.
    match progress.is_cancelled() {
        true => Err(Error::Interrupted),
        false => outcome,
    }
}

/// Whether there was a Ctrl-C. Caught here: R would jump over the frames of this library.
fn interrupted() -> bool {
    extern "C" fn look(_: *mut c_void) {
        // SAFETY: on R's thread. It may jump, and leaves nothing behind: this frame owns nothing.
        unsafe { R_CheckUserInterrupt() }
    }
    // SAFETY: on R's thread; what jumps out of `look` ends here.
    unsafe { R_ToplevelExec(Some(look), std::ptr::null_mut()) == 0 }
}
