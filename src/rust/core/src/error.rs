//! One error type for the whole core. Its kind becomes an R condition class.

/// Everything that can go wrong. `argument` is the name under which an R user knows the input.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value that the caller can change.
    #[error("{message}")]
    Argument {
        /// Its name in R.
        argument: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A value that an option cannot have.
    #[error("{message}")]
    Option {
        /// Its name in R.
        option: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// Counts that cannot be analysed.
    #[error("{message}")]
    Counts {
        /// What is wrong, and what to do.
        message: String,
    },
    /// Coordinates that cannot be analysed.
    #[error("{message}")]
    Coords {
        /// What is wrong, and what to do.
        message: String,
    },
    /// Not enough memory for the estimate.
    #[error("this needs about {} of memory, and {} are free", bytes(*.needed), bytes(*.available))]
    Memory {
        /// Bytes of the estimate.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
    /// A device that this build or machine does not offer.
    #[error("{message}")]
    Device {
        /// What is wrong, and what to do.
        message: String,
    },
    /// A trained model, or a file of one, that cannot be used.
    #[error("{message}")]
    Model {
        /// What is wrong, and what to do.
        message: String,
    },
    /// Training or clustering left the finite numbers.
    #[error("{message}")]
    Numeric {
        /// What is wrong, and what to do.
        message: String,
    },
    /// Fewer non-empty groups than asked for, or none.
    #[error("{message}")]
    Clustering {
        /// What is wrong, and what to do.
        message: String,
    },
    /// The work was cancelled before its end (see [`crate::progress`]).
    #[error("interrupted")]
    Interrupted,
    /// One of several inputs, by the user's name for it, that cannot be used.
    #[error("In the modality \"{name}\": {source}")]
    Modality {
        /// The user's name for it.
        name: String,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// A fault of this program, not of its input.
    #[error("internal error: {0}")]
    Internal(String),
}

/// In words.
fn bytes(n: u64) -> String {
    match n as f64 {
        large @ 1e9.. => format!("{:.1} GB", large / 1e9),
        small => format!("{:.0} MB", (small / 1e6).max(1.0)),
    }
}

/// What the core's functions give.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// [`Error::Argument`].
    pub fn argument(argument: &'static str, message: impl Into<String>) -> Self {
        Error::Argument {
            argument,
            message: message.into(),
        }
    }

    /// [`Error::Option`].
    pub fn option(option: &'static str, message: impl Into<String>) -> Self {
        Error::Option {
            option,
            message: message.into(),
        }
    }

    /// [`Error::Numeric`].
    pub fn numeric(message: impl Into<String>) -> Self {
        Error::Numeric {
            message: message.into(),
        }
    }

    /// A training whose loss left the finite numbers in this epoch.
    pub fn astray(epoch: usize) -> Self {
        Self::numeric(format!(
            "the loss is no longer a finite number in epoch {epoch}"
        ))
    }

    /// The same, of the modality of that name. What the user did stays what it is.
    pub fn in_modality(self, name: &str) -> Self {
        match self {
            Error::Interrupted => Error::Interrupted,
            source => Error::Modality {
                name: name.into(),
                source: Box::new(source),
            },
        }
    }

    /// [`Error::Model`].
    pub fn model(message: impl Into<String>) -> Self {
        Error::Model {
            message: message.into(),
        }
    }

    /// [`Error::Coords`].
    pub fn coords(message: impl Into<String>) -> Self {
        Error::Coords {
            message: message.into(),
        }
    }

    /// [`Error::Counts`].
    pub fn counts(message: impl Into<String>) -> Self {
        Error::Counts {
            message: message.into(),
        }
    }

    /// The last part of the R condition class `spaxR_error_<kind>`.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Argument { .. } => "argument",
            Error::Option { .. } => "option",
            Error::Counts { .. } => "counts",
            Error::Coords { .. } => "coords",
            Error::Memory { .. } => "memory",
            Error::Device { .. } => "device",
            Error::Model { .. } => "model",
            Error::Numeric { .. } => "numeric",
            Error::Clustering { .. } => "clustering",
            Error::Interrupted => "interrupted",
            Error::Modality { source, .. } => source.kind(),
            Error::Internal(_) => "internal",
        }
    }

    /// The R argument or the option to blame, where there is one.
    pub fn blamed(&self) -> Option<&'static str> {
        match self {
            Error::Argument { argument, .. } => Some(argument),
            Error::Option { option, .. } => Some(option),
            Error::Counts { .. } => Some("counts"),
            Error::Coords { .. } => Some("coords"),
            Error::Device { .. } => Some("device"),
            Error::Modality { source, .. } => source.blamed(),
            _ => None,
        }
    }
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Error::Internal(error.to_string())
    }
}
