/** Lines over time. The library is read when the first chart is drawn. */
import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import { isDark, theme } from '../theme'

export interface Line {
  label: string
  /** The name of a custom property of the style sheet. */
  colour: string
  values: (number | null)[]
}

interface Props {
  /** What the chart shows, for whoever does not see it. */
  summary: string
  /** Seconds since 1970. */
  times: number[]
  lines: Line[]
  height?: number
  format?: (value: number) => string
}

export function Chart({ summary, times, lines, height = 120, format }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const data = [times, ...lines.map(({ values }) => values)] as uPlot.AlignedData
  const latest = useRef(data)
  latest.current = data
  const dark = (theme.value, isDark())
  useEffect(() => {
    const parent = box.current
    if (!parent) return
    let gone = false
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: parent.clientWidth, height }))
    void import('./plot').then(({ draw }) => {
      if (gone) return
      plot.current = draw(parent, latest.current, lines, height, format)
      observer.observe(parent)
    })
    return () => {
      gone = true
      observer.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
    // Drawn anew for other colours; other data is handed over below.
  }, [dark, lines.length])
  useEffect(() => plot.current?.setData(latest.current))
  return <div class="chart" ref={box} role="img" aria-label={summary} />
}
