// Chromium, pages of it that are logged in, and what is asked of every page.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] })

/** A page in a context of its own. What it complains of is kept in `faults`; with `overheard` what its event streams say, see `streams`. */
export async function open(browser, url, { overheard = false, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  if (overheard) await context.addInitScript(overhear)
  const page = await context.newPage()
  // The first page of a cold browser on a busy machine takes its time.
  page.setDefaultTimeout(30_000)
  page.faults = []
  page.on('pageerror', (error) => page.faults.push(String(error)))
  // Answers with an error status and broken connections are told there too, and belong to some tests.
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) page.faults.push(message.text())
  })
  await page.goto(url)
  return page
}

/** Runs in a page before its own scripts: keeps what its event streams tell it, one list for each. */
function overhear() {
  globalThis.streams = []
  const ask = globalThis.fetch
  globalThis.fetch = async (address, ...more) => {
    const answer = await ask(address, ...more)
    if (new URL(address).pathname !== '/events' || new URL(address).search) return answer
    const stream = { after: more[0]?.headers?.['Last-Event-ID'] ?? null, told: [] }
    globalThis.streams.push(stream)
    const hear = async () => {
      let rest = ''
      for await (const piece of answer.clone().body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + piece).split('\n')
        rest = lines.pop()
        for (const line of lines) if (line.startsWith('data:')) stream.told.push(JSON.parse(line.slice(5)))
      }
    }
    // It breaks with the page's own.
    hear().catch(() => undefined)
    return answer
  }
}

/** The event streams that an overheard page has had: after which event each was asked for, and what it told. */
export const streams = (page) => page.evaluate(() => globalThis.streams)

export async function logIn(page, key) {
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Log in' }).click()
}

/** A page that is logged in, and follows. */
export async function enter(browser, url, key, options) {
  const page = await open(browser, url, options)
  await logIn(page, key)
  await live(page)
  return page
}

export const live = (page) => page.locator('.link.live').waitFor()

/** Goes to a page and waits until it shows something. */
export async function visit(page, name, hash = `#/${name.toLowerCase()}`) {
  await page.evaluate((to) => (location.hash = to), hash)
  await page.getByRole('heading', { name, level: 1 }).waitFor()
}

/** Everything that is shown was read. */
export const settled = (page) => page.waitForFunction(() => !document.body.textContent.includes('Reading …'))

/** No violation of WCAG 2.2 A and AA that axe knows. */
export async function accessible(page, what) {
  if (!(await page.evaluate('typeof axe !== "undefined"'))) await page.evaluate(AXE)
  const { violations, passes } = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }),
  )
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`).join('; ')}`)
  assert.deepEqual(told, [], what)
  assert.ok(passes.length > 5, `${what}: axe looked at ${passes.length} rules only`)
  return passes.length
}

/** Nothing is cut off at the side. */
export async function fits(page, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(over <= 0, `${what}: the page is ${over} px wider than the screen`)
}
