/** What an event changes in what is known. Pure: the same event twice changes nothing more. */
import type { Container, Event, Session } from '../api/types'

/** What an event says of a container; the id of the one that is to be read anew, where that does not tell all. */
export interface Told {
  /** Whether something changed. */
  changed: boolean
  /** The container to be read. */
  read: string | null
}

const NOTHING: Told = { changed: false, read: null }
const text = (value: unknown) => (typeof value === 'string' ? value : null)

/** Events that tell of facts which they do not carry. */
const INCOMPLETE =
  /^container\.(added|changed|cordoned|uncordoned|restart_asked|draining|drained|drain_expired|quarantined|quarantine_over|quarantine_lifted|reset|reset_failed|taken_away)$/

/** Folds an event into the containers that are known. */
export function foldContainers(known: Map<string, Container>, event: Event): Told {
  const id = text(event.data.container)
  if (!id) return NOTHING
  if (event.kind === 'container.removed') return { changed: known.delete(id), read: null }
  if (event.kind === 'container.recreated') {
    const replaced = text(event.data.replaces)
    return { changed: replaced !== null && known.delete(replaced), read: id }
  }
  const before = known.get(id)
  if (!before) return { changed: false, read: event.kind.startsWith('session.') ? null : id }
  const after = container(before, event)
  if (after !== before) known.set(id, after)
  // Why it is unhealthy is not told, and what was wrong before may be over.
  const unwell = event.data.to === 'unhealthy' || before.health.reason || before.reset || before.held || before.quarantine
  const read = event.kind === 'container.state' ? unwell : INCOMPLETE.test(event.kind)
  return { changed: after !== before, read: read ? id : null }
}

function container(before: Container, event: Event): Container {
  switch (event.kind) {
    case 'container.state':
      return { ...before, pool_state: event.data.to as Container['pool_state'] }
    case 'container.cordoned':
      return { ...before, cordoned: true, cordoned_by: text(event.data.by) }
    case 'container.uncordoned':
      return { ...before, cordoned: false, cordoned_by: null, drain: null }
    case 'session.ready':
    case 'session.adopted':
      return { ...before, pool_state: 'allocated', allocated_to: text(event.data.session), allocated_at: event.at }
    case 'session.ended': {
      // Of a session that is followed by another already nothing is left to say.
      if (before.allocated_to && before.allocated_to !== event.data.session) return before
      const free = before.pool_state === 'allocated' ? 'available' : before.pool_state
      return { ...before, pool_state: free, allocated_to: null, allocated_at: null }
    }
    default:
      return before
  }
}

/** Folds an event into the sessions that are known; whether the list should be read anew for what it does not carry. */
export function foldSessions(known: Map<string, Session>, event: Event): boolean {
  const id = text(event.data.session)
  if (!id || !event.kind.startsWith('session.')) return false
  const before = known.get(id)
  if (event.kind === 'session.ended') {
    if (!before || before.state === 'ended') return false
    const end_reason = text(event.data.reason) as Session['end_reason']
    known.set(id, { ...before, state: 'ended', ended_at: event.at, end_reason, lease: null, ticket: null, activity: null })
    return before.state === 'queued'
  }
  if (before?.state === 'ended') return false
  const made: Session = before ?? {
    id,
    state: 'queued',
    target_type: event.target_type,
    owner: text(event.data.owner) ?? '',
    created_at: event.at,
    metadata: {},
  }
  const ready = event.kind === 'session.ready' || event.kind === 'session.adopted'
  known.set(id, ready && made.state === 'queued' ? { ...made, state: 'ready', ticket: null } : made)
  return event.kind !== 'session.warning'
}
