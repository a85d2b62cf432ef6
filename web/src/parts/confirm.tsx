/** Before something is done: what will happen. Afterwards, of many: what did not, row by row. */
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

/** Requests of one action that are under way at a time. */
const AT_ONCE = 6
/** Of many so many are named before. */
const NAMED = 12

export interface Target {
  id: string
  name: string
}

export interface Question {
  title: string
  /** What will happen. */
  body: ComponentChildren
  /** The word on the button. */
  action: string
  danger?: boolean
  targets: Target[]
  run: (target: Target) => Promise<unknown>
}

const question = signal<Question | null>(null)
const said = signal('')

/** Asks, and does it when the answer is yes. */
export function confirm(asked: Question): void {
  question.value = asked
}

/** Tells what happened, without taking the focus. */
export function say(words: string): void {
  said.value = words
  setTimeout(() => {
    if (said.value === words) said.value = ''
  }, 6000)
}

export function Said() {
  return (
    <p class={`said ${said.value ? 'shown' : ''}`} role="status">
      {said.value}
    </p>
  )
}

export function Confirmation() {
  return question.value && <Dialog asked={question.value} key={question.value.title} />
}

type Outcomes = Map<string, 'done' | { failed: string }>

function Dialog({ asked }: { asked: Question }) {
  const box = useRef<HTMLDialogElement>(null)
  const [outcomes, setOutcomes] = useState<Outcomes | null>(null)
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    const before = document.activeElement
    box.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  const close = () => {
    question.value = null
  }
  const run = async (targets: Target[]) => {
    setBusy(true)
    const found: Outcomes = new Map(outcomes)
    const left = [...targets]
    const work = async () => {
      for (let target = left.shift(); target; target = left.shift()) {
        const outcome = await asked.run(target).then(
          () => 'done' as const,
          (error: unknown) => ({ failed: error instanceof Error ? error.message : String(error) }),
        )
        found.set(target.id, outcome)
        setOutcomes(new Map(found))
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    setBusy(false)
    if ([...found.values()].every((outcome) => outcome === 'done')) {
      say(`${asked.title}: done${asked.targets.length > 1 ? `, ${asked.targets.length} of them` : ''}.`)
      close()
    }
  }
  const failed = asked.targets.filter(({ id }) => typeof outcomes?.get(id) === 'object')
  return (
    <dialog ref={box} aria-labelledby="asked" onClose={close} onCancel={(event) => busy && event.preventDefault()}>
      <h2 id="asked">{asked.title}</h2>
      {outcomes ? <Progress asked={asked} outcomes={outcomes} failed={failed} /> : <Asked asked={asked} />}
      <div class="buttons">
        {failed.length > 0 && !busy ? (
          <button type="button" onClick={() => void run(failed)}>
            Try those again
          </button>
        ) : null}
        <button type="button" onClick={close} disabled={busy}>
          {outcomes && !busy ? 'Close' : 'Cancel'}
        </button>
        {!outcomes && (
          <button type="button" class={asked.danger ? 'danger' : 'primary'} onClick={() => void run(asked.targets)}>
            {asked.action}
          </button>
        )}
      </div>
    </dialog>
  )
}

/** What will happen, and to which: also to those that the table does not show now. */
function Asked({ asked: { body, targets } }: { asked: Question }) {
  const names = targets.slice(0, NAMED).map(({ name }) => name)
  const more = targets.length - names.length
  return (
    <div class="body">
      {body}
      {targets.length > 1 && (
        <p class="muted">
          {names.join(', ')}
          {more > 0 && ` and ${more.toLocaleString('en')} more`}
        </p>
      )}
    </div>
  )
}

function Progress({ asked, outcomes, failed }: { asked: Question; outcomes: Outcomes; failed: Target[] }) {
  const done = [...outcomes.values()].filter((outcome) => outcome === 'done').length
  return (
    <div class="body" aria-live="polite">
      <p>
        {done} of {asked.targets.length} done{failed.length ? `, ${failed.length} not:` : '.'}
      </p>
      <ul class="outcomes" tabIndex={failed.length ? 0 : undefined}>
        {failed.map(({ id, name }) => {
          const outcome = outcomes.get(id)
          return (
            <li key={id}>
              <strong>{name}</strong>: {typeof outcome === 'object' ? outcome.failed : ''}
            </li>
          )
        })}
      </ul>
    </div>
  )
}
