/** What is wrong with a pool, from its counts and from what `/explain` says of its types. */
import type { Explanation, PoolStatus, TypeInfo } from '../api/types'
import { duration, plural } from '../format'

export interface Trouble {
  key: string
  title: string
  why: string
  help: string
  /** Whether sessions cannot be served for it. */
  grave: boolean
  containers: { id: string; name: string }[]
  /** The type whose recovery it is. */
  recovering?: string
}

/** For these a container is out as it should be, unless nothing else is left. */
const ORDINARY = new Set(['leased', 'offered', 'initializing', 'line_ahead', 'resetting', 'draining', 'cordoned'])
/** A reset that goes on for longer, in seconds, is worth a look. */
const LONG_RESET = 120

export function troubles(status: PoolStatus, types: TypeInfo[], explained: Record<string, Explanation>): Trouble[] {
  const found: Trouble[] = []
  for (const provider of status.providers) {
    if (!provider.error && !provider.stale) continue
    const age = provider.age_seconds == null ? 'It was never seen' : `It was last seen ${duration(provider.age_seconds)} ago`
    found.push({
      key: `provider ${provider.name}`,
      title: `Provider ${provider.name} cannot be looked at.`,
      why: `${provider.error ?? 'No replica looks at it'}. ${age}.`,
      help: 'what is known of its containers stays; see whether its engine runs, and whether the replicas may reach it.',
      grave: provider.stale,
      containers: [],
    })
  }
  for (const info of types) found.push(...ofType(info, explained[info.target_type]))
  return found.sort((a, b) => Number(b.grave) - Number(a.grave))
}

function ofType({ target_type: name, counts }: TypeInfo, explained: Explanation | undefined): Trouble[] {
  const found: Trouble[] = []
  const nothing = (counts.available ?? 0) === 0
  const waiting = counts.sessions_queued ?? 0
  if (counts.recovery) {
    found.push({
      key: `${name} recovery`,
      title: `${name} recovers from a loss of Redis.`,
      why: `${plural(counts.held ?? 0, 'container')} may be leased and ${counts.held === 1 ? 'is' : 'are'} held; it ends in ${duration(counts.recovery.ends_in_seconds)} at most.`,
      help: 'wait; or end it, when you know that nobody uses a container whose lease was not proven.',
      grave: true,
      containers: [],
      recovering: name,
    })
  }
  if (!explained) {
    // A viewer's key may not ask why.
    if (nothing && waiting) found.push(short(name, `${plural(waiting, 'session')} in line, and nothing is available.`))
    if (counts.unhealthy) found.push(short(name, `${plural(counts.unhealthy, 'container')} not fit to be given out.`))
    return found
  }
  for (const reason of explained.reasons) {
    const old = reason.reason === 'resetting' && (counts.oldest_reset_seconds ?? 0) > LONG_RESET
    const ordinary = ORDINARY.has(reason.reason) && !old
    if (ordinary && !(nothing && waiting)) continue
    // That there is a line is said by what it waits for.
    if (reason.reason === 'line_ahead') continue
    if (reason.reason === 'held' || reason.reason.startsWith('provider_')) continue
    if (reason.reason === 'none_found' && !waiting && (counts.total ?? 0) === 0) continue
    found.push({
      key: `${name} ${reason.reason}`,
      title: `${name}: ${reason.count.toLocaleString('en')} ${reason.reason.replaceAll('_', ' ')}.`,
      why: reason.detail,
      help: reason.help,
      grave: nothing && waiting > 0,
      containers: reason.containers.map(({ id, name: called }) => ({ id, name: called })),
    })
  }
  return found
}

const short = (name: string, why: string): Trouble => ({
  key: `${name} ${why}`,
  title: `${name}:`,
  why,
  help: '',
  grave: true,
  containers: [],
})
