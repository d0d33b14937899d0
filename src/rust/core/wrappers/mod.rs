//! From the kernels' signatures in `cuda/` to one typed launch each, at build time.
//!
//! A signature names and types the arguments; the comment above it states what the kernel touches (the grammar stands
//! in cuda/common.cuh). A kernel that states too little is an error of the build, so that none is launched unchecked.

pub mod clause;
pub mod expression;
pub mod signature;
pub mod write;

use signature::Kernel;

/// The sources of the kernels, and the numbers that they `#define`.
#[derive(Debug, Default)]
pub struct Sources {
    pub kernels: Vec<Kernel>,
    pub constants: Vec<(String, u64)>,
}

impl Sources {
    /// Adds a file.
    ///
    /// # Errors
    /// The first line that cannot be understood, and why.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), String> {
        self.constants.extend(constants(text));
        for (line, source) in signature::find(text) {
            let kernel = Kernel::parse(&source).map_err(|e| format!("{file}:{line}: {e}"))?;
            self.kernels.push(kernel);
        }
        Ok(())
    }

    /// The launches of all kernels, as Rust.
    ///
    /// # Errors
    /// A kernel whose statements do not fit its parameters.
    pub fn rust(&self) -> Result<String, String> {
        write::rust(self)
    }

    /// A line a kernel for the emulator's table (cuda/emulate.cpp).
    pub fn table(&self) -> String {
        let line = |kernel: &Kernel| format!("K({}),\n", kernel.name);
        self.kernels.iter().map(line).collect()
    }
}

/// `#define NAME 256`: whole numbers only.
fn constants(text: &str) -> Vec<(String, u64)> {
    let constant = |line: &str| {
        let mut words = line.strip_prefix("#define ")?.split_whitespace();
        let (name, value) = (words.next()?, words.next()?.parse().ok()?);
        words.next().is_none().then(|| (name.to_string(), value))
    };
    text.lines().filter_map(constant).collect()
}
