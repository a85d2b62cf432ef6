/** What a change of a setting does, in words. */
import type { TypeBody, TypeInfo } from '../api/types'
import { duration, plural } from '../format'

export type Setting = keyof TypeBody

export interface About {
  name: Setting
  label: string
  unit: 's' | ''
  least: number
  most: number
  scale?: boolean
}

export const SETTINGS: About[] = [
  { name: 'ttl_default_seconds', label: 'Time to live of a lease, unless the client names one', unit: 's', least: 1, most: 86_400 },
  { name: 'ttl_max_seconds', label: 'Longest time to live that a client may ask for', unit: 's', least: 1, most: 86_400 },
  { name: 'max_duration_seconds', label: 'Longest that a session may last', unit: 's', least: 1, most: 31_536_000 },
  { name: 'confirm_seconds', label: 'Time to confirm an offer', unit: 's', least: 1, most: 600 },
  { name: 'wait_max_seconds', label: 'Longest wait in line', unit: 's', least: 0, most: 86_400 },
  { name: 'line_max', label: 'Most sessions in line', unit: '', least: 0, most: 1_000_000 },
  { name: 'probe_interval_seconds', label: 'Time between two probes', unit: 's', least: 1, most: 3600 },
  { name: 'probe_rise', label: 'Good probes that make a container healthy', unit: '', least: 1, most: 100 },
  { name: 'probe_fall', label: 'Bad probes that make it unhealthy', unit: '', least: 1, most: 100 },
  { name: 'scale_min', label: 'Fewest containers', unit: '', least: 0, most: 10_000, scale: true },
  { name: 'scale_max', label: 'Most containers', unit: '', least: 0, most: 10_000, scale: true },
  { name: 'scale_min_idle', label: 'Idle ones beside those in use', unit: '', least: 0, most: 10_000, scale: true },
]

/** The value in force. */
export const inForce = ({ settings }: TypeInfo, name: Setting): number | null => settings[name] ?? null
export const isChanged = ({ changed }: TypeInfo, name: Setting) => name in changed

/** A change: to a number, or (null) back to what is configured. */
export type Wanted = Partial<Record<Setting, number | null>>

/** Each change in a sentence, and what follows from it. */
export function effects(info: TypeInfo, wanted: Wanted): string[] {
  const told = SETTINGS.flatMap((about) => {
    const to = wanted[about.name]
    if (to === undefined) return []
    const from = inForce(info, about.name)
    return [`${about.label}: ${value(about, from)} → ${to === null ? 'as it is configured' : value(about, to)}. ${effect(info, about, to)}`.trim()]
  })
  const scaled = scaling(info, wanted)
  return scaled ? [...told, scaled] : told
}

const value = ({ unit }: About, number: number | null) =>
  number === null ? 'no bound' : unit ? duration(number) : number.toLocaleString('en')

function effect({ counts }: TypeInfo, { name }: About, to: number | null): string {
  switch (name) {
    case 'ttl_default_seconds':
    case 'ttl_max_seconds':
      return 'Leases that are there keep theirs until they are renewed.'
    case 'max_duration_seconds':
      return 'For sessions that begin from now on.'
    case 'line_max': {
      const waiting = counts.sessions_queued ?? 0
      if (to === 0) return `Nobody waits any more: a session that finds nothing is refused. ${plural(waiting, 'session')} in line now.`
      if (to !== null && waiting >= to) return `${plural(waiting, 'session')} ${waiting === 1 ? 'waits' : 'wait'} now: new ones are refused until fewer do.`
      return ''
    }
    case 'probe_fall':
      return to === 1 ? 'A single bad probe takes a container out.' : ''
    default:
      return ''
  }
}

/** How many containers there would be, as a replica decides it by demand alone. */
function scaling(info: TypeInfo, wanted: Wanted): string {
  const touched = SETTINGS.some(({ name, scale }) => scale && wanted[name] !== undefined)
  if (!touched || !info.scale_terms) return ''
  if (SETTINGS.some(({ name, scale }) => scale && wanted[name] === null)) return ''
  const at = (name: Setting) => wanted[name] ?? inForce(info, name) ?? 0
  const { counts } = info
  const [least, most] = [at('scale_min'), at('scale_max')]
  const demand = (counts.allocated ?? 0) + (counts.sessions_queued ?? 0) + at('scale_min_idle')
  const target = Math.min(most, Math.max(least, demand))
  const total = counts.total ?? 0
  const calm = duration(info.scale_terms.calm_seconds)
  const dry = info.scale_terms.dry_run ? ' (It is only told, not done: dry run.)' : ''
  if (target > total) return `By demand alone ${plural(target, 'container')} are wanted then; there are ${total}: ${target - total} more are made at once.${dry}`
  if (target < total) return `By demand alone ${plural(target, 'container')} are wanted then; there are ${total}: idle ones that were added are taken away after ${calm} of calm. No session loses its container.${dry}`
  return `There are ${total}, as many as are wanted then by demand alone.${dry}`
}

/** Why a change cannot be made; null when it can. */
export function wrong(info: TypeInfo, wanted: Wanted): string | null {
  for (const { name, label, least, most } of SETTINGS) {
    const to = wanted[name]
    if (to == null) continue
    if (!Number.isInteger(to) || to < least || to > most) return `${label}: a whole number from ${least} to ${most} is right.`
  }
  const at = (name: Setting) => (wanted[name] === null ? null : (wanted[name] ?? inForce(info, name)))
  const [ttl, longest, least, most] = [at('ttl_default_seconds'), at('ttl_max_seconds'), at('scale_min'), at('scale_max')]
  if (ttl !== null && longest !== null && ttl > longest) return 'The time to live of a lease is longer than the longest that may be asked for.'
  if (least !== null && most !== null && least > most) return 'There would be more of the fewest containers than of the most.'
  return null
}
