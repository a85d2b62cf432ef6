//! That somebody uses the desktop, told to the pool.

use std::{convert::Infallible, future::pending, time::Duration};

use tokio::{sync::Notify, time::sleep};

use crate::pool::{Pool, Viewing};

/// Before the next try, when the pool does not take it.
const RETRY: Duration = Duration::from_secs(1);

/// Reports what a viewer `used`, at once and then as seldom as is good enough.
pub(super) async fn report(pool: &Pool, viewing: &Viewing, used: &Notify) -> Infallible {
    loop {
        used.notified().await;
        let pause = match pool.report_input(viewing).await {
            Ok(Some(pause)) => pause,
            // That the lease is over is seen elsewhere.
            Ok(None) => return pending().await,
            Err(error) => {
                tracing::debug!(session_id = %viewing.session.id, %error, "a viewer's input is not reported yet");
                used.notify_one();
                RETRY
            }
        };
        sleep(pause).await;
    }
}
