//! What the process takes of the system: how much memory the allocator may keep for itself, how many files may be open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Arenas of the allocator: one for each core of a small machine.
const ARENAS: i32 = 2;

/// Keeps the allocator to a few arenas. By default glibc gives nearly every thread one of its own, and each keeps what
/// the largest document took on its thread: a quarter of the memory of a daemon that rests. Called once, before any
/// thread is started; does nothing where the allocator is another one.
pub fn bound_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(
        unsafe_code,
        reason = "mallopt is the only way from within; it takes two numbers and keeps no pointer"
    )]
    // SAFETY: called before other threads exist; both arguments are plain numbers that glibc checks.
    unsafe {
        // A refusal changes nothing but the memory that is kept.
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
    }
}

/// So many descriptors are enough for any configuration; some systems permit a thousand million.
const DESCRIPTORS: u64 = 1 << 16;

/// Raises the soft limit of open files to what the system permits: 1,024, the usual one, is for programs that use
/// `select`. Refused, it stays as it is, and too few are told when they are missed.
pub fn raise_descriptors() {
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
