/** uPlot, in our colours. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Line } from './chart'

export function draw(
  parent: HTMLElement,
  data: uPlot.AlignedData,
  lines: Line[],
  height: number,
  format: ((value: number) => string) | undefined,
): uPlot {
  const style = getComputedStyle(parent)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis: uPlot.Axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--edge'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui',
  }
  const hours: uPlot.Axis = { ...axis, values: (_, all) => all.map(label) }
  const values: uPlot.Axis = { ...axis, size: 56 }
  if (format) values.values = (_, all) => all.map(format)
  return new uPlot(
    {
      width: parent.clientWidth,
      height,
      cursor: { show: false },
      legend: { show: false },
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
      axes: [hours, values],
      series: [
        {},
        ...lines.map(({ label, colour: name }) => ({
          label,
          stroke: colour(name),
          fill: `${colour(name)}22`,
          width: 1.5,
          points: { show: false },
        })),
      ],
    },
    data,
    parent,
  )
}

/** The time of day, and where a day begins its date. */
function label(seconds: number): string {
  const at = new Date(seconds * 1000)
  const time = at.toLocaleTimeString('en-GB', at.getSeconds() ? {} : { hour: '2-digit', minute: '2-digit' })
  return time === '00:00' ? at.toLocaleDateString('en-CA').slice(5) : time
}
