//! Writes the typed launches of the kernels in `cuda/` (wrappers/), and compiles the kernels: with nvcc for the feature
//! `cuda`, with a C++ compiler for the emulator of the tests (feature `emulate`).

mod wrappers;

use std::path::{Path, PathBuf};
use std::process::Command;

/// PTX of the oldest architecture that CUDA 13 knows, which the driver compiles for any newer one, and machine code for
/// A100 and H100/H200, which start at once.
const TARGETS: [(&str, &str); 3] = [
    ("compute_75", "compute_75"),
    ("compute_80", "sm_80"),
    ("compute_90", "sm_90"),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=wrappers");
    println!("cargo:rerun-if-changed=cuda");
    let has = |feature: &str| std::env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    if let Err(error) = write_launches(&out) {
        eprintln!("{error}");
        std::process::exit(1);
    }
    if has("CUDA") {
        compile_for_devices(&out.join("kernels.fatbin"));
    }
    if has("EMULATE") {
        compile_emulator(&out);
    }
}

/// Writes kernels.rs, which the crate includes, and kernels.inc, which the emulator does.
fn write_launches(out: &Path) -> Result<(), String> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|e| format!("{path:?}: {e}"));
    let mut sources = wrappers::Sources::default();
    let folder = std::fs::read_dir("cuda").map_err(|e| format!("cuda: {e}"))?;
    let mut files: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    // The same text on every machine.
    files.sort();
    for file in files {
        if file.extension().is_some_and(|e| e == "cu" || e == "cuh") {
            sources.add(&file.display().to_string(), &read(&file)?)?;
        }
    }
    let write = |name: &str, text: String| {
        std::fs::write(out.join(name), text).map_err(|e| format!("{name}: {e}"))
    };
    write("kernels.rs", sources.rust()?)?;
    write("kernels.inc", sources.table())
}

fn compile_for_devices(out: &Path) {
    for name in ["CUDA_HOME", "CUDA_PATH", "PATH"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    let mut nvcc = Command::new(nvcc());
    nvcc.args(["-O3", "-std=c++17", "-fatbin"]);
    for (architecture, code) in TARGETS {
        nvcc.arg("-gencode")
            .arg(format!("arch={architecture},code={code}"));
    }
    run(nvcc.arg("-o").arg(out).arg("cuda/kernels.cu"));
    println!("cargo:rustc-env=SPAX_CUDA_VERSION={}", toolkit_version());
    println!("cargo:rerun-if-env-changed=CUDA_COMPUTE_CAP");
    let capability = std::env::var("CUDA_COMPUTE_CAP").unwrap_or_else(|_| "75".into());
    println!("cargo:rustc-env=SPAX_COMPUTE_CAP={capability}");
}

/// As in 13000 for CUDA 13.0, from the line "Cuda compilation tools, release 13.0, V13.0.88".
fn toolkit_version() -> u32 {
    let output = Command::new(nvcc()).arg("--version").output();
    let text = output.map_or_else(
        |_| String::new(),
        |o| String::from_utf8_lossy(&o.stdout).into(),
    );
    let release = text
        .split("release ")
        .nth(1)
        .and_then(|t| t.split(',').next());
    let mut parts = release
        .unwrap_or("0.0")
        .split('.')
        .map(|p| p.parse().unwrap_or(0));
    1000 * parts.next().unwrap_or(0) + 10 * parts.next().unwrap_or(0)
}

/// nvcc of CUDA_HOME or CUDA_PATH, else on the PATH.
fn nvcc() -> PathBuf {
    let homes = ["CUDA_HOME", "CUDA_PATH"].map(std::env::var_os);
    let places = homes.into_iter().flatten();
    let mut compilers = places.map(|home| Path::new(&home).join("bin/nvcc"));
    compilers
        .find(|path| path.exists())
        .unwrap_or_else(|| "nvcc".into())
}

fn compile_emulator(out: &Path) {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "g++".into());
    let object = out.join("emulate.o");
    let flags =
        "-std=c++17 -O1 -U_FORTIFY_SOURCE -fPIC -fno-exceptions -fno-rtti -c cuda/emulate.cpp -o";
    let mut compile = Command::new(compiler);
    run(compile
        .arg("-I")
        .arg(out)
        .args(flags.split(' '))
        .arg(&object));
    let library = out.join("libspax_emulate.a");
    run(Command::new("ar").arg("crs").arg(&library).arg(&object));
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=spax_emulate");
}

/// Ends the build with the command where it fails.
fn run(command: &mut Command) {
    let done = command.status().is_ok_and(|status| status.success());
    if !done {
        eprintln!("failed: {command:?}");
        std::process::exit(1);
    }
}
