//! The task that drives a connection.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pavane::ActionOutcome;
use pavane_drive::{Driver, Turn};
use tokio::time::{Instant, Sleep};

use crate::socket::TokioSocket;

/// Turns the driver until the connection has ended.
#[derive(Debug)]
pub(crate) struct Task {
    driver: Driver<TokioSocket>,
    timer: Pin<Box<Sleep>>,
}

impl Task {
    pub(crate) fn new(driver: Driver<TokioSocket>) -> Self {
        Self { driver, timer: Box::pin(tokio::time::sleep(Duration::ZERO)) }
    }

    /// Multicast DNS is not spoken here: a `.local` candidate is passed over.
    fn refuse_actions(&mut self) {
        while let Some((id, _)) = self.driver.poll_action() {
            self.driver.finish_action(id, ActionOutcome::Failed);
        }
    }

    /// Has tokio wake the task when a socket that the driver waits for is ready; returns whether one is.
    fn poll_sockets(&mut self, cx: &mut Context<'_>) -> bool {
        let mut ready = false;
        for index in 0..self.driver.socket_count() {
            if self.driver.awaits_readable(index) && self.driver.socket(index).poll_readable(cx).is_ready() {
                self.driver.set_readable(index);
                ready = true;
            }
        }
        if let Some(index) = self.driver.awaits_writable()
            && self.driver.socket(index).poll_writable(cx).is_ready()
        {
            self.driver.set_writable(index);
            ready = true;
        }
        ready
    }

    /// Has tokio wake the task at the deadline; returns whether it has passed.
    fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Option<std::time::Instant>) -> bool {
        let Some(deadline) = deadline.map(Instant::from_std) else { return false };
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        self.timer.as_mut().poll(cx).is_ready()
    }
}

impl Future for Task {
    type Output = ();

    /// The loop ends: tokio makes readiness pending once the task has spent its share.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            let turn = this.driver.turn(cx.waker());
            this.refuse_actions();
            match turn {
                Turn::Done => return Poll::Ready(()),
                Turn::Again => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Turn::Wait { deadline } => {
                    let ready = this.poll_sockets(cx);
                    if !this.poll_timer(cx, deadline) && !ready {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}
