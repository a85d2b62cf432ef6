/** What a container uses of processor and memory, second by second. */
import { useEffect, useState } from 'preact/hooks'
import { ask } from '../api/client'
import { lines } from '../api/stream'
import type { ContainerStats } from '../api/types'
import { bytes } from '../format'
import { Chart } from '../parts/chart'

/** Seconds that are shown. */
const SHOWN = 180

interface Point {
  at: number
  cpu: number | null
  memory: number | null
  limit: number | null
}

export function Usage({ id }: { id: string }) {
  const [points, setPoints] = useState<Point[]>([])
  const [note, setNote] = useState('Reading …')
  useEffect(() => {
    const stop = new AbortController()
    const read = async () => {
      const answer = await ask(`/containers/${encodeURIComponent(id)}/stats?stream=true`, { signal: stop.signal })
      setNote('')
      for await (const some of lines<ContainerStats>(answer)) {
        const more = some.map(point)
        setPoints((before) => [...before, ...more].slice(-SHOWN))
      }
      setNote('The figures ended.')
    }
    read().catch((error: unknown) => {
      if (!stop.signal.aborted) setNote(error instanceof Error ? error.message : String(error))
    })
    return () => stop.abort()
  }, [id])
  const last = points.at(-1)
  const times = points.map(({ at }) => at)
  return (
    <>
      {last && (
        <>
          <p>
            Processor: {last.cpu == null ? '–' : `${last.cpu.toFixed(1)} % of one`}
          </p>
          <Chart
            summary="Processor in percent of one, over the last three minutes"
            times={times}
            lines={[{ label: 'processor', colour: '--allocated', values: points.map(({ cpu }) => cpu) }]}
            height={110}
            format={(value) => `${value} %`}
          />
          <p>
            Memory: {last.memory == null ? '–' : bytes(last.memory)}
            {last.limit ? ` of ${bytes(last.limit)}` : ''}
          </p>
          <Chart
            summary="Memory in use, over the last three minutes"
            times={times}
            lines={[{ label: 'memory', colour: '--available', values: points.map(({ memory }) => memory) }]}
            height={110}
            format={bytes}
          />
        </>
      )}
      {note && <p class="muted">{note}</p>}
    </>
  )
}

function point({ time, cpu_percent, memory_bytes, memory_limit_bytes }: ContainerStats): Point {
  const at = (time ? Date.parse(time) : Date.now()) / 1000
  return { at, cpu: cpu_percent ?? null, memory: memory_bytes ?? null, limit: memory_limit_bytes ?? null }
}
