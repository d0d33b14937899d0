//! What `spax-train --check` judges by: the kernels are as far from the CPU as rounding may take them, and a training with an
//! error is farther.

use super::trainings::trainer;
use crate::check::{Record, Rounding, Spans};
use crate::gpu::emulated::{with, Order};
use crate::systems::spacross::check::record;
use crate::systems::spacross::Params;

const SPANS: Spans = Spans {
    steps: 12,
    epochs: 24,
};

fn params() -> Params {
    Params {
        update_every: 5,
        top_k: 5,
        ..Params::default()
    }
}

fn run(params: &Params, rounding: Option<Rounding>) -> Record {
    record(|| Ok(trainer(83, params.clone(), 1)), SPANS, rounding).unwrap()
}

#[test]
fn kernels_are_within_what_rounding_does_and_errors_are_not() {
    let params = params();
    let expected = run(&params, None);
    let trials = [0, 1, 2].map(|trial| run(&params, Some(Rounding::new(trial))));

    let kernels = with(Order::Forwards, || run(&params, None));
    for judged in kernels.judged(&expected, &trials) {
        assert!(judged.fits(), "{judged:?}");
    }
    let later = run(&params, Some(Rounding::new(3)));
    for judged in later.judged(&expected, &trials) {
        assert!(judged.fits(), "{judged:?}");
    }

    // A step too long by 2 %, and a little of a loss too much: no number would tell them by itself.
    let slips = [
        Params {
            learning_rate: 1.02 * params.learning_rate,
            ..params.clone()
        },
        Params {
            w_consistency: 1.02 * params.w_consistency,
            ..params.clone()
        },
    ];
    for slip in slips {
        let judged = run(&slip, None).judged(&expected, &trials);
        assert!(judged.iter().any(|j| !j.fits() && j.what.contains("steps")));
        assert!(judged.last().is_some_and(|last| !last.fits()));
    }
}
