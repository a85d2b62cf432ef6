//! A wall clock of a process's own, which can be set while it runs: libfaketime.

use std::{
    io::Write as _,
    path::PathBuf,
    sync::atomic::{AtomicI64, Ordering},
};

/// Where Debian's package `faketime` puts it, by architecture.
const FOLDERS: [&str; 2] = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime"];

/// One clock. Ends with this value, as far as its file goes.
pub struct Clock {
    file: tempfile::NamedTempFile,
    offset: AtomicI64,
}

impl Clock {
    /// One that is right.
    pub fn new() -> Self {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let clock = Self { file, offset: AtomicI64::new(0) };
        clock.set(0);
        clock
    }

    /// Sets it so many seconds before or after the right time. A process notices within a second.
    pub fn set(&self, seconds: i64) {
        let mut file = std::fs::File::create(self.file.path()).expect("the clock's file");
        writeln!(file, "{seconds:+}").expect("the clock's file");
        self.offset.store(seconds, Ordering::Relaxed);
    }

    /// How many seconds before or after the right time it is.
    pub fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// What makes a process go by it. Its monotonic clock stays right.
    pub fn env(&self) -> Vec<(String, String)> {
        let library = FOLDERS
            .iter()
            .map(|folder| PathBuf::from(folder).join("libfaketimeMT.so.1"))
            .find(|path| path.exists())
            .expect("faketime must be installed: `make setup` does it");
        // jemalloc asks for the time before libfaketime can tell it, and neither goes on: with libc's own allocator in front they never meet.
        let preload = format!("{} libc.so.6", library.display());
        [
            ("LD_PRELOAD", preload.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", &self.file.path().display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}

/// Removes what the library left in shared memory for processes that were killed.
pub fn sweep() {
    let entries = std::fs::read_dir("/dev/shm").into_iter().flatten().map_while(Result::ok);
    for entry in entries {
        let name = entry.file_name().into_string().unwrap_or_default();
        let of = name.strip_prefix("faketime_shm_").or_else(|| name.strip_prefix("sem.faketime_sem_"));
        if let Some(pid) = of
            && !PathBuf::from("/proc").join(pid).exists()
        {
            // Another run may have been faster.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
