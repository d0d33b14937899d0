//! The launches that build.rs writes from the kernels' signatures (wrappers/).
#![allow(clippy::unwrap_used)]

#[path = "../wrappers/mod.rs"]
mod wrappers;

use wrappers::expression::Expression;
use wrappers::signature::{find, Kind, Scalar};
use wrappers::Sources;

fn parsed(text: &str) -> Result<Sources, String> {
    let mut sources = Sources::default();
    sources.add("a.cu", text).map(|()| sources)
}

/// The Rust of one kernel, or why there is none.
fn rust(text: &str) -> Result<String, String> {
    parsed(text)?.rust()
}

const PLAIN: &str = "
// Rows of x by a list.
// sizes: x list.bound * width, list n,
//     out n * width
// needs: 1 <= width
// grid: rows n, width
KERNEL take(const float *x, const Row *list, float *out, u64 n, u32 width) {
";

#[test]
fn a_kernel_becomes_a_struct_with_its_parameters() {
    let text = rust(PLAIN).unwrap();
    for line in [
        "/// Rows of x by a list.",
        "pub(crate) struct Take<'a> {",
        "    pub x: &'a dyn Read<f32>,",
        "    pub list: &'a List,",
        "    pub out: &'a mut dyn Overwrite<f32>,",
        "    pub n: usize,",
        "        call.need(\"1 <= width\", 1 <= width)?;",
        "        call.input(\"x\", x, times(list.bound(), width))?;",
        "        call.output(\"out\", out, times(n, width))?;",
        "        unsafe { call.launch(Grid::rows(n, width)) }",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in {text}");
    }
    assert!(!text.contains("sizes:"));
    assert_eq!(parsed(PLAIN).unwrap().table(), "K(take),\n");
}

#[test]
fn spacing_does_not_matter() {
    let odd = "
//sizes:x   list.bound*width ,list n,out n*width
//   needs: 1<=width
//grid: rows n ,width
KERNEL   take ( const  float*x,
      const Row  * list,float* out
   , u64   n,
   u32 width
) {
";
    let without_description = PLAIN.replace("// Rows of x by a list.\n", "");
    assert_eq!(rust(odd), rust(&without_description));
}

#[test]
fn each_type_is_known() {
    let text = "
// sizes: a 1, b 1, c 1, d 1, e 1, f 1, g 1, h 1, i 1
// grid: blocks 1
KERNEL k(const double *a, const u32 *b, const RowOrNone *c, const Start *d, const LongStart *e,
         double *f, u32 *g, const float4 *h, float4 *i, float j, double l, Dropout o) {
";
    let kernel = parsed(text).unwrap().kernels.remove(0);
    let kinds: Vec<Kind> = kernel.parameters.into_iter().map(|p| p.kind).collect();
    let expected = [
        Kind::Input("f64", 1),
        Kind::Input("u32", 1),
        Kind::Checked("PartialList"),
        Kind::Checked("Starts"),
        Kind::Checked("LongStarts"),
        Kind::Output("f64", 1),
        Kind::Output("u32", 1),
        Kind::Input("f32", 4),
        Kind::Output("f32", 4),
        Kind::Number(Scalar::F32),
        Kind::Number(Scalar::F64),
        Kind::Struct("Dropout"),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn what_may_be_missing_is_an_option() {
    let text = "
// sizes: x (list.bound or n) * width, list? n, out n
// grid: threads n
KERNEL k(const float *x, const Row *list, float *out, u64 n, u32 width) {
";
    let rust = rust(text).unwrap();
    assert!(rust.contains("pub list: Option<&'a List>,"));
    assert!(rust.contains("times(list.map_or(n, |list| list.bound()), width)"));
    assert!(rust.contains("None => call.null(),"));
}

#[test]
fn two_sizes_of_one_pointer_both_hold() {
    let text = PLAIN.replace("list n,", "x n, list n,");
    assert!(rust(&text)
        .unwrap()
        .contains("(times(list.bound(), width)).max(n)"));
}

#[test]
fn constants_stand_in_sizes() {
    let text = format!("#define TILE 128 \n{PLAIN}").replace("n * width\n", "ceil(n / TILE)\n");
    let rust = rust(&text).unwrap();
    assert!(rust.contains("pub(crate) const TILE: usize = 128;"));
    assert!(rust.contains("call.output(\"out\", out, parts_of(n, TILE))?;"));
}

#[test]
fn what_is_not_understood_ends_the_build() {
    let wrong = |from: &str, to: &str| {
        assert!(PLAIN.contains(from), "{from}");
        rust(&PLAIN.replace(from, to)).unwrap_err()
    };
    let cases = [
        ("const float *x", "const half *x", "no kernel takes"),
        ("u64 n", "i32 n", "no kernel takes"),
        ("float *out", "Row *out", "no kernel takes"),
        ("x list.bound * width, ", "", "the size of x is not stated"),
        ("list n,", "list n, n 3,", "which is no pointer"),
        ("out n * width", "out? n * width", "cannot be missing"),
        ("out n * width", "out n * wide", "wide is no whole number"),
        ("out n * width", "out n *", "a number is missing"),
        ("out n * width", "out n - width", "'-'"),
        ("out n * width", "out (n * width", "expected \")\""),
        ("list n,", "list? n,", "list may be missing"),
        ("list.bound *", "x.bound *", "x has no bound"),
        ("// grid: rows n, width\n", "", "no grid is stated"),
        (
            "grid: rows n, width",
            "grid: rows n",
            "1 numbers for a grid",
        ),
        ("grid: rows", "grid: lines", "no grid is called"),
        ("1 <= width", "1 < width", "no <="),
        ("u32 width)", "u32 width", "do not end"),
    ];
    for (from, to, why) in cases {
        let error = wrong(from, to);
        assert!(error.contains(why), "{to}: {error}");
    }
    // It says where.
    assert!(wrong("u64 n", "i32 n").starts_with("a.cu:7: "));
}

#[test]
fn sums_come_after_products() {
    let of = |text| format!("{:?}", Expression::parse(text).unwrap());
    assert_eq!(of("a + b * c"), of("a + (b * c)"));
    assert_ne!(of("a + b * c"), of("(a + b) * c"));
}

#[test]
fn only_the_comment_directly_above_is_the_kernels() {
    let found = find("// far\n\n// near\nKERNEL k(u32 n) {\n");
    let (line, source) = &found[0];
    assert_eq!((*line, source.signature.as_str()), (4, "k(u32 n)"));
    assert_eq!(source.comment, ["near"]);
}
