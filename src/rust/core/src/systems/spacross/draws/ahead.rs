//! Draws made ahead of their epoch, on other threads, while a device trains: each depends on seed and epoch alone.

use std::collections::VecDeque;
use std::thread::{spawn, JoinHandle};

use super::{Draws, PackedDraws};
use crate::{Error, Result};

/// Most epochs ahead.
const MOST: usize = 4;

/// The draws of the next epochs, in order.
pub struct Ahead {
    n: usize,
    rate: f64,
    replace: f64,
    seed: u64,
    depth: usize,
    queue: VecDeque<(u32, JoinHandle<PackedDraws>)>,
}

impl Ahead {
    /// Arguments as for [`Draws::new`]; as many epochs ahead as there are threads, at most four.
    pub fn new(n: usize, rate: f64, replace: f64, seed: u64, threads: usize) -> Self {
        Self {
            n,
            rate,
            replace,
            seed,
            depth: threads.clamp(1, MOST),
            queue: VecDeque::new(),
        }
    }

    /// The draws of an epoch.
    pub fn take(&mut self, epoch: u32) -> Result<PackedDraws> {
        // An epoch out of turn: what was drawn is of no use.
        if self.queue.front().is_some_and(|(next, _)| *next != epoch) {
            self.queue.clear();
        }
        while self.queue.len() <= self.depth {
            let next = epoch + self.queue.len() as u32;
            self.queue.push_back((next, self.draw(next)));
        }
        let drawn = self
            .queue
            .pop_front()
            .and_then(|(_, draws)| draws.join().ok());
        drawn.ok_or_else(|| Error::Internal("a thread that draws broke down".into()))
    }

    fn draw(&self, epoch: u32) -> JoinHandle<PackedDraws> {
        let (n, rate, replace, seed) = (self.n, self.rate, self.replace, self.seed);
        spawn(move || Draws::new(n, rate, replace, seed, epoch).pack())
    }
}
