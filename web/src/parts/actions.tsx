/** What an operator may do, each with what will happen said before. */
import * as api from '../api/client'
import type { Container, Session } from '../api/types'
import { plural, short } from '../format'
import { containers, readCounts, sessions } from '../live/store'
import { confirm, type Target } from './confirm'

const targets = (all: Container[]): Target[] => all.map(({ id, name }) => ({ id, name: name || short(id) }))
const inUse = (all: Container[]) => all.filter(({ pool_state }) => pool_state === 'allocated').length
const these = (all: Container[]) => (all.length === 1 ? (all[0]?.name ?? '') : plural(all.length, 'container'))

/** Does it, and shows what became of the container. */
const then = (work: (id: string) => Promise<Container>) => (target: Target) => containers.readOne(target.id, () => work(target.id))

export function askCordon(all: Container[]): void {
  confirm({
    title: `Cordon ${these(all)}`,
    body: <p>{all.length === 1 ? 'It is' : 'They are'} given out no more. {sessionsGoOn(all)}</p>,
    action: 'Cordon',
    targets: targets(all),
    run: then(api.cordon),
  })
}

export function askUncordon(all: Container[]): void {
  confirm({
    title: `Uncordon ${these(all)}`,
    body: <p>{all.length === 1 ? 'It may' : 'They may'} be given out again at once, and a drain is over.</p>,
    action: 'Uncordon',
    targets: targets(all),
    run: then(api.uncordon),
  })
}

export function askDrain(all: Container[]): void {
  const chosen = { minutes: 10, force: false }
  const used = inUse(all)
  confirm({
    title: `Drain ${these(all)}`,
    body: (
      <>
        <p>
          {all.length === 1 ? 'It is' : 'They are'} given out no more. {used === 0 ? 'No session has to be waited for now.' : `${plural(used, 'session')} of ${all.length === 1 ? 'it' : 'them'} ${used === 1 ? 'is' : 'are'} waited for.`}
        </p>
        <label class="field">
          Wait for so many minutes
          <input
            type="number"
            min={0}
            max={1440}
            defaultValue="10"
            onInput={(event) => (chosen.minutes = Number(event.currentTarget.value))}
          />
        </label>
        <label class="check">
          <input type="checkbox" onChange={(event) => (chosen.force = event.currentTarget.checked)} />
          Then end the session, with the reason <code>admin</code>. Otherwise it goes on, and the container stays cordoned.
        </label>
      </>
    ),
    action: 'Drain',
    danger: true,
    targets: targets(all),
    run: (target) => then((id) => api.drain(id, Math.round(chosen.minutes * 60), chosen.force))(target),
  })
}

export function askRestart(all: Container[]): void {
  const chosen = { force: false }
  const used = inUse(all)
  confirm({
    title: `Restart ${these(all)}`,
    body: (
      <>
        <p>
          A worker restarts {all.length === 1 ? 'it' : 'them'}; what runs inside is lost.
          {used > 0 && ` ${used} of ${all.length} ${used === 1 ? 'has' : 'have'} a session: without force ${used === 1 ? 'that is' : 'those are'} refused.`}
        </p>
        {used > 0 && (
          <label class="check">
            <input type="checkbox" onChange={(event) => (chosen.force = event.currentTarget.checked)} />
            End {used === 1 ? 'that session' : 'those sessions'} first, with the reason <code>admin</code>
          </label>
        )}
      </>
    ),
    action: 'Restart',
    danger: true,
    targets: targets(all),
    run: (target) => then((id) => api.restart(id, chosen.force))(target),
  })
}

export function askQuarantine(all: Container[]): void {
  const chosen = { minutes: 30 }
  confirm({
    title: `Quarantine ${these(all)}`,
    body: (
      <>
        <p>
          {all.length === 1 ? 'It rests' : 'They rest'}: given out no more until then, and back by {all.length === 1 ? 'itself' : 'themselves'}. {sessionsGoOn(all)}
        </p>
        <label class="field">
          For so many minutes
          <input
            type="number"
            min={1}
            max={10080}
            defaultValue="30"
            onInput={(event) => (chosen.minutes = Number(event.currentTarget.value))}
          />
        </label>
      </>
    ),
    action: 'Quarantine',
    targets: targets(all),
    run: (target) => then((id) => api.quarantine(id, Math.round(chosen.minutes * 60)))(target),
  })
}

export function askUnquarantine(all: Container[]): void {
  confirm({
    title: `End the quarantine of ${these(all)}`,
    body: <p>What failed before is forgotten, and what is well now is given out again at once.</p>,
    action: 'End quarantine',
    targets: targets(all),
    run: then(api.unquarantine),
  })
}

export function askEnd(all: Session[]): void {
  const one = all.length === 1
  const ready = all.filter(({ state }) => state === 'ready').length
  confirm({
    title: one ? 'End a session' : `End ${plural(all.length, 'session')}`,
    body: (
      <p>
        {ready > 0 && `${one ? 'It ends' : `${ready} of them end`} now, and the container goes back to the pool. The holder hears of it at its next heartbeat. `}
        {ready < all.length && `${one ? 'It loses its place' : `${all.length - ready} of them lose their places`} in the line.`}
      </p>
    ),
    action: 'End',
    danger: true,
    targets: all.map(({ id, owner }) => ({ id, name: `${id} of ${owner}` })),
    run: async ({ id }) => sessions.put(await api.endSession(id)),
  })
}

export function askEndRecovery(type: string): void {
  confirm({
    title: `End the recovery of ${type}`,
    body: (
      <p>
        <strong>Containers that were held are given out at once.</strong> Whoever still uses one, and could not prove it yet, shares it
        with its next session until it is reset. Do this only when you know that there is nobody.
      </p>
    ),
    action: 'End recovery',
    danger: true,
    targets: [{ id: type, name: type }],
    run: async () => {
      await api.endRecovery(type)
      readCounts()
    },
  })
}

function sessionsGoOn(all: Container[]): string {
  const used = inUse(all)
  return used === 0 ? '' : `${plural(used, 'session')} ${used === 1 ? 'goes' : 'go'} on.`
}

