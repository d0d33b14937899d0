//! How far long work has come, and whether it should stop.
//!
//! Whoever starts work gives it a [`Progress`] ([`with`]) and looks at it, or cancels it, from another thread. The work
//! finds it without being handed it: it is kept for the thread, and `threads::install` carries it into the pool. Loops
//! call [`check`] now and then, which fails once the work is cancelled:
//!
//! ```
//! use spax_core::progress::{self, Progress};
//!
//! fn long(rounds: usize) -> spax_core::Result<()> {
//!     let shown = progress::stage("rounds", rounds);
//!     for _ in 0..rounds {
//!         progress::check()?;
//!         shown.advance(1);
//!     }
//!     Ok(())
//! }
//!
//! let progress = Progress::new();
//! progress.cancel();
//! assert!(progress::with(progress, || long(10)).is_err());
//! ```
//!
//! The threads of a parallel loop do not know whose work they do: the loop takes [`current`] before it starts, skips
//! what is left when that is cancelled, and [`check`]s after its end. What cancelled work leaves behind (a half-made
//! array, a trainer in the middle of an epoch) is of no use.

use std::borrow::Cow;
use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use crate::{Error, Result};

thread_local! {
    static CURRENT: RefCell<Ticket> = const { RefCell::new(Ticket(None)) };
}

/// Of one piece of work: shared by those who do it and those who wait for it.
#[derive(Debug, Default)]
pub struct Progress {
    cancelled: AtomicBool,
    done: AtomicUsize,
    shown: Mutex<Shown>,
}

/// The stage that is shown.
#[derive(Clone, Debug, Default)]
struct Shown {
    stage: Cow<'static, str>,
    /// 0 where nobody counts.
    total: usize,
    /// What it has to say, such as the losses of a training.
    note: String,
}

/// Where work stood at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Empty before the first stage.
    pub stage: Cow<'static, str>,
    /// Parts that are done.
    pub done: usize,
    /// None while it is unknown.
    pub total: Option<usize>,
    /// What the stage has to say; often nothing.
    pub note: String,
}

impl Progress {
    /// Of work that has not started.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Asks the work to stop. It does at its next [`check`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Where the work stands.
    pub fn now(&self) -> Snapshot {
        let shown = self.shown();
        Snapshot {
            stage: shown.stage.clone(),
            done: self.done.load(Ordering::Relaxed),
            total: (shown.total > 0).then_some(shown.total),
            note: shown.note.clone(),
        }
    }

    /// Nothing can be half written: a panic while it was locked does no harm.
    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, shown: &mut Shown, next: Shown) -> Shown {
        self.done.store(0, Ordering::Relaxed);
        std::mem::replace(shown, next)
    }
}

/// The progress of the work that a thread does, if anybody asked for it.
#[derive(Clone, Debug, Default)]
pub struct Ticket(Option<Arc<Progress>>);

impl Ticket {
    /// Whether the work should stop.
    pub fn cancelled(&self) -> bool {
        self.0.as_ref().is_some_and(|p| p.is_cancelled())
    }

    /// # Errors
    /// [`Error::Interrupted`] when the work should stop.
    pub fn check(&self) -> Result<()> {
        match self.cancelled() {
            true => Err(Error::Interrupted),
            false => Ok(()),
        }
    }

    /// A part of a parallel loop, by one of its threads: nothing when the work should stop.
    pub fn part<T: Default>(&self, work: impl FnOnce() -> T) -> T {
        match self.cancelled() {
            true => T::default(),
            false => work(),
        }
    }

    /// Does `work` on this thread as a part of the work that the ticket is of.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Before(Ticket);
        impl Drop for Before {
            fn drop(&mut self) {
                CURRENT.set(std::mem::take(&mut self.0));
            }
        }
        let _before = Before(CURRENT.replace(self.clone()));
        work()
    }
}

/// Does `work` on this thread (and in the pools that it enters) so that `progress` shows and can cancel it.
pub fn with<T>(progress: Arc<Progress>, work: impl FnOnce() -> T) -> T {
    Ticket(Some(progress)).within(work)
}

/// The ticket of the work that this thread does, for the threads of a parallel loop.
pub fn current() -> Ticket {
    CURRENT.with_borrow(Ticket::clone)
}

/// Call it in every loop that can last: it costs a few nanoseconds.
///
/// # Errors
/// [`Error::Interrupted`] when the work of this thread should stop.
pub fn check() -> Result<()> {
    CURRENT.with_borrow(Ticket::check)
}

/// `items` until the work of this thread should stop: [`check`] after the loop.
pub fn until_cancelled<I: IntoIterator>(items: I) -> impl Iterator<Item = I::Item> {
    let ticket = current();
    items.into_iter().take_while(move |_| !ticket.cancelled())
}

/// Does `work` that cannot look whether it should stop, such as one large decomposition, so that this thread need not
/// wait for its end: on a thread of its own, which is left to itself, and gives its memory back, when the work is
/// cancelled.
///
/// # Errors
/// [`Error::Interrupted`] when the work should stop.
pub fn detached<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    const TICK: Duration = Duration::from_millis(20);
    let ticket = current();
    if ticket.0.is_none() {
        return Ok(work());
    }
    let (give, take) = channel();
    let worker = Builder::new()
        .name("spaxR".into())
        // Nobody takes what comes too late.
        .spawn(move || give.send(work()).is_ok())
        .map_err(|e| Error::Internal(format!("cannot start a thread: {e}")))?;
    loop {
        match take.recv_timeout(TICK) {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Timeout) => ticket.check()?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    match worker.join() {
        Ok(_) => Err(Error::Internal("a thread without a result".into())),
        Err(panic) => resume_unwind(panic),
    }
}

/// Shows that a stage of `total` steps (0: nobody counts) begins; it ends when the value is dropped, and the stage
/// around it is shown again.
///
/// Within a stage that counts its steps others are not shown: k-means within an epoch is a part of that epoch.
#[must_use = "the stage ends when this is dropped"]
pub fn stage(name: impl Into<Cow<'static, str>>, total: usize) -> Stage {
    let none = Stage { open: None };
    let Ticket(Some(progress)) = current() else {
        return none;
    };
    let mut shown = progress.shown();
    if shown.total > 0 {
        return none;
    }
    let stage = name.into();
    let around = progress.show(
        &mut shown,
        Shown {
            stage,
            total,
            note: String::new(),
        },
    );
    drop(shown);
    Stage {
        open: Some((progress, around)),
    }
}

/// A stage that has begun.
#[derive(Debug)]
pub struct Stage {
    /// Where it is shown, and what was before it.
    open: Option<(Arc<Progress>, Shown)>,
}

impl Stage {
    /// So many further steps are done. Any thread may say so.
    pub fn advance(&self, steps: usize) {
        if let Some((progress, _)) = &self.open {
            progress.done.fetch_add(steps, Ordering::Relaxed);
        }
    }

    /// Shows `text` beside the number of steps.
    pub fn note(&self, text: String) {
        if let Some((progress, _)) = &self.open {
            progress.shown().note = text;
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some((progress, around)) = self.open.take() {
            progress.show(&mut progress.shown(), around);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::threads;

    #[test]
    fn work_without_a_progress_goes_on() {
        assert!(check().is_ok());
        stage("nothing", 3).advance(1);
        assert!(!current().cancelled());
    }

    #[test]
    fn a_cancelled_progress_stops_its_own_work_only() {
        let progress = Progress::new();
        progress.cancel();
        let found = with(progress, || {
            let inner = with(Progress::new(), check);
            (inner.is_ok(), check().map_err(|e| e.kind()))
        });
        assert_eq!(found, (true, Err("interrupted")));
        assert!(check().is_ok());
    }

    #[test]
    fn pools_and_their_loops_know_whose_work_they_do() {
        let progress = Progress::new();
        let cancel = progress.clone();
        let outcome = with(progress, || {
            threads::install(2, || {
                check()?;
                cancel.cancel();
                let ticket = current();
                let (here, there) = rayon::join(|| ticket.cancelled(), || ticket.within(check));
                assert!(here && there.is_err());
                check()
            })
        });
        assert!(matches!(outcome, Err(Error::Interrupted)));
        assert!(threads::install(2, check).is_ok());
    }

    #[test]
    fn the_outermost_stage_that_counts_is_shown() {
        let progress = Progress::new();
        let now = || {
            let now = progress.now();
            (now.stage.into_owned(), now.done, now.total)
        };
        with(progress.clone(), || {
            let prepare = stage("prepare", 0);
            prepare.advance(1);
            {
                let genes = stage("genes", 5);
                genes.advance(2);
                let hidden = stage("loess", 9);
                hidden.advance(9);
                assert_eq!(now(), ("genes".to_string(), 2, Some(5)));
            }
            assert_eq!(now(), ("prepare".to_string(), 0, None));
        });
        assert_eq!(now(), (String::new(), 0, None));
    }
}
