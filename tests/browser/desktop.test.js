// Desktops in a real browser, through real replicas: the program's own demo desktop, and Xtigervnc in a container where the Docker engine has its image.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accessible, enter, fits, launch, open, visit } from './browser.js'
import { DesktopService } from './desktops.js'
import { input, sayByHand } from './hand.js'
import { eventually, KEYS } from './service.js'

let service, browser, url

before(async () => {
  service = await DesktopService.start()
  url = service.balancer.url
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await service?.stop()
})

/** Renews it all the time, as its client does. */
async function hold(target_type) {
  const session = await eventually('a session', () => service.ask('POST', '/sessions', { target_type, ttl_seconds: 10 }), 30_000)
  const beat = () => service.ask('POST', `/sessions/${session.id}/heartbeat`, {}).catch(() => undefined)
  const timer = setInterval(beat, 2000)
  return { ...session, release: () => (clearInterval(timer), service.ask('DELETE', `/sessions/${session.id}`)) }
}

/** The pixels of a part of the desktop, in one word. */
const picture = (page, [top, height]) =>
  page.locator('.screen canvas').evaluate((canvas, [y, h]) => {
    const { data } = canvas.getContext('2d').getImageData(0, y, canvas.width, h)
    let hash = 0
    for (const value of data) hash = (hash * 31 + value) | 0
    return hash
  }, [top, height])

/** The same, once it stands still. */
async function still(page, part) {
  let last
  return eventually('a picture that stands still', async () => {
    const before = last
    last = await picture(page, part)
    await new Promise((resolve) => setTimeout(resolve, 300))
    return last === before && last
  }, 20_000)
}

/** Where the demo desktop writes what is typed, and no clock. */
const TYPED = [185, 60]

const shows = (page, words) => page.getByRole('status').filter({ hasText: words }).waitFor()
const desktopOf = async (page, session) => {
  await visit(page, 'Desktop', `#/sessions/${session.id}/desktop`)
  await shows(page, 'You drive.')
}

test('whose session it is drives its desktop; a spectator with a link sees it, and its keys do nothing', async () => {
  const session = await hold('demo')
  const page = await enter(browser, url, KEYS.client)
  await visit(page, 'Sessions')
  await page.getByRole('link', { name: `Open the desktop of the session ${session.id}` }).click()
  await shows(page, 'You drive.')
  const before = await picture(page, TYPED)
  await page.keyboard.type('hello')
  await eventually('what is typed', async () => (await picture(page, TYPED)) !== before)
  await accessible(page, 'a desktop')
  await fits(page, 'a desktop')

  // The desktop takes Tab; this leads out.
  await page.locator('.screen canvas').focus()
  await page.keyboard.press('Control+Alt+Shift+KeyL')
  assert.equal(await page.evaluate(() => document.activeElement?.closest('.screen')), null)

  await page.getByRole('button', { name: 'Link for a spectator' }).click()
  const link = await page.getByLabel('For one').inputValue()
  const spectator = await open(browser, link)
  await shows(spectator, 'You watch')
  await eventually('the same picture', async () => (await picture(spectator, TYPED)) === (await picture(page, TYPED)))
  const seen = await picture(page, TYPED)
  await spectator.locator('.screen canvas').focus()
  await spectator.keyboard.type('nothing')
  // The page sends no keys, and the bridge would not carry them: what the driver types next comes alone.
  await page.locator('.screen canvas').focus()
  await page.keyboard.type('!')
  await eventually('what the driver typed, for both', async () => {
    const [driven, watched] = [await picture(page, TYPED), await picture(spectator, TYPED)]
    return driven !== seen && driven === watched
  })
  await page.keyboard.press('Backspace')
  await eventually('the driver alone typed', async () => (await picture(page, TYPED)) === seen)
  await accessible(spectator, 'a spectator’s page')

  // The link is used up: for its spectator it opens again, for nobody else.
  await spectator.reload()
  await shows(spectator, 'You watch')
  const stranger = await open(browser, link)
  await shows(stranger, 'It was not let in')

  await session.release()
  await shows(page, 'The lease is over.')
  await shows(spectator, 'The lease is over.')
  for (const one of [page, spectator]) {
    assert.deepEqual(one.faults.filter((fault) => !fault.includes('WebSocket')), [])
    await one.context().close()
  }
  await stranger.context().close()
})

test('the bridge itself drops what a viewer sends who only watches; the same bytes of one who drives arrive', async () => {
  const session = await hold('demo')
  const pass = (view_only) => service.ask('POST', `/sessions/${session.id}/passes`, { view_only }).then((made) => made.pass)
  const page = await enter(browser, url, KEYS.client)
  await desktopOf(page, session)
  const spectator = await open(browser, `${url}#/watch/${session.id}/${await pass(true)}`)
  await shows(spectator, 'You watch')
  const seen = await picture(page, TYPED)
  const bytes = input({ keys: 'by hand', row: TYPED[0] + 50, clipboard: 'by hand' })

  // With all that a spectator has: the pass of the link, and the secret by which the page comes back with it.
  const own = await spectator.evaluate(() => {
    const [, session, pass] = location.hash.slice(2).split('/')
    return { session, pass, viewer: sessionStorage.getItem(`leasehold-viewer-${pass.slice(-12)}`) }
  })
  const watched = await sayByHand(spectator, own, bytes, TYPED)
  assert.equal(watched.after, watched.before, 'the desktop heard a spectator')
  assert.equal(await picture(page, TYPED), seen)

  // The same function in the same page: only the pass is another one.
  let last = watched.before
  for (const [what, some] of [['a key', { keys: 'by hand' }], ['the pointer', { row: TYPED[0] + 50 }]]) {
    const driven = await sayByHand(spectator, { session: session.id, pass: await pass(false) }, input(some), TYPED)
    assert.equal(driven.before, last)
    assert.notEqual(driven.after, driven.before, `the desktop did not hear ${what} of who drives`)
    last = driven.after
  }
  await eventually('what was sent by hand', async () => (await picture(page, TYPED)) !== seen)
  await eventually('the same picture', async () => (await picture(spectator, TYPED)) === (await picture(page, TYPED)))

  await session.release()
  for (const one of [page, spectator]) await one.context().close()
})

test('a replica that is killed under a desktop is followed by another', async () => {
  const session = await hold('demo')
  const page = await enter(browser, url, KEYS.client)
  await desktopOf(page, session)
  await service.kill(0)
  await shows(page, 'The server went away')
  await shows(page, 'You drive.')
  const before = await picture(page, TYPED)
  await page.keyboard.type('again')
  await eventually('what is typed', async () => (await picture(page, TYPED)) !== before)
  await service.restart(0)
  await session.release()
  await shows(page, 'The lease is over.')
  await page.context().close()
})

test('a real Xtigervnc in a container: its pixels change by typing', { skip: !DesktopService.IMAGE && 'its image is not built here' }, async () => {
  const session = await hold('linux')
  const page = await enter(browser, url, KEYS.client)
  await desktopOf(page, session)
  const whole = [0, 400]
  // Its image shows an xterm.
  await still(page, whole)
  const box = await page.locator('.screen canvas').boundingBox()
  assert.ok(box.width > 400 && box.height > 300, `it is shown in ${JSON.stringify(box)}`)
  // It is in the middle of the left half.
  await page.mouse.click(box.x + box.width / 4, box.y + box.height / 3)
  // The first key hides the pointer.
  await page.keyboard.press('Backspace')
  await still(page, whole)
  // Had it heard a spectator, the driver's key would not come alone. Looked at by hand: what noVNC shows may have lost something on the way.
  const { pass } = await service.ask('POST', `/sessions/${session.id}/passes`, { view_only: true })
  const watch = (bytes = []) => sayByHand(page, { session: session.id, pass, viewer: 'one-that-comes-back' }, bytes, whole)
  let { after: seen } = await watch(input({ keys: 'echo by hand' }))
  // What the page did before may only be drawn now.
  await eventually('a picture that stays', async () => seen === (seen = (await watch()).after))
  await page.keyboard.type('!')
  await eventually('what the driver typed', async () => (await watch()).after !== seen)
  await page.keyboard.press('Backspace')
  await eventually('the driver alone typed', async () => (await watch()).after === seen)
  const last = await still(page, whole)
  await page.keyboard.type('echo it is typed')
  await eventually('what is typed', async () => (await picture(page, whole)) !== last)
  if (process.env.SCREENSHOTS) {
    await page.setViewportSize({ width: 1120, height: 640 })
    await page.keyboard.press('Enter')
    await eventually('an answer', async () => (await picture(page, [0, 300])) !== last)
    await page.screenshot({ path: new URL('../../docs/images/dashboard-desktop.png', import.meta.url).pathname })
  }
  await session.release()
  await shows(page, 'The lease is over.')
  await page.context().close()
})
