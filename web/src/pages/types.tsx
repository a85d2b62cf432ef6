/** The settings of each type, and how it is scaled; a change is shown with its effect before it is made. */
import { useState } from 'preact/hooks'
import * as api from '../api/client'
import type { TypeBody, TypeInfo } from '../api/types'
import { duration, moment } from '../format'
import { isAdmin, readCounts, types } from '../live/store'
import { confirm } from '../parts/confirm'
import { effects, inForce, isChanged, SETTINGS, wrong, type About, type Wanted } from './effects'

export default function Types() {
  if (!types.value.length) return <p>No type is known yet.</p>
  return (
    <div class="cards wide-cards">
      {types.value.map((info) => (
        <TypeSettings key={info.target_type} info={info} />
      ))}
    </div>
  )
}

function TypeSettings({ info }: { info: TypeInfo }) {
  const name = info.target_type
  const [wanted, setWanted] = useState<Wanted>({})
  const told = effects(info, wanted)
  const fault = wrong(info, wanted)
  const apply = (event: Event) => {
    event.preventDefault()
    if (!told.length || fault) return
    confirm({
      title: `Change the settings of ${name}`,
      body: (
        <>
          <p>For all replicas, within a second:</p>
          <Effects told={told} />
        </>
      ),
      action: 'Change',
      targets: [{ id: name, name }],
      run: async () => {
        const changed = await api.changeType(name, wanted as TypeBody)
        types.value = types.value.map((one) => (one.target_type === name ? changed : one))
        setWanted({})
        readCounts()
      },
    })
  }
  const set = (about: About, to: number | null | undefined) => {
    const next = { ...wanted, [about.name]: to }
    if (to === undefined || (to !== null && to === inForce(info, about.name))) delete next[about.name]
    setWanted(next)
  }
  const shown = SETTINGS.filter(({ scale }) => !scale || info.scale_terms)
  return (
    <section class="card" aria-labelledby={`settings-${name}`}>
      <h2 id={`settings-${name}`}>{name}</h2>
      <Scale info={info} />
      <form onSubmit={apply}>
        {shown.map((about) => (
          <Field key={about.name} about={about} info={info} wanted={wanted[about.name]} set={(to) => set(about, to)} name={name} />
        ))}
        {fault && <p role="alert">{fault}</p>}
        {told.length > 0 && <Effects told={told} />}
        {isAdmin() && (
          <div class="buttons">
            <button type="button" disabled={!told.length} onClick={() => setWanted({})}>
              Leave as it is
            </button>
            <button type="submit" class="primary" disabled={!told.length || fault !== null}>
              Change …
            </button>
          </div>
        )}
      </form>
    </section>
  )
}

function Effects({ told }: { told: string[] }) {
  return (
    <ul class="effects">
      {told.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  )
}

interface FieldProps {
  about: About
  info: TypeInfo
  wanted: number | null | undefined
  set: (to: number | null | undefined) => void
  name: string
}

function Field({ about, info, wanted, set, name }: FieldProps) {
  const current = inForce(info, about.name)
  const changed = isChanged(info, about.name)
  const id = `${name}-${about.name}`
  // While it is typed it may be empty for a moment.
  const [typed, setTyped] = useState<string | null>(null)
  const shown = typed ?? (wanted === undefined ? (current ?? '') : (wanted ?? ''))
  const input = (text: string) => {
    setTyped(text)
    set(text === '' ? undefined : Number(text))
  }
  return (
    <div class="setting">
      <label for={id}>
        {about.label}
        {changed && <em> (changed)</em>}
      </label>
      <input
        id={id}
        type="number"
        step={1}
        min={about.least}
        max={about.most}
        value={shown}
        placeholder={wanted === null ? 'as configured' : 'no bound'}
        disabled={!isAdmin()}
        onInput={(event) => input(event.currentTarget.value)}
        onBlur={() => setTyped(null)}
      />
      <span class="unit">{about.unit}</span>
      {changed && isAdmin() && (
        <button type="button" class="plain" onClick={() => set(null)} aria-label={`${about.label} of ${name}: as configured`}>
          as configured
        </button>
      )}
    </div>
  )
}

/** What was decided last, and by what. */
function Scale({ info: { scale, scale_terms: terms, counts } }: { info: TypeInfo }) {
  if (!terms) return <p class="muted">It is not scaled: there are as many containers as are found.</p>
  return (
    <>
      <p>
        {counts.total ?? 0} there
        {scale && (
          <>
            , <strong>{scale.wanted} wanted</strong> ({scale.reason}
            {scale.detail && `: ${scale.detail}`}; {moment(scale.decided_at)})
          </>
        )}
        {terms.dry_run && ' – a dry run: it is only told'}
      </p>
      <ul class="muted terms">
        <li>
          grows at once, {duration(terms.up_pause_seconds)} between two additions; shrinks after {duration(terms.calm_seconds)} of calm
        </li>
        {terms.share_of_peak != null && (
          <li>
            at least {Math.round(terms.share_of_peak * 100)} % of the most sessions in {duration(terms.peak_window_seconds)}
          </li>
        )}
        {terms.schedule.map((time) => (
          <li key={`${time.cron} ${time.time_zone}`}>
            <code>{time.cron}</code> ({time.time_zone}) for {duration(time.duration_seconds)}: at least {time.min}, {time.min_idle} idle
          </li>
        ))}
      </ul>
    </>
  )
}
