// Desktops to look at: two replicas behind a balancer, a demo desktop, and a container with Xtigervnc where there is its image.
import { execFileSync } from 'node:child_process'
import { balance, configurationOfKeys, eventually, Service } from './service.js'

export class DesktopService extends Service {
  /** The image of a desktop; without it those tests are left out. */
  static IMAGE = process.env.BROWSER_DESKTOP_IMAGE ?? ''

  async begin() {
    await this.prepare()
    const demo = this.child(this.program, ['demo-target', '--listen', '127.0.0.1:0'])
    const listens = () => /address=127\.0\.0\.1:(\d+)/.exec(demo.log.replace(/\u001b\[\d+m/g, ''))
    const [, port] = await eventually('a demo desktop', listens)
    if (DesktopService.IMAGE) {
      const args = ['run', '-d', '--rm', '--label', `${this.label}=linux`, '-p', '127.0.0.1::5900', DesktopService.IMAGE]
      this.containers.push(execFileSync('docker', args, { encoding: 'utf8' }).trim())
    }
    const file = this.file('desktops.toml', this.desktops(port))
    execFileSync(this.program, ['init', '--config', file], { env: this.environment('desktops') })
    this.replicas = [await this.replica(file, 'desktops'), await this.replica(file, 'desktops')]
    this.balancer = await balance(this)
    return this
  }

  desktops(port) {
    const engine = DesktopService.IMAGE
      ? '[[provider]]\nname = "engine"\nkind = "docker"\n[types.linux.reset]\nkind = "none"\n'
      : ''
    return `${configurationOfKeys}
[discovery]
label = "${this.label}"
guide_label = "${this.label}-guide"
compose_services = false
${engine}
[[provider]]
name = "lab"
kind = "static"
[[provider.container]]
name = "demo"
type = "demo"
host = "127.0.0.1"
ports = { vnc = ${port} }
`
  }
}
