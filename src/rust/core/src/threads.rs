//! Our own rayon pools, one for each process and number of threads.
//!
//! A pool does not survive `fork()` (R's `parallel::mclapply`): the child has the pool's memory but
//! none of its threads, and waits for ever. Pools are therefore kept under the process id, and a
//! child makes its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{progress, Error, Result};

type Pools = Mutex<HashMap<(u32, usize), Arc<ThreadPool>>>;

fn pools() -> &'static Pools {
    static POOLS: OnceLock<Pools> = OnceLock::new();
    POOLS.get_or_init(Mutex::default)
}

fn pool(threads: usize) -> Result<Arc<ThreadPool>> {
    let mut pools = pools()
        .lock()
        .map_err(|_| Error::Internal("the thread pools are poisoned".into()))?;
    let key = (std::process::id(), threads);
    if let Some(pool) = pools.get(&key) {
        return Ok(pool.clone());
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("spaxR-{i}"))
        .build()
        .map_err(|e| Error::Internal(format!("cannot start {threads} threads: {e}")))?;
    let pool = Arc::new(pool);
    pools.insert(key, pool.clone());
    Ok(pool)
}

/// Runs `work` with every parallel loop inside it on `threads` threads (at least one), as a part of the work of the
/// thread that calls (see [`progress`]).
///
/// # Errors
/// Those of `work`; [`Error::Interrupted`] when it was cancelled, whatever it gave.
pub fn install<T: Send>(threads: usize, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    #[cfg(feature = "emulate")]
    let work = {
        use crate::gpu::emulated::{mode, within};
        let mode = mode();
        move || within(mode, work)
    };
    let ticket = progress::current();
    let done = pool(threads.max(1))?.install(|| ticket.within(work));
    ticket.check()?;
    done
}
