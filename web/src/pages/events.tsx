/** What happens, while it happens. */
import { signal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import type { Event } from '../api/types'
import { moment, plural } from '../format'
import { events, forgotten } from '../live/store'
import { EventData } from '../parts/event'
import { Choice, Search, TypeChoice } from '../parts/filters'
import { Table, type Column } from '../parts/table'

const KINDS = ['session.', 'container.', 'container.state', 'container.quarantine', 'type.', 'audit.', 'recovery.']

const type = signal('')
const kind = signal('')
const search = signal('')
/** What is shown while it stands still; null while it goes on. */
const held = signal<Event[] | null>(null)

const columns: Column<Event>[] = [
  { name: 'When', cell: ({ at }) => <time dateTime={at}>{moment(at)}</time>, width: '10rem' },
  { name: 'Type', cell: ({ target_type }) => target_type, width: '8rem' },
  { name: 'Kind', cell: (event) => event.kind, width: '14rem' },
  { name: 'What', cell: (event) => <span class="cut"><EventData event={event} /></span>, wide: true },
]

function matches(event: Event): boolean {
  if (type.value && event.target_type !== type.value) return false
  // What is gone may have been what is looked for.
  if (event.kind === 'resync') return true
  if (kind.value && !event.kind.startsWith(kind.value)) return false
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return true
  const text = `${event.kind} ${JSON.stringify(event.data)}`.toLowerCase()
  return words.every((word) => text.includes(word))
}

export default function Events() {
  const all = held.value ?? events.value
  const shown = useMemo(() => all.filter(matches).reverse(), [all, type.value, kind.value, search.value])
  return (
    <div class="listing">
      <div class="filters">
        <Search words={search} placeholder="container, session, owner, reason" />
        <TypeChoice chosen={type} />
        <Choice label="Kind" chosen={kind} of={KINDS} show={(one) => `${one}…`} />
        <button type="button" aria-pressed={held.value !== null} onClick={() => (held.value = held.value ? null : events.value)}>
          {held.value ? 'Go on' : 'Stand still'}
        </button>
        <span class="count" role="status">
          {plural(shown.length, 'event')}
          {forgotten.value > 0 && `; ${forgotten.value.toLocaleString('en')} older ones are shown no more`}
        </span>
      </div>
      <Table
        label="Events"
        rows={shown}
        columns={columns}
        id={({ id }) => id}
        empty="Nothing happened since this page was opened."
      />
    </div>
  )
}
