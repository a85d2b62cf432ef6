// What the tests look at: a Redis, two replicas behind a balancer, containers that are only listed, and some of Docker where it answers.
import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PROGRAM = process.env.LEASEHOLD ?? 'target/debug/leasehold'
/** The image of the containers that write a log; without it those tests are left out. */
export const IMAGE = process.env.BROWSER_IMAGE ?? ''
export const KEYS = { admin: 'the-admin-key', client: 'the-client-key', viewer: 'the-viewer-key' }

/** Waits until it is something; fails with what was waited for. */
export async function eventually(what, look, patience = 10_000) {
  const end = Date.now() + patience
  let last
  for (;;) {
    try {
      const found = await look()
      if (found) return found
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${patience} ms${last ? `: ${last.message}` : ''}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Where containers of the engine are lent, when there is one. */
export const configurationOfBoxes = IMAGE
  ? `[[provider]]\nname = "engine"\nkind = "docker"\n[types.box.probe]\nkind = "none"\n[types.box.reset]\nkind = "none"\n`
  : ''

export const configurationOfKeys = Object.entries(KEYS)
  .map(([role, key]) => {
    const hash = createHash('sha256').update(key).digest('hex')
    return `[[api_key]]\nname = "${role}"\nowner = "${role}"\nrole = "${role}"\nhash = "sha256:${hash}"\n`
  })
  .join('')

export const listed = (type, count) => {
  const one = (at) =>
    `[[provider.container]]\nname = "${type}-${at}"\ntype = "${type}"\nhost = "127.0.0.1"\nports = { vnc = ${1 + (at % 60_000)} }\n`
  return Array.from({ length: count }, (_, at) => one(at + 1)).join('')
}

export class Service {
  program = PROGRAM

  static async start() {
    const service = new this()
    try {
      return await service.begin()
    } catch (error) {
      await service.stop()
      throw error
    }
  }

  /** A folder, and a Redis in it. */
  async prepare() {
    this.folder = mkdtempSync(join(tmpdir(), 'leasehold-browser-'))
    this.run = randomUUID().slice(0, 8)
    this.label = `leasehold.browser-${this.run}`
    this.children = []
    this.containers = []
    this.socket = join(this.folder, 'redis.sock')
    const redis = ['--port', '0', '--unixsocket', this.socket, '--save', '', '--appendonly', 'no', '--dir', this.folder]
    this.child('redis-server', redis)
    await eventually('Redis', () => tellRedis(this.socket, 'PING'))
    this.redis = `redis+unix://${this.socket}`
  }

  async begin() {
    await this.prepare()
    const base = this.file('base.toml', this.configuration())
    const many = this.file('many.toml', `${configurationOfKeys}[types.many.probe]\nkind = "none"\n[[provider]]\nname = "farm"\nkind = "static"\n${listed('many', 10_000)}`)
    const keyless = this.file('keyless.toml', `[types.desk.probe]\nkind = "none"\n[[provider]]\nname = "lab"\nkind = "static"\n${listed('desk', 2)}`)
    for (const [file, prefix] of [[base, 'few'], [many, 'many'], [keyless, 'keyless']]) {
      execFileSync(PROGRAM, ['init', '--config', file], { env: this.environment(prefix) })
    }
    this.startContainers()
    this.replicas = [await this.replica(base, 'few'), await this.replica(base, 'few')]
    this.many = await this.replica(many, 'many')
    this.keyless = await this.replica(keyless, 'keyless')
    this.balancer = await balance(this)
    return this
  }

  configuration() {
    return `${configurationOfKeys}
[discovery]
label = "${this.label}"
guide_label = "${this.label}-guide"
compose_services = false
[types.desk.probe]
kind = "none"
[types.spare.probe]
kind = "none"
${configurationOfBoxes}
[[provider]]
name = "lab"
kind = "static"
${listed('desk', 6)}${listed('spare', 40)}`
  }

  file(name, text) {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  environment(prefix, port) {
    const address = port ? { LEASEHOLD_LISTEN: `127.0.0.1:${port}` } : {}
    const { LEASEHOLD_API_KEY, LEGACY_USE_API_KEY, ...rest } = process.env
    return { ...rest, LEASEHOLD_REDIS__URL: this.redis, LEASEHOLD_PREFIX: prefix, LEASEHOLD_DRAIN: '0s', ...address }
  }

  child(program, args, env = process.env) {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env })
    child.log = ''
    child.stderr.on('data', (text) => (child.log = (child.log + text).slice(-20_000)))
    this.children.push(child)
    return child
  }

  /** Starts a replica and waits until it listens. */
  async replica(config, prefix, port = 0) {
    const child = this.child(PROGRAM, ['serve', '--config', config], this.environment(prefix, port || '0'))
    const listening = () => /"address":"127\.0\.0\.1:(\d+)"/.exec(child.log.split('\n').find((line) => line.includes('"listening"')) ?? '')
    const found = await eventually('a replica that listens', () => {
      if (child.exitCode !== null) throw new Error(child.log)
      return listening()
    }, 20_000)
    return { child, port: Number(found[1]), config, prefix }
  }

  async kill(at) {
    const { child } = this.replicas[at]
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  async restart(at) {
    const { config, prefix, port } = this.replicas[at]
    this.replicas[at] = await this.replica(config, prefix, port)
  }

  /** It hears and says nothing, and no connection of it ends. */
  pause(at) {
    this.replicas[at].paused = true
    this.replicas[at].child.kill('SIGSTOP')
  }

  resume(at) {
    this.replicas[at].paused = false
    this.replicas[at].child.kill('SIGCONT')
  }

  startContainers() {
    if (!IMAGE) return
    // The second line is one that a page must not take for markup.
    const program = `echo started; echo '<img src=x onerror="document.title=1">'; i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.2; done`
    for (const name of ['box-1', 'box-2']) {
      const args = ['run', '-d', '--rm', '--init', '--label', `${this.label}=box`, '--name', `${name}-${this.run}`, IMAGE, 'sh', '-c', program]
      this.containers.push(execFileSync('docker', args, { encoding: 'utf8' }).trim())
    }
  }

  /** Asks a replica directly. */
  async ask(method, path, body, key = KEYS.client) {
    const port = this.replicas.find(({ child, paused }) => !paused && child.exitCode === null && child.signalCode === null)?.port
    const headers = { 'X-API-Key': key, ...(body ? { 'Content-Type': 'application/json' } : {}) }
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body: body ? JSON.stringify(body) : undefined })
    const found = await answer.json()
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(found)}`)
    return found
  }

  async stop() {
    this.balancer?.close()
    const ended = this.children.map((child) => child.exitCode ?? child.signalCode ?? new Promise((resolve) => child.once('exit', resolve)))
    for (const child of this.children) child.kill('SIGKILL')
    await Promise.all(ended)
    if (this.containers?.length) execFileSync('docker', ['rm', '-f', ...this.containers], { stdio: 'ignore' })
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Says one command to Redis, and gives the first line of what it answers. */
export const tellRedis = (socket, command) =>
  new Promise((resolve, reject) => {
    const connection = connect(socket, () => connection.write(`${command}\r\n`))
    connection.on('data', (answer) => {
      connection.destroy()
      resolve(answer.toString().split('\r\n')[0])
    })
    connection.on('error', reject)
  })

/** A load balancer at the level of TCP: the first replica that answers. A connection ends with its replica. */
export async function balance(service) {
  const open = new Set()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return client.destroy()
    open.add(client)
    client.on('close', () => open.delete(client)).on('error', () => undefined)
    const attempt = ([first, ...others]) => {
      if (!first) return client.destroy()
      const upstream = connect(first.port, '127.0.0.1')
      let connected = false
      upstream.on('connect', () => {
        connected = true
        client.pipe(upstream).pipe(client)
      })
      upstream.on('error', () => (connected ? client.destroy() : attempt(others)))
      upstream.on('close', () => connected && client.destroy())
      client.on('close', () => upstream.destroy())
    }
    attempt(service.replicas)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  return {
    url: `http://127.0.0.1:${port}/`,
    /** Breaks all connections, and lets none through until it is mended. */
    cut: () => {
      isCut = true
      for (const client of open) client.destroy()
    },
    mend: () => (isCut = false),
    close: () => {
      server.close()
      for (const client of open) client.destroy()
    },
  }
}
