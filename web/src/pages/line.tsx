/** Who waits: the place of each in the line of its type. */
import { signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { Session } from '../api/types'
import { duration, moment, plural } from '../format'
import { me, sessions, watch } from '../live/store'
import { askEnd } from '../parts/actions'
import { TypeChoice } from '../parts/filters'
import { sorted, Table, type Column, type Sorting } from '../parts/table'
import { route } from '../router'

const type = signal('')
const sorting = signal<Sorting>({ column: 'Place', descending: false })

/** Each type has a line of its own. */
const place = ({ target_type, ticket }: Session) => `${target_type} ${String(ticket?.position ?? 'last').padStart(9, '0')}`

const columns: Column<Session>[] = [
  { name: 'Place', sort: place, cell: ({ ticket }) => ticket?.position ?? '…', width: '5rem' },
  { name: 'Priority', sort: ({ ticket }) => ticket?.priority ?? 0, cell: ({ ticket }) => ticket?.priority ?? '…', width: '6rem' },
  { name: 'Type', sort: ({ target_type }) => target_type, cell: ({ target_type }) => target_type, width: '8rem' },
  { name: 'Owner', sort: ({ owner }) => owner, cell: ({ owner }) => owner, width: '10rem' },
  { name: 'Session', sort: ({ id }) => id, cell: ({ id }) => <span class="id" title={id}>{id}</span>, wide: true },
  {
    name: 'Wait, by estimate',
    sort: ({ ticket }) => ticket?.estimated_wait_seconds ?? Infinity,
    cell: ({ ticket }) => (ticket?.estimated_wait_seconds == null ? '–' : duration(ticket.estimated_wait_seconds)),
    width: '10rem',
  },
  { name: 'Since', sort: ({ created_at }) => created_at, cell: ({ created_at }) => moment(created_at), wide: true, width: '11rem' },
  {
    name: '',
    cell: (session) =>
      (me.value?.role === 'admin' || (me.value?.role === 'client' && me.value.owner === session.owner)) && (
        <button type="button" class="plain" onClick={() => askEnd([session])} aria-label={`Take ${session.id} out of the line`}>
          End
        </button>
      ),
    width: '4rem',
  },
]

export default function Line() {
  useEffect(() => watch('sessions'), [])
  const { query } = route.value
  useEffect(() => {
    type.value = query.get('type') ?? type.value
  }, [query])
  const version = sessions.version.value
  const shown = useMemo(() => {
    const waiting = [...sessions.items.values()].filter(
      ({ state, target_type }) => state === 'queued' && (!type.value || target_type === type.value),
    )
    return sorted(sorted(waiting, columns, { column: 'Place', descending: false }), columns, sorting.value)
  }, [version, type.value, sorting.value])
  return (
    <div class="listing">
      <div class="filters">
        <TypeChoice chosen={type} />
        <span class="count" role="status">
          {sessions.loaded.value ? plural(shown.length, 'session') + ' in line' : 'Reading …'}
        </span>
      </div>
      <p class="muted">A place has the owner’s share, the priority (seconds of head start that were asked for) and the time of arrival in it already.</p>
      {sessions.failure.value && <p role="alert">{sessions.failure.value}</p>}
      <Table
        label="The line"
        rows={shown}
        columns={columns}
        id={({ id }) => id}
        sorting={sorting.value}
        onSort={(wanted) => (sorting.value = wanted)}
        empty={sessions.loaded.value ? 'Nobody waits.' : 'Reading …'}
      />
    </div>
  )
}
