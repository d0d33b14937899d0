//! What every system's run shares: the tissue, the stages in their order, the way from columns to domains, the model
//! file.

pub mod checkpoint;
pub mod choose;
pub mod columns;
pub mod domains;
mod labelling;
pub mod memory;
pub mod mixing;
pub mod model_file;
pub mod place;
pub mod predict;
pub mod predicted;
pub mod run;
pub mod stage;
pub mod system;
pub mod tensors;
pub mod tissue;
pub mod trainer;
mod training;

pub use predict::{predict, How, NewPart, Prediction, Seen};
pub use predicted::{Components, Predictions};
pub use run::Run;
pub use stage::{Asked, Opened, Settings, Stage};
pub use system::{Needs, Part, System, Values};
pub use tissue::{Join, Tissue};
pub use trainer::{Found, Loss, Trainer};
