//! One software device for all tests: the same everywhere, so that what a test expects does not depend on the machine.

use std::io::Write as _;
use std::sync::OnceLock;

use tagscape::gpu::{AdapterChoice, GpuContext};

/// The software adapter's device. A machine without one cannot judge the shaders, so its absence is a failure, not a skip.
///
/// Where `TAGSCAPE_GPU_TEST_LOG` names a file, the test's name and the adapter's are noted there, so that `make test` can say how
/// many tests used it: what a passing test prints is not shown.
pub fn gpu() -> &'static GpuContext {
    static CONTEXT: OnceLock<GpuContext> = OnceLock::new();
    let context = CONTEXT
        .get_or_init(|| GpuContext::headless(AdapterChoice::Software).expect("a software Vulkan adapter (apt: mesa-vulkan-drivers)"));
    if let Some(path) = std::env::var_os("TAGSCAPE_GPU_TEST_LOG") {
        let thread = std::thread::current();
        let line = format!("{}\t{} ({})\n", thread.name().unwrap_or("?"), context.caps.name, context.caps.driver);
        let mut log = std::fs::OpenOptions::new().create(true).append(true).open(&path).expect("the log of the GPU tests");
        log.write_all(line.as_bytes()).expect("a line of the log of the GPU tests");
    }
    context
}
