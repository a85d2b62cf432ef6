import { expect, test } from 'vitest'
import type { Container, Event, Session } from '../src/api/types'
import { foldContainers, foldSessions } from '../src/live/fold'

const event = (kind: string, data: Record<string, unknown>): Event => ({ id: 'wine:1-1', target_type: 'wine', kind, at: '2026-11-25T12:00:00Z', data })
const idle = (id: string) => ({ id, name: id, target_type: 'wine', pool_state: 'available', cordoned: false, health: { status: 'healthy', engine: 'none' } }) as Container
const ready = event('session.ready', { session: 's1', owner: 'o', container: 'a', token: 1 })
const ended = event('session.ended', { session: 's1', owner: 'o', container: 'a', token: 1, reason: 'released' })

test('a container follows its session, and nobody need read it', () => {
  const known = new Map([['a', idle('a')]])
  expect(foldContainers(known, ready)).toEqual({ changed: true, read: null })
  expect(known.get('a')).toMatchObject({ pool_state: 'allocated', allocated_to: 's1' })
  foldContainers(known, ended)
  expect(known.get('a')).toMatchObject({ pool_state: 'available', allocated_to: null })
})

test('a container that is made clean after its session is not free, whichever is told first', () => {
  const resetting = event('container.state', { container: 'a', from: 'allocated', to: 'resetting' })
  for (const order of [[resetting, ended], [ended, resetting]]) {
    const known = new Map([['a', idle('a')]])
    for (const one of [ready, ...order]) foldContainers(known, one)
    expect(known.get('a')).toMatchObject({ pool_state: 'resetting', allocated_to: null })
  }
})

test('the end of an earlier session takes nothing from the next one', () => {
  const known = new Map([['a', idle('a')]])
  for (const one of [ready, event('session.ready', { session: 's2', container: 'a' }), ended]) foldContainers(known, one)
  expect(known.get('a')).toMatchObject({ pool_state: 'allocated', allocated_to: 's2' })
})

test('what an event does not carry is read', () => {
  const known = new Map([['a', idle('a')]])
  expect(foldContainers(known, event('container.added', { container: 'b' })).read).toBe('b')
  expect(foldContainers(known, event('container.quarantined', { container: 'a', why: 'probe' })).read).toBe('a')
  expect(foldContainers(known, event('container.recreated', { container: 'c', replaces: 'a' }))).toEqual({ changed: true, read: 'c' })
  expect(known.size).toBe(0)
})

test('what was wrong with a container is read again when its state changes', () => {
  const unwell = { ...idle('a'), pool_state: 'unhealthy' as const, health: { status: 'unhealthy' as const, engine: 'none' as const, reason: 'no answer' } }
  const well = event('container.state', { container: 'a', from: 'unhealthy', to: 'available' })
  expect(foldContainers(new Map([['a', unwell]]), well).read).toBe('a')
  expect(foldContainers(new Map([['a', idle('a')]]), well).read).toBeNull()
})

test('a session that ended has nothing left that runs', () => {
  const activity = { last_active_ms_ago: 5, last_heard_ms_ago: 5, idle_ends_in_ms: 1000 }
  const known = new Map([['s1', { id: 's1', state: 'ready', owner: 'o', target_type: 'wine', activity } as unknown as Session]])
  foldSessions(known, ended)
  expect(known.get('s1')).toMatchObject({ state: 'ended', activity: null, lease: null, ticket: null })
})

test('events that come twice change nothing more', () => {
  const once = new Map<string, Session>()
  const all = [event('session.queued', { session: 's1', owner: 'o' }), ready, ended]
  for (const one of all) foldSessions(once, one)
  const twice = new Map(once)
  for (const one of [...all, ...all]) foldSessions(twice, one)
  expect(twice).toEqual(once)
  expect(once.get('s1')).toMatchObject({ state: 'ended', end_reason: 'released', owner: 'o' })
})
