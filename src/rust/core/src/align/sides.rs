//! Which side up a slice may be laid on another.

use super::transform::Transform;

/// The sides that are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// As it was given.
    Given,
    /// Turned over.
    Mirrored,
    /// Either, the better one is kept.
    Both,
}

impl Sides {
    /// What turns a slice to each of them.
    pub(super) fn each(self) -> Vec<Transform> {
        self.mirrored().iter().map(|&m| side(m)).collect()
    }

    /// Whether each of them is the mirror image.
    pub(super) fn mirrored(self) -> &'static [bool] {
        match self {
            Self::Given => &[false],
            Self::Mirrored => &[true],
            Self::Both => &[false, true],
        }
    }
}

/// What turns a slice over, or leaves it.
pub(super) fn side(mirrored: bool) -> Transform {
    match mirrored {
        true => Transform::mirror(),
        false => Transform::identity(),
    }
}
