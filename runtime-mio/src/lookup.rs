//! Names, which the operating system is asked for in threads: it has no way to be asked that does not block.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use pavane::base::Key;
use pavane_drive::{LookupId, look_up};

/// Who asked for a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub(crate) key: Key,
    pub(crate) id: LookupId,
}

type Done = Arc<Mutex<Vec<(Asker, Vec<IpAddr>)>>>;

/// Lookups under way, and those that wait for a thread.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    waiting: VecDeque<(Asker, String)>,
    threads: usize,
    done: Done,
}

/// Threads at a time.
const MAX_THREADS: usize = 8;

impl Lookups {
    /// Has a name looked up; the poll returns when there is an answer.
    pub(crate) fn begin(&mut self, asker: Asker, name: String, waker: &Arc<mio::Waker>) {
        self.waiting.push_back((asker, name));
        self.start(waker);
    }

    /// What was found out since this was asked.
    pub(crate) fn finished(&mut self, waker: &Arc<mio::Waker>) -> Vec<(Asker, Vec<IpAddr>)> {
        let done = std::mem::take(&mut *lock(&self.done));
        self.threads -= done.len();
        self.start(waker);
        done
    }

    fn start(&mut self, waker: &Arc<mio::Waker>) {
        while self.threads < MAX_THREADS
            && let Some((asker, name)) = self.waiting.pop_front()
        {
            self.threads += 1;
            let (done, in_thread) = (self.done.clone(), waker.clone());
            let spawned =
                thread::Builder::new().spawn(move || finish(&done, asker, look_up(&name), &in_thread));
            if spawned.is_err() {
                finish(&self.done, asker, Vec::new(), waker);
            }
        }
    }
}

fn finish(done: &Done, asker: Asker, addresses: Vec<IpAddr>, waker: &mio::Waker) {
    lock(done).push((asker, addresses));
    // A poll that cannot be woken has been dropped, and whoever asked is gone.
    let _ = waker.wake();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
