/** One container: facts, why it is in its state, what happened to it, its log and what it uses. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ask } from '../api/client'
import { Blocks, text } from '../api/stream'
import type { Container, Event } from '../api/types'
import { duration, moment, plural, shortSession } from '../format'
import { containers, events, isAdmin, readContainer } from '../live/store'
import * as actions from '../parts/actions'
import { StateWord } from '../parts/bar'
import { EventLine } from '../parts/event'
import { go } from '../router'
import { Log } from './log'
import { Usage } from './usage'

/** Of its events so many are shown. */
const SHOWN = 200

export function Drawer({ id }: { id: string }) {
  const box = useRef<HTMLElement>(null)
  const version = containers.version.value
  const one = containers.items.get(id)
  const close = () => go('#/containers')
  useEffect(() => {
    readContainer(id).catch(() => undefined)
    box.current?.focus()
  }, [id])
  const escape = (event: KeyboardEvent) => event.key === 'Escape' && close()
  return (
    <aside class="drawer" ref={box} tabIndex={-1} aria-label={`Container ${one?.name ?? id}`} onKeyDown={escape} data-version={version}>
      <div class="head">
        <h2>{one?.name ?? id}</h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      {one ? <Content one={one} /> : <p>{containers.loaded.value ? 'It is not there (any more).' : 'Reading …'}</p>}
    </aside>
  )
}

function Content({ one }: { one: Container }) {
  return (
    <>
      <p>
        <StateWord state={one.pool_state} cordoned={one.cordoned} />
      </p>
      <ul class="why">
        {why(one).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {isAdmin() && <Buttons one={one} />}
      <Facts one={one} />
      <Happened id={one.id} />
      {isAdmin() && (
        <>
          <Section title="Uses">
            <Usage id={one.id} />
          </Section>
          <Section title="Log">
            <Log id={one.id} />
          </Section>
        </>
      )}
    </>
  )
}

/** Why it is in its state, in sentences: the facts that the state is made of. */
export function why(one: Container): string[] {
  const found: string[] = []
  if (one.pool_state === 'available' && !one.cordoned) found.push('It is clean and well, and would be given out now.')
  if (one.allocated_to) found.push(`The session ${one.allocated_to} has it${one.allocated_at ? `, since ${moment(one.allocated_at)}` : ''}.`)
  else if (one.pool_state === 'allocated') found.push('It is offered to a session in line.')
  if (one.drain) found.push(`It is being drained: its session is waited for until ${moment(one.drain.until)}, then it ${one.drain.force ? 'ends' : 'goes on'}.`)
  else if (one.cordoned) found.push(`It is given out no more: cordoned by ${one.cordoned_by ?? 'an operator'}.`)
  if (one.quarantine?.by) found.push(`It is in quarantine until ${moment(one.quarantine.until)}: ${one.quarantine.by} put it there.`)
  else if (one.quarantine) found.push(`It is in quarantine until ${moment(one.quarantine.until)}, for the ${one.quarantine.times}. time in a row, for ${one.quarantine.reason}.`)
  if (one.reset) found.push(one.reset.failure ? `It could not be made clean: ${one.reset.failure}` : 'It is being made clean after a session.')
  if (one.held) found.push('It is held until the recovery ends: Redis may have lost a lease of it.')
  if (one.state !== 'running') found.push(`Its engine says: ${one.state}.`)
  if (one.health.reason) found.push(one.health.reason)
  else if (one.pool_state === 'initializing') found.push('No probe of it has succeeded or failed yet.')
  return found
}

function Buttons({ one }: { one: Container }) {
  return (
    <div class="bulk" role="group" aria-label="What may be done">
      {one.cordoned ? (
        <button type="button" onClick={() => actions.askUncordon([one])}>
          Uncordon
        </button>
      ) : (
        <button type="button" onClick={() => actions.askCordon([one])}>
          Cordon
        </button>
      )}
      <button type="button" onClick={() => actions.askDrain([one])}>
        Drain
      </button>
      <button type="button" onClick={() => actions.askRestart([one])}>
        Restart
      </button>
      {one.quarantine ? (
        <button type="button" onClick={() => actions.askUnquarantine([one])}>
          End quarantine
        </button>
      ) : (
        <button type="button" onClick={() => actions.askQuarantine([one])}>
          Quarantine
        </button>
      )}
    </div>
  )
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  )
}

function Facts({ one }: { one: Container }) {
  const ports = Object.entries(one.endpoints).map(([name, { address, internal }]) => `${name} ${address ?? internal ?? ''}`)
  const facts: [string, ComponentChildren][] = [
    ['Id', <code>{one.id}</code>],
    ['Type', one.target_type],
    ['Provider', one.provider],
    ['Engine', one.state],
    ['Health', `${one.health.status}; own check ${one.health.engine}; probe ${one.health.probe ?? 'none'}`],
    ['Session', one.allocated_to && <a href={`#/sessions?q=${one.allocated_to}`}>{one.allocated_to}</a>],
    ['Fencing token', one.fencing_token],
    ['Made', one.created_at && moment(one.created_at)],
    ['Address', one.ip_address],
    ['Endpoints', ports.join(', ')],
  ]
  const labels = Object.entries(one.labels)
  return (
    <Section title="Facts">
      <dl class="facts">
        {facts.map(([name, value]) =>
          value ? (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ) : null,
        )}
      </dl>
      {labels.length > 0 && (
        <details>
          <summary>{plural(labels.length, 'label')}</summary>
          <dl class="facts">
            {labels.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </Section>
  )
}

/** Its sessions and events: those that are kept, then those that come. */
function Happened({ id }: { id: string }) {
  const [kept, setKept] = useState<Event[]>([])
  const [failure, setFailure] = useState('')
  useEffect(() => {
    const stop = new AbortController()
    readKept(id, stop.signal).then(setKept, (error: unknown) => {
      if (!stop.signal.aborted) setFailure(String(error))
    })
    return () => stop.abort()
  }, [id])
  const seen = new Set(kept.map((event) => event.id))
  const all = [...kept, ...events.value.filter((event) => event.data.container === id && !seen.has(event.id))]
  const sessions = sessionsOf(all)
  return (
    <>
      <Section title="Sessions it had">
        {sessions.length === 0 && <p class="muted">None that is still known.</p>}
        <ul class="past">
          {sessions.slice(-20).reverse().map(({ id: session, owner, from, until, reason }) => (
            <li key={session}>
              <a href={`#/sessions?q=${session}`}>{shortSession(session)}</a> of {owner}, {from ? moment(from) : 'earlier'}
              {until ? `${from ? `, for ${duration((Date.parse(until) - Date.parse(from)) / 1000)}` : ''}, ${reason}` : ', still has it'}
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Events">
        {failure && <p role="alert">{failure}</p>}
        <ol class="events" tabIndex={0} aria-label="Events, the youngest first">
          {all.slice(-SHOWN).reverse().map((event) => (
            <EventLine key={event.id} event={event} />
          ))}
        </ol>
      </Section>
    </>
  )
}

async function readKept(id: string, signal: AbortSignal): Promise<Event[]> {
  const answer = await ask(`/events?container=${encodeURIComponent(id)}&from=start&follow=false`, { signal })
  const blocks = new Blocks()
  const found: Event[] = []
  for await (const piece of text(answer)) {
    for (const { data } of blocks.take(piece)) {
      if (!data) continue
      const event = JSON.parse(data) as Event
      if (event.kind !== 'resync') found.push(event)
    }
  }
  return found
}

interface Past {
  id: string
  owner: string
  from: string
  until: string
  reason: string
}

/** The sessions that had it, by its events. */
export function sessionsOf(all: Event[]): Past[] {
  const found = new Map<string, Past>()
  for (const { kind, at, data } of all) {
    const id = data.session
    if (typeof id !== 'string' || !/^session\.(ready|adopted|ended)$/.test(kind)) continue
    const known = found.get(id) ?? { id, owner: String(data.owner ?? ''), from: '', until: '', reason: '' }
    if (kind === 'session.ended') Object.assign(known, { until: at, reason: String(data.reason ?? '') })
    else known.from ||= at
    found.set(id, known)
  }
  return [...found.values()]
}

