/** Who holds what, and for how long still. */
import { signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { Session } from '../api/types'
import { activityWords, duration, moment, plural } from '../format'
import { now } from '../live/clock'
import { me, readLeases, sessions, watch } from '../live/store'
import { askEnd } from '../parts/actions'
import { Search, TypeChoice } from '../parts/filters'
import { sorted, Table, type Column, type Sorting } from '../parts/table'
import { route, to } from '../router'

const search = signal('')
const type = signal('')
const ended = signal(false)
const sorting = signal<Sorting>({ column: 'Since', descending: true })
const selected = signal<Set<string>>(new Set())

/** An admin's key ends anybody's session, a client's its own. */
const mayEnd = ({ owner, state }: Session) =>
  state !== 'ended' && (me.value?.role === 'admin' || (me.value?.role === 'client' && me.value.owner === owner))

const columns: Column<Session>[] = [
  {
    name: 'Session',
    sort: ({ id }) => id,
    cell: ({ id }) => <span class="id" title={id}>{id}</span>,
  },
  { name: 'Owner', sort: ({ owner }) => owner, cell: ({ owner }) => owner, width: '7rem' },
  { name: 'Type', sort: ({ target_type }) => target_type, cell: ({ target_type }) => target_type, wide: true, width: '6rem' },
  {
    name: 'State',
    sort: ({ state, end_reason }) => `${state} ${end_reason ?? ''}`,
    cell: ({ state, end_reason }) => (state === 'ended' ? `ended: ${end_reason ?? ''}` : state),
    width: '6.5rem',
  },
  {
    name: 'Container',
    sort: ({ container }) => container?.name ?? '~',
    cell: ({ container }) => container && <a href={to('containers', container.id)}>{container.name}</a>,
    wide: true,
  },
  {
    name: 'Lease',
    sort: ({ lease }) => lease?.expires_in_ms ?? Infinity,
    cell: (session) => <Left session={session} />,
    width: '8.5rem',
  },
  {
    name: 'Activity',
    sort: ({ activity }) => activity?.last_active_ms_ago ?? activity?.last_heard_ms_ago ?? Infinity,
    cell: (session) => <Activity session={session} />,
    wide: true,
    width: '10.5rem',
  },
  { name: 'Since', sort: ({ created_at }) => created_at, cell: ({ created_at }) => moment(created_at), wide: true, width: '7.5rem' },
  {
    name: 'Desktop',
    cell: (session) =>
      mayEnd(session) &&
      session.state === 'ready' && (
        <a href={to('sessions', session.id, 'desktop')} aria-label={`Open the desktop of the session ${session.id}`}>
          Open
        </a>
      ),
    wide: true,
    width: '5rem',
  },
  {
    name: '',
    cell: (session) =>
      mayEnd(session) && (
        <button type="button" class="plain" onClick={() => askEnd([session])} aria-label={`End the session ${session.id}`}>
          End
        </button>
      ),
    width: '4rem',
  },
]

/** Milliseconds since the list was asked for, by this page's own clock. */
const since = () => now.value - sessions.readAt

function left({ lease }: Session): number {
  return lease ? Math.max(0, lease.expires_in_ms - since()) / 1000 : 0
}

/** When it was used, and when its idle limit ends it. */
function Activity({ session: { activity } }: { session: Session }) {
  if (!activity) return null
  const at = activity.last_active_at
  return <span title={at ? `Used at ${moment(at)}` : 'Nobody reported that it is used'}>{activityWords(activity, since())}</span>
}

function Left({ session }: { session: Session }) {
  if (!session.lease) return session.state === 'ready' ? <span class="muted">…</span> : null
  const seconds = left(session)
  return (
    <span class="lease">
      <progress max={session.lease.ttl_seconds} value={Math.min(seconds, session.lease.ttl_seconds)} aria-label="What is left of the lease" />{' '}
      {duration(Math.ceil(seconds))}
      {(session.warnings ?? []).length > 0 && <strong title="It is to end soon"> !</strong>}
    </span>
  )
}

function matches(session: Session): boolean {
  if (session.state === 'queued' || (session.state === 'ended' && !ended.value)) return false
  if (type.value && session.target_type !== type.value) return false
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean)
  const text = `${session.id} ${session.owner} ${session.container?.name ?? ''} ${session.end_reason ?? ''}`.toLowerCase()
  return words.every((word) => text.includes(word))
}

export default function Sessions() {
  useEffect(() => watch('sessions'), [])
  useLeases()
  const { query } = route.value
  useEffect(() => {
    const asked = query.get('q')
    if (asked !== null) {
      search.value = asked
      ended.value = true
    }
    type.value = query.get('type') ?? type.value
  }, [query])
  const version = sessions.version.value
  const shown = useMemo(
    () => sorted([...sessions.items.values()].filter(matches), columns, sorting.value),
    [version, search.value, type.value, ended.value, sorting.value],
  )
  const chosen = [...selected.value].flatMap((id) => sessions.items.get(id) ?? []).filter(mayEnd)
  return (
    <div class="listing">
      <div class="filters">
        <Search words={search} placeholder="owner, container, id" />
        <TypeChoice chosen={type} />
        <label class="check">
          <input type="checkbox" checked={ended.value} onChange={(event) => (ended.value = event.currentTarget.checked)} />
          those that ended while this page looked
        </label>
        <span class="count" role="status">
          {sessions.loaded.value ? plural(shown.length, 'session') : 'Reading …'}
        </span>
      </div>
      {me.value?.role !== 'viewer' && (
        <div class="bulk" role="group" aria-label="With those that are selected">
          <span>{plural(chosen.length, 'session')} selected</span>
          <button type="button" disabled={!chosen.length} onClick={() => askEnd(chosen)}>
            End
          </button>
        </div>
      )}
      {sessions.failure.value && <p role="alert">{sessions.failure.value}</p>}
      <Table
        label="Sessions"
        rows={shown}
        columns={columns}
        id={({ id }) => id}
        named={({ id, owner }) => `the session ${id} of ${owner}`}
        sorting={sorting.value}
        onSort={(wanted) => (sorting.value = wanted)}
        selected={me.value?.role === 'viewer' ? undefined : selected.value}
        onSelect={(wanted) => (selected.value = wanted)}
        empty={sessions.loaded.value ? 'Nobody holds a container.' : 'Reading …'}
      />
    </div>
  )
}

/** Renewals are no events. When half of the shortest lease has run down since the list was read, it is read again. */
function useLeases() {
  const version = sessions.version.value
  const shortest = useMemo(
    () => Math.min(...[...sessions.items.values()].flatMap(({ lease }) => (lease ? [lease.ttl_seconds] : []))),
    [version],
  )
  const due = Number.isFinite(shortest) && now.value - sessions.readAt > Math.max(2000, shortest * 500)
  useEffect(() => {
    if (due) readLeases()
  }, [due])
}
