import { expect, test } from 'vitest'
import type { TypeInfo } from '../src/api/types'
import { effects, wrong } from '../src/pages/effects'

const info = {
  target_type: 'wine',
  changed: {},
  counts: { total: 5, allocated: 3, sessions_queued: 2 },
  settings: { ttl_default_seconds: 60, ttl_max_seconds: 600, line_max: 100, scale_min: 1, scale_max: 10, scale_min_idle: 1 },
  scale_terms: { calm_seconds: 300, up_pause_seconds: 5, peak_window_seconds: 0, schedule: [], dry_run: false },
} as unknown as TypeInfo

test('a change is told with what follows from it', () => {
  expect(effects(info, {})).toEqual([])
  expect(effects(info, { line_max: 2 })[0]).toContain('100 → 2. 2 sessions wait now: new ones are refused')
  expect(effects(info, { line_max: 0 })[0]).toContain('Nobody waits any more')
  expect(effects(info, { scale_min_idle: 4 }).at(-1)).toContain('9 containers are wanted then; there are 5: 4 more')
  expect(effects(info, { scale_max: 4 }).at(-1)).toContain('taken away after 5 m of calm')
})

test('what the server would refuse is said before', () => {
  expect(wrong(info, { scale_min: 3 })).toBeNull()
  expect(wrong(info, { scale_min: 11 })).toContain('fewest')
  expect(wrong(info, { ttl_default_seconds: 700 })).toContain('longer than the longest')
  expect(wrong(info, { probe_fall: 1.5 })).toContain('a whole number')
})
