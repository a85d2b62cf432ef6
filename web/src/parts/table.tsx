/** A table of any length: only the rows in sight are in the page. */
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

const ROW = 38
/** Rows beyond the edges, so that scrolling shows no gap. */
const MARGIN = 8

export interface Column<T> {
  name: string
  cell: (row: T) => ComponentChildren
  /** What rows are sorted by; without it the column is not sorted by. */
  sort?: (row: T) => string | number
  /** Left out on narrow screens. */
  wide?: boolean
  width?: string
}

export interface Sorting {
  column: string
  descending: boolean
}

interface Props<T> {
  label: string
  rows: T[]
  columns: Column<T>[]
  id: (row: T) => string
  sorting?: Sorting | undefined
  onSort?: (sorting: Sorting) => void
  selected?: Set<string> | undefined
  onSelect?: (selected: Set<string>) => void
  /** What a row is called, for whoever hears rather than sees it. */
  named?: (row: T) => string
  current?: string | undefined
  empty: ComponentChildren
}

/** Rows in the order that is asked for. Equal ones stay as they are. */
export function sorted<T>(rows: T[], columns: Column<T>[], sorting: Sorting): T[] {
  const by = columns.find(({ name }) => name === sorting.column)?.sort
  if (!by) return rows
  const way = sorting.descending ? -1 : 1
  const keyed = rows.map((row) => [by(row), row] as const)
  keyed.sort(([a], [b]) => (a < b ? -way : a > b ? way : 0))
  return keyed.map(([, row]) => row)
}

export function Table<T>(props: Props<T>) {
  const { rows, columns, selected } = props
  const region = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })
  const look = () => {
    const box = region.current
    if (box) setView({ top: box.scrollTop, height: box.clientHeight })
  }
  useLayoutEffect(() => {
    look()
    const observer = new ResizeObserver(look)
    if (region.current) observer.observe(region.current)
    return () => observer.disconnect()
  }, [])
  const first = Math.max(0, Math.min(Math.floor(view.top / ROW) - MARGIN, rows.length - 1))
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW) + MARGIN)
  const width = columns.length + (selected ? 1 : 0)
  const move = (event: KeyboardEvent) => step(event, region.current, rows.length)
  return (
    <div class="table" ref={region} role="region" aria-label={props.label} tabIndex={0} onScroll={look} onKeyDown={move}>
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {selected && (
              <th scope="col" class="tick">
                <All {...props} selected={selected} />
              </th>
            )}
            {columns.map((column) => (
              <Head key={column.name} column={column} sorting={props.sorting} onSort={props.onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <Gap rows={first} width={width} />}
          {rows.slice(first, last).map((row, at) => {
            const id = props.id(row)
            return (
              <tr
                key={id}
                aria-rowindex={first + at + 2}
                data-at={first + at}
                class={id === props.current ? 'current' : undefined}
                aria-selected={selected?.has(id)}
              >
                {selected && (
                  <td class="tick">
                    <input
                      type="checkbox"
                      aria-label={`Select ${props.named?.(row) ?? id}`}
                      checked={selected.has(id)}
                      onChange={() => props.onSelect?.(toggled(selected, id))}
                    />
                  </td>
                )}
                {columns.map((column) => (
                  <td key={column.name} class={column.wide ? 'wide' : undefined}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            )
          })}
          {last < rows.length && <Gap rows={rows.length - last} width={width} />}
        </tbody>
      </table>
      {rows.length === 0 && <p class="empty">{props.empty}</p>}
    </div>
  )
}

function Gap({ rows, width }: { rows: number; width: number }) {
  return (
    <tr class="gap" aria-hidden="true">
      <td colSpan={width} style={{ height: `${rows * ROW}px` }} />
    </tr>
  )
}

function Head<T>({ column, sorting, onSort }: { column: Column<T>; sorting: Sorting | undefined; onSort: Props<T>['onSort'] }) {
  const current = sorting?.column === column.name
  const order = current ? (sorting.descending ? 'descending' : 'ascending') : undefined
  const sort = () => onSort?.({ column: column.name, descending: current && !sorting.descending })
  return (
    <th scope="col" class={column.wide ? 'wide' : undefined} aria-sort={order} style={column.width ? { width: column.width } : undefined}>
      {column.sort && onSort ? (
        <button type="button" class="plain" onClick={sort}>
          {column.name}
          <span aria-hidden="true">{current ? (sorting.descending ? ' ▾' : ' ▴') : ''}</span>
        </button>
      ) : (
        column.name
      )}
    </th>
  )
}

/** Selects all rows that are listed, also those out of sight. */
function All<T>({ rows, id, selected, onSelect }: Props<T> & { selected: Set<string> }) {
  const all = rows.length > 0 && rows.every((row) => selected.has(id(row)))
  return (
    <input
      type="checkbox"
      aria-label="Select all that are listed"
      checked={all}
      indeterminate={!all && selected.size > 0}
      onChange={() => onSelect?.(all ? new Set() : new Set(rows.map(id)))}
    />
  )
}

function toggled(selected: Set<string>, id: string): Set<string> {
  const next = new Set(selected)
  if (!next.delete(id)) next.add(id)
  return next
}

/** Arrow keys go from row to row, Page and Home and End farther, in the column of what has the focus. */
function step(event: KeyboardEvent, region: HTMLElement | null, rows: number): void {
  const focused = document.activeElement
  const row = focused?.closest<HTMLElement>('tr[data-at]')
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -rows, End: rows }
  const by = steps[event.key]
  if (by === undefined || !region || !row || !focused) return
  event.preventDefault()
  const cell = [...row.children].findIndex((one) => one.contains(focused))
  const at = Math.max(0, Math.min(rows - 1, Number(row.dataset.at) + by))
  const head = region.querySelector('thead')?.clientHeight ?? ROW
  if (at * ROW < region.scrollTop) region.scrollTop = at * ROW
  else if ((at + 1) * ROW + head > region.scrollTop + region.clientHeight) {
    region.scrollTop = (at + 1) * ROW + head - region.clientHeight
  }
  // After the rows there are drawn.
  const arrive = (tries: number) => {
    const target = region.querySelector(`tr[data-at="${at}"]`)?.children[cell]?.querySelector<HTMLElement>('a, button, input')
    if (target) target.focus({ preventScroll: true })
    else if (tries) requestAnimationFrame(() => arrive(tries - 1))
  }
  requestAnimationFrame(() => arrive(10))
}
