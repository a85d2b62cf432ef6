/** Every type at a glance; at the top what is wrong, why, and what helps. */
import { useEffect, useState } from 'preact/hooks'
import type { TypeHistory, TypeInfo } from '../api/types'
import { duration, percentile, plural, together } from '../format'
import { explanations, histories, isAdmin, link, readHistories, status, types } from '../live/store'
import { StateBar } from '../parts/bar'
import { Chart } from '../parts/chart'
import { askEndRecovery } from '../parts/actions'
import { to } from '../router'
import { troubles, type Trouble } from './troubles'

const HOUR = 3_600_000
/** How old the history may be that is shown. */
const REFRESH = 60_000

export default function Pool() {
  useHistories()
  if (!status.value) return <p>{link.value.state === 'lost' ? 'Nothing is known yet.' : 'Reading …'}</p>
  const found = troubles(status.value, types.value, explanations.value)
  return (
    <>
      <Troubles found={found} />
      <div class="cards">
        {types.value.map((info) => (
          <TypeCard key={info.target_type} info={info} history={histories.value[info.target_type]} />
        ))}
      </div>
      {types.value.length === 0 && <p>No type is configured, and no container was found.</p>}
    </>
  )
}

function useHistories() {
  const names = types.value.map(({ target_type }) => target_type).join(' ')
  useEffect(() => {
    if (!names) return
    readHistories()
    const timer = setInterval(() => {
      if (!document.hidden && link.value.state === 'live') readHistories()
    }, REFRESH)
    return () => clearInterval(timer)
  }, [names])
}

function Troubles({ found }: { found: Trouble[] }) {
  return (
    <section aria-labelledby="wrong" class={found.length ? 'troubles' : 'troubles none'}>
      <h2 id="wrong">{found.length ? 'What is wrong' : 'Nothing is wrong'}</h2>
      {found.length > 0 && (
        <ul>
          {found.map((trouble) => (
            <li key={trouble.key} class={trouble.grave ? 'grave' : ''}>
              <strong>{trouble.title}</strong> {trouble.why}
              {trouble.help && <span class="help">What helps: {trouble.help}</span>}
              <span class="where">
                {trouble.containers.map(({ id, name }) => (
                  <a key={id} href={to('containers', id)}>
                    {name}
                  </a>
                ))}
                {trouble.recovering && isAdmin() && (
                  <button type="button" onClick={() => askEndRecovery(trouble.recovering ?? '')}>
                    End the recovery now
                  </button>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function TypeCard({ info, history }: { info: TypeInfo; history: TypeHistory | undefined }) {
  const { target_type: name, counts, scale } = info
  return (
    <section class="card" aria-labelledby={`type-${name}`} data-type={name}>
      <h2 id={`type-${name}`}>
        {name} <small>{plural(counts.total ?? 0, 'container')}</small>
      </h2>
      <StateBar name={name} counts={counts} link={(state) => `#/containers?type=${name}&state=${state}`} />
      <dl class="figures">
        <div>
          <dt>In line</dt>
          <dd>
            <a href={`#/line?type=${name}`}>{(counts.sessions_queued ?? 0).toLocaleString('en')}</a>
          </dd>
        </div>
        <div>
          <dt>Sessions</dt>
          <dd>
            <a href={`#/sessions?type=${name}`}>{(counts.sessions_ready ?? 0).toLocaleString('en')}</a>
          </dd>
        </div>
        {(counts.quarantined ?? 0) > 0 && (
          <div>
            <dt>Quarantined</dt>
            <dd>{counts.quarantined}</dd>
          </div>
        )}
        {scale && (
          <div>
            <dt>Wanted</dt>
            <dd title={scale.detail ?? undefined}>
              {scale.wanted} <small>{scale.reason}</small>
            </dd>
          </div>
        )}
      </dl>
      {history && <Past name={name} history={history} />}
    </section>
  )
}

function Past({ name, history }: { name: string; history: TypeHistory }) {
  const [week, setWeek] = useState(false)
  const span = (week ? 168 : 24) * HOUR
  const at = new Date(history.at).getTime()
  const { arrivals, waits, holds } = together(history.hours, at - span)
  const time = (sizes: typeof waits, share: number) => {
    const seconds = percentile(sizes, share)
    return seconds === null ? '–' : seconds === 0 ? 'none' : `≤ ${duration(seconds)}`
  }
  return (
    <>
      <table class="times">
        <caption>
          {plural(arrivals, 'session')} in the last {week ? '7 days' : '24 hours'}{' '}
          <button type="button" class="plain" onClick={() => setWeek(!week)}>
            {week ? 'Show 24 hours' : 'Show 7 days'}
          </button>
        </caption>
        <thead>
          <tr>
            <td />
            <th scope="col">p50</th>
            <th scope="col">p99</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Wait</th>
            <td>{time(waits, 0.5)}</td>
            <td>{time(waits, 0.99)}</td>
          </tr>
          <tr>
            <th scope="row">Hold</th>
            <td>{time(holds, 0.5)}</td>
            <td>{time(holds, 0.99)}</td>
          </tr>
        </tbody>
      </table>
      <Use name={name} history={history} from={at - span} until={at} />
    </>
  )
}

/** The most sessions at once, and arrivals, hour by hour. */
function Use({ name, history, from, until }: { name: string; history: TypeHistory; from: number; until: number }) {
  const byHour = new Map(history.hours.map((hour) => [new Date(hour.from).getTime(), hour]))
  const hours: number[] = []
  for (let at = Math.floor(from / HOUR) * HOUR; at <= until; at += HOUR) hours.push(at)
  const held = hours.map((at) => byHour.get(at)?.most_held ?? 0)
  const arrived = hours.map((at) => byHour.get(at)?.arrivals ?? 0)
  const most = Math.max(0, ...held)
  return (
    <>
      <Chart
        summary={`Use of ${name} by the hour: at most ${plural(most, 'session')} at once, ${plural(Math.max(0, ...arrived), 'arrival')} in the busiest hour`}
        times={hours.map((at) => at / 1000)}
        lines={[
          { label: 'arrivals', colour: '--arrivals', values: arrived },
          { label: 'most at once', colour: '--allocated', values: held },
        ]}
      />
      <p class="key muted" aria-hidden="true">
        <span class="dot allocated" /> most sessions at once <span class="dot arrivals" /> arrivals, each hour
      </p>
    </>
  )
}
