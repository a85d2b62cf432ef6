import { expect, test } from 'vitest'
import { activityWords, bytes, duration, percentile, together } from '../src/format'
import type { Hour } from '../src/api/types'

test('a duration has at most two units', () => {
  const told = [0, 0.25, 9.96, 42, 60, 200, 7500, 350_000].map(duration)
  expect(told).toEqual(['0 s', '0.3 s', '10 s', '42 s', '1 m', '3 m 20 s', '2 h 5 m', '4 d 1 h'])
})

test('bytes have the unit that fits', () => {
  expect([0, 512, 1536, 150 * 1024 ** 2, 3.5 * 1024 ** 3].map(bytes)).toEqual(['0 B', '512 B', '1.5 KiB', '150 MiB', '3.5 GiB'])
})

test('activity is told by its use, else by its holder, with the end that want of it brings', () => {
  expect(activityWords({ last_active_ms_ago: 12_400, last_heard_ms_ago: 400, idle_ends_in_ms: 287_600 }, 3000)).toBe('15 s ago, ends in 4 m 45 s')
  expect(activityWords({ last_active_ms_ago: null, last_heard_ms_ago: 400, idle_ends_in_ms: null }, 0)).toBe('heard of 0 s ago')
  expect(activityWords({ last_active_ms_ago: null, last_heard_ms_ago: null, idle_ends_in_ms: null }, 0)).toBe('–')
  expect(activityWords({ last_active_ms_ago: 100, idle_ends_in_ms: 1000 }, 2000)).toBe('2 s ago, ends in 0 s')
  // The page's clock ticks: it may be a little before the time of the answer.
  expect(activityWords({ last_active_ms_ago: 100 }, -400)).toBe('0 s ago')
})

test('a percentile is the longest time of the class that the share falls into', () => {
  const sizes = [[10, 1], [0.1, 98], [60, 1]] as const
  expect([0.5, 0.98, 0.99, 1].map((share) => percentile(sizes, share))).toEqual([0.1, 0.1, 10, 60])
  expect(percentile([], 0.5)).toBeNull()
})

test('who got a container at once counts as a wait of no time, and older hours do not count', () => {
  const hour = (from: string, at_once: number, waits: [number, number][]) => ({ from, at_once, waits, arrivals: at_once }) as unknown as Hour
  const hours = [hour('2026-11-25T10:00:00Z', 50, []), hour('2026-11-25T12:00:00Z', 3, [[5, 1]])]
  const { arrivals, waits } = together(hours, Date.parse('2026-11-25T11:00:00Z'))
  expect(arrivals).toBe(3)
  expect([percentile(waits, 0.75), percentile(waits, 0.99)]).toEqual([0, 5])
})
