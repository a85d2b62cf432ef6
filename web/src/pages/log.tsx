/** What a container writes, followed. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { ask } from '../api/client'
import { lines } from '../api/stream'
import type { LogLine } from '../api/types'

/** Lines that the page holds, and those it begins with. */
const HELD = 2000
const FIRST = 200
/** How often what was written is shown, in milliseconds. */
const PAUSE = 150

interface Numbered extends LogLine {
  number: number
}

export function Log({ id }: { id: string }) {
  const [held, setHeld] = useState<Numbered[]>([])
  const [note, setNote] = useState('Reading …')
  const [follow, setFollow] = useState(true)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const stop = new AbortController()
    let number = 0
    let waiting: Numbered[] = []
    const show = () => {
      const more = waiting
      waiting = []
      setHeld((before) => [...before, ...more].slice(-HELD))
    }
    const read = async () => {
      const headers = { Accept: 'application/x-ndjson' }
      const answer = await ask(`/containers/${encodeURIComponent(id)}/logs?follow=true&tail=${FIRST}`, { headers, signal: stop.signal })
      setNote('')
      for await (const some of lines<LogLine>(answer)) {
        const more = some.map((line) => ({ ...line, number: number++ }))
        if (!waiting.length) setTimeout(show, PAUSE)
        waiting = [...waiting, ...more].slice(-HELD)
      }
      setNote('The log ended.')
    }
    read().catch((error: unknown) => {
      if (!stop.signal.aborted) setNote(error instanceof Error ? error.message : String(error))
    })
    return () => stop.abort()
  }, [id])
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [held, follow])
  return (
    <>
      <label class="check">
        <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
        Stay at its end
      </label>
      <div class="log" ref={box} tabIndex={0} role="log" aria-label="What the container writes" aria-live="off">
        {held.map(({ number, time, stream, line }) => (
          <div key={number} class={stream}>
            {time && <time dateTime={time}>{time.slice(11, 19)} </time>}
            {line}
          </div>
        ))}
      </div>
      {note && <p class="muted">{note}</p>}
    </>
  )
}
