/** All containers: found, sorted, several acted upon at once; one of them opened beside the table. */
import { signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { Container } from '../api/types'
import { moment, plural, short, shortSession } from '../format'
import { containers, isAdmin, watch } from '../live/store'
import * as actions from '../parts/actions'
import { STATES, StateWord } from '../parts/bar'
import { Choice, Search, TypeChoice } from '../parts/filters'
import { sorted, Table, type Column, type Sorting } from '../parts/table'
import { route, to } from '../router'
import { Drawer } from './drawer'

const search = signal('')
const type = signal('')
const state = signal('')
const sorting = signal<Sorting>({ column: 'Container', descending: false })
const selected = signal<Set<string>>(new Set())

const columns: Column<Container>[] = [
  {
    name: 'Container',
    sort: ({ name, id }) => name || id,
    cell: ({ id, name }) => (
      <a href={to('containers', id)} title={id}>
        {name || short(id)}
      </a>
    ),
  },
  { name: 'Type', sort: (one) => one.target_type, cell: (one) => one.target_type, width: '8rem' },
  {
    name: 'State',
    sort: (one) => `${shownState(one)} ${one.cordoned}`,
    cell: (one) => <StateWord state={one.pool_state} cordoned={one.cordoned} />,
    width: '12rem',
  },
  { name: 'Why', cell: (one) => <span class="cut">{inShort(one)}</span>, wide: true },
  {
    name: 'Session',
    sort: ({ allocated_to }) => allocated_to ?? '~',
    cell: ({ allocated_to }) => allocated_to && <a href={`#/sessions?q=${allocated_to}`}>{shortSession(allocated_to)}</a>,
    wide: true,
    width: '8rem',
  },
  {
    name: 'Since',
    sort: ({ allocated_at }) => allocated_at ?? '~',
    cell: ({ allocated_at }) => allocated_at && moment(allocated_at),
    wide: true,
    width: '10rem',
  },
  { name: 'Provider', sort: (one) => one.provider, cell: (one) => one.provider, wide: true, width: '8rem' },
]

const shownState = ({ pool_state, cordoned }: Container) =>
  cordoned && pool_state === 'available' ? 'cordoned' : pool_state

function inShort(one: Container): string {
  if (one.quarantine) return `quarantined${one.quarantine.by ? ` by ${one.quarantine.by}` : `: ${one.quarantine.reason}`}`
  if (one.drain) return 'draining'
  if (one.held) return 'held until the recovery ends'
  return one.reset?.failure ?? one.health.reason ?? (one.cordoned_by ? `cordoned by ${one.cordoned_by}` : '')
}

function matches(one: Container): boolean {
  if (type.value && one.target_type !== type.value) return false
  if (state.value === 'quarantined') {
    if (!one.quarantine) return false
  } else if (state.value && shownState(one) !== state.value) return false
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return true
  const text = `${one.name} ${one.id} ${one.allocated_to ?? ''} ${one.ip_address ?? ''} ${inShort(one)}`.toLowerCase()
  return words.every((word) => text.includes(word))
}

export default function Containers() {
  useEffect(() => watch('containers'), [])
  useFilters()
  const version = containers.version.value
  const shown = useMemo(
    () => sorted([...containers.items.values()].filter(matches), columns, sorting.value),
    [version, search.value, type.value, state.value, sorting.value],
  )
  const open = route.value.rest[0]
  const chosen = [...selected.value].flatMap((id) => containers.items.get(id) ?? [])
  return (
    <div class={open ? 'beside' : undefined}>
      <div class="listing">
        <div class="filters">
          <Search words={search} placeholder="name, id, session, reason" />
          <TypeChoice chosen={type} />
          <Choice label="State" chosen={state} of={[...STATES, 'quarantined']} />
          <span class="count" role="status">
            {containers.loaded.value ? `${shown.length.toLocaleString('en')} of ${plural(containers.items.size, 'container')}` : 'Reading …'}
          </span>
        </div>
        {isAdmin() && <Bulk chosen={chosen} />}
        {containers.failure.value && <p role="alert">{containers.failure.value}</p>}
        <Table
          label="Containers"
          rows={shown}
          columns={columns}
          id={({ id }) => id}
          named={({ name, id }) => name || id}
          sorting={sorting.value}
          onSort={(wanted) => (sorting.value = wanted)}
          selected={isAdmin() ? selected.value : undefined}
          onSelect={(wanted) => (selected.value = wanted)}
          current={open}
          empty={containers.loaded.value ? 'No container is so.' : 'Reading …'}
        />
      </div>
      {open && <Drawer id={open} key={open} />}
    </div>
  )
}

/** What the address asks for: links of other pages lead here. */
function useFilters() {
  const { query } = route.value
  useEffect(() => {
    for (const [name, filter] of [['type', type], ['state', state], ['q', search]] as const) {
      const value = query.get(name)
      if (value !== null) filter.value = value
    }
  }, [query])
}

function Bulk({ chosen }: { chosen: Container[] }) {
  const idle = chosen.length === 0
  const quarantined = chosen.filter(({ quarantine }) => quarantine)
  return (
    <div class="bulk" role="group" aria-label="With those that are selected">
      <span>{plural(chosen.length, 'container')} selected</span>
      <button type="button" disabled={idle} onClick={() => actions.askCordon(chosen)}>
        Cordon
      </button>
      <button type="button" disabled={idle} onClick={() => actions.askUncordon(chosen)}>
        Uncordon
      </button>
      <button type="button" disabled={idle} onClick={() => actions.askDrain(chosen)}>
        Drain
      </button>
      <button type="button" disabled={idle} onClick={() => actions.askRestart(chosen)}>
        Restart
      </button>
      <button type="button" disabled={idle} onClick={() => actions.askQuarantine(chosen)}>
        Quarantine
      </button>
      <button type="button" disabled={!quarantined.length} onClick={() => actions.askUnquarantine(quarantined)}>
        End quarantine
      </button>
      {!idle && (
        <button type="button" class="plain" onClick={() => (selected.value = new Set())}>
          Select none
        </button>
      )}
    </div>
  )
}
