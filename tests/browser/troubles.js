// A pool that things happen to: two replicas on a Redis that may be emptied, which keeps few events, and containers of Docker that can be made ill.
import { execFileSync } from 'node:child_process'
import { balance, configurationOfBoxes, configurationOfKeys, IMAGE, listed, Service, tellRedis } from './service.js'

/** Events that are kept of each type: the fewest that may be configured. */
export const KEPT = 100

export class TroubledService extends Service {
  async begin() {
    await this.prepare()
    const file = this.file('troubles.toml', this.configuration())
    execFileSync(this.program, ['init', '--config', file], { env: this.environment('troubles') })
    this.startContainers()
    this.replicas = [await this.replica(file, 'troubles'), await this.replica(file, 'troubles')]
    this.balancer = await balance(this)
    return this
  }

  configuration() {
    return `${configurationOfKeys}
[limits]
events_kept = ${KEPT}
[discovery]
resync = "1s"
label = "${this.label}"
guide_label = "${this.label}-guide"
compose_services = false
[quarantine]
first = "10m"
[types.desk.probe]
kind = "none"
[types.spare.probe]
kind = "none"
${configurationOfBoxes}
[[provider]]
name = "lab"
kind = "static"
${listed('desk', 6)}${listed('spare', 4)}`
  }

  /** Containers that Docker itself looks at: well as long as a file is not there. */
  startContainers() {
    if (!IMAGE) return
    const check = ['--health-cmd', 'test ! -e /tmp/ill', '--health-interval', '200ms', '--health-retries', '1']
    for (const name of ['box-1', 'box-2']) {
      const args = ['run', '-d', '--rm', '--init', '--label', `${this.label}=box`, '--name', `${name}-${this.run}`, ...check, IMAGE, 'sleep', 'infinity']
      this.containers.push(execFileSync('docker', args, { encoding: 'utf8' }).trim())
    }
  }

  /** The container's own check fails from now on, or no more. */
  fall(container, ill) {
    execFileSync('docker', ['exec', container, ...(ill ? ['touch'] : ['rm']), '/tmp/ill'])
  }

  /** Redis loses everything. */
  async flush() {
    const answer = await tellRedis(this.socket, 'FLUSHALL')
    if (answer !== '+OK') throw new Error(answer)
  }
}
