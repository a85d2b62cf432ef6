/** An event in one line. All of its text is shown as text. */
import type { Event } from '../api/types'
import { moment, short, shortSession } from '../format'

const LINKS: Record<string, (value: string) => string> = {
  container: (id) => `#/containers/${encodeURIComponent(id)}`,
  session: (id) => `#/sessions?q=${encodeURIComponent(id)}`,
}

export function EventData({ event }: { event: Event }) {
  return (
    <>
      {Object.entries(event.data).map(([name, value]) => {
        const words = typeof value === 'string' ? value : JSON.stringify(value)
        const link = LINKS[name]
        return (
          <span key={name} class="datum">
            <span class="muted">{name}</span> {link ? <a href={link(words)}>{name === 'session' ? shortSession(words) : short(words)}</a> : words}
          </span>
        )
      })}
    </>
  )
}

export function EventLine({ event }: { event: Event }) {
  return (
    <li>
      <time dateTime={event.at}>{moment(event.at)}</time> <strong>{event.kind}</strong> <EventData event={event} />
    </li>
  )
}
