/** The containers of a type by their state, as one bar and in words. */
import type { TypeStatus } from '../api/types'

/** The states in the order in which they are shown. Cordoned are idle ones that are given out no more. */
export const STATES = ['available', 'allocated', 'resetting', 'initializing', 'cordoned', 'unhealthy'] as const
export type Shown = (typeof STATES)[number]

export function StateBar({ name, counts, link }: { name: string; counts: TypeStatus; link: (state: Shown) => string }) {
  const there = STATES.map((state) => [state, counts[state] ?? 0] as const).filter(([, count]) => count > 0)
  const words = there.map(([state, count]) => `${count} ${state}`).join(', ')
  return (
    <>
      <div class="bar" role="img" aria-label={`${name}: ${words || 'no containers'}`}>
        {there.map(([state, count]) => (
          <span key={state} class={`part ${state}`} style={{ flexGrow: count }} />
        ))}
      </div>
      <ul class="legend">
        {there.map(([state, count]) => (
          <li key={state}>
            <a href={link(state)}>
              <span class={`dot ${state}`} aria-hidden="true" />
              {count.toLocaleString('en')} {state}
            </a>
          </li>
        ))}
        {there.length === 0 && <li class="muted">no containers</li>}
      </ul>
    </>
  )
}

export function StateWord({ state, cordoned }: { state: string; cordoned: boolean }) {
  const shown = cordoned && state === 'available' ? 'cordoned' : state
  return (
    <span class="state">
      <span class={`dot ${shown}`} aria-hidden="true" />
      {shown}
      {cordoned && shown !== 'cordoned' && <small> + cordoned</small>}
    </span>
  )
}
