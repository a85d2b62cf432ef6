/** The time, for what runs down: by the page's monotonic clock, ticking only while something shown reads it. */
import { signal } from '@preact/signals'

/** Milliseconds since the page was loaded, a few times a second. */
export const now = signal(performance.now())
setInterval(() => {
  if (!document.hidden) now.value = performance.now()
}, 500)
