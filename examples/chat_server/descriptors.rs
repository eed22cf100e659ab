//! How many clients there can be: each takes one descriptor.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// With fewer than this the operator is told.
const FEW_DESCRIPTORS: u64 = 4096;

/// Takes as many descriptors as the system gives without asking an administrator. Returns what to say if they are few.
pub(crate) fn raise_limit() -> Option<String> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let available = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let descriptors = available.filter(|available| *available < FEW_DESCRIPTORS)?;
    Some(format!(
        "only {descriptors} open files are allowed (see ulimit -Hn), and each client takes one"
    ))
}
