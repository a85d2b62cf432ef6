/** Numbers and times in words. */
import type { Activity, Hour } from './api/types'

/** Seconds as `42 s`, `3 m 20 s`, `2 h 5 m`, `4 d 1 h`; below ten with a tenth. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–'
  if (seconds < 0) return '0 s'
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`
  const whole = Math.round(seconds)
  const units: [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'm'],
    [1, 's'],
  ]
  const first = units.findIndex(([size]) => whole >= size)
  const [size, name] = units[first] ?? [1, 's']
  const [below, belowName] = units[first + 1] ?? [1, '']
  const rest = Math.floor((whole % size) / below)
  return `${Math.floor(whole / size)} ${name}${belowName && rest ? ` ${rest} ${belowName}` : ''}`
}

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10))
  const value = count / 1024 ** step
  return `${step && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[step]}`
}

/** The time of day, with the date where it is not today. */
export function moment(rfc3339: string): string {
  const at = new Date(rfc3339)
  if (Number.isNaN(at.getTime())) return rfc3339
  const time = at.toLocaleTimeString('en-GB')
  return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString('en-CA')} ${time}`
}

export const plural = (count: number, one: string, many = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`

/** When a session was used, else when its holder was heard of, and when it is to end for want of use; `since` ms after the answer. */
export function activityWords(activity: Activity, since: number): string {
  const ago = (at: number) => `${duration(Math.floor(Math.max(0, at + since) / 1000))} ago`
  const { last_active_ms_ago: used, last_heard_ms_ago: heard, idle_ends_in_ms: ends } = activity
  const said = used != null ? ago(used) : heard != null ? `heard of ${ago(heard)}` : '–'
  return ends == null ? said : `${said}, ends in ${duration(Math.ceil(Math.max(0, ends - since) / 1000))}`
}

/** The middle of a session's id: those of one hour begin alike, and those of one type end alike. */
export const shortSession = (id: string) => (id.length === 36 ? `…${id.slice(9, 23)}…` : id)

/** The beginning of an id, as the command line shows it. */
export const short = (id: string) => (/^[0-9a-f]{20,}$/.test(id) ? id.slice(0, 12) : id)

/** Sizes as the API gives them: the longest of a class in seconds, and how many are in it. */
export type Sizes = readonly (readonly [number, number])[]

/** A time that this share of them does not exceed; null where there are none. */
export function percentile(sizes: Sizes, share: number): number | null {
  const sorted = [...sizes].sort(([a], [b]) => a - b)
  const all = sorted.reduce((sum, [, count]) => sum + count, 0)
  let seen = 0
  for (const [seconds, count] of sorted) {
    seen += count
    if (seen >= share * all && count > 0) return seconds
  }
  return null
}

export interface Times {
  arrivals: number
  waits: Sizes
  holds: Sizes
}

/** The hours that began after `from`, as one. Who got a container at once waited for no time. */
export function together(hours: readonly Hour[], from: number): Times {
  const times = { arrivals: 0, waits: [] as [number, number][], holds: [] as [number, number][] }
  for (const hour of hours) {
    if (new Date(hour.from).getTime() < from) continue
    times.arrivals += hour.arrivals ?? 0
    times.waits.push([0, hour.at_once ?? 0], ...((hour.waits ?? []) as [number, number][]))
    times.holds.push(...((hour.holds ?? []) as [number, number][]))
  }
  return times
}
