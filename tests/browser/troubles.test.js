// The dashboard while something is wrong: gaps in what it is told, a container that flaps, and a Redis that lost everything.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accessible, enter, launch, live, streams, visit } from './browser.js'
import { eventually, IMAGE, KEYS } from './service.js'
import { KEPT, TroubledService } from './troubles.js'

let service, browser, url

before(async () => {
  service = await TroubledService.start()
  url = service.balancer.url
  browser = await launch()
  await eventually('containers', async () => (await service.ask('GET', '/containers/status')).total_containers >= (IMAGE ? 12 : 10))
})

after(async () => {
  await browser?.close()
  await service?.stop()
})

const create = (target_type, more = {}) => service.ask('POST', '/sessions', { target_type, ttl_seconds: 60, ...more })
const end = ({ id }) => service.ask('DELETE', `/sessions/${id}`)
const operate = (what, id) => service.ask('POST', `/containers/${id}/${what}`, undefined, KEYS.admin)
const card = (page, type) => page.locator(`[data-type="${type}"]`)
const row = (page, name) => page.locator('tbody tr', { hasText: name })
const overheard = (key = KEYS.admin) => enter(browser, url, key, { overheard: true })

/** Things happen that a page would have to hear of; then so much that what was told of them is gone. */
async function turmoil() {
  const held = []
  for (const at of [1, 2, 3]) held.push(await create('desk', { container_id: `lab.desk-${at}` }))
  await operate('cordon', 'lab.desk-4')
  for (let at = 0; at < KEPT + 20; at++) await end(await create('desk'))
  return async () => {
    for (const session of held) await end(session)
    await operate('uncordon', 'lab.desk-4')
  }
}

/** The page shows what the API says of the containers of this type, each in its row. */
async function agrees(page, type) {
  const { containers } = await service.ask('GET', `/containers?target_type=${type}`, undefined, KEYS.admin)
  const wanted = containers.map(({ name, pool_state, cordoned, allocated_to }) => {
    const state = cordoned && pool_state === 'available' ? 'cordoned' : pool_state
    return `${name} ${state} ${allocated_to?.slice(9, 23) ?? ''}`
  })
  await eventually('what the API says', async () => {
    const shown = await page.locator('tbody tr[data-at]').evaluateAll((rows) =>
      rows.map((row) => {
        const cell = (name) => {
          const heads = [...row.closest('table').querySelectorAll('th[scope=col]')]
          return row.children[heads.findIndex((head) => head.textContent.startsWith(name))].textContent
        }
        return `${cell('Container')} ${cell('State')} ${cell('Session').replaceAll('…', '')}`
      }),
    )
    assert.deepEqual(shown, wanted.sort())
    return true
  })
}

const resyncs = (stream) => stream.told.filter(({ kind }) => kind === 'resync').map(({ target_type, data }) => `${target_type}: ${data.reason}`)

test('a page that was cut off comes back, is told what is gone, and shows what is so', async () => {
  const page = await overheard()
  await visit(page, 'Containers', '#/containers?type=desk')
  await agrees(page, 'desk')
  service.balancer.cut()
  await page.getByRole('alert').filter({ hasText: 'What is shown may be old' }).waitFor()
  const calm = await turmoil()
  await row(page, 'desk-1').getByText('available').waitFor()
  service.balancer.mend()
  await live(page)
  await agrees(page, 'desk')
  await row(page, 'desk-1').getByText('allocated').waitFor()
  await row(page, 'desk-4').getByText('cordoned', { exact: true }).waitFor()

  const heard = await eventually('a gap that is told', async () => {
    const last = (await streams(page)).at(-1)
    return resyncs(last).length && last
  })
  assert.ok(heard.after, 'it did not say where it stood')
  assert.deepEqual(resyncs(heard), ['desk: trimmed'])
  await calm()
  await agrees(page, 'desk')
  assert.deepEqual(page.faults, [])
  await page.context().close()
})

test('a gap in a stream that never broke is told, repaired, and shown among the events', async () => {
  const page = await overheard()
  await visit(page, 'Containers', '#/containers?type=desk')
  await agrees(page, 'desk')
  // The stream comes by the first replica; what happens, by the other one.
  service.pause(0)
  const calm = await turmoil()
  await row(page, 'desk-1').getByText('available').waitFor()
  service.resume(0)
  await agrees(page, 'desk')
  await row(page, 'desk-1').getByText('allocated').waitFor()
  // Nothing but what the stream said had the page read the list.
  const all = await streams(page)
  assert.deepEqual(all.map(resyncs), [['desk: trimmed']])
  await live(page)

  await visit(page, 'Events')
  // What is gone passes every filter: nobody knows what it was.
  await page.getByLabel('Search').fill('what never happened')
  await page.getByText('1 event', { exact: true }).waitFor()
  await row(page, 'resync').getByText('trimmed').waitFor()
  await calm()
  assert.deepEqual(page.faults, [])
  await page.context().close()
})

test('a container that fails again and again rests, with its reason, until its quarantine is ended', { skip: IMAGE ? false : 'NOT TESTED: no Docker engine' }, async () => {
  const page = await overheard()
  const [container] = service.containers
  const name = `box-1-${service.run}`
  await visit(page, 'Containers', '#/containers?type=box')
  const state = (word) => row(page, name).locator('.state', { hasText: new RegExp(`^${word}$`) }).waitFor()
  await state('available')
  for (const time of [1, 2, 3]) {
    service.fall(container, true)
    await state('unhealthy')
    if (time < 3) await row(page, name).getByText('own check').waitFor()
    service.fall(container, false)
    if (time < 3) await state('available')
  }
  await row(page, name).getByText('quarantined: check').waitFor()

  // Well again, it rests all the same.
  const found = () => service.ask('GET', `/containers/${container}`)
  await eventually('a good check', async () => (await found()).health.engine === 'healthy')
  await page.getByLabel('State').selectOption('quarantined')
  await row(page, `box-2-${service.run}`).waitFor({ state: 'detached' })
  await row(page, name).getByRole('link', { name }).click()
  const drawer = page.getByRole('complementary', { name: `Container ${name}` })
  await drawer.getByText(/It is in quarantine until .*, for the 1\. time in a row, for check\./).waitFor()
  await drawer.getByText('container.quarantined').waitFor()
  await visit(page, 'Pool')
  await page.locator('.troubles li', { hasText: 'box: 1 quarantined.' }).getByRole('link', { name }).click()
  assert.equal((await create('box')).container.id, service.containers[1])
  await assert.rejects(create('box'), /no_available_containers.*quarantined/)

  await drawer.getByRole('button', { name: 'End quarantine' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('What failed before is forgotten').waitFor()
  await dialog.getByRole('button', { name: 'End quarantine' }).click()
  await drawer.getByText('would be given out now').waitFor()
  await drawer.getByText('container.quarantine_lifted').waitFor()
  await drawer.getByRole('button', { name: 'End quarantine' }).waitFor({ state: 'detached' })
  assert.equal((await found()).quarantine ?? null, null)
  assert.equal((await create('box')).container.id, container)
  await drawer.getByText('still has it').waitFor()
  assert.deepEqual(page.faults, [])
  await page.context().close()
})

test('a Redis that lost everything: the page says what is held, and its button ends the recovery', async () => {
  const [page, viewer] = [await overheard(), await enter(browser, url, KEYS.viewer)]
  await card(page, 'spare').getByText('4 available').waitFor()
  const session = await create('spare')
  await card(page, 'spare').getByText('3 available').waitFor()
  await service.flush()

  const trouble = (shown, type) => shown.locator('.troubles li', { hasText: `${type} recovers from a loss of Redis.` })
  await trouble(page, 'spare').waitFor()
  await trouble(page, 'spare').getByText(/3 containers may be leased and are held; it ends in (1 h|59 m)/).waitFor()
  await trouble(page, 'spare').getByText('when you know that nobody uses a container').waitFor()
  await trouble(page, 'desk').waitFor()
  await assert.rejects(create('spare'), /"recovering"/)
  await accessible(page, 'a recovery')
  await trouble(viewer, 'spare').waitFor()
  assert.equal(await viewer.getByRole('button', { name: 'End the recovery now' }).count(), 0)
  await visit(page, 'Containers', '#/containers?type=spare')
  await eventually('all that are held', async () => (await page.getByText('held until the recovery ends').count()) === 3)
  await row(page, session.id.slice(9, 23)).getByText('allocated').waitFor()

  await visit(page, 'Pool')
  const dialog = page.getByRole('dialog')
  await trouble(page, 'spare').getByRole('button', { name: 'End the recovery now' }).click()
  await dialog.getByText('given out at once').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await assert.rejects(create('spare'), /"recovering"/)
  await trouble(page, 'spare').getByRole('button', { name: 'End the recovery now' }).click()
  await dialog.getByRole('button', { name: 'End recovery' }).click()
  await dialog.waitFor({ state: 'detached' })
  await trouble(page, 'spare').waitFor({ state: 'detached' })
  await trouble(viewer, 'spare').waitFor({ state: 'detached' })
  await trouble(page, 'desk').waitFor()
  await card(page, 'spare').getByText('3 available').waitFor()
  const next = await create('spare')
  assert.notEqual(next.container.id, session.container.id)
  await card(page, 'spare').getByText('2 allocated').waitFor()
  await visit(page, 'Containers', '#/containers?type=spare')
  await agrees(page, 'spare')

  // All of it by the one stream, which the loss did not break.
  const all = await streams(page)
  assert.equal(all.length, 1)
  assert.ok(resyncs(all[0]).includes('spare: epoch'), JSON.stringify(resyncs(all[0])))
  const told = all[0].told.filter(({ target_type }) => target_type === 'spare').map(({ kind }) => kind)
  assert.ok(told.indexOf('recovery.ended') > told.indexOf('resync'), told.join())
  for (const one of [page, viewer]) {
    assert.deepEqual(one.faults, [])
    await one.context().close()
  }
})
