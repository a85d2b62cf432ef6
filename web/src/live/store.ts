/** What the page knows of the pool, and how it stays in step: one event stream, and lists that are read anew after a gap. */
import { signal } from '@preact/signals'
import * as api from '../api/client'
import { Refused } from '../api/client'
import { Blocks, text } from '../api/stream'
import type { Container, Event, Explanation, Me, PoolStatus, Session, TypeHistory, TypeInfo } from '../api/types'
import { foldContainers, foldSessions } from './fold'
import { Mirror, soon } from './mirror'

/** How the event stream is: `lost` has when it will be tried again, in milliseconds from then. */
export type Link = { state: 'connecting' } | { state: 'live' } | { state: 'lost'; why: string; since: number }

/** Signs of life come each 10 s. */
const SILENCE = 25_000
const LONGEST_PAUSE = 10_000
/** Events that the page remembers. */
const REMEMBERED = 2000
/** More containers than this are not read one by one. */
const ONE_BY_ONE = 20
/** Ended sessions that stay to be seen. */
const ENDED_KEPT = 200

export const me = signal<Me | null>(null)
/** Why a key is asked for: null while it is not. */
export const login = signal<string | null>(null)
export const link = signal<Link>({ state: 'connecting' })
export const status = signal<PoolStatus | null>(null)
export const types = signal<TypeInfo[]>([])
export const explanations = signal<Record<string, Explanation>>({})
export const histories = signal<Record<string, TypeHistory>>({})
export const events = signal<Event[]>([])
/** How many events there were of which the page has forgotten. */
export const forgotten = signal(0)

export const isAdmin = () => me.value?.role === 'admin'
export const mayExplain = () => me.value !== null && me.value.role !== 'viewer'

const toRead = new Set<string>()
const readContainers = soon(async () => {
  const ids = [...toRead]
  toRead.clear()
  if (ids.length > ONE_BY_ONE) return containers.read()
  for (const id of ids) await readContainer(id).catch(() => undefined)
}, 150)

export const containers = new Mirror<Container>(api.containers, (items, event) => {
  const told = foldContainers(items, event)
  if (told.read) {
    toRead.add(told.read)
    readContainers()
  }
  return told.changed
})

const readSessions = soon(() => sessions.read(), 400)
export const sessions = new Mirror<Session>(
  api.sessions,
  (items, event) => {
    if (foldSessions(items, event) && watched.has('sessions')) readSessions()
    if (event.kind === 'session.ended') forgetEnded(items)
    return event.kind.startsWith('session.')
  },
  (session) => session.state === 'ended',
)

function forgetEnded(items: Map<string, Session>): void {
  const ended = [...items.values()].filter((session) => session.state === 'ended')
  for (const session of ended.slice(0, Math.max(0, ended.length - ENDED_KEPT))) items.delete(session.id)
}

/** Reads one container anew, as it is after an event or an action. */
export function readContainer(id: string): Promise<void> {
  const gone = (error: unknown) => {
    if (error instanceof Refused && error.status === 404) return null
    throw error
  }
  return containers.readOne(id, () => api.container(id).catch(gone))
}

/** What is shown now: lists are read anew for details only while somebody looks. */
const watched = new Map<string, number>()

/** Reads a list on first use, and keeps its details in step until the returned function is called. */
export function watch(name: 'containers' | 'sessions'): () => void {
  watched.set(name, (watched.get(name) ?? 0) + 1)
  const mirror = name === 'containers' ? containers : sessions
  if (!mirror.loaded.value || name === 'sessions') void mirror.read()
  return () => {
    const left = (watched.get(name) ?? 1) - 1
    if (left) watched.set(name, left)
    else watched.delete(name)
  }
}

/** Renewals write no events: a lease that ran down to its half is read again. */
export const readLeases = () => readSessions()

/** Counts, and why something is out: asked for when something happened, and with each sign of life for the providers. */
export const readCounts = soon(async () => {
  const [counts, infos] = await Promise.all([api.status(), api.types()])
  status.value = counts
  types.value = infos
  if (!mayExplain()) return
  const unwell = infos.filter(({ counts }) => counts.available === 0 || counts.unhealthy || counts.quarantined || counts.recovery)
  const found = await Promise.all(
    unwell.map(({ target_type }) => api.explain(target_type).then((one) => [target_type, one] as const, () => null)),
  )
  explanations.value = Object.fromEntries(found.filter((one) => one !== null))
}, 300)

/** The record of each type: a minute old at most while the pool page is shown. */
export const readHistories = soon(async () => {
  if (!mayExplain()) return
  for (const { target_type } of types.value) {
    const history = await api.history(target_type)
    histories.value = { ...histories.value, [target_type]: history }
  }
}, 200)

function readAll(): void {
  readCounts()
  if (containers.loaded.value || watched.has('containers')) void containers.read()
  if (sessions.loaded.value || watched.has('sessions')) void sessions.read()
}

function take(event: Event): void {
  if (event.kind === 'resync') {
    readAll()
    return remember(event)
  }
  // What is held changes with it.
  if (event.kind.startsWith('recovery.')) readAll()
  containers.take(event)
  sessions.take(event)
  readCounts()
  remember(event)
}

let unseen: Event[] = []
function remember(event: Event): void {
  if (unseen.push(event) > 1) return
  setTimeout(() => {
    const all = [...events.value, ...unseen]
    unseen = []
    forgotten.value += Math.max(0, all.length - REMEMBERED)
    events.value = all.slice(-REMEMBERED)
  }, 200)
}

let following: AbortController | null = null

/** Asks who this is; then follows what happens. */
export async function begin(): Promise<void> {
  following?.abort()
  try {
    me.value = await api.me()
  } catch (error) {
    if (error instanceof Refused && error.status === 401) {
      const given = api.key.read() !== null
      api.key.forget()
      login.value = given ? 'This key is not known here.' : ''
      return
    }
    lose(error)
    setTimeout(() => void begin(), 2000)
    return
  }
  login.value = null
  following = new AbortController()
  void follow(following.signal)
}

/** Forgets the key and all that was shown with it. */
export function leave(why = ''): void {
  following?.abort()
  following = null
  api.key.forget()
  me.value = null
  status.value = null
  types.value = []
  events.value = []
  explanations.value = {}
  histories.value = {}
  containers.clear()
  sessions.clear()
  login.value = why
}

function lose(error: unknown): void {
  const why = error instanceof Error ? error.message : String(error)
  const since = link.value.state === 'lost' ? link.value.since : performance.now()
  link.value = { state: 'lost', why, since }
}

async function follow(stop: AbortSignal): Promise<void> {
  let last: string | null = null
  let retry = 1000
  let failures = 0
  while (!stop.aborted) {
    try {
      const headers: Record<string, string> = last ? { 'Last-Event-ID': last } : {}
      const answer: Response = await api.ask('/events', { headers, signal: stop })
      const blocks = new Blocks()
      failures = 0
      link.value = { state: 'live' }
      // Only now: what happens while the lists are read comes by the stream.
      readAll()
      for await (const piece of text(answer, SILENCE)) {
        for (const block of blocks.take(piece)) {
          last = block.id ?? last
          retry = block.retry ?? retry
          if (block.data) take(JSON.parse(block.data) as Event)
          else readCounts()
        }
      }
      lose(new Error('The server ended the stream'))
    } catch (error) {
      if (stop.aborted) return
      if (error instanceof Refused && error.status === 401) return leave('This key is not known any more.')
      if (error instanceof Refused && error.code === 'bad_cursor') last = null
      lose(error)
    }
    const pause = Math.min(LONGEST_PAUSE, (retry / 2) * 2 ** failures++)
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}
