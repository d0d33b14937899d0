//! The best items of every query, and what becomes of them.

use rayon::prelude::*;

use super::best::{Rows, Scored, Tiles};
use super::lists::{self, InvertedFile};
use super::spatial::{filled, slabs, Neighbours};
use crate::{progress, Result};

/// Up to so many pairs of query and item every one is scored (30,000 by 30,000).
const MAX_PAIRS: usize = 900_000_000;

/// `keep` items for each query, best first.
pub(super) struct BestItems {
    keep: usize,
    scored: Vec<Scored>,
}

impl BestItems {
    /// The `keep` items (of at least so many) with the largest inner products: exact up to [`MAX_PAIRS`], above by an
    /// inverted file over `places()`, the queries and items as places (see [`lists::as_items`]).
    pub(super) fn search(
        queries: Rows,
        items: Rows,
        keep: usize,
        seed: u64,
        places: impl FnOnce() -> (Rows, Rows),
    ) -> Result<Self> {
        // Copies of many rows take time of their own.
        progress::check()?;
        let (n, m) = (queries.len(), items.len());
        let mut found = Self {
            keep,
            scored: filled(n, keep)?,
        };
        let sink = &mut |query, best: &[Scored]| found.row_mut(query).copy_from_slice(best);
        if n.saturating_mul(m) <= MAX_PAIRS {
            lists::exhaustive(&queries, &Tiles::all(&items), keep, sink)?;
        } else {
            let (query_places, item_places) = places();
            progress::check()?;
            let file = InvertedFile::new(&items, &item_places, seed)?;
            // Items that look for each other have been put into lists already.
            match query_places == item_places {
                true => file.search_itself(&queries, &query_places, keep, sink)?,
                false => file.search(&queries, &query_places, keep, sink)?,
            }
        }
        Ok(found)
    }

    fn row(&self, query: u32) -> &[Scored] {
        let start = query as usize * self.keep;
        &self.scored[start..start + self.keep]
    }

    fn row_mut(&mut self, query: u32) -> &mut [Scored] {
        let start = query as usize * self.keep;
        &mut self.scored[start..start + self.keep]
    }

    /// `finish` turns what was found for a query into at least `k` answers, best first.
    pub(super) fn answers(
        &self,
        k: usize,
        finish: impl Fn(u32, &[Scored]) -> Vec<(f64, u32)> + Sync,
    ) -> Result<Neighbours> {
        let n = self.scored.len() / self.keep;
        let mut out = Neighbours::with_rows(n, k)?;
        for slab in slabs(n, 16 * 1024) {
            progress::check()?;
            let answers: Vec<Vec<(f64, u32)>> = slab
                .clone()
                .into_par_iter()
                .with_min_len(64)
                .map(|query| finish(query as u32, self.row(query as u32)))
                .collect();
            for (query, answers) in slab.zip(answers) {
                out.write(query as u32, answers.into_iter());
            }
        }
        Ok(out)
    }
}
