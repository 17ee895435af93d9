//! Limits for the process: how much memory the allocator may keep, and how many files may be open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Arenas of the allocator: one per core of a small machine.
const ARENAS: i32 = 2;

/// Limits the allocator to a few arenas. By default glibc gives nearly every thread its own arena, and each keeps
/// the memory of the largest document on its thread: a quarter of the memory of an idle daemon. Called once, before
/// any thread is started; does nothing with another allocator.
pub fn bound_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(
        unsafe_code,
        reason = "mallopt is the only way from within; it takes two numbers and keeps no pointer"
    )]
    // SAFETY: called before other threads exist; both arguments are plain numbers that glibc checks.
    unsafe {
        // If it is refused, only more memory is kept.
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
    }
}

/// Enough descriptors for any configuration; some systems permit a thousand million.
const DESCRIPTORS: u64 = 1 << 16;

/// Raises the soft limit of open files to what the system permits: the usual limit of 1,024 is for programs that
/// use `select`. If that is refused, the limit stays, and a lack of descriptors is reported when it occurs.
pub(crate) fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(DESCRIPTORS).min(DESCRIPTORS);
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: Some(wanted),
            ..limit
        };
        let _ = setrlimit(Resource::Nofile, raised);
    }
}
